// SPDX-License-Identifier: GPL-2.0
/*
 * sgflip: change a CDB in user memory while SG_IO runs.
 *
 *   sgflip NODE COUNT OPCODE
 *
 * Sends COUNT commands by SG_IO, whose CDB is INQUIRY in one moment and OPCODE
 * (in hex, of a command with 12 bytes that returns data) in the next, because another thread writes
 * byte 0 all the time. Prints what came back:
 *
 *   inquiry N    INQUIRY's data (the peripheral device type of a disk)
 *   one N        a list of one LUN (LUN LIST LENGTH 8)
 *   many N       a list of more LUNs
 *   refused N    EPERM
 *   other N      anything else
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/sg.h"

#define INQUIRY		0x12
#define ALLOCATION	96

static _Atomic unsigned char cdb[12] = {
	/* INQUIRY has its length in byte 4, REPORT LUNS in bytes 6 to 9. */
	INQUIRY, 0, 0, 0, ALLOCATION, 0, 0, 0, 0, ALLOCATION,
};
static unsigned char opcode;
static atomic_bool done;

static void *flip(void *unused)
{
	unsigned char byte = INQUIRY;

	(void)unused;
	/* One store a round: an emulated processor is only interrupted between rounds. */
	while (!atomic_load_explicit(&done, memory_order_relaxed)) {
		byte ^= INQUIRY ^ opcode;
		atomic_store_explicit(&cdb[0], byte, memory_order_relaxed);
	}
	return NULL;
}

enum kind { INQUIRED, ONE, MANY, REFUSED, OTHER, KINDS };

static enum kind send_one(int fd)
{
	unsigned char data[ALLOCATION] = { 0xff, 0xff, 0xff, 0xff }, sense[SENSE_LEN];
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

int main(int argc, char **argv)
{
	static const char *const name[KINDS] = { "inquiry", "one", "many", "refused", "other" };
	unsigned long n, count[KINDS] = {};
	pthread_t thread;
	int fd;

	if (argc != 4)
		errx(2, "usage: sgflip NODE COUNT OPCODE");
	n = strtoul(argv[2], NULL, 0);
	opcode = strtoul(argv[3], NULL, 16);
	fd = open(argv[1], O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		err(2, "%s", argv[1]);
	errno = pthread_create(&thread, NULL, flip, NULL);
	if (errno)
		err(2, "pthread_create");
	while (n--)
		count[send_one(fd)]++;
	atomic_store(&done, true);
	pthread_join(thread, NULL);
	for (int kind = 0; kind < KINDS; kind++)
		printf("%s %lu\n", name[kind], count[kind]);
	return 0;
}
