// SPDX-License-Identifier: GPL-2.0
/* IORING_OP_URING_CMD on /dev/bsg/H:C:T:L. */
#include <errno.h>
#include <string.h>

#include "uring.h"

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

int make_ring(struct io_uring *ring, unsigned int flags)
{
	return -io_uring_queue_init(4, ring, IORING_SETUP_SQE128 | IORING_SETUP_CQE32 | flags);
}

int send_on_ring(struct io_uring *ring, int fd, const struct sg_io_v4 *hdr, unsigned int sqe_flags,
		 int personality, uint64_t *result)
{
	struct uring_payload payload = {
		.request = hdr->request,
		.request_len = hdr->request_len,
		.protocol = hdr->protocol,
		.subprotocol = hdr->subprotocol,
		.max_response_len = hdr->max_response_len,
		.response = hdr->response,
		.dout_xferp = hdr->dout_xferp,
		.dout_xfer_len = hdr->dout_xfer_len,
		.din_xferp = hdr->din_xferp,
		.din_xfer_len = hdr->din_xfer_len,
		.timeout_ms = hdr->timeout,
	};
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int ret = EBUSY;

	if (!sqe)
		return ret;
	memset(sqe, 0, 2 * sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->flags = sqe_flags;
	sqe->personality = personality;
	memcpy(sqe->cmd, &payload, sizeof(payload));
	ret = io_uring_submit_and_wait(ring, 1);
	if (ret >= 0)
		ret = io_uring_wait_cqe(ring, &cqe);
	if (ret < 0)
		return -ret;
	ret = -cqe->res;
	*result = cqe->big_cqe[0];
	io_uring_cqe_seen(ring, cqe);
	return ret;
}
