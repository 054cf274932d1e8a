// SPDX-License-Identifier: GPL-2.0
/*
 * Wrappers around what Rust cannot call: inline functions, macros and per-CPU accessors of the
 * kernel, each with the name of what it wraps, where that has one. By subject, as the kernel's own
 * in rust/helpers/.
 */

#include "audit.c"
#include "block.c"
#include "cgroup.c"
#include "cred.c"
#include "device.c"
#include "ftrace.c"
#include "percpu.c"
#include "ratelimit.c"
#include "rcu.c"
#include "scsi.c"
#include "symbol.c"
#include "task.c"
#include "workqueue.c"
