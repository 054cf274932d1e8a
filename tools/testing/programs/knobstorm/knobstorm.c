// SPDX-License-Identifier: GPL-2.0
/*
 * knobstorm SEED COUNT guarded|free HCTL=CLASS...: COUNT random writes (0: until
 * SIGTERM), good and bad ones, to all knobs of devices; and reads.
 * knobstorm SEED COUNT oracle FILE HCTL=CLASS: see oracle.h.
 * knobstorm --domain: the opcodes that those changes are about.
 *
 * What is good for "guarded" devices and their classes never opens one of the
 * opcodes of REFUSED and never closes one of ALLOWED (below). What is bad opens
 * everything in its good part, and must be refused as a whole. "free" devices get
 * everything. Prints what was written, and each answer that is not right.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "knobstorm.h"
#include "oracle.h"

char text[1 << 16];
size_t len;
unsigned long good, good_in_vain, bad, wrong;
volatile sig_atomic_t stop;

static bool guarded;

void add(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text + len, sizeof(text) - len, format, args);
	va_end(args);
	if (n < 0 || len + n >= sizeof(text))
		errx(2, "a text too long");
	len += n;
}

bool may_fail(int error)
{
	return error == ENOENT || error == ENODEV || error == ENOMEM || error == ENOSPC ||
	       error == ENXIO || error == EINTR || error == EFBIG;
}

static void put(const char *path, bool is_good)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error;
	ssize_t n;

	if (fd < 0) {
		if (!may_fail(errno))
			err(2, "%s", path);
		return;
	}
	n = write(fd, text, len);
	error = errno;
	if (is_good ? n < 0 && !may_fail(error) : n >= 0) {
		printf("%s: %s <- '%.*s'\n", path, n < 0 ? strerror(error) : "accepted",
		       len > 300 ? 300 : (int)len, text);
		wrong++;
	}
	good += is_good && n >= 0;
	good_in_vain += is_good && n < 0;
	/* Not if it was for another reason, which a good one might have met. */
	bad += !is_good && n < 0 && error == EINVAL;
	close(fd);
}

static void put_knob(const struct device *d, const char *name, bool is_good)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/scsi/devices/%s/sgio_filter/%s", d->hctl, name);
	put(path, is_good);
}

static void put_class(const struct device *d, const char *name, bool is_good)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/kernel/sgio_filter/classes/%s/%s", d->class, name);
	put(path, is_good);
}

/*
 * Ranges without 5e, 5f, 83, 89, d0 and ff; those from CLOSING on also without 00, 03 and 12, which
 * "allow w" takes from those that are open to read.
 */
#define CLOSING	2
static const uint8_t ranges[][2] = {
	{ 0x00, 0x12 }, { 0x03, 0x5d }, { 0x13, 0x5d }, { 0x04, 0x11 }, { 0x60, 0x82 },
	{ 0x84, 0x88 }, { 0x8a, 0xcf }, { 0xd1, 0xfe },
};

static void add_rule(void)
{
	const char *verb = draw(2) ? "deny" : draw(2) ? "allow r" : "allow w";
	int first = !strcmp(verb, "allow r") ? 0 : CLOSING;
	const uint8_t *range = ranges[first + draw(sizeof(ranges) / sizeof(ranges[0]) - first)];
	unsigned int a = range[0] + draw(range[1] - range[0] + 1);

	add("%s %02x-%02x", verb, a, a + draw(range[1] - a + 1));
	if (draw(2))
		add(" [%u]&%02x=00", 1 + draw(31), draw(256) | 1);
	add("\n");
}

static void add_good_rules(void)
{
	switch (draw(4)) {
	case 0:		/* none of its own */
		add("\n");
		return;
	case 1:		/* a change */
		for (unsigned int n = 1 + draw(8); n; n--) {
			add(draw(4) ? "+" : "-");
			add_rule();
		}
		return;
	}
	add("%s 5e,5f,83,89,d0,ff\nallow r 00,03,12\n", guarded ? "deny" : "allow r");
	for (unsigned int n = draw(draw(8) ? 10 : 60); n; n--)
		add_rule();
}

/* They would open everything, but for the line at the end. */
static void add_bad_rules(void)
{
	static const char *const ends[] = {
		"allow r 1\n", "allow 12\n", "allow r 12 [32]=00\n", "deny 12-11\n", "permit 00\n",
		"allow r 5f [1]&1f=2g\n", "+allow r 5e\n",
	};

	add("allow r 00-ff\nallow w 5f\n%s", ends[draw(sizeof(ends) / sizeof(ends[0]))]);
}

static const char *one_of(const char *a, const char *b)
{
	return draw(2) ? a : b;
}

static void add_section(const struct device *d)
{
	add("device %s\n", d->hctl);
	if (!guarded)
		add("unpriv_sgio %u\ncomplain %u\n", draw(2), draw(2));
	add("report_luns %s\npr_exclusive %u\n", one_of("own", "passthrough"), draw(2));
	add("rules\n");
	if (draw(2))
		add("deny 5e,5f,83,89,d0,ff\nallow r 00,03,12\n");
}

static void transaction(const struct device *devices, int n)
{
	static const char *const ends[] = {
		"device 99:0:0:0\ncomplain 1\n", "class floppy\ntable stock\n",
		"class disk\nrules\nallow r 1\n", "nonsense\n",
	};

	if (draw(2)) {
		for (int i = 0; i < n; i++)
			add_section(&devices[i]);
		if (guarded && draw(2))
			add("class %s\ntable %s\n", devices[0].class, one_of("stock", "strict"));
		put(NODE, true);
		return;
	}
	for (int i = 0; i < n; i++)
		add("device %s\nunpriv_sgio 1\ncomplain 1\n", devices[i].hctl);
	add("%s", ends[draw(sizeof(ends) / sizeof(ends[0]))]);
	put(NODE, false);
}

static void read_all(const struct device *d)
{
	static const char *const names[] = {
		"unpriv_sgio", "complain", "report_luns", "pr_exclusive", "rules", "hits", "nexus",
		"pr_owner", "identity", "class", "id", "stats",
	};
	static char buf[1 << 16];
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "/sys/bus/scsi/devices/%s/sgio_filter/%s", d->hctl,
			 names[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		while (read(fd, buf, 1 + draw(4096)) > 0)
			;
		close(fd);
	}
}

static void step(const struct device *devices, int n)
{
	const struct device *d = &devices[draw(n)];

	len = 0;
	switch (draw(guarded ? 12 : 9)) {
	case 0:
	case 1:
		add_good_rules();
		put_knob(d, "rules", true);
		break;
	case 2:
		add_bad_rules();
		put_knob(d, "rules", false);
		break;
	case 3:
	case 4:
		transaction(devices, n);
		break;
	case 5:
		add("%s\n", draw(3) ? one_of("own", "passthrough") : "mine");
		put_knob(d, "report_luns", text[0] != 'm');
		break;
	case 6:
		add("%s\n", draw(3) ? one_of("0", "1") : one_of("reset", "2"));
		put_knob(d, "pr_exclusive", text[0] != '2');
		break;
	case 7:
		/* What is nearly a number switches nothing. */
		if (guarded)
			add("%s", one_of("1 ", "01\n"));
		else
			add("%u\n", draw(2));
		put_knob(d, one_of("unpriv_sgio", "complain"), !guarded);
		break;
	case 8:
		read_all(d);
		break;
	case 9:
		add_good_rules();
		put_class(d, "rules", true);
		break;
	case 10:
		add_bad_rules();
		put_class(d, "rules", false);
		break;
	case 11:
		add("%s\n", one_of("strict", "stock"));
		put_class(d, "table", true);
		break;
	}
}

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

/* It only interrupts. */
static void on_usr1(int sig)
{
	(void)sig;
}

bool more(unsigned long *count, unsigned int usec)
{
	usleep(usec);
	return !stop && (!*count || --*count);
}

static void domain(void)
{
	for (int op = 0; op < 256; op++)
		if (in_domain(op))
			printf("%02x\n", op);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	struct device devices[argc];
	bool by_oracle;
	unsigned long count;
	int n = 0;

	if (argc == 2 && !strcmp(argv[1], "--domain")) {
		domain();
		return 0;
	}
	by_oracle = argc == 6 && !strcmp(argv[3], "oracle");
	if (argc < 5)
		errx(2, "usage: knobstorm SEED COUNT guarded|free|oracle FILE HCTL=CLASS...");
	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_handler = on_term;
	sigaction(SIGTERM, &sa, NULL);
	draw_from(strtoull(argv[1], NULL, 0));
	count = strtoul(argv[2], NULL, 0);
	guarded = !strcmp(argv[3], "guarded");
	for (int i = by_oracle ? 5 : 4; i < argc; i++, n++) {
		devices[n].hctl = strtok(argv[i], "=");
		devices[n].class = strtok(NULL, "");
		if (!devices[n].class)
			errx(2, "%s: no class", argv[i]);
	}
	if (by_oracle) {
		oracle(argv[4], &devices[0], count);
	} else {
		do
			step(devices, n);
		while (more(&count, 10000));
	}
	printf("%lu good, %lu in vain, %lu bad, %lu wrong\n", good, good_in_vain, bad, wrong);
	return wrong != 0;
}
