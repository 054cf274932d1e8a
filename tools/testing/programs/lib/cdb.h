/* SPDX-License-Identifier: GPL-2.0 */
/* The CDBs of the sweeps, the same for those who send and those who expect. */
#ifndef CDB_H
#define CDB_H

#include <stdbool.h>
#include <stdint.h>

#define CDB_MAX		32

struct cdb {
	uint8_t b[CDB_MAX];	/* zeros behind len */
	unsigned int len;
};

/* The length that the opcode's group code says (SPC-5, 4.2.5.1); 32 for 7f. */
unsigned int cdb_length(uint8_t opcode);

/* The CDB of an opcode, all other bytes zero. */
void cdb_of_opcode(struct cdb *cdb, uint8_t opcode);

/*
 * The n-th service action of a sweep over those of an opcode: all 32 values
 * of byte 1 bits 4:0, or a choice of bytes 8 and 9 for 7f. False behind the
 * last; name gets what the table prints, as "9e/10".
 */
bool cdb_of_service_action(struct cdb *cdb, uint8_t opcode, unsigned int n,
			   char name[16]);

/* "9e,a3": opcodes in hexadecimal; the number of them, 0 if it is no list. */
int cdb_parse_opcodes(const char *list, uint8_t ops[256]);

/*
 * Prints what a sweep over all opcodes and the service actions of a list sends, a line "NAME ro|rw CDB" for
 * each; false if it is no list.
 */
bool cdb_list(const char *list);

/* Hexadecimal bytes, "12 00 .." or "1200..", in argv; false if they are not. */
bool cdb_parse(struct cdb *cdb, int argc, char **argv);

#endif
