/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one writer (knobstorm) says about a device, in a file that all map, and
 * those who send to it (sgsend --oracle) judge by.
 *
 * For a change the writer adds what the new policy allows to `may`, counts
 * `seq`, writes, takes away what the policy then in force does not allow, and
 * counts again. A sender reads seq and may, sends, and reads may and seq. If
 * it has seen one step of seq at most, the policy its command met is within what
 * it read before or within what it read behind. A writer that dies
 * leaves too much in `may`, never too little: the next one begins with that.
 * While the module is not there nothing is allowed, which is within everything.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

struct oracle {
	_Atomic uint32_t seq;
	_Atomic uint64_t may[2][4];	/* by opcode: files open to read, for writing */
};

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
static inline struct oracle *map_oracle(const char *path, bool to_write)
{
	int fd = open(path, (to_write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return NULL;
	p = mmap(NULL, sizeof(struct oracle), PROT_READ | (to_write ? PROT_WRITE : 0),
		 MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static inline bool oracle_may(const struct oracle *w, bool for_writing, unsigned int op)
{
	return w->may[for_writing][op / 64] >> op % 64 & 1;
}

#endif
