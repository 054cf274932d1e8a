/* SPDX-License-Identifier: GPL-2.0 */
#ifndef URING_H
#define URING_H

#include <liburing.h>
#include <linux/bsg.h>
#include <stdint.h>

/* Of what IORING_OP_URING_CMD on /dev/bsg wants. Returns an errno. */
int make_ring(struct io_uring *ring, unsigned int flags);

/* Sends by it what a header says, and waits; *result gets status and sense. Returns an errno. */
int send_on_ring(struct io_uring *ring, int fd, const struct sg_io_v4 *hdr, unsigned int sqe_flags,
		 int personality, uint64_t *result);

#endif
