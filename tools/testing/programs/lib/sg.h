/* SPDX-License-Identifier: GPL-2.0 */
/* The headers that a command is sent by, with SG_IO and what takes the same. */
#ifndef SG_H
#define SG_H

#include <linux/bsg.h>
#include <scsi/sg.h>
#include <stdint.h>

#define SENSE_LEN	64
#define TIMEOUT_MS	20000

/* Version 3, without data. */
static inline struct sg_io_hdr v3_header(const uint8_t *cdb, unsigned int len,
					 uint8_t sense[SENSE_LEN])
{
	return (struct sg_io_hdr) {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_NONE,
		.cmd_len = len,
		.cmdp = (unsigned char *)cdb,
		.mx_sb_len = SENSE_LEN,
		.sbp = sense,
		.timeout = TIMEOUT_MS,
	};
}

static inline void v3_data(struct sg_io_hdr *hdr, int direction, const void *data,
			   unsigned int len)
{
	hdr->dxfer_direction = direction;
	hdr->dxferp = (void *)data;
	hdr->dxfer_len = len;
}

/* Version 4, without data. */
static inline struct sg_io_v4 v4_header(const uint8_t *cdb, unsigned int len,
					uint8_t sense[SENSE_LEN])
{
	return (struct sg_io_v4) {
		.guard = 'Q',
		.protocol = BSG_PROTOCOL_SCSI,
		.subprotocol = BSG_SUB_PROTOCOL_SCSI_CMD,
		.request_len = len,
		.request = (uintptr_t)cdb,
		.max_response_len = SENSE_LEN,
		.response = (uintptr_t)sense,
		.timeout = TIMEOUT_MS,
	};
}

static inline void v4_data_out(struct sg_io_v4 *hdr, const void *data, unsigned int len)
{
	hdr->dout_xferp = (uintptr_t)data;
	hdr->dout_xfer_len = len;
}

#endif
