// SPDX-License-Identifier: GPL-2.0
/*
 * Takes the decision away from sgio_filter without anything in sysfs or tracefs
 * telling of it: a kprobe on the function that stands in for scsi_cmd_allowed()
 * goes on in the kernel's own one, behind the call of ftrace. So a test sees that
 * the doctor is seen to notice it.
 *
 *   insmod sgio_test_bypass.ko replacement=SYMBOL
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static char *replacement;
module_param(replacement, charp, 0400);

static unsigned long kernels_own;

static int go_there(struct kprobe *p, struct pt_regs *regs)
{
	instruction_pointer_set(regs, kernels_own);
	return 1;
}

/* One that has it is not turned into a jump, which could not go elsewhere. */
static void not_a_jump(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe probe = {
	.pre_handler = go_there,
	.post_handler = not_a_jump,
};

/* Where ftrace calls from; what stands before it differs between kernels. */
static struct kprobe call = { .symbol_name = "scsi_cmd_allowed" };

static int __init bypass_init(void)
{
	int err = register_kprobe(&call);

	if (err)
		return err;
	kernels_own = (unsigned long)call.addr + MCOUNT_INSN_SIZE;
	unregister_kprobe(&call);
	probe.symbol_name = replacement;
	return replacement ? register_kprobe(&probe) : -EINVAL;
}

static void __exit bypass_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(bypass_init);
module_exit(bypass_exit);
MODULE_DESCRIPTION("Goes around sgio_filter for tests");
MODULE_LICENSE("GPL");
