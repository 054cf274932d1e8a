// SPDX-License-Identifier: GPL-2.0

#include <linux/kallsyms.h>
#include <linux/kprobes.h>

enum {
	SGIO_KSYM_SYMBOL_LEN = KSYM_SYMBOL_LEN,
};

/* Where a probe of the function would be. It is never armed. */
int sgio_helper_kprobe_address(const char *name, unsigned long *at);
int sgio_helper_kprobe_address(const char *name, unsigned long *at)
{
#if defined(CONFIG_KPROBES) && !defined(SGIO_FILTER_NO_KPROBES)
	struct kprobe probe = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	int ret = register_kprobe(&probe);

	if (ret)
		return ret;
	*at = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	return 0;
#else
	return -EOPNOTSUPP;
#endif
}
