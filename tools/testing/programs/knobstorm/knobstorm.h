/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNOBSTORM_H
#define KNOBSTORM_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/random.h"

#define NODE	"/dev/sgio_filter"

struct device {
	char *hctl, *class;
};

/* What is written next. */
extern char text[1 << 16];
extern size_t len;

/* Texts that were accepted, or in vain; bad ones that were refused; wrong answers. */
extern unsigned long good, good_in_vain, bad, wrong;
extern volatile sig_atomic_t stop;

void add(const char *format, ...);
/* Whether a good text may fail: the module, the device or memory is not there. */
bool may_fail(int error);

/* Changes of one device and its class until `count` are made or stop. */
void oracle(const char *path, const struct device *d, unsigned long count);
/* One step is done: whether there is another, and the time between them. */
bool more(unsigned long *count, unsigned int usec);

#endif
