// SPDX-License-Identifier: GPL-2.0
/* SG_IO with the version 3 header: block devices, changers and /dev/sgN. */
#include <errno.h>
#include <sys/ioctl.h>

#include "sgsend.h"

static void send_with(int fd, const struct request *rq, struct reply *re, struct sg_iovec *vectors,
		      int n)
{
	struct sg_io_hdr hdr = v3_header(rq->cdb.b, rq->cdb.len, re->sense);

	if (rq->out_len)
		v3_data(&hdr, SG_DXFER_TO_DEV, rq->out, rq->out_len);
	else if (rq->in_len)
		v3_data(&hdr, SG_DXFER_FROM_DEV, rq->in, rq->in_len);
	if (n) {
		hdr.dxferp = vectors;
		hdr.iovec_count = n;
	}
	re->err = ioctl(fd, SG_IO, &hdr) < 0 ? errno : 0;
	re->status = hdr.status;
	re->host_status = hdr.host_status;
	re->sense_len = hdr.sb_len_wr;
	re->resid = hdr.resid;
}

void send_sg_v3(int fd, const struct request *rq, struct reply *re)
{
	send_with(fd, rq, re, NULL, 0);
}

/* The data in pieces: of 3 bytes, of 5, and the rest. */
void send_sg_vectors(int fd, const struct request *rq, struct reply *re)
{
	char *data = rq->out_len ? (char *)rq->out : rq->in;
	unsigned int len = rq->out_len ? rq->out_len : rq->in_len, n = 0;
	struct sg_iovec vectors[3];

	for (unsigned int at = 0; at < len; n++) {
		unsigned int piece = n == 0 ? 3 : n == 1 ? 5 : len;

		vectors[n].iov_base = data + at;
		vectors[n].iov_len = piece < len - at ? piece : len - at;
		at += vectors[n].iov_len;
	}
	send_with(fd, rq, re, vectors, n);
}
