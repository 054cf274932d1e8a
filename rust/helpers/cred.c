// SPDX-License-Identifier: GPL-2.0

#include <linux/capability.h>
#include <linux/cred.h>

void sgio_helper_cap_clear(struct cred *cred);
void sgio_helper_cap_clear(struct cred *cred)
{
	cap_clear(cred->cap_effective);
}

const struct cred *sgio_helper_override_creds(const struct cred *new);
const struct cred *sgio_helper_override_creds(const struct cred *new)
{
	return override_creds(new);
}

const struct cred *sgio_helper_revert_creds(const struct cred *old);
const struct cred *sgio_helper_revert_creds(const struct cred *old)
{
	return revert_creds(old);
}
