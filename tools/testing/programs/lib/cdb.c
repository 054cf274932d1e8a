// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cdb.h"

unsigned int cdb_length(uint8_t opcode)
{
	static const unsigned int by_group[8] = { 6, 10, 10, 12, 16, 12, 10, 10 };

	return opcode == 0x7f ? 32 : by_group[opcode >> 5];
}

void cdb_of_opcode(struct cdb *cdb, uint8_t opcode)
{
	memset(cdb, 0, sizeof(*cdb));
	cdb->b[0] = opcode;
	cdb->len = cdb_length(opcode);
	if (opcode == 0x7f)
		cdb->b[7] = CDB_MAX - 8;	/* additional CDB length */
}

bool cdb_of_service_action(struct cdb *cdb, uint8_t opcode, unsigned int n,
			   char name[16])
{
	/*
	 * Behind 00-3f: a high byte in front of allowed low ones, ATA
	 * PASS-THROUGH(32), the last.
	 */
	static const uint16_t more[] = { 0x0109, 0x010b, 0x0900, 0x1ff0, 0xffff };
	unsigned int sa = n;

	cdb_of_opcode(cdb, opcode);
	if (opcode != 0x7f) {
		cdb->b[1] = sa;
		snprintf(name, 16, "%02x/%02x", opcode, sa);
		return n < 32;
	}
	if (n >= 64 + sizeof(more) / sizeof(more[0]))
		return false;
	if (n >= 64)
		sa = more[n - 64];
	cdb->b[8] = sa >> 8;
	cdb->b[9] = sa;
	snprintf(name, 16, "%02x/%04x", opcode, sa);
	return true;
}

static int hex(char c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

int cdb_parse_opcodes(const char *p, uint8_t ops[256])
{
	int n = 0;

	for (;; p++) {
		if (n == 256 || hex(p[0]) < 0 || hex(p[1]) < 0)
			return 0;
		ops[n++] = hex(p[0]) << 4 | hex(p[1]);
		p += 2;
		if (!*p)
			return n;
		if (*p != ',')
			return 0;
	}
}

static void print(const char *name, const char *mode, const struct cdb *cdb)
{
	printf("%s %s ", name, mode);
	for (unsigned int i = 0; i < cdb->len; i++)
		printf("%02x", cdb->b[i]);
	putchar('\n');
}

bool cdb_list(const char *list)
{
	static const char *const modes[] = { "ro", "rw" };
	uint8_t ops[256];
	char name[16];
	struct cdb cdb;
	int n = cdb_parse_opcodes(list, ops);

	for (int m = 0; n && m < 2; m++) {
		for (int op = 0; op < 256; op++) {
			cdb_of_opcode(&cdb, op);
			sprintf(name, "%02x", op);
			print(name, modes[m], &cdb);
		}
		for (int i = 0; i < n; i++)
			for (unsigned int k = 0; cdb_of_service_action(&cdb, ops[i], k, name); k++)
				print(name, modes[m], &cdb);
	}
	return n;
}

bool cdb_parse(struct cdb *cdb, int argc, char **argv)
{
	memset(cdb, 0, sizeof(*cdb));
	for (int i = 0; i < argc; i++)
		for (const char *p = argv[i]; *p; p += 2) {
			if (hex(p[0]) < 0 || hex(p[1]) < 0 || cdb->len == CDB_MAX)
				return false;
			cdb->b[cdb->len++] = hex(p[0]) << 4 | hex(p[1]);
		}
	return cdb->len > 0;
}
