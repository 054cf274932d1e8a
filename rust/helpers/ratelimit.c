// SPDX-License-Identifier: GPL-2.0

#include <linux/ratelimit.h>

void sgio_helper_ratelimit_state_init(struct ratelimit_state *rs, int interval, int burst);
void sgio_helper_ratelimit_state_init(struct ratelimit_state *rs, int interval, int burst)
{
	ratelimit_state_init(rs, interval, burst);
	/* What was suppressed is told by the caller. */
	ratelimit_set_flags(rs, RATELIMIT_MSG_ON_RELEASE);
}

bool sgio_helper_ratelimit_is_used_up(struct ratelimit_state *rs);
bool sgio_helper_ratelimit_is_used_up(struct ratelimit_state *rs)
{
	/*
	 * As ___ratelimit(), but without its lock. At the turn of an interval the answer may be that of a moment
	 * ago, as in ___ratelimit() when it does not get the lock.
	 */
	/* Racy: the task that begins an interval writes it, under the lock. */
	unsigned long begin = data_race(READ_ONCE(rs->begin));
	/* Racy: the first event sets it, under the lock. */
	unsigned int flags = data_race(READ_ONCE(rs->flags));

	return (flags & RATELIMIT_INITIALIZED) && atomic_read(&rs->rs_n_left) <= 0 &&
	       !time_is_before_jiffies(begin + rs->interval);
}
