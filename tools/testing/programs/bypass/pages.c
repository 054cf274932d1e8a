// SPDX-License-Identifier: GPL-2.0
/*
 * COMPARE AND WRITE, whose two blocks lie in two pages that do not follow each other
 * in memory. The page that does follow the first is the sender's own too, so that it
 * is known what must not come to the disk.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bypass.h"

#define PAGE		4096
#define PAGES		4096
#define BLOCK		512
#define LBA		8
/* Documentation/admin-guide/mm/pagemap.rst */
#define FRAME(entry)	((entry) & ((1ULL << 55) - 1))
#define PRESENT		(1ULL << 63)

enum { WRITTEN = 0xa5, FOLLOWS = 0x5a };

static int pagemap;

static uint64_t frame_of(const void *page)
{
	uint64_t entry;

	if (pread(pagemap, &entry, sizeof(entry), (uintptr_t)page / PAGE * sizeof(entry)) != sizeof(entry))
		err(2, "pagemap");
	if (!(entry & PRESENT) || !FRAME(entry))
		errx(2, "pagemap knows no frame");
	return FRAME(entry);
}

static uint8_t *pages(unsigned int n, int protection)
{
	void *p = mmap(NULL, n * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(2, "mmap");
	return p;
}

static void move(uint8_t *page, uint8_t *to)
{
	if (mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		err(2, "mremap");
}

struct frame {
	uint64_t number;
	uint8_t *page;
};

static int by_number(const void *a, const void *b)
{
	const struct frame *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* Two pages for the sender, and the one that lies in memory where the second is not. */
static uint8_t *two_apart(uint8_t **follows)
{
	static struct frame frames[PAGES];
	uint8_t *many = pages(PAGES, PROT_READ | PROT_WRITE), *two = pages(2, PROT_NONE);

	if (madvise(many, PAGES * PAGE, MADV_NOHUGEPAGE) && errno != EINVAL)
		err(2, "madvise");
	memset(many, 0, PAGES * PAGE);
	for (unsigned int i = 0; i < PAGES; i++)
		frames[i] = (struct frame) { frame_of(many + i * PAGE), many + i * PAGE };
	qsort(frames, PAGES, sizeof(frames[0]), by_number);
	for (unsigned int i = 0; i + 2 < PAGES; i++) {
		if (frames[i + 1].number != frames[i].number + 1)
			continue;
		*follows = frames[i + 1].page;
		move(frames[i].page, two);
		move(frames[i + 2].page, two + PAGE);
		return two;
	}
	errx(2, "no two frames follow each other");
}

static int send(int fd, uint8_t *cdb, int direction, void *data, unsigned int len)
{
	static uint8_t sense[SENSE_LEN];
	struct sg_io_hdr hdr = v3_header(cdb, 16, sense);

	v3_data(&hdr, direction, data, len);
	if (ioctl(fd, SG_IO, &hdr) < 0)
		return errno;
	if (hdr.status)
		errx(2, "%02x: status %02x, sense %x/%02x", cdb[0], hdr.status, sense[2] & 0xf, sense[12]);
	return 0;
}

static void read_block(int fd, uint8_t *block)
{
	uint8_t cdb[16] = { 0x88, [9] = LBA, [13] = 1 };

	if (send(fd, cdb, SG_DXFER_FROM_DEV, block, BLOCK))
		err(2, "READ(16)");
}

void compare_and_write(const char *node, unsigned int offset)
{
	static _Alignas(BLOCK) uint8_t block[BLOCK];
	uint8_t cdb[16] = { 0x89, [9] = LBA, [13] = 1 };
	unsigned int written = 0, foreign = 0;
	uint8_t *two, *data, *follows;
	int fd = open_node(node, "rw"), error;

	if (offset > 2 * PAGE - 2 * BLOCK)
		errx(2, "the offset is in the first page");
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		err(2, "pagemap");
	two = two_apart(&follows);
	become_nobody();

	read_block(fd, block);
	data = two + offset;
	memcpy(data, block, BLOCK);
	memset(data + BLOCK, WRITTEN, BLOCK);
	memset(follows, FOLLOWS, PAGE);
	error = send(fd, cdb, SG_DXFER_TO_DEV, data, 2 * BLOCK);
	/* Pages can move while nothing holds them. */
	if (frame_of(follows) != frame_of(two) + 1 || frame_of(two + PAGE) == frame_of(follows))
		errx(2, "the pages are elsewhere now");
	if (error) {
		puts(verdict(error));
		return;
	}
	read_block(fd, block);
	for (unsigned int i = 0; i < BLOCK; i++) {
		written += block[i] == WRITTEN;
		foreign += block[i] == FOLLOWS;
	}
	printf("written %u, foreign %u\n", written, foreign);
}
