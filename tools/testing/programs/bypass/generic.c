// SPDX-License-Identifier: GPL-2.0
/* Commands by write(2) to /dev/sgN, where the driver asks nobody. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/cdb.h"
#include "bypass.h"

static int write_v3(int fd, uint8_t *cdb)
{
	static uint8_t sense[SENSE_LEN];
	struct sg_io_hdr hdr = v3_header(cdb, 16, sense);

	v3_data(&hdr, SG_DXFER_TO_DEV, unmapped_page(), 512);
	return write(fd, &hdr, sizeof(hdr)) < 0 ? errno : 0;
}

/* Header, CDB and data are one: the data begin where a page ends. */
static int write_old(int fd, const uint8_t *cdb)
{
	const unsigned int len = cdb_length(cdb[0]);
	struct sg_header hdr = { .reply_len = sizeof(hdr) };
	const long page = sysconf(_SC_PAGESIZE);
	uint8_t *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *from;

	if (two == MAP_FAILED || mprotect(two + page, page, PROT_NONE))
		err(2, "mmap");
	from = two + page - len - sizeof(hdr);
	memcpy(from, &hdr, sizeof(hdr));
	memcpy(from + sizeof(hdr), cdb, len);
	return write(fd, from, sizeof(hdr) + len + 512) < 0 ? errno : 0;
}

int sg_write(const char *header, const char *mode, const char *node, uint8_t opcode)
{
	uint8_t cdb[16] = { opcode };
	int fd;

	/* The driver takes write(2) from who has opened the file alone. */
	become_nobody();
	fd = open_node(node, mode);
	return strcmp(header, "old") ? write_v3(fd, cdb) : write_old(fd, cdb);
}
