/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/sgio_filter: ask the filter what it would answer.
 *
 * See Documentation/ABI/testing/dev-sgio_filter. The other half of that device,
 * write(2), takes text and needs no definitions.
 */
#ifndef _SGIO_FILTER_UAPI_H
#define _SGIO_FILTER_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SGIO_FILTER_CDB_MAX	32

/* sgio_filter_check.flags */
#define SGIO_FILTER_WRITE	(1u << 0)	/* the file is open for writing */
#define SGIO_FILTER_BY_CLASS	(1u << 1)	/* any device of .type, without rules of its own */
#define SGIO_FILTER_AS_CGROUP	(1u << 2)	/* the sender is in .cgroup; else it holds no grant */

/* sgio_filter_check.decision, and that of the tracepoint */
#define SGIO_FILTER_NO_RULE	0		/* refused: nothing matches */
#define SGIO_FILTER_UNPRIV	1		/* allowed: unpriv_sgio */
#define SGIO_FILTER_ALLOWED	2		/* allowed by a rule */
#define SGIO_FILTER_DENIED	3		/* refused by a deny rule */
#define SGIO_FILTER_NEEDS_WRITE	4		/* refused by an allow w rule */
#define SGIO_FILTER_OWN_LUNS	5		/* answered by the filter, or refused: report_luns */
#define SGIO_FILTER_NOT_OWNER	6		/* refused: pr_exclusive (only in the tracepoint) */

/* sgio_filter_check.layer, and that of the tracepoint */
#define SGIO_FILTER_LAYER_NONE	0
#define SGIO_FILTER_LAYER_DEVICE 1		/* one of the device's own rules */
#define SGIO_FILTER_LAYER_CLASS	2		/* one of its class's rules */
#define SGIO_FILTER_LAYER_GRANT	3		/* a rule of a grant that the sender holds */

/* The outcome for a sender, as the tracepoint gives it. */
#define SGIO_FILTER_OUTCOME_ALLOWED	0	/* allowed by the policy */
#define SGIO_FILTER_OUTCOME_PRIVILEGED	1	/* not allowed, but the sender has CAP_SYS_RAWIO */
#define SGIO_FILTER_OUTCOME_COMPLAINED	2	/* not allowed, and let through: complain */
#define SGIO_FILTER_OUTCOME_REFUSED	3	/* EPERM, or by sg 05h/20h/02h */
#define SGIO_FILTER_OUTCOME_EMULATED	4	/* answered by the filter: report_luns */

/*
 * The question, and the answer for a sender without CAP_SYS_RAWIO. Nothing is
 * sent to the device and nothing is counted.
 */
struct sgio_filter_check {
	/* in */
	__u32 size;		/* sizeof(struct sgio_filter_check) */
	__u32 flags;		/* SGIO_FILTER_WRITE, SGIO_FILTER_BY_CLASS */
	__u32 host;		/* the device, if not BY_CLASS; else 0 */
	__u32 channel;
	__u64 lun;
	__u32 target;
	__u32 type;		/* peripheral device type, if BY_CLASS; else 0 */
	__u64 cgroup;		/* id of a cgroup (version 2), if AS_CGROUP; else 0 */
	__u32 cdb_len;		/* 1 to SGIO_FILTER_CDB_MAX; the rest counts as zeros */
	__u8 cdb[SGIO_FILTER_CDB_MAX];
	/* out */
	__u32 decision;		/* SGIO_FILTER_NO_RULE, ... */
	__u32 layer;		/* SGIO_FILTER_LAYER_NONE, ... */
	__u32 rule;		/* its number in its layer, from 0 */
	__u32 complain;		/* 1: the device lets refusals through */
	__u32 reserved;		/* 0 */
	__u64 holder;		/* the cgroup that holds the grant, if the layer is GRANT; else 0 */
};

#define SGIO_FILTER_IOC_CHECK	_IOWR(0xbc, 0x01, struct sgio_filter_check)

#endif
