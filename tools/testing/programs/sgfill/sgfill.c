// SPDX-License-Identifier: GPL-2.0
/*
 * sgfill SG N: N threads, each of which is in an SG_IO on a /dev/sgN that is open for reading; the device must take its
 * time. Says so when all are, and ends with its standard input.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/sg.h"

/* sg takes 16 commands of one open file at a time. */
#define OF_ONE_FILE	16

static void *send_for_ever(void *arg)
{
	unsigned char cdb[10] = { 0x28, [8] = 1 }, block[512], sense[SENSE_LEN];
	struct sg_io_hdr hdr = v3_header(cdb, sizeof(cdb), sense);

	v3_data(&hdr, SG_DXFER_FROM_DEV, block, sizeof(block));
	hdr.timeout = 30 * TIMEOUT_MS;
	for (;;)
		if (ioctl((long)arg, SG_IO, &hdr))
			usleep(1000);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_attr_t small;
	pthread_t thread;
	long fd = -1;
	char end;
	int i, n;

	if (argc != 3) {
		fprintf(stderr, "usage: sgfill SG N\n");
		return 2;
	}
	n = atoi(argv[2]);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	for (i = 0; i < n; i++) {
		if (i % (OF_ONE_FILE - 1) == 0) {
			fd = open(argv[1], O_RDONLY);
			if (fd < 0)
				err(1, "%s", argv[1]);
		}
		errno = pthread_create(&thread, &small, send_for_ever, (void *)fd);
		if (errno)
			err(1, "thread %d", i);
	}
	/* Each has had its turn, or none would come. */
	sleep(2);
	printf("%d under way\n", n);
	fflush(stdout);
	while (read(0, &end, 1) > 0)
		;
	/* The kernel ends the commands of those that are left. */
	_exit(0);
}
