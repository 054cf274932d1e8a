// SPDX-License-Identifier: GPL-2.0
/*
 * Questions to /dev/sgio_filter, by the structure of the UAPI header: a second
 * reader of it beside the tool. The sweep prints what ruleeval prints.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../../../../rust/uapi/sgio_filter.h"
#include "../lib/cdb.h"

static int fd;

static void usage(void)
{
	fprintf(stderr,
"usage: sgcheck WHO ro|rw CDB-BYTE...   \"decision layer rule complain\" in numbers\n"
"       sgcheck WHO --as CGROUP-ID ro|rw CDB-BYTE...   the same, with the holder\n"
"       sgcheck WHO --all < COMMANDS    the verdict on each, as \"sgsend --list\" prints them\n"
"       sgcheck WHO --bad WHAT          a question with a mistake: the errno\n"
"WHO is H:C:T:L or a peripheral device type in hex.\n");
	exit(2);
}

/* Who is asked about; the rest is zero. */
static struct sgio_filter_check about(const char *who)
{
	struct sgio_filter_check check = { .size = sizeof(check) };
	unsigned int host, channel, target;
	unsigned long long lun;

	if (sscanf(who, "%u:%u:%u:%llu", &host, &channel, &target, &lun) == 4) {
		check.host = host;
		check.channel = channel;
		check.target = target;
		check.lun = lun;
	} else {
		check.flags = SGIO_FILTER_BY_CLASS;
		check.type = strtoul(who, NULL, 16);
	}
	return check;
}

static const char *ask(struct sgio_filter_check *check)
{
	return ioctl(fd, SGIO_FILTER_IOC_CHECK, check) ? strerrorname_np(errno) : NULL;
}

static void set_cdb(struct sgio_filter_check *check, const struct cdb *cdb, bool write)
{
	memcpy(check->cdb, cdb->b, sizeof(check->cdb));
	check->cdb_len = cdb->len;
	if (write)
		check->flags |= SGIO_FILTER_WRITE;
}

static const char *verdict(const char *who, const struct cdb *cdb, bool write)
{
	struct sgio_filter_check check = about(who);
	const char *error;

	set_cdb(&check, cdb, write);
	error = ask(&check);
	if (error)
		errx(1, "%s", error);
	return check.decision == SGIO_FILTER_UNPRIV || check.decision == SGIO_FILTER_ALLOWED ?
		"allowed" : "refused";
}

/* The verdict on each command of "sgsend --list". */
static void ask_all(const char *who)
{
	char name[16], mode[3], digits[2 * CDB_MAX + 1], *argv = digits;
	struct cdb cdb;

	while (scanf("%15s %2s %64s", name, mode, digits) == 3) {
		if (!cdb_parse(&cdb, 1, &argv))
			errx(2, "%s: no CDB", digits);
		printf("%s %s %s\n", name, mode, verdict(who, &cdb, mode[1] == 'w'));
	}
}

static const char *bad(const char *who, const char *what)
{
	struct sgio_filter_check check = about(who);
	void *where = &check;
	unsigned long cmd = SGIO_FILTER_IOC_CHECK;

	check.cdb_len = 6;
	if (!strcmp(what, "nothing"))
		;
	else if (!strcmp(what, "size"))
		check.size--;
	else if (!strcmp(what, "flags"))
		check.flags |= 8;
	else if (!strcmp(what, "reserved"))
		check.reserved = 1;
	else if (!strcmp(what, "class"))
		check.type = 32;
	else if (!strcmp(what, "both"))
		check.flags ^= SGIO_FILTER_BY_CLASS;
	else if (!strcmp(what, "length-0"))
		check.cdb_len = 0;
	else if (!strcmp(what, "length-33"))
		check.cdb_len = 33;
	else if (!strcmp(what, "length-max"))
		check.cdb_len = -1;
	else if (!strcmp(what, "behind"))
		check.cdb[6] = 1;
	else if (!strcmp(what, "pointer"))
		where = NULL;
	else if (!strcmp(what, "ioctl"))
		cmd = _IOWR(0xbc, 0x02, struct sgio_filter_check);
	else if (!strcmp(what, "ioctl-size"))
		cmd = _IOWR(0xbc, 0x01, int);
	else
		usage();
	return ioctl(fd, cmd, where) ? strerrorname_np(errno) : "ok";
}

int main(int argc, char **argv)
{
	struct sgio_filter_check check;
	const char *error;
	struct cdb cdb;
	bool as;

	if (argc < 3)
		usage();
	fd = open("/dev/sgio_filter", O_RDWR);
	if (fd < 0) {
		puts(strerrorname_np(errno));
		return 1;
	}
	if (!strcmp(argv[2], "--all")) {
		ask_all(argv[1]);
		return 0;
	}
	if (argc < 4)
		usage();
	if (!strcmp(argv[2], "--bad")) {
		puts(bad(argv[1], argv[3]));
		return 0;
	}
	check = about(argv[1]);
	as = argc > 5 && !strcmp(argv[2], "--as");
	if (as) {
		check.flags |= SGIO_FILTER_AS_CGROUP;
		check.cgroup = strtoull(argv[3], NULL, 10);
		argc -= 2;
		argv += 2;
	}
	if ((strcmp(argv[2], "ro") && strcmp(argv[2], "rw")) ||
	    !cdb_parse(&cdb, argc - 3, argv + 3))
		usage();
	set_cdb(&check, &cdb, argv[2][1] == 'w');
	error = ask(&check);
	if (error)
		puts(error);
	else
		printf(as ? "%u %u %u %u %llu\n" : "%u %u %u %u\n", check.decision, check.layer, check.rule,
		       check.complain, (unsigned long long)check.holder);
	return !!error;
}
