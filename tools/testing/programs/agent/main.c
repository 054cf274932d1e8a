// SPDX-License-Identifier: GPL-2.0
/*
 * First and only process of a nested guest: mounts what it needs, then obeys
 * the lines that arrive on the virtio-serial port, one answer line for each:
 *
 *   hello                                        hello RELEASE
 *   rescan                                       rescanned: PCI devices that have been added
 *   scsi DISK n|r|w LENGTH CDB [DATA]            see scsi.c
 *   vblk SLOT n|r|w LENGTH CDB [DATA]            see vblk.c
 *   discard SLOT SECTOR COUNT                    see vblk.c
 *
 * CDB and DATA are hexadecimal; DATA is repeated until LENGTH is reached.
 * What is not understood is answered by "error ...".
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent.h"

void print_hex(FILE *out, const uint8_t *bytes, size_t len)
{
	if (!len)
		fputc('-', out);
	for (size_t i = 0; i < len; i++)
		fprintf(out, "%02x", bytes[i]);
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), result;

	if (fd < 0)
		return -1;
	result = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return result;
}

/* -1 if it is not hexadecimal or too long. */
static ssize_t parse_hex(const char *text, uint8_t *bytes, size_t max)
{
	size_t len = strlen(text);

	if (len % 2 || len / 2 > max)
		return -1;
	for (size_t i = 0; i < len / 2; i++)
		if (sscanf(text + 2 * i, "%2hhx", &bytes[i]) != 1)
			return -1;
	return len / 2;
}

static const char *parse_command(struct command *command)
{
	char *direction = strtok(NULL, " "), *len = strtok(NULL, " ");
	char *cdb = strtok(NULL, " "), *data = strtok(NULL, " ");
	ssize_t n;

	if (!cdb)
		return "incomplete";
	memset(command, 0, sizeof(*command));
	command->direction = *direction;
	if (!strchr("nrw", *direction) || direction[1])
		return "direction";
	command->len = strtoul(len, NULL, 10);
	if (command->len > MAX_DATA)
		return "length";
	n = parse_hex(cdb, command->cdb, sizeof(command->cdb));
	if (n < 6)
		return "cdb";
	command->cdb_len = n;
	if (!data)
		return NULL;
	n = parse_hex(data, command->data, sizeof(command->data));
	if (n <= 0)
		return "data";
	for (size_t i = n; i < command->len; i++)
		command->data[i] = command->data[i - n];
	return NULL;
}

static void obey(FILE *out, char *line)
{
	static struct command command;
	char *verb = strtok(line, " "), *target = strtok(NULL, " ");
	const char *wrong;
	struct utsname name;

	if (verb && !strcmp(verb, "hello")) {
		uname(&name);
		fprintf(out, "hello %s", name.release);
	} else if (verb && !strcmp(verb, "rescan")) {
		fprintf(out, write_text("/sys/bus/pci/rescan", "1") ? "error rescan" : "rescanned");
	} else if (!target) {
		fprintf(out, "error no target");
	} else if (!strcmp(verb, "discard")) {
		char *sector = strtok(NULL, " "), *count = strtok(NULL, " ");

		if (count)
			vblk_discard(out, target, strtoull(sector, NULL, 10), atoi(count));
		else
			fprintf(out, "error incomplete");
	} else if (!strcmp(verb, "scsi") || !strcmp(verb, "vblk")) {
		wrong = parse_command(&command);
		if (wrong)
			fprintf(out, "error %s", wrong);
		else if (*verb == 's')
			scsi_send(out, target, &command);
		else
			vblk_send(out, target, &command);
	} else {
		fprintf(out, "error unknown verb");
	}
	fputc('\n', out);
	fflush(out);
}

/* The drivers probe in their own time: 30 s at most. */
static int open_port(void)
{
	glob_t found;
	int fd = -1;

	for (int i = 0; i < 300 && fd < 0; i++) {
		if (!glob("/dev/vport*p1", 0, NULL, &found)) {
			fd = open(found.gl_pathv[0], O_RDWR);
			globfree(&found);
		}
		if (fd < 0)
			usleep(100000);
	}
	return fd;
}

int main(void)
{
	static char line[2 * MAX_DATA + 256];
	FILE *in, *out;
	int fd, alone = 0;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);

	/* PCI devices are looked for by "rescan": not each, and by ACPI's interpreter. */
	write_text("/sys/firmware/acpi/interrupts/gpe01", "disable");
	fd = open_port();
	in = fd < 0 ? NULL : fdopen(fd, "r");
	out = fd < 0 ? NULL : fdopen(dup(fd), "w");
	/* While nobody is at the other end, reading ends at once: 100 s at most. */
	while (in && out && alone < 1000) {
		if (!fgets(line, sizeof(line), in)) {
			clearerr(in);
			usleep(100000);
			alone++;
			continue;
		}
		line[strcspn(line, "\n")] = 0;
		obey(out, line);
		alone = 0;
	}
	reboot(RB_POWER_OFF);
	return 1;
}
