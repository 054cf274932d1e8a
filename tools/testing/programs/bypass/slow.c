// SPDX-License-Identifier: GPL-2.0
/*
 * What is changed while a system call is known to sleep: so the moment between two
 * looks at it is hit each time, also by an emulator that runs one processor at a time.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <scsi/scsi_ioctl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bypass.h"

#define DATA		96
#define AT_DISK		(1 << 20)
#define PAGE		4096

/* A system call in a thread of its own. */
struct call {
	int (*function)(struct call *call);
	pthread_t thread;
	atomic_int tid;
	atomic_bool done;
	int fd, result;
	void *arg;
};

static void *run(void *arg)
{
	struct call *call = arg;

	atomic_store(&call->tid, gettid());
	call->result = call->function(call);
	atomic_store(&call->done, true);
	return NULL;
}

/* Whether a thread waits in the kernel for something that no signal interrupts. */
static bool sleeps(const struct call *call)
{
	char path[64], text[256], *state;
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", atomic_load(&call->tid));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		return false;
	text[n] = '\0';
	state = strrchr(text, ')');
	return state && state[2] == 'D';
}

static void begin(struct call *call)
{
	errno = pthread_create(&call->thread, NULL, run, call);
	if (errno)
		err(2, "pthread_create");
	do {
		usleep(1000);
		if (atomic_load(&call->done))
			errx(2, "it was not slow");
	} while (!atomic_load(&call->tid) || !sleeps(call));
}

static int end(struct call *call)
{
	pthread_join(call->thread, NULL);
	return call->result;
}

/* --- descriptors --------------------------------------------------------------- */

static struct sg_io_hdr inquiry(void *data)
{
	static uint8_t cdb[6] = { INQUIRY, 1, 0x80, 0, DATA }, sense[SENSE_LEN];
	struct sg_io_hdr hdr = v3_header(cdb, sizeof(cdb), sense);

	v3_data(&hdr, SG_DXFER_FROM_DEV, data, DATA);
	return hdr;
}

static int sg_io(struct call *call)
{
	return ioctl(call->fd, SG_IO, call->arg) < 0 ? errno : 0;
}

/* The serial number. */
static void learn(int fd, uint8_t *data)
{
	struct sg_io_hdr hdr = inquiry(data);

	if (ioctl(fd, SG_IO, &hdr) < 0 || hdr.status)
		err(2, "INQUIRY");
}

/*
 * An ioctl on a file, whose descriptor becomes another's when the call has begun: its
 * header is on the disk, and read when the driver looks at it. Its data go to `data`.
 */
static int changed_meanwhile(int disk, int file, int other, void *data)
{
	static _Alignas(PAGE) uint8_t page[PAGE];
	struct sg_io_hdr hdr = inquiry(data);
	struct call call = { .function = sg_io, .fd = dup(file) };
	int version, error;

	memcpy(page, &hdr, sizeof(hdr));
	/* Past the page cache, and so what is in there goes. */
	if (pwrite(disk, page, PAGE, AT_DISK) != PAGE)
		err(2, "pwrite");
	call.arg = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, disk, AT_DISK);
	if (call.fd < 0 || call.arg == MAP_FAILED)
		err(2, "mmap");
	begin(&call);
	/* And used: what the driver was last entered for is the other device. */
	if (dup2(other, call.fd) < 0 || ioctl(call.fd, SG_GET_VERSION_NUM, &version) < 0)
		err(2, "dup2");
	if (!sleeps(&call))
		errx(2, "it was not slow enough");
	error = end(&call);
	munmap(call.arg, PAGE);
	close(call.fd);
	return error;
}

void descriptors(const char *sg_a, const char *sg_b, const char *disk)
{
	static uint8_t serial_a[DATA], serial_b[DATA], data[DATA];
	int a = open_node(sg_a, "ro"), b = open_node(sg_b, "ro");
	int slow = open(disk, O_RDWR | O_DIRECT);

	if (slow < 0)
		err(2, "%s", disk);
	learn(a, serial_a);
	learn(b, serial_b);
	if (!memcmp(serial_a, serial_b, DATA))
		errx(2, "two devices with one serial number");
	become_nobody();
	printf("begun on a: %s, ", verdict(changed_meanwhile(slow, a, b, data)));
	printf("begun on b: %s, ", verdict(changed_meanwhile(slow, b, a, data)));
	puts(!memcmp(data, serial_b, DATA) ? "b's data" : !memcmp(data, serial_a, DATA) ? "a's data" :
	     "other data");
}

/* --- an opcode that is read twice ------------------------------------------------ */

static int test_unit_ready(struct call *call)
{
	static uint8_t cdb[6], sense[SENSE_LEN];
	struct sg_io_hdr hdr = v3_header(cdb, sizeof(cdb), sense);

	return ioctl(call->fd, SG_IO, &hdr) < 0 ? errno : hdr.status;
}

struct send_command {
	unsigned int in_len, out_len;
	atomic_uchar data[DATA];
};

static int send_command(struct call *call)
{
	int status = ioctl(call->fd, SCSI_IOCTL_SEND_COMMAND, call->arg);

	return status < 0 ? -errno : status;
}

/*
 * The kernel reads the opcode, for the length of the CDB; takes one of the requests
 * that the host has, and waits for it, if its only one is in use;
 * and reads the CDB.
 */
void read_twice(const char *node, uint8_t first, uint8_t second)
{
	static struct send_command command = { .out_len = DATA };
	struct call holder = { .function = test_unit_ready, .fd = open_node(node, "rw") };
	struct call call = { .function = send_command, .fd = holder.fd, .arg = &command };
	int result;

	command.data[0] = first;
	command.data[4] = DATA;
	become_nobody();
	begin(&holder);
	begin(&call);
	atomic_store(&command.data[0], second);
	/* So neither was done before. */
	if (!sleeps(&holder) || !sleeps(&call))
		errx(2, "it was not slow enough");
	end(&holder);
	result = end(&call);
	if (result > 0)
		printf("status %02x, sense %x/%02x/%02x\n", result, command.data[2] & 0xf,
		       command.data[12], command.data[13]);
	else
		puts(verdict(-result));
}
