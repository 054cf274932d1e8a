// SPDX-License-Identifier: GPL-2.0

#include <linux/ratelimit.h>

void sgio_helper_ratelimit_state_init(struct ratelimit_state *rs, int interval, int burst);
void sgio_helper_ratelimit_state_init(struct ratelimit_state *rs, int interval, int burst)
{
	ratelimit_state_init(rs, interval, burst);
	/* What was suppressed is told by the caller. */
	ratelimit_set_flags(rs, RATELIMIT_MSG_ON_RELEASE);
}
