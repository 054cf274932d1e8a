// SPDX-License-Identifier: GPL-2.0
/*
 * What one context switch costs, in nanoseconds, while N threads sleep: two threads hand a byte to and fro
 * by pipes, which is two switches a turn. Measures once for each line on its standard input, prints
 * "LEAST MEDIAN", and ends with it. So what is changed between two lines shows, and the threads stay.
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "measure.h"

static int there[2], back[2];

static void *sleeps(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static void *answers(void *unused)
{
	char byte;

	(void)unused;
	while (read(there[0], &byte, 1) == 1)
		if (write(back[1], &byte, 1) != 1)
			err(1, "write");
	return NULL;
}

static void turn(void *unused)
{
	char byte = 0;

	(void)unused;
	if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
		err(1, "pipe");
}

static void start(void *(*what)(void *), const pthread_attr_t *attr)
{
	pthread_t thread;
	int error = pthread_create(&thread, attr, what, NULL);

	if (error)
		errx(1, "pthread_create: error %d", error);
}

int main(int argc, char **argv)
{
	struct effort effort = effort_of(argc, argv, 1);
	pthread_attr_t attr;
	char line[16];

	if (argc < 2) {
		fprintf(stderr, "usage: switchbench THREADS [LOOPS [REPEATS]]\n");
		return 2;
	}
	if (pipe(there) || pipe(back))
		err(1, "pipe");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	start(answers, &attr);
	for (long n = atol(argv[1]); n > 0; n--)
		start(sleeps, &attr);
	while (fgets(line, sizeof(line), stdin)) {
		struct cost cost = measure(turn, NULL, &effort);

		printf("%.2f %.2f\n", cost.least / 2, cost.median / 2);
		fflush(stdout);
	}
	return 0;
}
