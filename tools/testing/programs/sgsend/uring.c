// SPDX-License-Identifier: GPL-2.0
/* IORING_OP_URING_CMD on /dev/bsg/H:C:T:L. */
#include <errno.h>
#include <liburing.h>
#include <linux/bsg.h>
#include <string.h>

#include "sgsend.h"

/*
 * struct bsg_uring_cmd of linux/bsg.h, which is younger than the headers of
 * most distributions; under another name, as nothing tells whether it is there.
 */
struct uring_payload {
	__u64 request;
	__u32 request_len;
	__u32 protocol;
	__u32 subprotocol;
	__u32 max_response_len;
	__u64 response;
	__u64 dout_xferp;
	__u32 dout_xfer_len;
	__u32 dout_iovec_count;
	__u64 din_xferp;
	__u32 din_xfer_len;
	__u32 din_iovec_count;
	__u32 timeout_ms;
	__u8 reserved[12];
};

_Static_assert(sizeof(struct uring_payload) == 80, "payload of an SQE128");

static struct io_uring *the_ring(void)
{
	static struct io_uring ring;
	static bool ready;
	int ret;

	if (ready)
		return &ring;
	ret = io_uring_queue_init(4, &ring, IORING_SETUP_SQE128 | IORING_SETUP_CQE32);
	if (ret < 0) {
		errno = -ret;
		return NULL;
	}
	ready = true;
	return &ring;
}

static void send_uring(int fd, const struct request *rq, struct reply *re,
		       unsigned int sqe_flags)
{
	struct io_uring *ring = the_ring();
	struct uring_payload cmd = {
		.request = (uintptr_t)rq->cdb.b,
		.request_len = rq->cdb.len,
		.protocol = BSG_PROTOCOL_SCSI,
		.subprotocol = BSG_SUB_PROTOCOL_SCSI_CMD,
		.max_response_len = SENSE_LEN,
		.response = (uintptr_t)re->sense,
		.dout_xfer_len = rq->out_len,
		.dout_xferp = (uintptr_t)rq->out,
		.din_xfer_len = rq->in_len,
		.din_xferp = (uintptr_t)rq->in,
		.timeout_ms = TIMEOUT_MS,
	};
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	uint64_t res2;
	int ret;

	if (!ring) {
		re->err = errno;
		return;
	}
	sqe = io_uring_get_sqe(ring);
	if (!sqe) {
		re->err = EBUSY;
		return;
	}
	memset(sqe, 0, 2 * sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->flags = sqe_flags;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));

	ret = io_uring_submit_and_wait(ring, 1);
	if (ret >= 0)
		ret = io_uring_wait_cqe(ring, &cqe);
	if (ret < 0) {
		re->err = -ret;
		return;
	}
	re->err = -cqe->res;
	res2 = cqe->big_cqe[0];
	if (!re->err) {
		re->status = res2;
		re->host_status = res2 >> 16;
		re->sense_len = res2 >> 24 & 0xff;
		re->resid = res2 >> 32;
	}
	io_uring_cqe_seen(ring, cqe);
}

void send_bsg_uring(int fd, const struct request *rq, struct reply *re)
{
	send_uring(fd, rq, re, 0);
}

/* By a worker thread of the kernel, which has the submitter's credentials. */
void send_bsg_uring_worker(int fd, const struct request *rq, struct reply *re)
{
	send_uring(fd, rq, re, IOSQE_ASYNC);
}
