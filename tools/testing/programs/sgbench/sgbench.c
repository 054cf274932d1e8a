// SPDX-License-Identifier: GPL-2.0
/*
 * What one SG_IO costs, in nanoseconds: for root and for nobody, some commands that are allowed and
 * one that is not. In a guest whose clock counts instructions (-icount shift=0) that is
 * instructions. A run is a fixed number of commands, short enough to fall between two timer ticks
 * more often than not; of many runs the least and the median are printed.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "measure.h"
#include "../lib/sender.h"
#include "../lib/sg.h"

static const struct command {
	const char *name;
	uint8_t cdb[10];
	uint8_t cdb_len;
	int direction;
	unsigned int data_len;
	bool refused;		/* to nobody; the device does not know it */
} commands[] = {
	{ "test-unit-ready", { 0x00 }, 6, SG_DXFER_NONE, 0, false },
	{ "inquiry", { 0x12, 0, 0, 0, 96 }, 6, SG_DXFER_FROM_DEV, 96, false },
	{ "read-10", { 0x28, [8] = 1 }, 10, SG_DXFER_FROM_DEV, 512, false },
	{ "write-10", { 0x2a, [8] = 1 }, 10, SG_DXFER_TO_DEV, 512, false },
	{ "refused", { 0xc0 }, 6, SG_DXFER_NONE, 0, true },
};

struct sender {
	int fd;
	const struct command *command;
	bool asked;		/* the sender has no capability, so there is a decision */
};

/* One command, and the answer must be the expected one, each time. */
static void send_one(void *arg)
{
	static _Alignas(4096) uint8_t data[4096];
	static uint8_t sense[SENSE_LEN];
	const struct sender *s = arg;
	const struct command *c = s->command;
	struct sg_io_hdr hdr = {
		.interface_id = 'S',
		.dxfer_direction = c->direction,
		.cmd_len = c->cdb_len,
		.cmdp = (unsigned char *)c->cdb,
		.dxferp = c->data_len ? data : NULL,
		.dxfer_len = c->data_len,
		.mx_sb_len = sizeof(sense),
		.sbp = sense,
		.timeout = TIMEOUT_MS,
	};
	int ret = ioctl(s->fd, SG_IO, &hdr);

	if (c->refused && s->asked) {
		if (ret == 0 || errno != EPERM)
			errx(1, "%s: was not refused", c->name);
	} else if (ret) {
		err(1, "%s", c->name);
	} else if (!!hdr.status != c->refused || hdr.host_status) {
		errx(1, "%s: status %02x, host %02x", c->name, hdr.status, hdr.host_status);
	}
}

static void measure_all(int fd, bool root, bool asked, const struct effort *effort)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct sender s = { fd, &commands[i], asked };
		struct cost cost = measure(send_one, &s, effort);

		printf("%s %s %.2f %.2f\n", commands[i].name, root ? "root" : "nobody", cost.least,
		       cost.median);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct effort effort = effort_of(argc, argv, 1);
	bool asked;
	int fd;

	if (argc < 2) {
		fprintf(stderr, "usage: sgbench DISK|SG [LOOPS [REPEATS]]\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_NONBLOCK);
	if (fd < 0)
		err(2, "%s", argv[1]);
	/* sg asks nobody about a file that is open for both. */
	asked = strncmp(argv[1], "/dev/sg", 7) != 0;
	measure_all(fd, true, false, &effort);
	become_nobody();
	measure_all(fd, false, asked, &effort);
	return 0;
}
