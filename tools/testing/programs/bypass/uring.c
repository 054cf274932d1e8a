// SPDX-License-Identifier: GPL-2.0
/* Credentials that an io_uring keeps. */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <linux/bsg.h>
#include <stdio.h>
#include <string.h>

#include "bypass.h"

static int send_uring(struct io_uring *ring, int fd, uint8_t opcode, int personality)
{
	static uint8_t cdb[32], sense[32];
	struct {
		__u64 request;
		__u32 request_len, protocol, subprotocol, max_response_len;
		__u64 response, dout_xferp;
		__u32 dout_xfer_len, dout_iovec_count;
		__u64 din_xferp;
		__u32 din_xfer_len, din_iovec_count, timeout_ms;
		__u8 reserved[12];
	} cmd = {
		.request = (uintptr_t)cdb,
		.request_len = 16,
		.subprotocol = BSG_SUB_PROTOCOL_SCSI_CMD,
		.max_response_len = sizeof(sense),
		.response = (uintptr_t)sense,
		.dout_xferp = (uintptr_t)nowhere(),
		.dout_xfer_len = 512,
		.timeout_ms = 20000,
	};
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int ret = EBUSY;

	if (!sqe)
		return ret;
	cdb[0] = opcode;
	memset(sqe, 0, 2 * sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->personality = personality;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
	ret = io_uring_submit_and_wait(ring, 1);
	if (ret >= 0)
		ret = io_uring_wait_cqe(ring, &cqe);
	if (ret < 0)
		return -ret;
	ret = -cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

void personalities(const char *node, uint8_t opcode)
{
	struct io_uring ring;
	int fd = open_node(node, "rw"), root, own, ret;

	ret = io_uring_queue_init(4, &ring, IORING_SETUP_SQE128 | IORING_SETUP_CQE32);
	if (ret)
		errx(2, "io_uring: %s", strerror(-ret));
	root = io_uring_register_personality(&ring);
	become_nobody();
	own = io_uring_register_personality(&ring);
	if (root < 0 || own < 0)
		errx(2, "no personality");
	printf("root's %s, ", verdict(send_uring(&ring, fd, opcode, root)));
	printf("nobody's %s, ", verdict(send_uring(&ring, fd, opcode, own)));
	printf("none %s, ", verdict(send_uring(&ring, fd, opcode, 0)));
	printf("another's %s\n", verdict(send_uring(&ring, fd, opcode, own + 100)));
}

/* A thread of the kernel takes commands, with the credentials of who made the ring. */
static void make_polled(struct io_uring *ring)
{
	int ret = io_uring_queue_init(4, ring, IORING_SETUP_SQE128 | IORING_SETUP_CQE32 |
				      IORING_SETUP_SQPOLL);

	if (ret)
		errx(2, "io_uring with SQPOLL: %s", strerror(-ret));
}

void polled_rings(const char *node, uint8_t opcode)
{
	struct io_uring root, own;
	int fd = open_node(node, "rw");

	make_polled(&root);
	become_nobody();
	make_polled(&own);
	printf("root's %s, ", verdict(send_uring(&root, fd, opcode, 0)));
	printf("nobody's %s\n", verdict(send_uring(&own, fd, opcode, 0)));
}
