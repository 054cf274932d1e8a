// SPDX-License-Identifier: GPL-2.0
/*
 * SG_IO as a 32-bit program makes it: by int 0x80, which is open to 64-bit
 * programs too, with a header and buffers below 4 GiB.
 */
#define _GNU_SOURCE
#include <err.h>
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

struct area {
	struct hdr32 hdr;
	uint8_t cdb[32];
	uint8_t sense[SENSE_LEN];
	uint8_t data[AREA - 4096];
};

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

void send_sg_io32(int fd, const struct request *rq, struct reply *re)
{
	static struct area *a;
	static void *nowhere;
	unsigned int len = rq->out_len ? rq->out_len : rq->in_len;
	int ret;

	if (!a) {
		a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		if (a == MAP_FAILED || nowhere == MAP_FAILED)
			err(2, "mmap");
	}
	if (len > sizeof(a->data))
		errx(2, "%u bytes of data: too many for this interface", len);
	a->hdr = (struct hdr32) {
		.interface_id = 'S',
		.dxfer_direction = rq->out_len ? SG_DXFER_TO_DEV :
				   rq->in_len ? SG_DXFER_FROM_DEV : SG_DXFER_NONE,
		.cmd_len = rq->cdb.len,
		.cmdp = low(memcpy(a->cdb, rq->cdb.b, rq->cdb.len)),
		.mx_sb_len = SENSE_LEN,
		.sbp = low(a->sense),
		.dxfer_len = len,
		.dxferp = low(rq->probe ? nowhere : a->data),
		.timeout = TIMEOUT_MS,
	};
	if (rq->out_len && !rq->probe)
		memcpy(a->data, rq->out, len);

	ret = ioctl32(fd, SG_IO, &a->hdr);
	re->err = ret < 0 ? -ret : 0;
	re->status = a->hdr.status;
	re->host_status = a->hdr.host_status;
	re->sense_len = a->hdr.sb_len_wr;
	re->resid = a->hdr.resid;
	memcpy(re->sense, a->sense, SENSE_LEN);
	if (rq->in_len && !re->err)
		memcpy(rq->in, a->data, len);
}
