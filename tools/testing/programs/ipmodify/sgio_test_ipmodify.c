// SPDX-License-Identifier: GPL-2.0
/*
 * Owns scsi_cmd_allowed() the way a livepatch does: an ftrace handler with
 * FTRACE_OPS_FL_IPMODIFY that sends all callers to a function of its own. That
 * function refuses everything but INQUIRY, so that a test sees who decides.
 */
#include <linux/ftrace.h>
#include <linux/module.h>
#include <scsi/scsi_ioctl.h>
#include <scsi/scsi_proto.h>

static bool inquiry_only(unsigned char *cmd, bool open_for_write)
{
	return cmd[0] == INQUIRY;
}

static void notrace handler(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)inquiry_only);
}

static struct ftrace_ops ops = {
	.func = handler,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY |
		 FTRACE_OPS_FL_DYNAMIC,
};

static int __init ipmodify_init(void)
{
	int err = ftrace_set_filter_ip(&ops, (unsigned long)scsi_cmd_allowed, 0, 0);

	if (err)
		return err;
	return register_ftrace_function(&ops);
}

static void __exit ipmodify_exit(void)
{
	unregister_ftrace_function(&ops);
	synchronize_rcu_tasks();
}

module_init(ipmodify_init);
module_exit(ipmodify_exit);
MODULE_DESCRIPTION("A second IPMODIFY user of scsi_cmd_allowed() for tests");
MODULE_LICENSE("GPL");
