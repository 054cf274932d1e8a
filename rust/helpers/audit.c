// SPDX-License-Identifier: GPL-2.0

#include <linux/audit.h>

void sgio_helper_audit_log_kernel_other(const char *text);
void sgio_helper_audit_log_kernel_other(const char *text)
{
	audit_log(audit_context(), GFP_ATOMIC, AUDIT_KERNEL_OTHER, "%s", text);
}
