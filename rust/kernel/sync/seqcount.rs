// SPDX-License-Identifier: GPL-2.0

//! Reading several values as of one moment, without locks.
//!
//! A small relative of `seqcount_t`: the writer counts before and after it writes, and a reader that
//! has seen the count change reads again.
//!
//! Not here: several writers (they serialise elsewhere), lockdep, writers in interrupts.
//!
//! C header: [`include/linux/seqlock.h`](srctree/include/linux/seqlock.h)

use crate::kernel_ext::bindings;
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        barrier::{
            smp_mb,
            Write, //
        },
    }, //
};

/// A count of writes; odd while one is under way.
pub(crate) struct SeqCount(Atomic<u32>);

/// The count when reading began.
#[derive(Clone, Copy)]
pub(crate) struct Began(u32);

impl SeqCount {
    /// Nothing was written yet.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Begins to read; `None` while somebody writes.
    ///
    /// What is then read counts only if [`Self::unchanged`] says so, and must be read by loads with
    /// acquire ordering, so that they come before the load of the count there.
    #[inline]
    pub(crate) fn begin(&self) -> Option<Began> {
        // Pairs with the release in `write()`: with an even count, all of what was written is seen.
        let count = self.0.load(Acquire);
        (count & 1 == 0).then_some(Began(count))
    }

    /// Whether nothing was written since `began`.
    #[inline]
    pub(crate) fn unchanged(&self, began: Began) -> bool {
        // What was read, by acquire, was read before this. If any of it is of a write, the odd count
        // of that write, which came before (barrier in `write()`), is seen here at least.
        self.0.load(Relaxed) == began.0
    }

    /// Calls `f`, which writes; not preempted, so that readers wait shortly. `f` must not sleep.
    /// There must be one writer at a time.
    pub(crate) fn write<R>(&self, f: impl FnOnce() -> R) -> R {
        // SAFETY: Balanced below; nothing in between leaves early, as a kernel does not unwind.
        unsafe { bindings::preempt_disable() };
        let count = self.0.load(Relaxed);
        self.0.store(count.wrapping_add(1), Relaxed);
        // The count is odd before anything is written.
        smp_mb(Write);
        let result = f();
        self.0.store(count.wrapping_add(2), Release);
        // SAFETY: Pairs with the call above.
        unsafe { bindings::preempt_enable() };
        result
    }
}

#[kunit_tests(sgio_filter_seqcount)]
mod tests {
    use super::*;

    #[test]
    fn tells_when_something_was_written() {
        let count = SeqCount::new();
        let began = count.begin();
        assert!(began.is_some_and(|began| count.unchanged(began)));
        assert_eq!(count.write(|| 5), 5);
        assert!(began.is_some_and(|began| !count.unchanged(began)));
        assert!(count.begin().is_some_and(|began| count.unchanged(began)));
        count.write(|| assert!(count.begin().is_none()));
    }
}
