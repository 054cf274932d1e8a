/* SPDX-License-Identifier: GPL-2.0 */
/* What the module is not to use of a kernel that has it: see build-module. */
#define SGIO_FILTER_NO_KPROBES
