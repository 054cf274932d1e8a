// SPDX-License-Identifier: GPL-2.0
/* The interfaces, the open modes, and opening a device node. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sgsend.h"

static const struct interface interfaces[] = {
	{ "sg_io", "SG_IO v3 on a block device or changer", 32, false, send_sg_v3 },
	{ "sg_io32", "the same, from a 32-bit program", 32, false, send_sg_io32 },
	{ "sg_iovec", "the same, with the data in pieces", 32, false, send_sg_vectors },
	{ "bsg", "SG_IO v4 on /dev/bsg/H:C:T:L", 32, false, send_bsg },
	{ "bsg-uring", "io_uring on /dev/bsg/H:C:T:L", 32, false, send_bsg_uring },
	{ "bsg-uring-worker", "the same, by a kernel thread", 32, false, send_bsg_uring_worker },
	{ "bsg-uring-sqpoll", "the same, by a thread that polls", 32, false, send_bsg_uring_sqpoll },
	{ "send-command", "SCSI_IOCTL_SEND_COMMAND", 16, true, send_send_command },
	{ "send-command32", "the same, from a 32-bit program", 16, true, send_send_command32 },
	{ "cdrom-packet", "CDROM_SEND_PACKET", 12, false, send_cdrom_packet },
	{ "cdrom-packet32", "the same, from a 32-bit program", 12, false, send_cdrom_packet32 },
	{ "sg", "SG_IO v3 on /dev/sgN", 32, false, send_sg_v3 },
	{ "sg32", "the same, from a 32-bit program", 32, false, send_sg_io32 },
};

const char *const mode_name[MODE_COUNT] = { "ro", "wo", "rw" };

const struct interface *find_interface(const char *name)
{
	for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++)
		if (!strcmp(interfaces[i].name, name))
			return &interfaces[i];
	return NULL;
}

void list_interfaces(void)
{
	for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++)
		fprintf(stderr, "  %-17s %s\n", interfaces[i].name, interfaces[i].what);
}

static unsigned int parse_modes(char *list)
{
	unsigned int modes = 0;

	for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		int mode = 0;

		while (mode < MODE_COUNT && strcmp(name, mode_name[mode]))
			mode++;
		if (mode == MODE_COUNT)
			errx(2, "%s: the open modes are ro, wo and rw", name);
		modes |= 1u << mode;
	}
	return modes;
}

struct target parse_target(char *arg, unsigned int default_modes)
{
	struct target t = { .modes = default_modes };
	char *node = strchr(arg, ':'), *modes;

	if (!node)
		errx(2, "%s: not INTERFACE:NODE", arg);
	*node++ = '\0';
	t.node = node;
	modes = strchr(arg, '/');
	if (modes) {
		*modes++ = '\0';
		t.modes = parse_modes(modes);
		t.modes_given = true;
	}
	t.iface = find_interface(arg);
	if (!t.iface)
		errx(2, "%s: no such interface", arg);
	return t;
}

int open_target(const struct target *t, enum open_mode mode)
{
	static const int flags[MODE_COUNT] = { O_RDONLY, O_WRONLY, O_RDWR };
	int fd;

	/* Without a medium, or a medium that can be written, it must open too. */
	fd = open(t->node, flags[mode] | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		err(2, "%s: open %s", t->node, mode_name[mode]);
	return fd;
}
