// SPDX-License-Identifier: GPL-2.0

#include <linux/sched.h>
#include <linux/string.h>

void sgio_helper_get_current_comm(char *buf);
void sgio_helper_get_current_comm(char *buf)
{
	strscpy(buf, current->comm, TASK_COMM_LEN);
}
