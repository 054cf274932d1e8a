// SPDX-License-Identifier: GPL-2.0
/* CDROM_SEND_PACKET: CDBs of 12 bytes. Disks and /dev/sgN take it too. */
#include <errno.h>
#include <linux/cdrom.h>
#include <string.h>
#include <sys/ioctl.h>

#include "sgsend.h"

void send_cdrom_packet(int fd, const struct request *rq, struct reply *re)
{
	struct cdrom_generic_command cgc = {
		.data_direction = CGC_DATA_NONE,
		.sense = (struct request_sense *)re->sense,
		.timeout = TIMEOUT_MS / 10,	/* clock ticks of 10 ms */
	};

	_Static_assert(sizeof(struct request_sense) <= SENSE_LEN, "sense");
	memcpy(cgc.cmd, rq->cdb.b, sizeof(cgc.cmd));
	if (rq->out_len) {
		cgc.data_direction = CGC_DATA_WRITE;
		cgc.buffer = (void *)rq->out;
		cgc.buflen = rq->out_len;
	} else if (rq->in_len) {
		cgc.data_direction = CGC_DATA_READ;
		cgc.buffer = rq->in;
		cgc.buflen = rq->in_len;
	}
	if (!ioctl(fd, CDROM_SEND_PACKET, &cgc)) {
		re->resid = cgc.buflen;
		return;
	}
	re->err = errno;
	/* It says EIO for any SCSI status; only sense data tell that it was executed. */
	if (re->err == EIO && re->sense[0]) {
		re->err = 0;
		re->status = 0x02;
		re->sense_len = sizeof(struct request_sense);
	}
}
