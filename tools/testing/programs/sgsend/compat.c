// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls as a 32-bit program makes them: by int 0x80, which is open to 64-bit
 * programs too, with a header and buffers below 4 GiB.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/cdrom.h>
#include <scsi/scsi_ioctl.h>
#include <scsi/sg.h>
#include <string.h>
#include <sys/mman.h>

#include "sgsend.h"

#define NR_ioctl	54	/* of i386 */
#define AREA		(64 << 10)

/* struct compat_sg_io_hdr */
struct hdr32 {
	int32_t interface_id;
	int32_t dxfer_direction;
	uint8_t cmd_len;
	uint8_t mx_sb_len;
	uint16_t iovec_count;
	uint32_t dxfer_len;
	uint32_t dxferp;
	uint32_t cmdp;
	uint32_t sbp;
	uint32_t timeout;
	uint32_t flags;
	int32_t pack_id;
	uint32_t usr_ptr;
	uint8_t status;
	uint8_t masked_status;
	uint8_t msg_status;
	uint8_t sb_len_wr;
	uint16_t host_status;
	uint16_t driver_status;
	int32_t resid;
	uint32_t duration;
	uint32_t info;
};

/* struct compat_cdrom_generic_command */
struct packet32 {
	uint8_t cmd[CDROM_PACKET_SIZE];
	uint32_t buffer;
	uint32_t buflen;
	int32_t stat;
	uint32_t sense;
	uint8_t data_direction;
	uint8_t pad[3];
	int32_t quiet;
	int32_t timeout;
	uint32_t unused;
};

/* The same for both. */
struct send_command32 {
	uint32_t in_len;	/* to the device */
	uint32_t out_len;	/* from the device */
	uint8_t data[CDB_MAX + 4096];
};

struct area {
	union {
		struct hdr32 hdr;
		struct packet32 packet;
		struct send_command32 command;
	};
	uint8_t cdb[32];
	uint8_t sense[SENSE_LEN];
	uint8_t data[AREA - 8192];
};

/* Below 4 GiB, as all that such a program has. */
static void *map_low(size_t len, int protection)
{
	void *p = mmap(NULL, len, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (p == MAP_FAILED)
		err(2, "mmap");
	return p;
}

/* Where a request is laid out, with the data that it sends. */
static struct area *lay(const struct request *rq)
{
	static struct area *a;
	unsigned int len = rq->out_len ? rq->out_len : rq->in_len;

	if (!a)
		a = map_low(sizeof(*a), PROT_READ | PROT_WRITE);
	if (len > sizeof(a->data))
		errx(2, "%u bytes of data: too many for this interface", len);
	memset(a->sense, 0, sizeof(a->sense));
	if (rq->out_len && !rq->probe)
		memcpy(a->data, rq->out, len);
	return a;
}

static uint32_t low(const void *p)
{
	return (uint32_t)(uintptr_t)p;
}

static int ioctl32(int fd, uint32_t cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "a"(NR_ioctl), "b"((long)fd), "c"((long)cmd), "d"((long)low(arg))
		     : "memory", "r8", "r9", "r10", "r11");
	/* A 32-bit result. */
	return (int)ret;
}

/* The data, or what nobody can use. */
static uint32_t data32(struct area *a, const struct request *rq)
{
	static void *nowhere;

	if (!rq->probe)
		return low(a->data);
	if (!nowhere)
		nowhere = map_low(4096, PROT_NONE);
	return low(nowhere);
}

void send_sg_io32(int fd, const struct request *rq, struct reply *re)
{
	struct area *a = lay(rq);
	int ret;

	a->hdr = (struct hdr32) {
		.interface_id = 'S',
		.dxfer_direction = rq->out_len ? SG_DXFER_TO_DEV :
				   rq->in_len ? SG_DXFER_FROM_DEV : SG_DXFER_NONE,
		.cmd_len = rq->cdb.len,
		.cmdp = low(memcpy(a->cdb, rq->cdb.b, rq->cdb.len)),
		.mx_sb_len = SENSE_LEN,
		.sbp = low(a->sense),
		.dxfer_len = rq->out_len ? rq->out_len : rq->in_len,
		.dxferp = data32(a, rq),
		.timeout = TIMEOUT_MS,
	};
	ret = ioctl32(fd, SG_IO, &a->hdr);
	re->err = ret < 0 ? -ret : 0;
	re->status = a->hdr.status;
	re->host_status = a->hdr.host_status;
	re->sense_len = a->hdr.sb_len_wr;
	re->resid = a->hdr.resid;
	memcpy(re->sense, a->sense, SENSE_LEN);
	if (rq->in_len && !re->err)
		memcpy(rq->in, a->data, rq->in_len);
}

void send_cdrom_packet32(int fd, const struct request *rq, struct reply *re)
{
	struct area *a = lay(rq);
	int ret;

	a->packet = (struct packet32) {
		.buffer = data32(a, rq),
		.buflen = rq->out_len ? rq->out_len : rq->in_len,
		.sense = low(a->sense),
		.data_direction = rq->out_len ? CGC_DATA_WRITE :
				  rq->in_len ? CGC_DATA_READ : CGC_DATA_NONE,
		.timeout = TIMEOUT_MS / 10,	/* clock ticks of 10 ms */
	};
	memcpy(a->packet.cmd, rq->cdb.b, sizeof(a->packet.cmd));
	ret = ioctl32(fd, CDROM_SEND_PACKET, &a->packet);
	memcpy(re->sense, a->sense, SENSE_LEN);
	if (!ret) {
		re->resid = a->packet.buflen;
		if (rq->in_len)
			memcpy(rq->in, a->data, rq->in_len);
		return;
	}
	re->err = -ret;
	/* It says EIO for any SCSI status; only sense data tell that it was executed. */
	if (re->err == EIO && re->sense[0]) {
		re->err = 0;
		re->status = 0x02;
		re->sense_len = sizeof(struct request_sense);
	}
}

/* As by a 64-bit program: what is allowed is executed. */
void send_send_command32(int fd, const struct request *rq, struct reply *re)
{
	struct send_command32 *command = &lay(rq)->command;
	int ret;

	if (rq->out_len + rq->cdb.len > sizeof(command->data))
		errx(2, "%u bytes of data: too many for this interface", rq->out_len);
	command->in_len = rq->out_len;
	command->out_len = rq->in_len;
	memcpy(command->data, rq->cdb.b, rq->cdb.len);
	if (rq->out_len)
		memcpy(command->data + rq->cdb.len, rq->out, rq->out_len);
	ret = ioctl32(fd, SCSI_IOCTL_SEND_COMMAND, command);
	if (ret < 0) {
		re->err = -ret;
		return;
	}
	re->status = ret;
	if (ret) {
		memcpy(re->sense, command->data, 16);
		re->sense_len = 16;
	} else if (rq->in_len <= sizeof(command->data)) {
		memcpy(rq->in, command->data, rq->in_len);
	}
}
