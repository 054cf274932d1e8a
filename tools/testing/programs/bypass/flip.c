// SPDX-License-Identifier: GPL-2.0
/* A CDB in user memory that changes while SG_IO runs: another thread writes byte 0 all the time. */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "bypass.h"

#define ALLOCATION	96

static _Atomic uint8_t cdb[12] = {
	/* INQUIRY has its length in byte 4, REPORT LUNS in bytes 6 to 9. */
	INQUIRY, 0, 0, 0, ALLOCATION, 0, 0, 0, 0, ALLOCATION,
};
static atomic_bool done;

static void *flip(void *opcode)
{
	uint8_t byte = INQUIRY;

	/* One store a round: an emulated processor is only interrupted between rounds. */
	while (!atomic_load_explicit(&done, memory_order_relaxed)) {
		byte ^= INQUIRY ^ *(uint8_t *)opcode;
		atomic_store_explicit(&cdb[0], byte, memory_order_relaxed);
	}
	return NULL;
}

enum kind { INQUIRED, ONE, MANY, REFUSED, OTHER, KINDS };

static enum kind send_one(int fd)
{
	uint8_t data[ALLOCATION] = { 0xff, 0xff, 0xff, 0xff }, sense[SENSE_LEN];
	struct sg_io_hdr hdr = v3_header((const uint8_t *)cdb, sizeof(cdb), sense);

	v3_data(&hdr, SG_DXFER_FROM_DEV, data, sizeof(data));
	if (ioctl(fd, SG_IO, &hdr) < 0)
		return errno == EPERM ? REFUSED : OTHER;
	if (hdr.status || hdr.host_status)
		return OTHER;
	/* Byte 2 of INQUIRY's data is the version, which is not 0. */
	if (data[2])
		return INQUIRED;
	return data[3] == 8 ? ONE : data[3] > 8 ? MANY : OTHER;
}

void flip_opcode(const char *node, unsigned long n, uint8_t opcode)
{
	static const char *const name[KINDS] = { "inquiry", "one", "many", "refused", "other" };
	unsigned long count[KINDS] = {};
	pthread_t thread;
	int fd = open_node(node, "ro");

	become_nobody();
	errno = pthread_create(&thread, NULL, flip, &opcode);
	if (errno)
		err(2, "pthread_create");
	while (n--)
		count[send_one(fd)]++;
	atomic_store(&done, true);
	pthread_join(thread, NULL);
	for (int kind = 0; kind < KINDS; kind++)
		printf("%s %lu\n", name[kind], count[kind]);
}
