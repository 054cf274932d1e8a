// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <stdlib.h>
#include <time.h>

#include "measure.h"

#define REPEATS_MAX	1000

static unsigned int number(const char *s)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	if (!*s || *end || !n || n > 1000000)
		errx(2, "%s: not a number from 1 to 1000000", s);
	return n;
}

struct effort effort_of(int argc, char **argv, int at)
{
	struct effort effort = { 64, 31 };

	if (argc > at + 1)
		effort.loops = number(argv[at + 1]);
	if (argc > at + 2)
		effort.repeats = number(argv[at + 2]);
	if (effort.repeats > REPEATS_MAX)
		errx(2, "%u: at most %u repeats", effort.repeats, REPEATS_MAX);
	return effort;
}

static double now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t))
		err(1, "clock_gettime");
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct cost measure(void (*what)(void *), void *arg, const struct effort *effort)
{
	double runs[REPEATS_MAX];

	/* The first touch of everything. */
	for (unsigned int i = 0; i < effort->loops; i++)
		what(arg);
	for (unsigned int r = 0; r < effort->repeats; r++) {
		double began = now();

		for (unsigned int i = 0; i < effort->loops; i++)
			what(arg);
		runs[r] = (now() - began) / effort->loops;
	}
	qsort(runs, effort->repeats, sizeof(runs[0]), by_value);
	return (struct cost){ runs[0], runs[effort->repeats / 2] };
}
