// SPDX-License-Identifier: GPL-2.0
/*
 * The writer of oracle.h. What its policy allows is worked out here, from the
 * rules it drew itself, and never asked of the kernel.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knobstorm.h"
#include "oracle.h"

#define RULES	16

struct rule {
	bool allow, write;
	uint8_t first, last;
	uint8_t byte, value;	/* a field, unless byte is 0 */
};

struct list {
	struct rule rules[RULES];
	int n;
};

struct policy {
	struct list device, class;
	bool unpriv;
};

static struct oracle *w;
static struct policy now, next;
/* The one before may have left anything, and so may a module that was not there. */
static bool known;

static uint8_t draw_opcode(void)
{
	uint8_t op;

	do {
		op = draw(256);
	} while (!in_domain(op));
	return op;
}

static struct rule draw_rule(void)
{
	struct rule r = { .allow = draw(2), .first = draw_opcode() };

	r.write = r.allow && draw(2);
	/* A range may have opcodes in it that are none of ours; those are not sent. */
	r.last = r.first + draw(draw(2) ? 1 : 256 - r.first);
	if (!draw(4)) {
		r.byte = 1 + draw(3);
		r.value = draw(2) * 0x5a;
	}
	return r;
}

static void add_rule(const char *prefix, const struct rule *r)
{
	add("%s%s %02x-%02x", prefix, !r->allow ? "deny" : r->write ? "allow w" : "allow r",
	    r->first, r->last);
	if (r->byte)
		add(" [%u]=%02x", r->byte, r->value);
	add("\n");
}

/* Instead of what was; none is a list too, written as `none`. */
static void replace(struct list *l, const char *none)
{
	l->n = draw(6);
	for (int i = 0; i < l->n; i++) {
		l->rules[i] = draw_rule();
		add_rule("", &l->rules[i]);
	}
	if (!l->n)
		add("%s", none);
}

/* Rules in front, and the first equal one away. */
static void edit(struct list *l)
{
	for (unsigned int n = 1 + draw(3); n; n--) {
		struct rule r;
		int i = 0;

		if (l->n && (l->n == RULES || draw(2))) {
			r = l->rules[draw(l->n)];
			add_rule("-", &r);
			while (memcmp(&l->rules[i], &r, sizeof(r)))
				i++;
			l->n--;
			memmove(&l->rules[i], &l->rules[i + 1], (l->n - i) * sizeof(r));
		} else {
			r = draw_rule();
			add_rule("+", &r);
			memmove(&l->rules[1], &l->rules[0], l->n * sizeof(r));
			l->rules[0] = r;
			l->n++;
		}
	}
}

/* 1 or 0: it decides; -1: the next one may. What a field lets through depends. */
static int by_list(const struct list *l, bool for_writing, uint8_t op, bool *may)
{
	for (int i = 0; i < l->n; i++) {
		const struct rule *r = &l->rules[i];
		bool allows = r->allow && (for_writing || !r->write);

		if (op < r->first || op > r->last)
			continue;
		*may |= allows;
		if (!r->byte)
			return allows;
	}
	return -1;
}

static bool allows(const struct policy *p, bool for_writing, uint8_t op)
{
	bool may = p->unpriv;

	if (by_list(&p->device, for_writing, op, &may) < 0)
		by_list(&p->class, for_writing, op, &may);
	return may;
}

/* What of a policy is in a word of `may`. */
static uint64_t word(const struct policy *p, bool for_writing, int i)
{
	uint64_t bits = 0;

	for (int b = 0; b < 64; b++)
		if (in_domain(64 * i + b) && allows(p, for_writing, 64 * i + b))
			bits |= 1ull << b;
	return bits;
}

/* `next` is what the text makes of `now`. */
static void change(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error;
	bool was_known = known;
	uint64_t old[2][4];
	ssize_t n;

	if (fd < 0) {
		if (!may_fail(errno))
			err(2, "%s", path);
		known = false;
		return;
	}
	for (int i = 0; i < 8; i++) {
		old[i / 4][i % 4] = w->may[i / 4][i % 4];
		w->may[i / 4][i % 4] |= word(&next, i / 4, i % 4);
	}
	w->seq++;
	n = write(fd, text, len);
	error = errno;
	for (int i = 0; i < 8; i++)
		w->may[i / 4][i % 4] = n < 0 ? old[i / 4][i % 4] : word(&next, i / 4, i % 4);
	w->seq++;
	close(fd);
	if (n >= 0) {
		now = next;
		known = true;
		good++;
	} else {
		good_in_vain++;
		known &= error == EINTR || error == ENOMEM;
	}
	/* No rule to take away: one was lost, or was never there. */
	if (n < 0 ? !may_fail(error) || (error == ENOENT && was_known) : n != len) {
		printf("%s: %s <- '%.*s'\n", path, n < 0 ? strerror(error) : "a part accepted",
		       len > 300 ? 300 : (int)len, text);
		wrong++;
	}
}

static const char *knob(const struct device *d, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "/sys/bus/scsi/devices/%s/sgio_filter/%s", d->hctl, name);
	return path;
}

static const char *class_knob(const struct device *d, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "/sys/kernel/sgio_filter/classes/%s/%s", d->class, name);
	return path;
}

static void step(const struct device *d)
{
	/* One that is open to all says nothing of the rules: it is closed soon. */
	unsigned int what = !known || (now.unpriv && draw(2)) ? 0 : draw(9);

	len = 0;
	next = now;
	switch (what) {
	case 0:
	case 1:		/* all at once */
		next.unpriv = !now.unpriv && !draw(8);
		add("device %s\nunpriv_sgio %u\nrules\n", d->hctl, next.unpriv);
		replace(&next.device, "");
		add("class %s\nrules\n", d->class);
		replace(&next.class, "");
		change(NODE);
		break;
	case 2:
		replace(&next.device, "\n");
		change(knob(d, "rules"));
		break;
	case 3:
	case 4:
		edit(&next.device);
		change(knob(d, "rules"));
		break;
	case 5:
		replace(&next.class, "\n");
		change(class_knob(d, "rules"));
		break;
	case 6:
		edit(&next.class);
		change(class_knob(d, "rules"));
		break;
	case 7:
		next.class.n = 0;
		add("%s\n", draw(2) ? "strict" : "stock");
		change(class_knob(d, "table"));
		break;
	case 8:
		next.unpriv = !now.unpriv && !draw(4);
		add("%u\n", next.unpriv);
		change(knob(d, "unpriv_sgio"));
		break;
	}
}

void oracle(const char *path, const struct device *d, unsigned long count)
{
	w = map_oracle(path, true);
	if (!w)
		err(2, "%s", path);
	do
		step(d);
	while (more(&count, 20000));
}
