// SPDX-License-Identifier: GPL-2.0
/*
 * Random commands until SIGTERM. Of some opcodes it is known what becomes of
 * them whatever happens to the filter: --refused by every policy that
 * is in force at any time, and --allowed, with a CDB of zeros, by every one. Of
 * all others anything may become, but for those of --oracle: what became of each is
 * printed, and judged by what a writer told of its policy, see knobstorm/oracle.h.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../knobstorm/oracle.h"
#include "../lib/random.h"
#include "sgsend.h"

#define FORMAT_UNIT	0x04	/* no driver for tests survives it */

enum kind { REFUSED, ALLOWED, RANDOM, KINDS };

/* Of a random length too, shorter and longer than the opcode says. */
static void random_cdb(struct cdb *cdb, uint8_t opcode, const struct interface *iface)
{
	cdb->len = iface->executes || draw(2) ? cdb_length(opcode) : 1 + draw(iface->max_cdb);
	if (cdb->len > iface->max_cdb)
		cdb->len = iface->max_cdb;
	cdb->b[0] = opcode;
	for (unsigned int i = 1; i < cdb->len; i++)
		cdb->b[i] = draw(3) ? draw(256) : 0;
}

static enum kind make_command(const struct storm *s, const struct interface *iface,
			      struct request *rq, enum kind kind)
{
	struct cdb *cdb = &rq->cdb;
	uint8_t opcode;

	if (kind == ALLOWED) {
		cdb_of_opcode(cdb, s->allowed[draw(s->nr_allowed)]);
		return kind;
	}
	opcode = kind == REFUSED ? s->refused[draw(s->nr_refused)] : draw(256);
	if (kind == RANDOM && memchr(s->refused, opcode, s->nr_refused))
		kind = REFUSED;
	random_cdb(cdb, opcode == FORMAT_UNIT ? 0 : opcode, iface);
	return kind;
}

/* Whether it was decided upon; if not, no matter why, nothing is learnt. */
static bool decide(int fd, const struct target *t, struct request *rq, struct reply *re)
{
	/* What is executed leaves a line in the kernel log. */
	rq->probe = !t->iface->executes && draw(16);
	if (rq->probe) {
		rq->out = unmapped_page();
		rq->out_len = 512;
	}
	t->iface->send(fd, rq, re);
	return is_allowed(re) || re->err == EPERM;
}

/* The first wrong verdict is shown. */
static void tell(const struct target *t, enum open_mode mode, const struct request *rq,
		 const struct reply *re)
{
	printf("%s %s %s: command %02x of %u bytes: %s\n", t->iface->name, t->node,
	       mode_name[mode], rq->cdb.b[0], rq->cdb.len, verdict(re->err));
}

/* The interface that executes writes a line to the kernel log each time. */
static void pause_behind(const struct target *t)
{
	usleep(t->iface->executes ? 1000000 : 150000);
}

int storm_one(const struct storm *s, const struct target *t, enum open_mode mode, int number)
{
	unsigned long decided[KINDS] = {}, wrong = 0, errors = 0;
	int fd = open_target(t, mode), last = 0;
	/* By turns: a slow interface gets all kinds soon. */
	unsigned int turn = number;

	draw_from(s->seed + number);
	while (!hammer_stop) {
		struct request rq = {};
		struct reply re = {};
		enum kind kind = make_command(s, t->iface, &rq, turn++ % KINDS);

		if (!decide(fd, t, &rq, &re)) {
			errors++;
			last = re.err;
		} else {
			decided[kind]++;
			if (kind != RANDOM && is_allowed(&re) != (kind == ALLOWED) && !wrong++)
				tell(t, mode, &rq, &re);
		}
		pause_behind(t);
	}
	printf("%s %s %s: decided %lu refused, %lu allowed, %lu random, %lu wrong, %lu errors (last %d), %d signals\n",
	       t->iface->name, t->node, mode_name[mode], decided[REFUSED], decided[ALLOWED],
	       decided[RANDOM], wrong, errors, last, hammer_signals);
	fflush(stdout);
	close(fd);
	return wrong || !decided[REFUSED] || !decided[ALLOWED];
}

/* For ruleeval --changes. */
static void print_asked(uint32_t before, uint32_t after, const struct target *t, enum open_mode mode,
			const struct cdb *cdb, const struct reply *re)
{
	char digits[2 * CDB_MAX + 1];

	for (unsigned int i = 0; i < cdb->len; i++)
		sprintf(digits + 2 * i, "%02x", cdb->b[i]);
	printf("asked %u %u %s %s %s %s %s\n", before, after, mode_name[mode], digits, verdict(re->err),
	       t->iface->name, t->node);
}

int oracle_one(const struct storm *s, const struct target *t, enum open_mode mode, int number)
{
	const _Atomic uint32_t *counter = map_counter(s->oracle, false);
	unsigned long decided = 0, errors = 0;
	int fd = open_target(t, mode), last = 0;

	if (!counter)
		err(2, "%s", s->oracle);
	/* Others print to the same file. */
	setlinebuf(stdout);
	draw_from(s->seed + number);
	while (!hammer_stop) {
		struct request rq = {};
		struct reply re = {};
		uint32_t before;
		uint8_t opcode;

		do {
			opcode = draw(256);
		} while (!in_domain(opcode));
		random_cdb(&rq.cdb, opcode, t->iface);
		/* Rules have fields, which a random byte seldom is. */
		for (unsigned int i = 1; i < rq.cdb.len && i < 4; i++)
			if (draw(2))
				rq.cdb.b[i] = draw(2) * 0x5a;
		before = *counter;
		if (decide(fd, t, &rq, &re)) {
			print_asked(before, *counter, t, mode, &rq.cdb, &re);
			decided++;
		} else {
			errors++;
			last = re.err;
		}
		pause_behind(t);
	}
	printf("%s %s %s: %lu asked, %lu errors (last %d), %d signals\n", t->iface->name, t->node,
	       mode_name[mode], decided, errors, last, hammer_signals);
	close(fd);
	return !decided;
}
