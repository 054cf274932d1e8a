// SPDX-License-Identifier: GPL-2.0

//! An RCU reader with preemption off.
//!
//! A grace period waits for it as for one of `rcu_read_lock()`, and it takes two instructions to
//! begin and end. For a few loads; not for what takes a lock, asks a security module, or prints.
//!
//! C header: [`include/linux/rcupdate.h`](srctree/include/linux/rcupdate.h)

use crate::kernel::bindings;
use core::{
    marker::PhantomData,
    mem::forget, //
};

/// Preemption is off while this lives, and no RCU grace period that begins meanwhile ends.
#[must_use = "the reader ends at once"]
pub(crate) struct Guard(PhantomData<*mut ()>);

impl Guard {
    /// Ends to read. Returns whether the task should have been preempted meanwhile: then [`resched`]
    /// is to be called soon. Apart, so that the caller needs no stack for that call.
    #[inline(always)]
    pub(crate) fn end(self) -> bool {
        forget(self);
        count::unlock()
    }
}

/// Begins to read.
#[inline(always)]
pub(crate) fn read_lock() -> Guard {
    count::lock();
    Guard(PhantomData)
}

impl Drop for Guard {
    #[inline(always)]
    fn drop(&mut self) {
        if count::unlock() {
            resched();
        }
    }
}

/// Lets another task run, if one should.
#[cold]
#[inline(never)]
pub(crate) fn resched() {
    // SAFETY: No requirements, and called once each. At the end it looks whether to reschedule.
    unsafe {
        bindings::rcu_read_lock_sched();
        bindings::rcu_read_unlock_sched();
    }
}

/// What `preempt_disable()` and `preempt_enable()` are on x86-64, in a kernel that traces neither
/// and has no lockdep to tell.
#[cfg(all(
    target_arch = "x86_64",
    CONFIG_SMP,
    CONFIG_PREEMPTION,
    CONFIG_HAS_SEPARATE_PREEMPT_RESCHED_BITS,
    not(CONFIG_DEBUG_LOCK_ALLOC),
    not(CONFIG_DEBUG_PREEMPT),
    not(CONFIG_TRACE_PREEMPT_TOGGLE),
))]
mod count {
    use crate::kernel::bindings;
    use core::arch::asm;

    #[inline(always)]
    pub(super) fn lock() {
        // SAFETY: This is preempt_disable(): the count of this CPU, with a barrier for the compiler,
        // which the assembly is since it may touch memory.
        unsafe {
            asm!(
                "inc qword ptr gs:[rip + {count}]",
                count = sym bindings::__preempt_count,
                options(nostack),
            );
        }
    }

    #[inline(always)]
    pub(super) fn unlock() -> bool {
        // SAFETY: This is preempt_enable(), for one lock(), but for the call that is left to the
        // caller: the count becomes 0 if nobody else has preemption off and the task is to be
        // rescheduled (that bit is inverted).
        unsafe {
            asm!(
                "dec qword ptr gs:[rip + {count}]",
                "jz {due}",
                count = sym bindings::__preempt_count,
                due = label { return true },
                options(nostack),
            );
        }
        false
    }
}

#[cfg(not(all(
    target_arch = "x86_64",
    CONFIG_SMP,
    CONFIG_PREEMPTION,
    CONFIG_HAS_SEPARATE_PREEMPT_RESCHED_BITS,
    not(CONFIG_DEBUG_LOCK_ALLOC),
    not(CONFIG_DEBUG_PREEMPT),
    not(CONFIG_TRACE_PREEMPT_TOGGLE),
)))]
mod count {
    use crate::kernel::bindings;

    #[inline(always)]
    pub(super) fn lock() {
        // SAFETY: No requirements.
        unsafe { bindings::rcu_read_lock_sched() };
    }

    #[inline(always)]
    pub(super) fn unlock() -> bool {
        // SAFETY: Called once for a lock().
        unsafe { bindings::rcu_read_unlock_sched() };
        false
    }
}
