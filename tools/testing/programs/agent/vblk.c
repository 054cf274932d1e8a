// SPDX-License-Identifier: GPL-2.0
/*
 * Commands to a legacy (or transitional) virtio-blk device without any driver
 * of the kernel: Linux has not sent VIRTIO_BLK_T_SCSI_CMD since 5.6. The
 * registers are reached by the sysfs file of the I/O port BAR, the device is
 * polled, and the physical addresses come from /proc/self/pagemap.
 *
 *   vblk STATUS ERRORS SENSE DATA
 *   error ...
 *
 * STATUS is virtio's: 0 done, 1 failed, 2 unsupported.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent.h"

#define PAGE 4096
#define POOL 1024 /* pages among which some follow each other in memory */
#define RING_PAGES 8 /* of MAX_QUEUE descriptors */
#define MAX_QUEUE 1024

/* Registers of the legacy interface. */
#define HOST_FEATURES 0
#define GUEST_FEATURES 4
#define QUEUE_PFN 8
#define QUEUE_SIZE 12
#define QUEUE_SELECT 14
#define QUEUE_NOTIFY 16
#define STATUS 18

#define F_SCSI (1u << 7)
#define F_DISCARD (1u << 13)
#define T_SCSI_CMD 2
#define T_DISCARD 11
#define DESC_NEXT 1
#define DESC_WRITE 2

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* All of a request but its data, in one page. */
struct request {
	struct {
		uint32_t type, priority;
		uint64_t sector;
	} head;
	uint8_t cdb[32];
	struct {
		uint64_t sector;
		uint32_t count, flags;
	} range;
	uint8_t sense[MAX_SENSE];
	struct {
		uint32_t errors, data_len, sense_len, residual;
	} result;
	uint8_t status;
};

static uint8_t *ring; /* RING_PAGES, one behind the other in memory */
static struct request *request;
static uint8_t *data; /* two pages */
static uint64_t ring_at, request_at, data_at[2];
static int bar = -1;
static unsigned int descs;
static uint16_t sent; /* since the device was started */
static char started[16]; /* its slot */

struct page {
	uint64_t frame;
	uint8_t *at;
};

static int by_frame(const void *a, const void *b)
{
	const struct page *x = a, *y = b;

	return x->frame < y->frame ? -1 : x->frame > y->frame;
}

/*
 * mremap() moves a page without copying it, so that pages that happen to lie one
 * behind the other in memory can be made to in the address space as well.
 */
static int find_memory(void)
{
	static struct page pages[POOL];
	uint8_t *pool, *area;
	int map;

	if (ring)
		return 0;
	pool = mmap(NULL, POOL * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	area = mmap(NULL, RING_PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map = open("/proc/self/pagemap", O_RDONLY);
	if (pool == MAP_FAILED || area == MAP_FAILED || map < 0)
		return -1;
	for (int i = 0; i < POOL; i++) {
		uint64_t entry = 0;

		pages[i].at = pool + i * PAGE;
		if (pread(map, &entry, 8, (uintptr_t)pages[i].at / PAGE * 8) != 8)
			return -1;
		pages[i].frame = entry & ((1ull << 55) - 1);
	}
	close(map);
	qsort(pages, POOL, sizeof(pages[0]), by_frame);
	for (int i = 0; i + RING_PAGES + 3 <= POOL; i++) {
		if (!pages[i].frame || pages[i + RING_PAGES - 1].frame - pages[i].frame != RING_PAGES - 1)
			continue;
		for (int j = 0; j < RING_PAGES; j++)
			if (mremap(pages[i + j].at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				   area + j * PAGE) == MAP_FAILED)
				return -1;
		ring_at = pages[i].frame * PAGE;
		request = (struct request *)pages[i + RING_PAGES].at;
		request_at = pages[i + RING_PAGES].frame * PAGE;
		data = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (int j = 0; j < 2; j++) {
			struct page *page = &pages[i + RING_PAGES + 1 + j];

			if (mremap(page->at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				   data + j * PAGE) == MAP_FAILED)
				return -1;
			data_at[j] = page->frame * PAGE;
		}
		ring = area;
		return 0;
	}
	return -1;
}

static uint32_t get(int reg, int size)
{
	uint32_t value = 0;

	if (pread(bar, &value, size, reg) != size)
		return ~0u;
	return value;
}

static void set(int reg, int size, uint32_t value)
{
	if (pwrite(bar, &value, size, reg) != size)
		perror("agent: register");
}

static int write_file(const char *slot, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/0000:00:%s/%s", slot, name);
	return write_text(path, text);
}

static void stop(void)
{
	started[0] = 0;
	if (bar < 0)
		return;
	set(STATUS, 1, 0);
	close(bar);
	bar = -1;
}

/* No driver of the kernel has the device, which begins anew if it is not the one of the last time. */
static const char *start(const char *slot)
{
	char text[64];
	uint16_t command = 7; /* I/O, memory, bus master */
	int config;

	if (!strcmp(slot, started))
		return NULL;
	stop();
	write_file(slot, "enable", "1");
	snprintf(text, sizeof(text), "/sys/bus/pci/devices/0000:00:%s/config", slot);
	config = open(text, O_RDWR);
	if (config < 0 || pwrite(config, &command, 2, 4) != 2)
		return "no such device";
	close(config);
	snprintf(text, sizeof(text), "/sys/bus/pci/devices/0000:00:%s/resource0", slot);
	bar = open(text, O_RDWR);
	if (bar < 0)
		return "no I/O ports: not a legacy device";
	if (find_memory())
		return "no memory that is contiguous";

	set(STATUS, 1, 0);
	set(STATUS, 1, 1 | 2);
	/* QEMU offers F_SCSI to every legacy driver, with scsi=off as well. */
	set(GUEST_FEATURES, 4, get(HOST_FEATURES, 4) & (F_SCSI | F_DISCARD));
	set(QUEUE_SELECT, 2, 0);
	descs = get(QUEUE_SIZE, 2);
	if (!descs || descs > MAX_QUEUE)
		return "size of the queue";
	memset(ring, 0, RING_PAGES * PAGE);
	set(QUEUE_PFN, 4, ring_at / PAGE);
	set(STATUS, 1, 1 | 2 | 4);
	sent = 0;
	snprintf(started, sizeof(started), "%s", slot);
	return NULL;
}

static unsigned int chained;

static void chain(uint64_t addr, uint32_t len, uint16_t flags)
{
	struct desc *table = (struct desc *)ring;

	if (chained)
		table[chained - 1].flags |= DESC_NEXT;
	table[chained] = (struct desc){ addr, len, flags, chained + 1 };
	chained++;
}

#define CHAIN(field, flags) \
	chain(request_at + offsetof(struct request, field), sizeof(request->field), flags)

/* The data is at most two pages, which need not follow each other. */
static void chain_data(size_t len, uint16_t flags)
{
	for (int i = 0; i < 2 && len; i++) {
		size_t part = len < PAGE ? len : PAGE;

		chain(data_at[i], part, flags);
		len -= part;
	}
}

/* Hands the chain over and waits, 60 s at most. */
static int run(void)
{
	volatile uint16_t *avail = (uint16_t *)(ring + descs * sizeof(struct desc));
	size_t used_at = (descs * sizeof(struct desc) + 6 + 2 * descs + PAGE - 1) / PAGE * PAGE;
	volatile uint16_t *used = (uint16_t *)(ring + used_at);

	/* The chain always begins with the first descriptor: there is one at a time. */
	avail[2 + sent % descs] = 0;
	__sync_synchronize();
	avail[1] = ++sent;
	__sync_synchronize();
	set(QUEUE_NOTIFY, 2, 0);
	for (int i = 0; i < 60000 && used[1] != sent; i++)
		usleep(1000);
	__sync_synchronize();
	return used[1] == sent ? 0 : -1;
}

static const char *begin(const char *slot, uint32_t type)
{
	const char *wrong = start(slot);

	if (wrong)
		return wrong;
	memset(request, 0, sizeof(*request));
	request->head.type = type;
	request->status = 0xff;
	chained = 0;
	CHAIN(head, 0);
	return NULL;
}

void vblk_send(FILE *out, const char *slot, struct command *command)
{
	const char *wrong = begin(slot, T_SCSI_CMD);
	size_t got = command->direction == 'r' ? command->len : 0;

	if (wrong) {
		stop();
		fprintf(out, "error %s", wrong);
		return;
	}
	memcpy(request->cdb, command->cdb, command->cdb_len);
	memcpy(data, command->data, command->len);
	chain(request_at + offsetof(struct request, cdb), command->cdb_len, 0);
	if (command->direction == 'w')
		chain_data(command->len, 0);
	if (command->direction == 'r')
		chain_data(command->len, DESC_WRITE);
	CHAIN(sense, DESC_WRITE);
	CHAIN(result, DESC_WRITE);
	CHAIN(status, DESC_WRITE);
	if (run()) {
		stop();
		fprintf(out, "error the device does not answer");
	} else {
		if (got >= request->result.residual)
			got -= request->result.residual;
		if (request->status)
			got = 0;
		fprintf(out, "vblk %u %u ", request->status, request->result.errors);
		print_hex(out, request->sense, request->result.sense_len <= MAX_SENSE ?
			  request->result.sense_len : 0);
		fputc(' ', out);
		print_hex(out, data, got);
	}
}

void vblk_discard(FILE *out, const char *slot, uint64_t sector, uint32_t count)
{
	const char *wrong = begin(slot, T_DISCARD);

	if (wrong) {
		stop();
		fprintf(out, "error %s", wrong);
		return;
	}
	request->range.sector = sector;
	request->range.count = count;
	CHAIN(range, 0);
	CHAIN(status, DESC_WRITE);
	if (run()) {
		stop();
		fprintf(out, "error the device does not answer");
	} else {
		fprintf(out, "vblk %u 0 - -", request->status);
	}
}
