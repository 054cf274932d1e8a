// SPDX-License-Identifier: GPL-2.0
/* /dev/bsg/H:C:T:L: SG_IO with the version 4 header, and io_uring. */
#include <errno.h>
#include <sys/ioctl.h>

#include "../lib/uring.h"
#include "sgsend.h"

static struct sg_io_v4 header_of(const struct request *rq, struct reply *re)
{
	struct sg_io_v4 hdr = v4_header(rq->cdb.b, rq->cdb.len, re->sense);

	v4_data_out(&hdr, rq->out, rq->out_len);
	hdr.din_xferp = (uintptr_t)rq->in;
	hdr.din_xfer_len = rq->in_len;
	return hdr;
}

void send_bsg(int fd, const struct request *rq, struct reply *re)
{
	struct sg_io_v4 hdr = header_of(rq, re);

	re->err = ioctl(fd, SG_IO, &hdr) < 0 ? errno : 0;
	re->status = hdr.device_status;
	re->host_status = hdr.transport_status;
	re->sense_len = hdr.response_len;
	re->resid = rq->out_len ? hdr.dout_resid : hdr.din_resid;
}

static void send_uring(int fd, const struct request *rq, struct reply *re,
		       unsigned int setup_flags, unsigned int sqe_flags)
{
	static struct io_uring rings[2];
	static bool are_ready[2];
	const bool polled = setup_flags & IORING_SETUP_SQPOLL;
	struct io_uring *ring = &rings[polled];
	bool *ready = &are_ready[polled];
	struct sg_io_v4 hdr = header_of(rq, re);
	uint64_t result = 0;

	if (!*ready) {
		re->err = make_ring(ring, setup_flags);
		if (re->err)
			return;
		*ready = true;
	}
	re->err = send_on_ring(ring, fd, &hdr, sqe_flags, 0, &result);
	if (!re->err) {
		re->status = result;
		re->host_status = result >> 16;
		re->sense_len = result >> 24 & 0xff;
		re->resid = result >> 32;
	}
}

void send_bsg_uring(int fd, const struct request *rq, struct reply *re)
{
	send_uring(fd, rq, re, 0, 0);
}

/* By a worker thread of the kernel, which has the submitter's credentials. */
void send_bsg_uring_worker(int fd, const struct request *rq, struct reply *re)
{
	send_uring(fd, rq, re, 0, IOSQE_ASYNC);
}

/* By the thread of the kernel that looks for what is submitted. */
void send_bsg_uring_sqpoll(int fd, const struct request *rq, struct reply *re)
{
	send_uring(fd, rq, re, IORING_SETUP_SQPOLL, 0);
}
