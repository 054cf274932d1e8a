// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic until SIGTERM: one process for each target sends commands whose
 * verdict no table differs about, so that a wrong one is seen whatever
 * happens to the filter at the same time.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sgsend.h"

volatile sig_atomic_t hammer_stop;

static void on_term(int sig)
{
	(void)sig;
	hammer_stop = 1;
}

static pid_t *children;
static int nr_children;
volatile sig_atomic_t hammer_signals;

/* It only interrupts, each of the processes. */
static void on_usr1(int sig)
{
	hammer_signals++;
	for (int i = 0; i < nr_children; i++)
		kill(children[i], sig);
}

static const struct {
	uint8_t opcode;
	bool execute;
	bool allowed;
} steady[] = {
	{ 0x12, false, true },		/* INQUIRY */
	{ 0x00, true, true },		/* TEST UNIT READY */
	{ 0x5e, false, false },		/* PERSISTENT RESERVE IN */
	{ 0x03, false, true },		/* REQUEST SENSE */
	{ 0x89, false, false },		/* COMPARE AND WRITE */
	{ 0xff, false, false },		/* vendor specific */
};

static int one(const struct target *t, enum open_mode mode)
{
	unsigned long sent = 0, wrong = 0, errors = 0;
	int fd = open_target(t, mode), last_errno = 0;

	/* What happens at the same time is the test: it goes first. */
	if (setpriority(PRIO_PROCESS, 0, 19))
		err(2, "setpriority");

	while (!hammer_stop) {
		for (size_t i = 0; i < sizeof(steady) / sizeof(steady[0]); i++) {
			struct request rq = {};
			struct reply re = {};

			cdb_of_opcode(&rq.cdb, steady[i].opcode);
			rq.probe = !steady[i].execute && !t->iface->executes;
			if (rq.probe) {
				rq.out = unmapped_page();
				rq.out_len = 512;
			}
			t->iface->send(fd, &rq, &re);
			sent++;
			if (!is_allowed(&re) && re.err != EPERM) {
				errors++;
				last_errno = re.err;
			} else if (is_allowed(&re) != steady[i].allowed) {
				wrong++;
			}
		}
		/*
		 * Leave time for what is to happen at the same time. The interface
		 * that executes writes a line to the kernel log each time.
		 */
		usleep(t->iface->executes ? 250000 : 100000);
	}
	printf("%s %s %s: %lu sent, %lu wrong, %lu errors", t->iface->name, t->node,
	       mode_name[mode], sent, wrong, errors);
	printf(errors ? " (last: errno %d)\n" : "\n", last_errno);
	fflush(stdout);
	close(fd);
	return wrong || !sent;
}

/* One opcode, as fast as it goes; how often it was allowed. */
static int only(const struct target *t, uint8_t opcode)
{
	unsigned long sent = 0, allowed = 0;
	bool read_only = t->modes_given && t->modes == 1u << MODE_RO;
	int fd = open_target(t, read_only ? MODE_RO : MODE_RW);

	while (!hammer_stop) {
		struct request rq = { .probe = true, .out = unmapped_page(), .out_len = 512 };
		struct reply re = {};

		cdb_of_opcode(&rq.cdb, opcode);
		t->iface->send(fd, &rq, &re);
		sent++;
		allowed += is_allowed(&re);
	}
	printf("%s %s: %lu sent, %lu allowed\n", t->iface->name, t->node, sent, allowed);
	fflush(stdout);
	close(fd);
	return !sent;
}

static int run(const struct target *t, int i, int opcode, const struct storm *s)
{
	enum open_mode mode = t->modes & 1u << MODE_RW && (i % 2 || t->modes == 1u << MODE_RW) ?
			      MODE_RW : MODE_RO;

	if (t->modes == 1u << MODE_WO)
		mode = MODE_WO;
	if (s && s->oracle)
		return oracle_one(s, t, mode, i);
	if (s)
		return storm_one(s, t, mode, i);
	return opcode >= 0 ? only(t, opcode) : one(t, mode);
}

int hammer(const struct target *targets, int n, int opcode, const struct storm *s)
{
	struct sigaction sa = { .sa_handler = on_term };
	int bad = 0, status;
	pid_t pids[n];

	sigaction(SIGTERM, &sa, NULL);
	sa.sa_handler = on_usr1;
	sigaction(SIGUSR1, &sa, NULL);
	for (int i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			err(2, "fork");
		if (!pids[i]) {
			nr_children = 0;
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			_exit(run(&targets[i], i, opcode, s));
		}
	}
	children = pids;
	nr_children = n;
	while (!hammer_stop)
		pause();
	nr_children = 0;
	for (int i = 0; i < n; i++)
		kill(pids[i], SIGTERM);
	for (int i = 0; i < n; i++)
		if (waitpid(pids[i], &status, 0) < 0 || status)
			bad = 1;
	return bad;
}
