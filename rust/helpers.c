// SPDX-License-Identifier: GPL-2.0
/*
 * Wrappers around what Rust cannot call: inline functions, macros and per-CPU accessors of the
 * kernel, each with the name of what it wraps, where that has one.
 */

#include <linux/audit.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/kernfs.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/percpu.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/sched/task_stack.h>
#include <linux/uidgid.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_common.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_host.h>
#include <scsi/scsi_ioctl.h>

/* rust/kernel/ftrace.rs: runs inside of ftrace, so it must not be traced itself. */

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

/* rust/kernel/symbol.rs */

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

/* A macro where the kernel has no RCU tasks. */
void sgio_helper_synchronize_rcu_tasks(void);
void sgio_helper_synchronize_rcu_tasks(void)
{
	synchronize_rcu_tasks();
}

/* rust/kernel/sync/rcu_sched.rs */

void sgio_helper_rcu_read_lock_sched(void);
void sgio_helper_rcu_read_lock_sched(void)
{
	rcu_read_lock_sched();
}

void sgio_helper_rcu_read_unlock_sched(void);
void sgio_helper_rcu_read_unlock_sched(void)
{
	rcu_read_unlock_sched();
}

/* rust/kernel/scsi/ */

bool sgio_helper_object_is_on_stack(const void *obj);
bool sgio_helper_object_is_on_stack(const void *obj)
{
	return object_is_on_stack(obj);
}

/* From a command to its request is a subtraction, which Rust does itself. */
enum {
	SGIO_CDB_IN_REQUEST = sizeof(struct request) + offsetof(struct scsi_cmnd, cmnd),
	SGIO_THREAD_SIZE = THREAD_SIZE,
};

size_t sgio_helper_cdb_in_request(void);
size_t sgio_helper_cdb_in_request(void)
{
	struct request *rq = NULL;
	struct scsi_cmnd *cmd = blk_mq_rq_to_pdu(rq);

	return (size_t)cmd->cmnd - (size_t)rq;
}

size_t sgio_helper_sizeof_cdb(void);
size_t sgio_helper_sizeof_cdb(void)
{
	return sizeof_field(struct scsi_cmnd, cmnd);
}

unsigned int sgio_helper_scsi_device_host_no(struct scsi_device *sdev);
unsigned int sgio_helper_scsi_device_host_no(struct scsi_device *sdev)
{
	return sdev->host->host_no;
}

bool sgio_helper_scsi_device_lun_in_cdb(const struct scsi_device *sdev);
bool sgio_helper_scsi_device_lun_in_cdb(const struct scsi_device *sdev)
{
	return sdev->lun_in_cdb;
}

const struct bus_type *sgio_helper_scsi_host_bus(struct Scsi_Host *shost);
const struct bus_type *sgio_helper_scsi_host_bus(struct Scsi_Host *shost)
{
	return shost->shost_gendev.bus;
}

int sgio_helper_scsi_ioctl_from_here(struct scsi_device *sdev, bool open_for_write, int cmd,
				     void __user *arg);
int sgio_helper_scsi_ioctl_from_here(struct scsi_device *sdev, bool open_for_write, int cmd,
				     void __user *arg)
{
	int ret = scsi_ioctl(sdev, open_for_write, cmd, arg);

	/* A tail call would come from elsewhere. */
	barrier();
	return ret;
}

int sgio_helper_scsi_rescan_device_from_here(struct scsi_device *sdev);
int sgio_helper_scsi_rescan_device_from_here(struct scsi_device *sdev)
{
	int ret = scsi_rescan_device(sdev);

	/* A tail call would come from elsewhere. */
	barrier();
	return ret;
}

/* Ends a request of sg that was not executed: CHECK CONDITION, ACCESS DENIED - NO ACCESS RIGHTS. */
void sgio_helper_sg_refuse(struct request *rq);
void sgio_helper_sg_refuse(struct request *rq)
{
	struct scsi_cmnd *scmd = blk_mq_rq_to_pdu(rq);

	/* It is cleared when a command is prepared; until then it has the sense data of another one, maybe of others. */
	memset(scmd->sense_buffer, 0, SCSI_SENSE_BUFFERSIZE);
	scsi_build_sense_buffer(0, scmd->sense_buffer, ILLEGAL_REQUEST, 0x20, 0x02);
	scmd->result = SAM_STAT_CHECK_CONDITION;
	scmd->sense_len = 8 + scmd->sense_buffer[7];
	scmd->resid_len = blk_rq_bytes(rq);
	if (rq->end_io(rq, BLK_STS_OK, NULL) == RQ_END_IO_FREE)
		blk_mq_free_request(rq);
}

/* rust/kernel/device/bus.rs, rust/kernel/block.rs */

void sgio_helper_device_lock(struct device *dev);
void sgio_helper_device_lock(struct device *dev)
{
	device_lock(dev);
}

int sgio_helper_device_lock_interruptible(struct device *dev);
int sgio_helper_device_lock_interruptible(struct device *dev)
{
	return device_lock_interruptible(dev);
}

void sgio_helper_device_unlock(struct device *dev);
void sgio_helper_device_unlock(struct device *dev)
{
	device_unlock(dev);
}

bool sgio_helper_blk_queue_registered(struct request_queue *q);
bool sgio_helper_blk_queue_registered(struct request_queue *q)
{
	return blk_queue_registered(q);
}

struct request_queue *sgio_helper_bdev_get_queue(struct block_device *bdev);
struct request_queue *sgio_helper_bdev_get_queue(struct block_device *bdev)
{
	return bdev_get_queue(bdev);
}

struct kernfs_node *sgio_helper_kernfs_find_and_get(struct kernfs_node *kn, const char *name);
struct kernfs_node *sgio_helper_kernfs_find_and_get(struct kernfs_node *kn, const char *name)
{
	return kernfs_find_and_get(kn, name);
}

/* rust/kernel/cred.rs */

void sgio_helper_cap_clear(struct cred *cred);
void sgio_helper_cap_clear(struct cred *cred)
{
	cap_clear(cred->cap_effective);
}

const struct cred *sgio_helper_override_creds(const struct cred *new);
const struct cred *sgio_helper_override_creds(const struct cred *new)
{
	return override_creds(new);
}

const struct cred *sgio_helper_revert_creds(const struct cred *old);
const struct cred *sgio_helper_revert_creds(const struct cred *old)
{
	return revert_creds(old);
}

/* rust/kernel/task.rs */

void sgio_helper_get_current_comm(char *buf);
void sgio_helper_get_current_comm(char *buf)
{
	strscpy(buf, current->comm, TASK_COMM_LEN);
}

/* rust/kernel/cgroup.rs */

struct cgroup *sgio_helper_current_domain_cgroup(void);
struct cgroup *sgio_helper_current_domain_cgroup(void)
{
#ifdef CONFIG_CGROUPS
	return READ_ONCE(task_dfl_cgroup(current)->dom_cgrp);
#else
	return NULL;
#endif
}

bool sgio_helper_cgroup_tryget(struct cgroup *cgrp);
bool sgio_helper_cgroup_tryget(struct cgroup *cgrp)
{
#ifdef CONFIG_CGROUPS
	return cgroup_tryget(cgrp);
#else
	return false;
#endif
}

void sgio_helper_cgroup_get(struct cgroup *cgrp);
void sgio_helper_cgroup_get(struct cgroup *cgrp)
{
#ifdef CONFIG_CGROUPS
	cgroup_get(cgrp);
#endif
}

void sgio_helper_cgroup_put(struct cgroup *cgrp);
void sgio_helper_cgroup_put(struct cgroup *cgrp)
{
#ifdef CONFIG_CGROUPS
	cgroup_put(cgrp);
#endif
}

bool sgio_helper_cgroup_is_online(struct cgroup *cgrp);
bool sgio_helper_cgroup_is_online(struct cgroup *cgrp)
{
#ifdef CONFIG_CGROUPS
	return READ_ONCE(cgrp->self.flags) & CSS_ONLINE;
#else
	return false;
#endif
}

u64 sgio_helper_cgroup_id(struct cgroup *cgrp);
u64 sgio_helper_cgroup_id(struct cgroup *cgrp)
{
	return cgroup_id(cgrp);
}

bool sgio_helper_cgroup_is_root(struct cgroup *cgrp);
bool sgio_helper_cgroup_is_root(struct cgroup *cgrp)
{
#ifdef CONFIG_CGROUPS
	return cgrp == &cgrp_dfl_root.cgrp;
#else
	return true;
#endif
}

bool sgio_helper_cgroup_root_has_descendants(void);
bool sgio_helper_cgroup_root_has_descendants(void)
{
#ifdef CONFIG_CGROUPS
	return READ_ONCE(cgrp_dfl_root.cgrp.nr_descendants) > 0;
#else
	return false;
#endif
}

void sgio_helper_cgroup_path_seen_by_current(struct cgroup *cgrp, char *buf, size_t len);
void sgio_helper_cgroup_path_seen_by_current(struct cgroup *cgrp, char *buf, size_t len)
{
	buf[0] = 0;
#ifdef CONFIG_CGROUPS
	/* A task that is about to end has none. */
	if (current->nsproxy)
		cgroup_path_ns(cgrp, buf, len, current->nsproxy->cgroup_ns);
#endif
}

/* rust/kernel/audit.rs */

void sgio_helper_audit_log_kernel_other(const char *text);
void sgio_helper_audit_log_kernel_other(const char *text)
{
	audit_log(audit_context(), GFP_ATOMIC, AUDIT_KERNEL_OTHER, "%s", text);
}

/* rust/kernel/percpu.rs */

u64 __percpu *sgio_helper_alloc_percpu_u64(void);
u64 __percpu *sgio_helper_alloc_percpu_u64(void)
{
	return alloc_percpu(u64);
}

u64 __percpu *sgio_helper_alloc_percpu_u64s(size_t n);
u64 __percpu *sgio_helper_alloc_percpu_u64s(size_t n)
{
	return __alloc_percpu_gfp(size_mul(n, sizeof(u64)), __alignof__(u64),
				  GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

void sgio_helper_free_percpu_u64(u64 __percpu *ptr);
void sgio_helper_free_percpu_u64(u64 __percpu *ptr)
{
	free_percpu(ptr);
}

void sgio_helper_this_cpu_inc_u64(u64 __percpu *ptr);
void sgio_helper_this_cpu_inc_u64(u64 __percpu *ptr)
{
	this_cpu_inc(*ptr);
}

u64 sgio_helper_per_cpu_sum_u64(u64 __percpu *ptr);
u64 sgio_helper_per_cpu_sum_u64(u64 __percpu *ptr)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(ptr, cpu));
	return sum;
}

/* rust/kernel/ratelimit.rs */

void sgio_helper_ratelimit_state_init(struct ratelimit_state *rs, int interval, int burst);
void sgio_helper_ratelimit_state_init(struct ratelimit_state *rs, int interval, int burst)
{
	ratelimit_state_init(rs, interval, burst);
	/* What was suppressed is told by the caller. */
	ratelimit_set_flags(rs, RATELIMIT_MSG_ON_RELEASE);
}
