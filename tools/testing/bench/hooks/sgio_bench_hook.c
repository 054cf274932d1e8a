// SPDX-License-Identifier: GPL-2.0
/*
 * One decision in the place of scsi_cmd_allowed(), by one of several hooks, to measure the hooks:
 *
 *   hook=jump      an ftrace direct call that is a jump
 *   hook=ipmodify  an ftrace handler that changes the instruction pointer
 *   hook=regs      the same with all registers saved
 *   hook=kprobe    a kprobe that sets the result and returns
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/module.h>
#include <linux/string.h>
#include <scsi/scsi_ioctl.h>

#include "decide.h"

static char *hook = "jump";
module_param(hook, charp, 0444);

static void notrace go_on_at_decide(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)sgio_bench_decide);
}

static struct ftrace_ops ops;

static int register_ops(unsigned long flags)
{
	int err;

	ops.flags = flags;
	if (flags)
		ops.func = go_on_at_decide;
	err = ftrace_set_filter_ip(&ops, (unsigned long)scsi_cmd_allowed, 0, 0);
	if (err)
		return err;
	if (flags)
		return register_ftrace_function(&ops);
	return register_ftrace_direct(&ops, ftrace_jmp_set((unsigned long)sgio_bench_decide));
}

void sgio_bench_return(void);
asm(".text\n"
	".type sgio_bench_return, @function\n"
	"sgio_bench_return:\n"
	ASM_ENDBR
	ASM_RET
	".size sgio_bench_return, .-sgio_bench_return\n");

static int answer(struct kprobe *p, struct pt_regs *regs)
{
	regs->ax = sgio_bench_decide((unsigned char *)regs->di, regs->si);
	regs->ip = (unsigned long)sgio_bench_return;
	return 1;
}

static struct kprobe probe = {
	.symbol_name = "scsi_cmd_allowed",
	.pre_handler = answer,
};

static int __init hook_init(void)
{
	if (!strcmp(hook, "jump"))
		return register_ops(0);
	if (!strcmp(hook, "ipmodify"))
		return register_ops(FTRACE_OPS_FL_IPMODIFY);
	if (!strcmp(hook, "regs"))
		return register_ops(FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_SAVE_REGS);
	if (!strcmp(hook, "kprobe"))
		return register_kprobe(&probe);
	return -EINVAL;
}

static void __exit hook_exit(void)
{
	if (!strcmp(hook, "jump"))
		unregister_ftrace_direct(&ops, ftrace_jmp_set((unsigned long)sgio_bench_decide),
					 false);
	else if (!strcmp(hook, "kprobe"))
		unregister_kprobe(&probe);
	else
		unregister_ftrace_function(&ops);
	synchronize_rcu_tasks();
}

module_init(hook_init);
module_exit(hook_exit);
MODULE_DESCRIPTION("Hooks for scsi_cmd_allowed(), to be measured");
MODULE_LICENSE("GPL");
