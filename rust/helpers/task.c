// SPDX-License-Identifier: GPL-2.0

#include <linux/build_bug.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>

#if defined(CONFIG_X86_64) && defined(CONFIG_HAS_SEPARATE_PREEMPT_RESCHED_BITS)
/* rust/kernel/arch/x86.rs counts in all of it. */
static_assert(sizeof(__preempt_count) == 8);
#endif

void sgio_helper_get_current_comm(char *buf);
void sgio_helper_get_current_comm(char *buf)
{
	strscpy(buf, current->comm, TASK_COMM_LEN);
}
