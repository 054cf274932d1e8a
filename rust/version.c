// SPDX-License-Identifier: GPL-2.0
/* The version that modinfo prints, which the module! macro has no field for. */
#include <linux/module.h>

MODULE_VERSION(SGIO_FILTER_VERSION);
