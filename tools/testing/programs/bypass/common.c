// SPDX-License-Identifier: GPL-2.0
/* What all bypasses share. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bypass.h"

#define NOBODY	65534

void become_nobody(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = {};

	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || syscall(SYS_capset, &head, none))
		err(2, "cannot become nobody");
	/* It may become a tracee. */
	prctl(PR_SET_DUMPABLE, 1);
}

void *nowhere(void)
{
	void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		err(2, "mmap");
	return page;
}

const char *verdict(int error)
{
	return !error || error == EFAULT ? "allowed" : error == EPERM ? "refused" :
	       strerrorname_np(error);
}

int open_node(const char *node, const char *mode)
{
	int flags = !strcmp(mode, "ro") ? O_RDONLY : !strcmp(mode, "wo") ? O_WRONLY : O_RDWR;
	int fd = open(node, flags | O_NONBLOCK);

	if (fd < 0)
		err(2, "%s", node);
	return fd;
}
