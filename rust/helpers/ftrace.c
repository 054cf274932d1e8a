// SPDX-License-Identifier: GPL-2.0

#include <linux/ftrace.h>
#include <linux/module.h>

/* Some run inside of ftrace, so they must not be traced themselves. */

void sgio_helper_ftrace_regs_set_instruction_pointer(struct ftrace_regs *fregs, unsigned long ip);
notrace void sgio_helper_ftrace_regs_set_instruction_pointer(struct ftrace_regs *fregs,
							     unsigned long ip)
{
	ftrace_regs_set_instruction_pointer(fregs, ip);
}

bool sgio_helper_is_in_this_module(unsigned long ip);
notrace bool sgio_helper_is_in_this_module(unsigned long ip)
{
	return within_module_core(ip, THIS_MODULE);
}

/*
 * Bit 0 of the address is ftrace's own, and nothing aligns functions of Rust where the kernel is optimised
 * for size. Asked of C: LLVM takes a function of which it does not know better to be at a multiple of four.
 */
bool sgio_helper_is_for_ftrace_jump(unsigned long to);
bool sgio_helper_is_for_ftrace_jump(unsigned long to)
{
	return IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_JMP) && !(to & 1);
}

/* A direct call, or a direct jump. Where ftrace has them not, nobody asks for one. */
int sgio_helper_register_ftrace_direct(struct ftrace_ops *ops, unsigned long to, bool jump);
int sgio_helper_register_ftrace_direct(struct ftrace_ops *ops, unsigned long to, bool jump)
{
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_JMP
	if (jump)
		to = ftrace_jmp_set(to);
#else
	if (jump)
		return -EOPNOTSUPP;
#endif
	return register_ftrace_direct(ops, to);
}

/* Of either kind. */
int sgio_helper_unregister_ftrace(struct ftrace_ops *ops);
int sgio_helper_unregister_ftrace(struct ftrace_ops *ops)
{
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS
	if (ops->direct_call)
		return unregister_ftrace_direct(ops, ops->direct_call, false);
#endif
	return unregister_ftrace_function(ops);
}

unsigned long sgio_helper_ftrace_regs_first_argument(struct ftrace_regs *fregs);
notrace unsigned long sgio_helper_ftrace_regs_first_argument(struct ftrace_regs *fregs)
{
	return ftrace_regs_get_argument(fregs, 0);
}
