// SPDX-License-Identifier: GPL-2.0
/*
 * A second, naive reading of the rule language: reads the rules on standard
 * input, line by line as "cat" prints them, and answers what they say. It
 * shares nothing with the policy but the ABI text, so that a sweep compared
 * with it tests both the policy and its tables.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sgsend/cdb.h"

#define MAX_RULES	4096

static char *rules[MAX_RULES];
static int nr_rules;

/* Is the byte in "00-04,06"? The list ends at a blank or the end. */
static bool in_list(const char **p, unsigned int byte)
{
	bool found = false;
	unsigned int lo, hi;
	int n;

	for (;;) {
		if (sscanf(*p, "%2x%n", &lo, &n) != 1 || n != 2)
			errx(2, "not a list: %s", *p);
		*p += n;
		hi = lo;
		if (**p == '-') {
			if (sscanf(*p, "-%2x%n", &hi, &n) != 1 || n != 3)
				errx(2, "not a range: %s", *p);
			*p += n;
		}
		if (lo <= byte && byte <= hi)
			found = true;
		if (**p != ',')
			return found;
		++*p;
	}
}

/* 'r', 'w', 'd' if the rule matches, else 0. */
static char match(const char *rule, const struct cdb *cdb)
{
	const char *p = rule;
	unsigned int byte, mask;
	bool yes;
	char verdict;
	int n;

	if (!strncmp(p, "allow r ", 8) || !strncmp(p, "allow w ", 8)) {
		verdict = p[6];
		p += 8;
	} else if (!strncmp(p, "deny ", 5)) {
		verdict = 'd';
		p += 5;
	} else {
		errx(2, "not a rule: %s", rule);
	}
	yes = in_list(&p, cdb->b[0]);
	while (*p) {
		mask = 0xff;
		if (sscanf(p, " [%u]%n", &byte, &n) != 1 || byte >= CDB_MAX)
			errx(2, "not a field: %s", p);
		p += n;
		if (*p == '&') {
			if (sscanf(p, "&%2x%n", &mask, &n) != 1)
				errx(2, "not a mask: %s", p);
			p += n;
		}
		if (*p++ != '=')
			errx(2, "no values: %s", rule);
		if (!in_list(&p, cdb->b[byte] & mask))
			yes = false;
	}
	return yes ? verdict : 0;
}

static const char *verdict(const struct cdb *cdb, bool open_for_write)
{
	for (int i = 0; i < nr_rules; i++) {
		char v = match(rules[i], cdb);

		if (v)
			return v == 'r' || (v == 'w' && open_for_write) ? "allowed" : "refused";
	}
	return "refused";
}

static void read_rules(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (!*line)
			continue;
		if (nr_rules == MAX_RULES)
			errx(2, "more than %d rules", MAX_RULES);
		rules[nr_rules++] = strdup(line);
	}
	free(line);
}

int main(int argc, char **argv)
{
	static const char *const mode[] = { "ro", "rw" };
	uint8_t ops[256];
	struct cdb cdb;
	char name[16];
	int n;

	read_rules();
	if (argc == 3 && !strcmp(argv[1], "--sweep") &&
	    (n = cdb_parse_opcodes(argv[2], ops))) {
		for (int w = 0; w < 2; w++) {
			for (int op = 0; op < 256; op++) {
				cdb_of_opcode(&cdb, op);
				printf("%02x %s %s\n", op, mode[w], verdict(&cdb, w));
			}
			for (int i = 0; i < n; i++)
				for (unsigned int k = 0;
				     cdb_of_service_action(&cdb, ops[i], k, name); k++)
					printf("%s %s %s\n", name, mode[w], verdict(&cdb, w));
		}
	} else if (argc > 2 && (!strcmp(argv[1], "ro") || !strcmp(argv[1], "rw")) &&
		   cdb_parse(&cdb, argc - 2, argv + 2)) {
		puts(verdict(&cdb, argv[1][1] == 'w'));
	} else {
		fprintf(stderr,
"usage: ruleeval --sweep OP[,OP]...  < RULES   all opcodes, and all service actions\n"
"                                              of those, as sgsend's tables\n"
"       ruleeval ro|rw CDB-BYTE...   < RULES\n");
		return 2;
	}
	return 0;
}
