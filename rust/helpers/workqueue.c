// SPDX-License-Identifier: GPL-2.0

#include <linux/jiffies.h>
#include <linux/workqueue.h>

void sgio_helper_init_deferrable_work(struct delayed_work *work, work_func_t func);
void sgio_helper_init_deferrable_work(struct delayed_work *work, work_func_t func)
{
	INIT_DEFERRABLE_WORK(work, func);
}

bool sgio_helper_schedule_delayed_work(struct delayed_work *work, unsigned int msecs);
bool sgio_helper_schedule_delayed_work(struct delayed_work *work, unsigned int msecs)
{
	return schedule_delayed_work(work, msecs_to_jiffies(msecs));
}
