// SPDX-License-Identifier: GPL-2.0
/* SG_IO with the version 3 header: block devices, changers and /dev/sgN. */
#include <errno.h>
#include <scsi/sg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "sgsend.h"

void send_sg_v3(int fd, const struct request *rq, struct reply *re)
{
	struct sg_io_hdr hdr = {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_NONE,
		.cmd_len = rq->cdb.len,
		.cmdp = (unsigned char *)rq->cdb.b,
		.mx_sb_len = SENSE_LEN,
		.sbp = re->sense,
		.timeout = TIMEOUT_MS,
	};

	if (rq->out_len) {
		hdr.dxfer_direction = SG_DXFER_TO_DEV;
		hdr.dxferp = (void *)rq->out;
		hdr.dxfer_len = rq->out_len;
	} else if (rq->in_len) {
		hdr.dxfer_direction = SG_DXFER_FROM_DEV;
		hdr.dxferp = rq->in;
		hdr.dxfer_len = rq->in_len;
	}
	re->err = ioctl(fd, SG_IO, &hdr) < 0 ? errno : 0;
	re->status = hdr.status;
	re->host_status = hdr.host_status;
	re->sense_len = hdr.sb_len_wr;
	re->resid = hdr.resid;
}
