/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEASURE_H
#define MEASURE_H

/* How much is measured: a count, never a time. */
struct effort {
	unsigned int loops;
	unsigned int repeats;
};

/* Nanoseconds per call. */
struct cost {
	double least;
	double median;
};

/* LOOPS and REPEATS behind argv[at], or the usual ones. */
struct effort effort_of(int argc, char **argv, int at);
struct cost measure(void (*what)(void *), void *arg, const struct effort *effort);

#endif
