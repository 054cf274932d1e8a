// SPDX-License-Identifier: GPL-2.0

//! Any architecture.

use crate::kernel::bindings;
use core::ffi::c_void;

/// Code that ftrace may call at the beginning of a function: there is none.
#[derive(Clone, Copy)]
pub(crate) enum Trampoline {}

impl Trampoline {
    /// That of `sg_ioctl()`.
    pub(crate) fn of_sg_ioctl() -> Option<Self> {
        None
    }

    /// That of `blk_execute_rq_nowait()`.
    pub(crate) fn of_blk_execute_rq_nowait() -> Option<Self> {
        None
    }

    /// Its address.
    pub(crate) fn as_ptr(self) -> *const c_void {
        match self {}
    }
}

/// The targets of the calls in a text: not known.
pub(crate) fn branch_targets(_at: usize, _text: &[u8]) -> Option<core::iter::Empty<usize>> {
    None
}

/// Whether a load has acquire ordering by itself.
pub(crate) const LOADS_ARE_ACQUIRE: bool = false;

/// Whether an object is on the stack of the current task.
#[inline(always)]
pub(crate) fn is_on_stack(object: *const u8) -> bool {
    // SAFETY: The pointer is not dereferenced.
    unsafe { bindings::object_is_on_stack(object.cast()) }
}

/// Adds one to this CPU's part of the counter `index` of those from `first` on.
///
/// # Safety
///
/// `first` is a per-CPU pointer to an array of more than `index` counters.
#[inline(always)]
pub(crate) unsafe fn this_cpu_inc(first: *mut u64, index: usize) {
    // SAFETY: By the safety requirement there is a counter `index` at `first`.
    unsafe { bindings::this_cpu_inc_u64(first.wrapping_add(index)) };
}

/// The same for a counter by itself.
///
/// # Safety
///
/// `counter` is a valid per-CPU pointer.
#[inline(always)]
pub(crate) unsafe fn this_cpu_inc_one(counter: *mut u64) {
    // SAFETY: By the safety requirement `counter` is a valid per-CPU pointer.
    unsafe { bindings::this_cpu_inc_u64(counter) };
}

/// Begins an RCU reader with preemption off.
#[inline(always)]
pub(crate) fn rcu_sched_lock() {
    // SAFETY: No requirements.
    unsafe { bindings::rcu_read_lock_sched() };
}

/// Ends it, and returns whether the task is to be rescheduled, which is left to the caller.
///
/// # Safety
///
/// Called once for a [`rcu_sched_lock`].
#[inline(always)]
pub(crate) unsafe fn rcu_sched_unlock() -> bool {
    // SAFETY: By the safety requirement a reader that was begun ends here, once. It reschedules by itself.
    unsafe { bindings::rcu_read_unlock_sched() };
    false
}
