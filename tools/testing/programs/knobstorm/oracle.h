/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One writer (knobstorm) changes the policy of a device, and tells of each change: records of
 * tools/reference/src/history.rs on standard output. It raises a counter in a file that all map before a
 * change and behind it; those who send to the device (sgsend --oracle) read it before a command and
 * behind, and print both. What was right is found out afterwards, by "ruleeval --changes".
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * The opcodes it is about: no table of the device's class has them, neither
 * the kernel's nor ours, so that all that is allowed was allowed by the writer.
 */
static inline bool in_domain(unsigned int op)
{
	return (op >= 0x5e && op <= 0x7e) || op == 0x81 || op == 0x82 || op == 0x89 ||
	       (op >= 0xc0 && op != 0xea);
}

/* NULL: errno says why. */
static inline _Atomic uint32_t *map_counter(const char *path, bool to_write)
{
	int fd = open(path, (to_write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return NULL;
	p = mmap(NULL, sizeof(_Atomic uint32_t), PROT_READ | (to_write ? PROT_WRITE : 0),
		 MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

#endif
