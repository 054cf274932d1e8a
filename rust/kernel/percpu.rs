// SPDX-License-Identifier: GPL-2.0

//! Counters that cost no shared cache line.
//!
//! Not here: other per-CPU variables; exact sums while the counter is in use.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use crate::kernel_ext::bindings;
use core::ptr::NonNull;
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
        // SAFETY: May be called in any context that may sleep.
        let ptr = unsafe { bindings::alloc_percpu_u64() };
        // INVARIANT: A pointer that is not null comes from `alloc_percpu()`.
        NonNull::new(ptr).map(Self).ok_or(ENOMEM)
    }

    /// Adds one, on this CPU.
    #[inline]
    pub(crate) fn inc(&self) {
        // SAFETY: By the type invariant the pointer is a valid per-CPU pointer.
        unsafe { bindings::this_cpu_inc_u64(self.0.as_ptr()) };
    }

    /// The sum over all CPUs, which may miss what is counted meanwhile.
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

#[kunit_tests(sgio_filter_percpu)]
mod tests {
    use super::*;

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
