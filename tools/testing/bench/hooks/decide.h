/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The decision that all prototypes make, so that what differs is the hook: some opcodes by a table,
 * the rest by capability, as the module does it, but without devices and counters.
 */
#ifndef DECIDE_H
#define DECIDE_H

#include <linux/capability.h>
#include <scsi/scsi_proto.h>

enum { NEVER, ALWAYS, FOR_WRITERS };

static const u8 sgio_bench_table[256] = {
	[TEST_UNIT_READY] = ALWAYS,
	[INQUIRY] = ALWAYS,
	[READ_10] = ALWAYS,
	[WRITE_10] = FOR_WRITERS,
};

static bool sgio_bench_decide(unsigned char *cmd, bool open_for_write)
{
	u8 when = sgio_bench_table[cmd[0]];

	if (when == ALWAYS || (when == FOR_WRITERS && open_for_write))
		return true;
	return capable(CAP_SYS_RAWIO);
}

#endif
