// SPDX-License-Identifier: GPL-2.0
/* Credentials that an io_uring keeps. */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "../lib/uring.h"
#include "bypass.h"

static int ask_by(struct io_uring *ring, int fd, uint8_t opcode, int personality)
{
	uint8_t cdb[16] = { opcode }, sense[SENSE_LEN];
	struct sg_io_v4 hdr = v4_header(cdb, sizeof(cdb), sense);
	uint64_t result;

	v4_data_out(&hdr, unmapped_page(), 512);
	return send_on_ring(ring, fd, &hdr, 0, personality, &result);
}

static void need_ring(struct io_uring *ring, unsigned int flags)
{
	int error = make_ring(ring, flags);

	if (error)
		errx(2, "io_uring: %s", strerror(error));
}

void personalities(const char *node, uint8_t opcode)
{
	struct io_uring ring;
	int fd = open_node(node, "rw"), root, own;

	need_ring(&ring, 0);
	root = io_uring_register_personality(&ring);
	become_nobody();
	own = io_uring_register_personality(&ring);
	if (root < 0 || own < 0)
		errx(2, "no personality");
	printf("root's %s, ", verdict(ask_by(&ring, fd, opcode, root)));
	printf("nobody's %s, ", verdict(ask_by(&ring, fd, opcode, own)));
	printf("none %s, ", verdict(ask_by(&ring, fd, opcode, 0)));
	printf("another's %s\n", verdict(ask_by(&ring, fd, opcode, own + 100)));
}

/* A thread of the kernel takes commands, with the credentials of who made the ring. */
void polled_rings(const char *node, uint8_t opcode)
{
	struct io_uring root, own;
	int fd = open_node(node, "rw");

	need_ring(&root, IORING_SETUP_SQPOLL);
	become_nobody();
	need_ring(&own, IORING_SETUP_SQPOLL);
	printf("root's %s, ", verdict(ask_by(&root, fd, opcode, 0)));
	printf("nobody's %s\n", verdict(ask_by(&own, fd, opcode, 0)));
}
