// SPDX-License-Identifier: GPL-2.0
/*
 * All opcodes, and the service actions of some, as tables of one line for each
 * command and open mode: two tables of the same device can be compared by diff.
 */
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sgsend.h"

static void ask(const struct target *t, int fd, const char *name,
		const struct cdb *cdb, enum open_mode mode, FILE *out)
{
	struct request rq = { .cdb = *cdb, .probe = !t->iface->executes };
	struct reply re = {};

	if (rq.probe) {
		/* To the device: then the address is looked at first by all of them. */
		rq.out = unmapped_page();
		rq.out_len = 512;
	}
	t->iface->send(fd, &rq, &re);
	/* Were a probe executed, the table would be true and the device changed. */
	if (rq.probe && !re.err)
		errx(3, "%s %s: %s was executed", t->iface->name, t->node, name);
	fprintf(out, "%s %s %s\n", name, mode_name[mode], verdict(re.err));
}

static void all_opcodes(const struct target *t, int fd, enum open_mode mode, FILE *out)
{
	struct cdb cdb;
	char name[3];

	for (int op = 0; op < 256; op++) {
		cdb_of_opcode(&cdb, op);
		if (cdb.len > t->iface->max_cdb)
			cdb.len = t->iface->max_cdb;
		snprintf(name, sizeof(name), "%02x", op);
		ask(t, fd, name, &cdb, mode, out);
	}
}

static void service_actions(const struct target *t, int fd, enum open_mode mode,
			    FILE *out, uint8_t op)
{
	struct cdb cdb;
	char name[16];

	for (unsigned int n = 0; cdb_of_service_action(&cdb, op, n, name); n++)
		ask(t, fd, name, &cdb, mode, out);
}

/* The table of a target goes to a file of its own, or behind a line that says so. */
static FILE *table(const struct target *t, const char *dir)
{
	const char *base = strrchr(t->node, '/');
	char path[PATH_MAX];
	FILE *f;

	if (!dir) {
		printf("# %s %s\n", t->iface->name, t->node);
		return stdout;
	}
	snprintf(path, sizeof(path), "%s/%s_%s", dir, t->iface->name,
		 base ? base + 1 : t->node);
	f = fopen(path, "w");
	if (!f)
		err(2, "%s", path);
	return f;
}

int sweep(const struct target *targets, int n, const struct sweep *s)
{
	for (int i = 0; i < n; i++) {
		const struct target *t = &targets[i];
		FILE *out = table(t, s->dir);

		for (int mode = 0; mode < MODE_COUNT; mode++) {
			int fd;

			if (!(t->modes & 1u << mode))
				continue;
			fd = open_target(t, mode);
			if (s->opcodes)
				all_opcodes(t, fd, mode, out);
			for (int k = 0; k < s->nr_sa_of && t->iface->max_cdb == CDB_MAX; k++)
				service_actions(t, fd, mode, out, s->sa_of[k]);
			close(fd);
		}
		if (out != stdout && fclose(out))
			err(2, "%s", s->dir);
	}
	return 0;
}
