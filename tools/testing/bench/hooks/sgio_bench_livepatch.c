// SPDX-License-Identifier: GPL-2.0
/* The decision of sgio_bench_hook.c by a livepatch. It must be disabled before it can be unloaded. */
#include <linux/livepatch.h>
#include <linux/module.h>

#include "decide.h"

static struct klp_func funcs[] = {
	{
		.old_name = "scsi_cmd_allowed",
		.new_func = sgio_bench_decide,
	}, { }
};

static struct klp_object objs[] = {
	{
		.name = IS_MODULE(CONFIG_SCSI) ? "scsi_mod" : NULL,
		.funcs = funcs,
	}, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init patch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit patch_exit(void)
{
}

module_init(patch_init);
module_exit(patch_exit);
MODULE_DESCRIPTION("A livepatch of scsi_cmd_allowed(), to be measured");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
