// SPDX-License-Identifier: GPL-2.0
/*
 * What one PERSISTENT RESERVE IN (READ KEYS) costs an unprivileged process, in nanoseconds: sent by
 * itself, and through qemu-pr-helper as QEMU does it (the protocol is in QEMU's
 * docs/interop/pr-helper.rst). Prints "NAME LEAST MEDIAN".
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "measure.h"
#include "../lib/sender.h"
#include "../lib/sg.h"

#define DATA_LEN	512
#define HELPER_CDB	16
#define HELPER_SENSE	96

struct client {
	int disk;
	int helper;
};

static uint8_t cdb[HELPER_CDB] = { 0x5e, 0x00, [7] = DATA_LEN >> 8 };
static uint8_t data[DATA_LEN];

static void by_itself(void *arg)
{
	const struct client *c = arg;
	static uint8_t sense[SENSE_LEN];
	struct sg_io_hdr hdr = {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_FROM_DEV,
		.cmd_len = 10,
		.cmdp = cdb,
		.dxferp = data,
		.dxfer_len = sizeof(data),
		.mx_sb_len = sizeof(sense),
		.sbp = sense,
		.timeout = TIMEOUT_MS,
	};

	if (ioctl(c->disk, SG_IO, &hdr))
		err(1, "SG_IO");
	if (hdr.status)
		errx(1, "SG_IO: status %02x", hdr.status);
}

static void read_all(int fd, void *buf, size_t len)
{
	if (recv(fd, buf, len, MSG_WAITALL) != len)
		errx(1, "qemu-pr-helper: connection ended");
}

static void by_helper(void *arg)
{
	const struct client *c = arg;
	struct {
		uint32_t status, len;
		uint8_t sense[HELPER_SENSE];
	} reply;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec iov = { cdb, sizeof(cdb) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &c->disk, sizeof(int));
	if (sendmsg(c->helper, &msg, MSG_NOSIGNAL) != sizeof(cdb))
		err(1, "qemu-pr-helper: sendmsg");
	read_all(c->helper, &reply, sizeof(reply));
	if (reply.status)
		errx(1, "qemu-pr-helper: status %02x", ntohl(reply.status));
	if (ntohl(reply.len) > sizeof(data))
		errx(1, "qemu-pr-helper: %u bytes", ntohl(reply.len));
	read_all(c->helper, data, ntohl(reply.len));
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uint32_t features, none = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(2, "%s: too long", path);
	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		err(2, "%s", path);
	read_all(fd, &features, sizeof(features));
	if (write(fd, &none, sizeof(none)) != sizeof(none))
		err(1, "%s", path);
	return fd;
}

static void print(const char *name, struct cost cost)
{
	printf("%s %.2f %.2f\n", name, cost.least, cost.median);
}

int main(int argc, char **argv)
{
	struct effort effort = effort_of(argc, argv, 2);
	struct client c;

	if (argc < 3) {
		fprintf(stderr, "usage: prbench DISK SOCKET [LOOPS [REPEATS]]\n");
		return 2;
	}
	c.disk = open(argv[1], O_RDWR | O_NONBLOCK);
	if (c.disk < 0)
		err(2, "%s", argv[1]);
	c.helper = connect_to(argv[2]);
	become_nobody();
	print("filter", measure(by_itself, &c, &effort));
	print("qemu-pr-helper", measure(by_helper, &c, &effort));
	return 0;
}
