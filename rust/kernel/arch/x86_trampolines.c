// SPDX-License-Identifier: GPL-2.0
/*
 * What ftrace calls at the beginning of a function of which some calls are redirected, on x86-64: a direct call
 * (register_ftrace_direct()), see rust/kernel/arch/x86.rs. Most calls are to go on in the function, after as few
 * instructions as possible.
 *
 * On the stack is where the function goes on, and behind it where the function returns to. So a return goes on in the
 * function; a return or a jump after the first address has been taken from the stack leaves it out. Arguments must be
 * left as they are, and what the caller keeps in registers. No address of these is called indirectly: no ENDBR.
 *
 * The call is not accounted for (CONFIG_MITIGATION_CALL_DEPTH_TRACKING), the return is: the kernel takes the processor's
 * return stack for emptier than it is, and fills it a little early.
 */

#include <linux/annotate.h>
#include <linux/blk-mq.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <linux/stddef.h>
#include <linux/stringify.h>
#include <asm/frame.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>
#include <scsi/sg.h>

#ifdef CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS

/* Offsets in structures, for the assembler. Never called. */
static void notrace __used offsets(void)
{
	asm(".set .Lfile_flags, %c0" : : "i" (offsetof(struct file, f_flags)));
	asm(".set .Lrequest_end_io, %c0" : : "i" (offsetof(struct request, end_io)));
}

#define TRAMPOLINE(name, text)						\
	asm(".pushsection .text, \"ax\", @progbits\n"			\
	    ".balign 16\n"						\
	    ".type " #name ", @function\n"				\
	    ".globl " #name "\n"					\
	    #name ":\n"							\
	    ANNOTATE_NOENDBR "\n"					\
	    text							\
	    ".size " #name ", . - " #name "\n"				\
	    ".popsection\n")

/* long sg_ioctl(struct file *file, unsigned int cmd, unsigned long arg) */
TRAMPOLINE(sgio_sg_ioctl_trampoline,
	"movl	.Lfile_flags(%rdi), %eax\n"
	"andl	$" __stringify(O_ACCMODE) ", %eax\n"
	"cmpl	$" __stringify(O_RDWR) ", %eax\n"
	"jne	1f\n"
	"0:\n"
	ASM_RET
	"1:\n"
	"cmpl	$" __stringify(SG_IO) ", %esi\n"
	"jne	0b\n"
	FRAME_BEGIN
	"pushq	%rdi\n"
	"pushq	%rsi\n"
	"pushq	%rdx\n"
	"call	sgio_sg_ioctl_goes_on\n"
	"popq	%rdx\n"
	"popq	%rsi\n"
	"popq	%rdi\n"
	FRAME_END
	"testb	%al, %al\n"
	"jnz	0b\n"
	"addq	$8, %rsp\n"
	UNWIND_HINT_FUNC
	"jmp	sgio_sg_ioctl\n"
	"int3\n");

/* void blk_execute_rq_nowait(struct request *rq, bool at_head) */
TRAMPOLINE(sgio_blk_execute_rq_nowait_trampoline,
	"movq	sgio_sg_rq_end_io(%rip), %rax\n"
	"cmpq	%rax, .Lrequest_end_io(%rdi)\n"
	"jne	0f\n"
	FRAME_BEGIN
	"pushq	%rdi\n"
	"pushq	%rsi\n"
	"call	sgio_sg_request_goes_on\n"
	"popq	%rsi\n"
	"popq	%rdi\n"
	FRAME_END
	"testb	%al, %al\n"
	"jz	1f\n"
	"0:\n"
	ASM_RET
	"1:\n"
	"addq	$8, %rsp\n"
	UNWIND_HINT_FUNC
	ASM_RET);

#endif
