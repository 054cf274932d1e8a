// SPDX-License-Identifier: GPL-2.0
/*
 * The smallest SG_IO client: sends one command that reads up to 252 bytes,
 * prints what came back, and tells a refusal from a failure.
 *
 *   gcc -o sgio-client sgio-client.c
 *   ./sgio-client /dev/sda 12 00 00 00 fc 00                INQUIRY
 *   ./sgio-client /dev/sda 5e 00 00 00 00 00 00 00 fc 00    PERSISTENT RESERVE IN,
 *                                                           READ KEYS
 *
 * A process without CAP_SYS_RAWIO gets EPERM for what the filter of the
 * device does not allow; the command has then not left the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	unsigned char cdb[32], data[252], sense[64];
	struct sg_io_hdr hdr = {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_FROM_DEV,
		.dxferp = data,
		.dxfer_len = sizeof(data),
		.cmdp = cdb,
		.sbp = sense,
		.mx_sb_len = sizeof(sense),
		.timeout = 20000,	/* ms */
	};
	int fd, i;

	if (argc < 3 || argc > 2 + (int)sizeof(cdb)) {
		fprintf(stderr, "usage: %s DEVICE CDB-BYTE...\n", argv[0]);
		return 2;
	}
	for (i = 2; i < argc; i++)
		cdb[hdr.cmd_len++] = strtoul(argv[i], NULL, 16);

	/* O_NONBLOCK: open a drive without a medium too. */
	fd = open(argv[1], O_RDONLY | O_NONBLOCK);
	if (fd < 0) {
		perror(argv[1]);
		return 2;
	}
	if (ioctl(fd, SG_IO, &hdr) < 0) {
		if (errno == EPERM)
			fprintf(stderr, "refused: not allowed without CAP_SYS_RAWIO\n");
		else
			perror("SG_IO");
		return 1;
	}
	if (hdr.info & SG_INFO_CHECK) {
		fprintf(stderr, "status %02x, host status %02x, sense key %x\n", hdr.status,
			hdr.host_status, hdr.sb_len_wr > 2 ? sense[2] & 0xf : 0);
		return 1;
	}
	for (i = 0; i < (int)sizeof(data) - hdr.resid; i++)
		printf("%02x%c", data[i], i % 16 == 15 ? '\n' : ' ');
	putchar('\n');
	return 0;
}
