// SPDX-License-Identifier: GPL-2.0

#include <linux/rcupdate.h>

void sgio_helper_rcu_read_lock_sched(void);
void sgio_helper_rcu_read_lock_sched(void)
{
	rcu_read_lock_sched();
}

void sgio_helper_rcu_read_unlock_sched(void);
void sgio_helper_rcu_read_unlock_sched(void)
{
	rcu_read_unlock_sched();
}

/* A macro where the kernel has no RCU tasks. */
void sgio_helper_synchronize_rcu_tasks(void);
void sgio_helper_synchronize_rcu_tasks(void)
{
	synchronize_rcu_tasks();
}
