// SPDX-License-Identifier: GPL-2.0
/*
 * One write(2) of all of standard input to a file, as bad as it may be, and
 * the errno by name: shells split, buffer and translate.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUF_MAX		(20 << 20)

static char buf[BUF_MAX];

static void usage(void)
{
	fprintf(stderr,
"usage: knob [OPTION]... FILE < DATA\n"
"  --offset N        pwrite(2) at that offset\n"
"  --no-rawio        without CAP_SYS_RAWIO from before the file is opened\n"
"  --no-rawio-later  drop it between open and write\n"
"  --rawio-later     open without it (effective), raise it for the write\n"
"  --read-only       open it for reading\n"
"  --repeat N        write N times; an error ends it\n"
"Prints \"ok BYTES\" or the name of the errno. Exit status 0 or 1.\n");
	exit(2);
}

/* Raise or lower CAP_SYS_RAWIO in the effective set, or drop it for good. */
static void rawio(int effective, int permitted)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[2];
	unsigned int bit = 1u << CAP_SYS_RAWIO;

	if (syscall(SYS_capget, &head, caps))
		err(2, "capget");
	caps[0].effective = effective ? caps[0].effective | bit : caps[0].effective & ~bit;
	caps[0].permitted = permitted ? caps[0].permitted : caps[0].permitted & ~bit;
	caps[0].inheritable &= ~bit;
	if (syscall(SYS_capset, &head, caps))
		err(2, "capset");
}

static int fail(void)
{
	puts(strerrorname_np(errno) ?: "E?");
	return 1;
}

int main(int argc, char **argv)
{
	enum { OFFSET = 1, NO, NO_LATER, LATER, READ_ONLY, REPEAT };
	static const struct option options[] = {
		{ "offset", required_argument, NULL, OFFSET },
		{ "no-rawio", no_argument, NULL, NO },
		{ "no-rawio-later", no_argument, NULL, NO_LATER },
		{ "rawio-later", no_argument, NULL, LATER },
		{ "read-only", no_argument, NULL, READ_ONLY },
		{ "repeat", required_argument, NULL, REPEAT },
		{ }
	};
	long offset = -1, repeat = 1;
	int opt, caps = 0, flags = O_WRONLY, fd;
	size_t len;
	ssize_t n = 0;

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == OFFSET)
			offset = atol(optarg);
		else if (opt == REPEAT)
			repeat = atol(optarg);
		else if (opt == READ_ONLY)
			flags = O_RDONLY;
		else if (opt == NO || opt == NO_LATER || opt == LATER)
			caps = opt;
		else
			usage();
	}
	if (optind != argc - 1)
		usage();
	len = fread(buf, 1, sizeof(buf), stdin);

	if (caps == NO)
		rawio(0, 0);
	if (caps == LATER)
		rawio(0, 1);
	fd = open(argv[optind], flags);
	if (fd < 0)
		return fail();
	if (caps == NO_LATER)
		rawio(0, 0);
	if (caps == LATER)
		rawio(1, 1);
	while (repeat--) {
		if (offset >= 0)
			n = pwrite(fd, buf, len, offset);
		else
			n = lseek(fd, 0, SEEK_SET) && errno != ESPIPE ?
				-1 : write(fd, buf, len);
		if (n < 0)
			return fail();
	}
	printf("ok %zd\n", n);
	return 0;
}
