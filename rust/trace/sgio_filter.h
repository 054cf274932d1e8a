/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoint of the filter. ABI: Documentation/ABI/testing/dev-sgio_filter
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM sgio_filter

#if !defined(_SGIO_FILTER_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _SGIO_FILTER_TRACE_H

#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/uidgid.h>

#include "../uapi/sgio_filter.h"

#ifndef _SGIO_FILTER_TRACE_ONCE
#define _SGIO_FILTER_TRACE_ONCE

#define SGIO_TRACE_CDB	32

/* What is known of a decision; the rest is the current task's. */
struct sgio_trace_decision {
	u64 lun;
	u64 holder;
	u32 host;
	u32 channel;
	u32 target;
	u32 rule;
	u8 class;
	u8 outcome;
	u8 decision;
	u8 layer;
	bool write;
	u8 cdb[SGIO_TRACE_CDB];
};

/* With the RCU read lock held. */
static inline u64 sgio_trace_cgroup(void)
{
#ifdef CONFIG_CGROUPS
	return cgroup_id(task_dfl_cgroup(current));
#else
	return 0;
#endif
}
#endif

TRACE_EVENT(decision,
	TP_PROTO(const struct sgio_trace_decision *d),
	TP_ARGS(d),
	TP_STRUCT__entry(
		__field(u64, lun)
		__field(u64, cgroup)
		__field(u64, holder)
		__field(u32, host)
		__field(u32, channel)
		__field(u32, target)
		__field(u32, uid)
		__field(u32, rule)
		__field(u8, class)
		__field(u8, outcome)
		__field(u8, decision)
		__field(u8, layer)
		__field(u8, write)
		__field(u8, comm_len)
		__array(char, comm, TASK_COMM_LEN)
		__array(u8, cdb, SGIO_TRACE_CDB)
	),
	TP_fast_assign(
		__entry->lun = d->lun;
		__entry->holder = d->holder;
		__entry->cgroup = sgio_trace_cgroup();
		__entry->host = d->host;
		__entry->channel = d->channel;
		__entry->target = d->target;
		__entry->uid = from_kuid(&init_user_ns, current_uid());
		__entry->rule = d->rule;
		__entry->class = d->class;
		__entry->outcome = d->outcome;
		__entry->decision = d->decision;
		__entry->layer = d->layer;
		__entry->write = d->write;
		strscpy_pad(__entry->comm, current->comm, TASK_COMM_LEN);
		__entry->comm_len = strnlen(__entry->comm, TASK_COMM_LEN);
		memcpy(__entry->cdb, d->cdb, SGIO_TRACE_CDB);
	),
	TP_printk("dev=%u:%u:%u:%llu class=%x outcome=%s decision=%s layer=%s rule=%u holder=%llu open=%s uid=%u cgroup=%llu comm=%s cdb=%s",
		__entry->host, __entry->channel, __entry->target, __entry->lun, __entry->class,
		__print_symbolic(__entry->outcome,
			{ SGIO_FILTER_OUTCOME_ALLOWED, "allowed" },
			{ SGIO_FILTER_OUTCOME_PRIVILEGED, "privileged" },
			{ SGIO_FILTER_OUTCOME_COMPLAINED, "complained" },
			{ SGIO_FILTER_OUTCOME_REFUSED, "refused" },
			{ SGIO_FILTER_OUTCOME_EMULATED, "emulated" }),
		__print_symbolic(__entry->decision,
			{ SGIO_FILTER_NO_RULE, "no_rule" },
			{ SGIO_FILTER_UNPRIV, "unpriv" },
			{ SGIO_FILTER_ALLOWED, "allowed" },
			{ SGIO_FILTER_DENIED, "denied" },
			{ SGIO_FILTER_NEEDS_WRITE, "needs_write" },
			{ SGIO_FILTER_OWN_LUNS, "own_luns" },
			{ SGIO_FILTER_NOT_OWNER, "not_owner" }),
		__print_symbolic(__entry->layer,
			{ SGIO_FILTER_LAYER_NONE, "none" },
			{ SGIO_FILTER_LAYER_DEVICE, "device" },
			{ SGIO_FILTER_LAYER_CLASS, "class" },
			{ SGIO_FILTER_LAYER_GRANT, "grant" }),
		__entry->rule, __entry->holder, __entry->write ? "w" : "r", __entry->uid, __entry->cgroup,
		/* A task may call itself anything, a line of this trace included. */
		__print_hex_str(__entry->comm, __entry->comm_len),
		__print_hex(__entry->cdb, SGIO_TRACE_CDB))
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE sgio_filter
#include <trace/define_trace.h>
