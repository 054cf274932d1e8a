// SPDX-License-Identifier: GPL-2.0
/* SG_IO with the version 4 header on /dev/bsg/H:C:T:L. */
#include <errno.h>
#include <linux/bsg.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>

#include "sgsend.h"

void send_bsg(int fd, const struct request *rq, struct reply *re)
{
	struct sg_io_v4 hdr = {
		.guard = 'Q',
		.protocol = BSG_PROTOCOL_SCSI,
		.subprotocol = BSG_SUB_PROTOCOL_SCSI_CMD,
		.request_len = rq->cdb.len,
		.request = (uintptr_t)rq->cdb.b,
		.max_response_len = SENSE_LEN,
		.response = (uintptr_t)re->sense,
		.dout_xfer_len = rq->out_len,
		.dout_xferp = (uintptr_t)rq->out,
		.din_xfer_len = rq->in_len,
		.din_xferp = (uintptr_t)rq->in,
		.timeout = TIMEOUT_MS,
	};

	re->err = ioctl(fd, SG_IO, &hdr) < 0 ? errno : 0;
	re->status = hdr.device_status;
	re->host_status = hdr.transport_status;
	re->sense_len = hdr.response_len;
	re->resid = rq->out_len ? hdr.dout_resid : hdr.din_resid;
}
