// SPDX-License-Identifier: GPL-2.0
/* The writer of oracle.h. It draws rules and tells of them; what they mean it does not know. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knobstorm.h"
#include "oracle.h"

#define RULES	16

/* Rules that were added since all were replaced, to be taken away again. */
struct drawn {
	char rules[RULES][40];
	int n;
};

static struct drawn device_rules, class_rules;
static bool unpriv;
static _Atomic uint32_t *counter;
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

static const char *draw_rule(struct drawn *d)
{
	static const char *const actions[] = { "deny", "deny", "allow r", "allow w" };
	unsigned int first = draw_opcode(), n;
	char *rule;

	/* So that one is not found when it is to go. */
	if (d->n == RULES)
		d->n--;
	rule = d->rules[d->n++];
	/* A range may have opcodes in it that are none of ours; those are not sent. */
	n = sprintf(rule, "%s %02x-%02x", actions[draw(4)], first,
		    first + draw(draw(2) ? 1 : 256 - first));
	if (!draw(4))
		sprintf(rule + n, " [%u]=%02x", 1 + draw(3), draw(2) * 0x5a);
	return rule;
}

/* Instead of what was; none is a list too, written as `none`. */
static void replace(struct drawn *d, const char *none)
{
	int n = draw(6);

	d->n = 0;
	while (d->n < n)
		add("%s\n", draw_rule(d));
	if (!n)
		add("%s", none);
}

/* Rules in front, and the first equal one away. */
static void edit(struct drawn *d)
{
	for (unsigned int n = 1 + draw(3); n; n--) {
		if (d->n && draw(2)) {
			unsigned int i = draw(d->n);

			add("-%s\n", d->rules[i]);
			if (i != --d->n)
				strcpy(d->rules[i], d->rules[d->n]);
		} else {
			add("+%s\n", draw_rule(d));
		}
	}
}

/* In one write(2), as it is before the counter says so. */
static void tell(void)
{
	if (fflush(stdout))
		err(2, "standard output");
}

static void change(const char *what, const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error;
	ssize_t n;

	if (fd < 0) {
		if (!may_fail(errno))
			err(2, "%s", path);
		known = false;
		puts("lost");
		tell();
		return;
	}
	printf("begin %u %s %zu\n%.*s\n", *counter + 1, what, len, (int)len, text);
	tell();
	++*counter;
	n = write(fd, text, len);
	error = errno;
	printf("end %u %s\n", *counter + 1, n < 0 ? strerrorname_np(error) : "ok");
	tell();
	++*counter;
	close(fd);
	if (n >= 0) {
		known = true;
		good++;
	} else {
		good_in_vain++;
		known &= error == EINTR || error == ENOMEM || error == ENOENT;
	}
	if (n < 0 ? !may_fail(error) : n != len) {
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
	unsigned int what = !known || (unpriv && draw(2)) ? 0 : draw(9);

	len = 0;
	switch (what) {
	case 0:
	case 1:		/* all at once */
		unpriv = !unpriv && !draw(8);
		add("device %s\nunpriv_sgio %u\nrules\n", d->hctl, unpriv);
		replace(&device_rules, "");
		add("class %s\nrules\n", d->class);
		replace(&class_rules, "");
		change("transaction", NODE);
		break;
	case 2:
		replace(&device_rules, "\n");
		change("device", knob(d, "rules"));
		break;
	case 3:
	case 4:
		edit(&device_rules);
		change("device", knob(d, "rules"));
		break;
	case 5:
		replace(&class_rules, "\n");
		change("class", class_knob(d, "rules"));
		break;
	case 6:
		edit(&class_rules);
		change("class", class_knob(d, "rules"));
		break;
	case 7:
		class_rules.n = 0;
		add("%s\n", draw(2) ? "strict" : "stock");
		change("table", class_knob(d, "table"));
		break;
	case 8:
		unpriv = !unpriv && !draw(4);
		add("%u\n", unpriv);
		change("unpriv_sgio", knob(d, "unpriv_sgio"));
		break;
	}
}

void oracle(const char *path, const struct device *d, unsigned long count)
{
	counter = map_counter(path, true);
	if (!counter)
		err(2, "%s", path);
	do
		step(d);
	while (more(&count, 20000));
}
