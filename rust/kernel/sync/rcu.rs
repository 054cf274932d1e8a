// SPDX-License-Identifier: GPL-2.0

//! A shared value that is replaced under RCU.
//!
//! Not here: several writers (they serialise elsewhere), call_rcu().
//!
//! C header: [`include/linux/rcupdate.h`](srctree/include/linux/rcupdate.h)

use super::{
    load::Load,
    rcu_sched, //
};
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full, //
        },
        rcu,
        Arc,
        ArcBorrow, //
    },
};

/// What keeps an RCU grace period from ending.
///
/// A reader must not sleep: where the kernel is not preemptible, that is the end of a grace period for RCU. As in the kernel
/// crate, the types do not prove it; `CONFIG_DEBUG_ATOMIC_SLEEP` finds it.
///
/// # Safety
///
/// A grace period that begins while the value lives does not end before the value is dropped, on the
/// thread that made it.
pub(crate) unsafe trait Reader {}

// SAFETY: By its type invariant.
unsafe impl Reader for rcu::Guard {}

// SAFETY: `synchronize_rcu()` and its expedited form wait for CPUs that have preemption off.
unsafe impl Reader for rcu_sched::Guard {}

/// A place for at most one [`Arc`], which is read without locks and replaced as a whole.
///
/// Readers see the old or the new value, never a mixture. The old one comes back from
/// [`Self::replace`] as a [`Retired`], which waits for the readers before it drops.
///
/// # Invariants
///
/// `ptr` is null, or came from [`Arc::into_raw`] and its reference is owned by this object.
pub(crate) struct RcuArc<T> {
    ptr: Atomic<*mut T>,
    _owned: PhantomData<Arc<T>>,
}

// SAFETY: Sending the place sends the `Arc` in it.
unsafe impl<T: Send + Sync> Send for RcuArc<T> {}

// SAFETY: Sharing the place shares the `Arc`; the pointer is accessed by atomic operations only.
unsafe impl<T: Send + Sync> Sync for RcuArc<T> {}

impl<T> RcuArc<T> {
    /// An empty place.
    pub(crate) const fn none() -> Self {
        // INVARIANT: The pointer is null.
        Self {
            ptr: Atomic::new(ptr::null_mut()),
            _owned: PhantomData,
        }
    }

    /// The value at this moment, for as long as the RCU read side lock is held.
    #[inline(always)]
    pub(crate) fn read<'a>(&'a self, _guard: &'a impl Reader) -> Option<&'a T> {
        // Pairs with the exchange in `replace()`: what was written to the value before it was
        // published is seen.
        let ptr = self.ptr.load_acquire();
        // SAFETY:
        // - By the type invariant, `ptr` is null or was an `Arc`'s when it was loaded.
        // - The reference of what is replaced is dropped by `Retired::drop()`, after a grace
        //   period, which cannot end while `_guard`, borrowed for `'a`, lives (`Reader`);
        //   and the place itself, whose `drop()` does not wait, is borrowed for `'a`.
        unsafe { ptr.as_ref() }
    }

    /// The value at this moment, kept by a reference.
    pub(crate) fn get(&self) -> Option<Arc<T>> {
        let _guard = rcu::read_lock();
        let ptr = self.ptr.load_acquire();
        // SAFETY: By the type invariant a pointer that is not null came from `Arc::into_raw()`; the
        // reference that this place holds, or held, is not dropped before the guard (`read()`).
        (!ptr.is_null()).then(|| unsafe { ArcBorrow::from_raw(ptr) }.into())
    }

    /// Puts `new` in the place of the old value and returns that.
    ///
    /// Two writers at the same time are sound; which of them comes last is for them to decide.
    pub(crate) fn replace(&self, new: Option<Arc<T>>) -> Retired<T> {
        let new = new.map_or(ptr::null_mut(), |new| Arc::into_raw(new).cast_mut());
        // INVARIANT: `new` is null or comes from `into_raw()`. The ownership of what was there
        // goes to the `Retired`, once, since the exchange is atomic.
        Retired {
            ptr: self.ptr.xchg(new, Full),
            _owned: PhantomData,
        }
    }
}

impl<T> Drop for RcuArc<T> {
    fn drop(&mut self) {
        let ptr = *self.ptr.get_mut();
        if !ptr.is_null() {
            // SAFETY: By the type invariant the pointer comes from `into_raw()` and its reference
            // is owned here; nobody reads it any more, since a reader borrows `self`.
            drop(unsafe { Arc::from_raw(ptr) });
        }
    }
}

/// What was taken out of an [`RcuArc`] and may still be read.
///
/// Dropping it waits for a grace period, so it must not be dropped in atomic context, nor with a
/// lock held that a reader may want.
///
/// # Invariants
///
/// `ptr` is null, or came from [`Arc::into_raw`] and its reference is owned by this object.
#[must_use = "dropping it waits for a grace period: choose where"]
pub(crate) struct Retired<T> {
    ptr: *mut T,
    _owned: PhantomData<Arc<T>>,
}

impl<T> Drop for Retired<T> {
    fn drop(&mut self) {
        if self.ptr.is_null() {
            return;
        }
        rcu::synchronize_rcu();
        // SAFETY: By the type invariant the pointer comes from `into_raw()` and its reference is
        // owned here. The grace period above has ended every reader that got it before it was taken out of its place.
        drop(unsafe { Arc::from_raw(self.ptr) });
    }
}

/// Several [`Retired`] values, which wait for one grace period together.
///
/// # Invariants
///
/// Each pointer came from [`Arc::into_raw`] and its reference is owned by this object.
#[must_use = "dropping it waits for a grace period: choose where"]
pub(crate) struct RetiredSet<T> {
    ptrs: KVVec<*mut T>,
    _owned: PhantomData<Arc<T>>,
}

impl<T> RetiredSet<T> {
    /// An empty set with room for `capacity` values.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn with_capacity(capacity: usize) -> Result<Self> {
        Ok(Self {
            ptrs: KVVec::with_capacity(capacity, GFP_KERNEL)?,
            _owned: PhantomData,
        })
    }

    /// Puts a value in. Does not sleep while there is room; without room, it waits on its own.
    pub(crate) fn push(&mut self, retired: Retired<T>) {
        if retired.ptr.is_null() {
            return;
        }
        // INVARIANT: The reference is that of `retired`, which is forgotten.
        if self.ptrs.push_within_capacity(retired.ptr).is_ok() {
            core::mem::forget(retired);
        }
    }
}

impl<T> Drop for RetiredSet<T> {
    fn drop(&mut self) {
        if self.ptrs.is_empty() {
            return;
        }
        rcu::synchronize_rcu();
        for ptr in &self.ptrs {
            // SAFETY: By the type invariant the reference is owned here, and each is dropped once. The grace period
            // above has ended every reader that got the value before it was taken out of its place.
            drop(unsafe { Arc::from_raw(*ptr) });
        }
    }
}

#[kunit_tests(sgio_filter_rcu_arc)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_was_put_in_last() -> Result {
        let place = RcuArc::none();
        assert!(place.read(&rcu::read_lock()).is_none());
        assert!(place.get().is_none());
        for n in [1, 2] {
            drop(place.replace(Some(Arc::new(n, GFP_KERNEL)?)));
            assert_eq!(place.read(&rcu::read_lock()).copied(), Some(n));
            assert_eq!(place.get().map(|value| *value), Some(n));
        }
        drop(place.replace(None));
        assert!(place.read(&rcu::read_lock()).is_none());
        Ok(())
    }

    #[test]
    fn drops_each_reference_once() -> Result {
        let value = Arc::new(0, GFP_KERNEL)?;
        let place = RcuArc::none();
        drop(place.replace(Some(value.clone())));
        drop(place.replace(Some(value.clone())));
        drop(place.get());
        let taken = place.replace(None);
        assert!(!taken.ptr.is_null());
        drop(taken);
        drop(place.replace(Some(value.clone())));
        drop(place);
        assert!(Arc::into_unique_or_drop(value).is_some());
        Ok(())
    }

    #[test]
    fn a_set_drops_each_reference_once() -> Result {
        let value = Arc::new(0, GFP_KERNEL)?;
        let places = [RcuArc::none(), RcuArc::none(), RcuArc::none()];
        let mut set = RetiredSet::with_capacity(2)?;
        for place in &places {
            set.push(place.replace(Some(value.clone())));
            // The third has no room, and is dropped at once.
            set.push(place.replace(None));
        }
        assert_eq!(set.ptrs.len(), 2);
        drop(set);
        assert!(Arc::into_unique_or_drop(value).is_some());
        Ok(())
    }
}
