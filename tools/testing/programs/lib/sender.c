// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sender.h"

#define NOBODY	65534

void become_nobody(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = {};

	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		err(2, "cannot become nobody");
	if (syscall(SYS_capset, &head, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err(2, "cannot drop capabilities");
}

void *unmapped_page(void)
{
	static void *page;

	if (!page) {
		page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			err(2, "mmap");
	}
	return page;
}

const char *verdict(int error)
{
	if (!error || error == EFAULT)
		return "allowed";
	if (error == EPERM)
		return "refused";
	return strerrorname_np(error) ?: "E?";
}
