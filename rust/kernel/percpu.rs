// SPDX-License-Identifier: GPL-2.0

//! Counters that cost no shared cache line.
//!
//! Not here: other per-CPU variables; exact sums while the counter is in use.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use crate::kernel::{
    arch,
    bindings, //
};
use core::ptr::{
    self,
    NonNull, //
};
use kernel::prelude::*;

/// A counter with a part per CPU.
///
/// # Invariants
///
/// The pointer comes from `alloc_percpu()` and is owned by this object.
pub(crate) struct Counter(NonNull<u64>);

// SAFETY: The counter has no ties to the thread or CPU that made it.
unsafe impl Send for Counter {}

// SAFETY: `this_cpu_inc()` is atomic with respect to everything on its CPU, and the parts are read
// by READ_ONCE(). (Where a u64 takes two loads, a sum may be off while it is counted.)
unsafe impl Sync for Counter {}

impl Counter {
    /// A counter at 0.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: There is nothing that must be valid. It may sleep: callers allocate with `GFP_KERNEL` for the same
        // object, so they may too.
        let ptr = unsafe { bindings::alloc_percpu_u64() };
        // INVARIANT: A pointer that is not null comes from `alloc_percpu()`.
        NonNull::new(ptr).map(Self).ok_or(ENOMEM)
    }

    /// Adds one, on this CPU.
    #[inline(always)]
    pub(crate) fn inc(&self) {
        let counter = self.0.as_ptr();
        // SAFETY: By the type invariant the pointer is a valid per-CPU pointer.
        unsafe { arch::this_cpu_inc_one(counter) };
    }

    /// The sum over all CPUs, which may miss what is counted during the call.
    pub(crate) fn sum(&self) -> u64 {
        // SAFETY: By the type invariant the pointer is a valid per-CPU pointer.
        unsafe { bindings::per_cpu_sum_u64(self.0.as_ptr()) }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the pointer is a per-CPU pointer owned here.
        unsafe { bindings::free_percpu_u64(self.0.as_ptr()) };
    }
}

/// A fixed number of counters, each with a part per CPU.
///
/// # Invariants
///
/// `first` comes from `__alloc_percpu()`, with room for `len` counters per CPU, and is owned by this
/// object; without counters it is null.
pub(crate) struct Counters {
    first: *mut u64,
    len: usize,
}

// SAFETY: The counters have no ties to the thread or CPU that made them.
unsafe impl Send for Counters {}

// SAFETY: `this_cpu_inc()` is atomic with respect to everything on its CPU, and the parts are read by READ_ONCE().
unsafe impl Sync for Counters {}

impl Counters {
    /// `len` counters at 0.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, also for more than the per-CPU allocator can give at once (32 KiB per CPU).
    pub(crate) fn new(len: usize) -> Result<Self> {
        if len == 0 {
            return Ok(Self {
                first: ptr::null_mut(),
                len,
            });
        }
        // SAFETY: There is nothing that must be valid; the size of too many counters saturates, and is refused. It may
        // sleep: callers allocate with `GFP_KERNEL` for the same object, so they may too.
        let first = unsafe { bindings::alloc_percpu_u64s(len) };
        // INVARIANT: A pointer that is not null comes from `__alloc_percpu()`.
        if first.is_null() {
            return Err(ENOMEM);
        }
        Ok(Self { first, len })
    }

    fn get(&self, index: usize) -> Option<*mut u64> {
        // A per-CPU pointer is an offset, no address of the allocation.
        (index < self.len).then(|| self.first.wrapping_add(index))
    }

    /// Adds one to a counter, on this CPU. One that is not there is not counted.
    #[inline(always)]
    pub(crate) fn inc(&self, index: usize) {
        if index < self.len {
            // SAFETY: By the type invariant there are `len` counters from `first` on, and `index` is below that.
            unsafe { arch::this_cpu_inc(self.first, index) };
        }
    }

    /// The sum of a counter over all CPUs, which may miss what is counted during the call.
    pub(crate) fn sum(&self, index: usize) -> u64 {
        self.get(index).map_or(0, |counter| {
            // SAFETY: By the type invariant there are `len`, of which `get()` gives one that is there.
            unsafe { bindings::per_cpu_sum_u64(counter) }
        })
    }
}

impl Drop for Counters {
    fn drop(&mut self) {
        // SAFETY: By the type invariant this is a per-CPU pointer owned here, or null, which is
        // ignored.
        unsafe { bindings::free_percpu_u64(self.first) };
    }
}

#[kunit_tests(sgio_filter_percpu)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_apart() -> Result {
        let counters = Counters::new(3)?;
        for index in [0, 2, 2, 3, usize::MAX] {
            counters.inc(index);
        }
        assert_eq!([0, 1, 2, 3].map(|index| counters.sum(index)), [1, 0, 2, 0]);
        let none = Counters::new(0)?;
        none.inc(0);
        assert_eq!(none.sum(0), 0);
        // As many as a list may have rules.
        Counters::new(4096)?;
        Ok(())
    }

    #[test]
    fn counts_from_zero() -> Result {
        let counter = Counter::new()?;
        assert_eq!(counter.sum(), 0);
        for _ in 0..1000 {
            counter.inc();
        }
        assert_eq!(counter.sum(), 1000);
        Ok(())
    }
}
