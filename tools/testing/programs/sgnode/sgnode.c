// SPDX-License-Identifier: GPL-2.0
/*
 * sgnode SG r|w|rw ioctl|v3|old CDB: one command without data, as nobody, by SG_IO, or by write(2) with either of the
 * driver's headers and read(2) of its answer; prints what came of it.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/cdb.h"
#include "../lib/sender.h"
#include "../lib/sg.h"

#define CHECK_CONDITION	0x02

/* Whether more is told than what it is: in the bytes that both headers hand on, and are not of the common answer. */
static bool tells_more(const uint8_t *sense)
{
	static const uint8_t told[16] = { [0] = 0x7f, [2] = 0x0f, [7] = 0xff, [12] = 0xff, [13] = 0xff };

	for (unsigned int i = 0; i < sizeof(told); i++)
		if (sense[i] & ~told[i])
			return true;
	return false;
}

static void say(unsigned int status, unsigned int host, const uint8_t *sense)
{
	if (host)
		printf("host %02x\n", host);
	else if (status == CHECK_CONDITION || (status == 0 && sense[0]))
		printf("sense %02x/%02x/%02x%s\n", sense[2] & 0x0f, sense[12], sense[13],
		       tells_more(sense) ? " and more" : "");
	else if (status)
		printf("status %02x\n", status);
	else
		printf("good\n");
}

static void say_errno(const char *what)
{
	printf("%s: %s\n", what, strerrorname_np(errno));
}

static void wait_for(int fd)
{
	struct pollfd answer = { .fd = fd, .events = POLLIN };

	if (poll(&answer, 1, TIMEOUT_MS) != 1)
		errx(1, "no answer");
}

static void by_header(int fd, struct sg_io_hdr *hdr, bool by_write)
{
	if (!by_write) {
		if (ioctl(fd, SG_IO, hdr)) {
			say_errno("ioctl");
			return;
		}
	} else {
		if (write(fd, hdr, sizeof(*hdr)) < 0) {
			say_errno("write");
			return;
		}
		wait_for(fd);
		/* What was open for writing only cannot be told of the answer. */
		if (read(fd, hdr, sizeof(*hdr)) < 0) {
			say_errno("read");
			return;
		}
	}
	say(hdr->status, hdr->host_status, hdr->sbp);
}

static void by_old_header(int fd, const struct cdb *cdb)
{
	struct { struct sg_header hdr; uint8_t cdb[16]; } command = { .hdr.reply_len = sizeof(command.hdr) };
	struct sg_header answer = { .reply_len = sizeof(answer) };

	memcpy(command.cdb, cdb->b, sizeof(command.cdb));
	if (write(fd, &command, sizeof(command.hdr) + cdb_length(cdb->b[0])) < 0) {
		say_errno("write");
		return;
	}
	wait_for(fd);
	if (read(fd, &answer, sizeof(answer)) < 0) {
		say_errno("read");
		return;
	}
	say(answer.target_status << 1, answer.host_status, answer.sense_buffer);
}

int main(int argc, char **argv)
{
	static uint8_t sense[SENSE_LEN];
	struct cdb cdb = { 0 };
	struct sg_io_hdr hdr;
	int fd, mode;

	if (argc != 5 || !cdb_parse(&cdb, 1, argv + 4)) {
		fprintf(stderr, "usage: sgnode SG r|w|rw ioctl|v3|old CDB\n");
		return 2;
	}
	mode = !strcmp(argv[2], "r") ? O_RDONLY : !strcmp(argv[2], "w") ? O_WRONLY : O_RDWR;
	become_nobody();
	fd = open(argv[1], mode);
	if (fd < 0)
		err(2, "%s", argv[1]);
	hdr = v3_header(cdb.b, cdb.len, sense);
	if (!strcmp(argv[3], "old"))
		by_old_header(fd, &cdb);
	else
		by_header(fd, &hdr, !strcmp(argv[3], "v3"));
	return 0;
}
