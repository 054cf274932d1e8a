// SPDX-License-Identifier: GPL-2.0
/*
 * failnth N[.AGAIN] write FILE < TEXT     one write(2) of the text
 * failnth N[.AGAIN] read FILE             all of a file
 * failnth N[.AGAIN] open FILE             no more than that
 * failnth N[.AGAIN] insmod FILE [PARAMETER...]
 * failnth N[.AGAIN] link FILE LINK        a symbolic link, by which configfs plugs in
 *
 * Opens FILE, and makes the Nth allocation or registration of sgio_filter in
 * this task fail, or the AGAINth at the same place (see sgio_test_faults.c). With
 * `open`, the opening itself counts.
 * Prints "ok" or the name of the errno, and what failed, or "-" for nothing.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PARAMETERS "/sys/module/sgio_test_faults/parameters/"

static char buf[1 << 20];

static void set(const char *name, long value)
{
	char path[128], number[24];
	int fd, n = sprintf(number, "%ld", value);

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, number, n) != n)
		err(2, "%s", path);
	close(fd);
}

int main(int argc, char **argv)
{
	char params[256] = "", failed[256] = "";
	int fd, report, error = 0;
	size_t len = 0;
	ssize_t n;

	if (argc < 4)
		errx(2, "usage: failnth N write|read|open|insmod|link FILE [PARAMETER...]");
	if (!strcmp(argv[2], "link") && argc != 5)
		errx(2, "usage: failnth N link FILE LINK");
	for (int i = 4; i < argc; i++) {
		if (strlen(params) + strlen(argv[i]) + 2 > sizeof(params))
			errx(2, "too many parameters");
		strcat(strcat(params, argv[i]), " ");
	}
	fd = -1;
	if (strcmp(argv[2], "open") && strcmp(argv[2], "link")) {
		fd = open(argv[3], strcmp(argv[2], "write") ? O_RDONLY : O_WRONLY);
		if (fd < 0)
			err(2, "%s", argv[3]);
	}
	if (!strcmp(argv[2], "write"))
		len = fread(buf, 1, sizeof(buf), stdin);

	set("nth", atol(argv[1]));
	set("again", strchr(argv[1], '.') ? atol(strchr(argv[1], '.') + 1) : 1);
	set("pid", getpid());
	if (!strcmp(argv[2], "open"))
		n = open(argv[3], O_RDWR);
	else if (!strcmp(argv[2], "link"))
		n = symlink(argv[3], argv[4]);
	else if (!strcmp(argv[2], "insmod"))
		n = syscall(SYS_finit_module, fd, params, 0);
	else if (len)
		n = write(fd, buf, len);
	else
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			;
	if (n < 0)
		error = errno;

	report = open(PARAMETERS "failed", O_RDONLY);
	if (report < 0 || read(report, failed, sizeof(failed) - 1) < 0)
		err(2, "what failed");
	set("pid", 0);
	failed[strcspn(failed, "\n")] = '\0';
	printf("%s %s\n", error ? strerrorname_np(error) : "ok", *failed ? failed : "-");
	return 0;
}
