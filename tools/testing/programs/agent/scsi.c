// SPDX-License-Identifier: GPL-2.0
/*
 * Commands to a SCSI disk of the guest's kernel, by SG_IO as root: what the
 * guest does not get, it does not get because of the host.
 *
 * A disk is named by where the host put it, PCI-SLOT/TARGET/LUN as in
 * "04.0/1/0".
 *
 *   scsi STATUS HOST-STATUS DRIVER-STATUS RESIDUAL SENSE DATA
 *   errno NUMBER                          SG_IO failed
 *   error no such disk
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/sg.h"
#include "agent.h"

/* What the kernel knows, by /sys/class/scsi_generic, whose links have it all. */
static int open_known(const char *slot, unsigned int target, unsigned int lun)
{
	char tail[64], path[128], link[512];
	glob_t found;
	int fd = -1;

	snprintf(path, sizeof(path), "/0000:00:%s/", slot);
	snprintf(tail, sizeof(tail), ":0:%u:%u/scsi_generic/", target, lun);
	if (glob("/sys/class/scsi_generic/sg*", 0, NULL, &found))
		return -1;
	for (size_t i = 0; i < found.gl_pathc && fd < 0; i++) {
		ssize_t len = readlink(found.gl_pathv[i], link, sizeof(link) - 1);

		if (len < 0)
			continue;
		link[len] = 0;
		if (!strstr(link, path) || !strstr(link, tail))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", strrchr(link, '/') + 1);
		fd = open(path, O_RDWR);
		break;
	}
	globfree(&found);
	return fd;
}

/* The kernel looks for disks when it is told to (scsi_mod.scan=manual): there are 1024 targets. */
static void scan(const char *slot, unsigned int target, unsigned int lun)
{
	char path[160], text[64];
	glob_t found;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/0000:00:%s/virtio*/host*/scsi_host/host*/scan",
		 slot);
	if (glob(path, 0, NULL, &found))
		return;
	snprintf(text, sizeof(text), "0 %u %u", target, lun);
	write_text(found.gl_pathv[0], text);
	globfree(&found);
}

static int find_disk(const char *disk)
{
	char slot[16];
	unsigned int target, lun;
	int fd;

	if (sscanf(disk, "%15[^/]/%u/%u", slot, &target, &lun) != 3)
		return -1;
	fd = open_known(slot, target, lun);
	if (fd < 0) {
		scan(slot, target, lun);
		fd = open_known(slot, target, lun);
	}
	return fd;
}

/* Once found, a disk stays open: looking for it takes longer than most commands. */
static int open_disk(const char *disk)
{
	static struct {
		char name[32];
		int fd;
	} open_disks[64];
	static size_t count;

	for (size_t i = 0; i < count; i++)
		if (!strcmp(open_disks[i].name, disk))
			return open_disks[i].fd;
	if (count == 64 || strlen(disk) >= sizeof(open_disks[0].name))
		return -1;
	open_disks[count].fd = find_disk(disk);
	if (open_disks[count].fd < 0)
		return -1;
	strcpy(open_disks[count].name, disk);
	return open_disks[count++].fd;
}

void scsi_send(FILE *out, const char *disk, struct command *command)
{
	uint8_t sense[MAX_SENSE] = {};
	struct sg_io_hdr hdr = v3_header(command->cdb, command->cdb_len, sense);
	int fd = open_disk(disk);

	v3_data(&hdr, command->direction == 'r' ? SG_DXFER_FROM_DEV :
		command->direction == 'w' ? SG_DXFER_TO_DEV : SG_DXFER_NONE,
		command->data, command->len);
	hdr.mx_sb_len = sizeof(sense);
	hdr.timeout = 3 * TIMEOUT_MS;
	if (fd < 0) {
		fprintf(out, "error no such disk");
		return;
	}
	if (ioctl(fd, SG_IO, &hdr)) {
		fprintf(out, "errno %d", errno);
	} else {
		size_t got = command->direction != 'r' ? 0 :
			     hdr.resid < 0 || hdr.resid > command->len ? 0 : command->len - hdr.resid;

		fprintf(out, "scsi %u %u %u %d ", hdr.status, hdr.host_status,
			hdr.driver_status, hdr.resid);
		print_hex(out, sense, hdr.sb_len_wr);
		fputc(' ', out);
		print_hex(out, command->data, got);
	}
}
