// SPDX-License-Identifier: GPL-2.0
/*
 * SCSI_IOCTL_SEND_COMMAND. It copies the data before it asks for permission,
 * so it cannot probe: what is allowed is executed. The length of the CDB is
 * that of its group code.
 */
#include <errno.h>
#include <scsi/scsi_ioctl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "sgsend.h"

#define DATA_MAX	4096

void send_send_command(int fd, const struct request *rq, struct reply *re)
{
	struct {
		unsigned int in_len;	/* to the device */
		unsigned int out_len;	/* from the device */
		unsigned char data[CDB_MAX + DATA_MAX];
	} sic = { .in_len = rq->out_len, .out_len = rq->in_len };
	int ret;

	memcpy(sic.data, rq->cdb.b, rq->cdb.len);
	if (rq->out_len && rq->out_len <= DATA_MAX)
		memcpy(sic.data + rq->cdb.len, rq->out, rq->out_len);
	ret = ioctl(fd, SCSI_IOCTL_SEND_COMMAND, &sic);
	if (ret < 0) {
		re->err = errno;
		return;
	}
	re->status = ret;
	if (ret) {
		memcpy(re->sense, sic.data, 16);
		re->sense_len = 16;
	} else if (rq->in_len && rq->in_len <= DATA_MAX) {
		memcpy(rq->in, sic.data, rq->in_len);
	}
}
