// SPDX-License-Identifier: GPL-2.0
/*
 * Random commands until SIGTERM. Of some opcodes it is known what becomes of
 * them whatever happens to the filter meanwhile: --refused by every policy that
 * is in force at any time, and --allowed, with a CDB of zeros, by every one. Of
 * all others anything may become.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sgsend.h"

#define FORMAT_UNIT	0x04	/* no driver for tests survives it */

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	/* xorshift64* */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull >> 32) % below;
}

enum kind { REFUSED, ALLOWED, RANDOM, KINDS };

static enum kind make_command(const struct storm *s, const struct interface *iface,
			      struct request *rq)
{
	enum kind kind = draw(KINDS);
	struct cdb *cdb = &rq->cdb;

	/* What is executed leaves a line in the kernel log. */
	rq->probe = !iface->executes && draw(16);
	if (kind == ALLOWED) {
		cdb_of_opcode(cdb, s->allowed[draw(s->nr_allowed)]);
		return kind;
	}
	for (int i = 0; i < CDB_MAX; i++)
		cdb->b[i] = draw(3) ? draw(256) : 0;
	cdb->b[0] = kind == REFUSED ? s->refused[draw(s->nr_refused)] : draw(256);
	if (kind == RANDOM && memchr(s->refused, cdb->b[0], s->nr_refused))
		kind = REFUSED;
	if (cdb->b[0] == FORMAT_UNIT)
		cdb->b[0] = 0;
	/* Shorter and longer than its opcode says, too. */
	cdb->len = iface->executes || draw(2) ? cdb_length(cdb->b[0]) : 1 + draw(iface->max_cdb);
	if (cdb->len > iface->max_cdb)
		cdb->len = iface->max_cdb;
	return kind;
}

int storm_one(const struct storm *s, const struct target *t, enum open_mode mode, int number)
{
	unsigned long sent[KINDS] = {}, decided[KINDS] = {}, wrong = 0, errors = 0;
	int fd = open_target(t, mode), last = 0;

	state = (s->seed + number) * 0x9e3779b97f4a7c15ull | 1;
	while (!hammer_stop) {
		struct request rq = {};
		struct reply re = {};
		enum kind kind = make_command(s, t->iface, &rq);

		if (rq.probe) {
			rq.out = unmapped_page();
			rq.out_len = 512;
		}
		t->iface->send(fd, &rq, &re);
		sent[kind]++;
		if (!is_allowed(&re) && re.err != EPERM) {
			errors++;
			last = re.err;
		} else {
			/* What is not decided upon, a dead node for one, shows nothing. */
			decided[kind]++;
			if (kind != RANDOM && is_allowed(&re) != (kind == ALLOWED) && !wrong++)
				printf("%s %s %s: command %02x of %u bytes: %s\n", t->iface->name,
				       t->node, mode_name[mode], rq.cdb.b[0], rq.cdb.len,
				       verdict(&re));
		}
		/* The interface that executes writes a line to the kernel log each time. */
		usleep(t->iface->executes ? 1000000 : 50000);
	}
	printf("%s %s %s: %lu refused, %lu allowed, %lu random sent, %lu wrong, %lu errors (last %d)\n",
	       t->iface->name, t->node, mode_name[mode], sent[REFUSED], sent[ALLOWED],
	       sent[RANDOM], wrong, errors, last);
	fflush(stdout);
	close(fd);
	return wrong || !decided[REFUSED] || !decided[ALLOWED];
}
