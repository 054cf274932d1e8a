// SPDX-License-Identifier: GPL-2.0
/*
 * prioctl DISK OPERATION [KEY [KEY]]: one IOC_PR_* on a disk or map, as the caller; prints what came of it. KEYs are
 * hex. The reservations are of the type Exclusive Access.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pr.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* Newer than the headers of the build root. */
#ifndef IOC_PR_READ_KEYS
struct pr_read_keys {
	uint32_t generation;
	uint32_t num_keys;
	uint64_t keys_ptr;
};

struct pr_read_reservation {
	uint64_t key;
	uint32_t generation;
	uint32_t type;
};

#define IOC_PR_READ_KEYS	_IOWR('p', 206, struct pr_read_keys)
#define IOC_PR_READ_RESERVATION	_IOR('p', 207, struct pr_read_reservation)
#endif

static int operate(int fd, const char *operation, uint64_t key, uint64_t other)
{
	struct pr_registration registration = { .new_key = key, .flags = PR_FL_IGNORE_KEY };
	struct pr_reservation reservation = { .key = key, .type = PR_EXCLUSIVE_ACCESS };
	struct pr_preempt preempt = { .old_key = other, .new_key = key, .type = PR_EXCLUSIVE_ACCESS };
	struct pr_clear clear = { .key = key };
	struct pr_read_reservation held = { 0 };
	uint64_t list[4] = { 0 };
	struct pr_read_keys keys = { .keys_ptr = (uintptr_t)list, .num_keys = 4 };

	if (!strcmp(operation, "register"))
		return ioctl(fd, IOC_PR_REGISTER, &registration);
	if (!strcmp(operation, "reserve"))
		return ioctl(fd, IOC_PR_RESERVE, &reservation);
	if (!strcmp(operation, "release"))
		return ioctl(fd, IOC_PR_RELEASE, &reservation);
	if (!strcmp(operation, "preempt"))
		return ioctl(fd, IOC_PR_PREEMPT, &preempt);
	if (!strcmp(operation, "preempt-abort"))
		return ioctl(fd, IOC_PR_PREEMPT_ABORT, &preempt);
	if (!strcmp(operation, "clear"))
		return ioctl(fd, IOC_PR_CLEAR, &clear);
	if (!strcmp(operation, "read-keys"))
		return ioctl(fd, IOC_PR_READ_KEYS, &keys);
	if (!strcmp(operation, "read-reservation"))
		return ioctl(fd, IOC_PR_READ_RESERVATION, &held);
	errx(2, "no operation %s", operation);
}

int main(int argc, char **argv)
{
	uint64_t key = argc > 3 ? strtoull(argv[3], NULL, 16) : 0;
	uint64_t other = argc > 4 ? strtoull(argv[4], NULL, 16) : 0;
	int fd, ret;

	if (argc < 3) {
		fprintf(stderr, "usage: prioctl DISK OPERATION [KEY [KEY]]\n");
		return 2;
	}
	fd = open(argv[1], !strncmp(argv[2], "read-", 5) ? O_RDONLY : O_RDWR);
	if (fd < 0)
		err(2, "%s", argv[1]);
	ret = operate(fd, argv[2], key, other);
	if (ret < 0)
		printf("%s\n", strerrorname_np(errno));
	else if (ret > 0)
		printf("status %02x\n", ret);
	else
		printf("done\n");
	return 0;
}
