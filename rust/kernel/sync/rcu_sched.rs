// SPDX-License-Identifier: GPL-2.0

//! An RCU reader with preemption off.
//!
//! A grace period waits for it as for one of `rcu_read_lock()`, and it takes two instructions to
//! begin and end. For a few loads; not for what takes a lock, asks a security module, or prints.
//!
//! C header: [`include/linux/rcupdate.h`](srctree/include/linux/rcupdate.h)

use crate::kernel::{
    arch,
    bindings, //
};
use core::mem::forget;
use kernel::types::NotThreadSafe;

/// Preemption is off while this lives, and no RCU grace period that begins in that time ends.
///
/// # Invariants
///
/// Preemption was switched off when it was made, and is switched on again once, by [`Self::end`] or when it is dropped.
#[must_use = "the reader ends at once"]
pub(crate) struct Guard(NotThreadSafe);

impl Guard {
    /// Ends to read. Returns whether the task should have been preempted in that time: then [`resched`]
    /// is to be called soon. Apart, so that the caller needs no stack for that call.
    #[inline(always)]
    pub(crate) fn end(self) -> bool {
        forget(self);
        // SAFETY: By the type invariant preemption is off; the guard is forgotten, so that it is not switched on again.
        unsafe { arch::rcu_sched_unlock() }
    }
}

/// Begins to read.
#[inline(always)]
pub(crate) fn read_lock() -> Guard {
    arch::rcu_sched_lock();
    // INVARIANT: Preemption was switched off just now.
    Guard(NotThreadSafe)
}

impl Drop for Guard {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: By the type invariant preemption is off.
        if unsafe { arch::rcu_sched_unlock() } {
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
