// SPDX-License-Identifier: GPL-2.0

//! A map from addresses to values, looked up without locks.
//!
//! Each address comes with a small number that no other address has at the same time, as the kernel
//! gives to request queues. The number is the place in an array, so that a look-up is a few loads
//! however many values there are. The address stands for itself and is never dereferenced.
//!
//! Not here: iteration; giving memory back while the map lives (8 bytes a place).

use super::sync::{
    load::Load,
    rcu::{
        RcuArc,
        Reader, //
    },
};
use crate::kernel::bindings;
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed,
            Release, //
        },
        Arc,
        Mutex, //
    },
};

/// The fewest places there are, and the most.
const MIN_PLACES: usize = 64;
const MAX_PLACES: usize = 1 << 20;

/// What a value is found by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// A small number.
    pub(crate) place: u32,
    /// The address, in case that the place has gone to another.
    pub(crate) address: *const c_void,
}

/// A map from addresses to values of type `T`.
///
/// # Invariants
///
/// Every pointer in the places in force is null, or that of an [`Entry<T>`] that was made by `KBox`,
/// is owned by the map, and has its place there.
#[pin_data(PinnedDrop)]
pub(crate) struct PointerMap<T> {
    places: RcuArc<Places<T>>,
    /// Held to change a place, or all of them for more.
    #[pin]
    changing: Mutex<()>,
    _entries: PhantomData<KBox<Entry<T>>>,
}

/// As many as there are for now. They own nothing.
struct Places<T>(KVVec<Atomic<*mut Entry<T>>>);

/// What the map owns.
struct Entry<T> {
    address: *const c_void,
    value: T,
}

// SAFETY: Sending the map sends the values in it; the addresses are only compared.
unsafe impl<T: Send> Send for PointerMap<T> {}

// SAFETY: The map does its own locking; sharing it shares the values, and any sharer may remove
// and drop one.
unsafe impl<T: Send + Sync> Sync for PointerMap<T> {}

impl<T> PointerMap<T> {
    /// An empty map.
    pub(crate) fn new() -> impl PinInit<Self> {
        // INVARIANT: There are no places.
        pin_init!(Self {
            places: RcuArc::none(),
            changing <- new_mutex!(()),
            _entries: PhantomData,
        })
    }

    /// The value for `key`, for as long as the reader reads.
    #[inline(always)]
    pub(crate) fn get<'a>(&'a self, key: Key, reader: &'a impl Reader) -> Option<&'a T> {
        let place = self.places.read(reader)?.0.get(key.place as usize)?;
        // Pairs with the release in `insert()`.
        //
        // SAFETY: If these are the places in force, this is by the type invariant null or an entry of the map; if
        // that is being removed, it is freed after a grace period (`Removed::drop()`), which waits for `reader`. If
        // the places have been replaced since, `places_with()` waits, with `changing` locked, for all readers of the
        // old ones, `reader` among them. Until then nothing is removed, so what was copied from here is in the map
        // still.
        let entry = unsafe { place.load_acquire().as_ref() }?;
        (entry.address == key.address).then_some(&entry.value)
    }

    /// Adds a value.
    ///
    /// # Errors
    ///
    /// `EEXIST` if the place is taken, `ENOMEM`, `E2BIG` if the number is not small.
    pub(crate) fn insert(&self, key: Key, value: T) -> Result {
        let entry = Entry {
            address: key.address,
            value,
        };
        let entry = KBox::new(entry, GFP_KERNEL)?;

        let _changing = self.changing.lock();
        let places = self.places_with(key.place as usize)?;
        let place = places.0.get(key.place as usize).ok_or(E2BIG)?;
        if !place.load(Relaxed).is_null() {
            return Err(EEXIST);
        }
        // INVARIANT: The map takes over an entry from a `KBox`, and these are the places in force.
        place.store(KBox::into_raw(entry), Release);
        Ok(())
    }

    /// The places in force, with that one among them. To be called with `changing` held.
    fn places_with(&self, place: usize) -> Result<Arc<Places<T>>> {
        let old = self.places.get();
        let old_len = old.as_ref().map_or(0, |old| old.0.len());
        if let Some(old) = old.as_ref().filter(|_| place < old_len) {
            return Ok(old.clone());
        }
        if place >= MAX_PLACES {
            return Err(E2BIG);
        }
        let len = (place + 1).next_power_of_two().max(MIN_PLACES);
        let mut new = KVVec::with_capacity(len, GFP_KERNEL)?;
        for n in 0..len {
            let entry = old
                .as_ref()
                .and_then(|old| old.0.get(n))
                .map_or(ptr::null_mut(), |place| place.load(Relaxed));
            new.push(Atomic::new(entry), GFP_KERNEL)?;
        }
        let new = Arc::new(Places(new), GFP_KERNEL)?;
        // INVARIANT: The same entries, each in its place; none changes during the copy, since `changing` is locked.
        // Readers of the old places go on to find there what was in them. This waits for them before anything can be
        // removed, which `get()` relies on.
        drop(self.places.replace(Some(new.clone())));
        Ok(new)
    }

    /// Takes the value for `key` out of the map.
    pub(crate) fn remove(&self, key: Key) -> Option<Removed<T>> {
        let _changing = self.changing.lock();
        let places = self.places.get()?;
        let place = places.0.get(key.place as usize)?;
        let entry = place.load(Relaxed);
        // SAFETY: By the type invariant this is null or an entry of the map; it stays one while
        // `changing` is held.
        unsafe { entry.as_ref() }.filter(|entry| entry.address == key.address)?;
        place.store(ptr::null_mut(), Relaxed);
        // SAFETY: By the type invariant the entry came from a `KBox`. It is in no place any more, so
        // that the ownership is ours; who reads it does so until a grace period is over.
        Some(Removed(ManuallyDrop::new(unsafe { KBox::from_raw(entry) })))
    }
}

#[pinned_drop]
impl<T> PinnedDrop for PointerMap<T> {
    fn drop(self: Pin<&mut Self>) {
        let Some(places) = self.places.get() else {
            return;
        };
        for place in &places.0 {
            let entry = place.load(Relaxed);
            if !entry.is_null() {
                // SAFETY: By the type invariant it came from a `KBox` and is owned here; nobody
                // reads it any more, since every reader borrowed the map.
                drop(unsafe { KBox::from_raw(entry) });
            }
        }
    }
}

/// A value that was removed and may still be read by others.
///
/// Dropping it waits for a grace period, so it must not be dropped in atomic context.
#[must_use = "dropping it waits for a grace period: choose where"]
pub(crate) struct Removed<T>(ManuallyDrop<KBox<Entry<T>>>);

impl<T> Drop for Removed<T> {
    fn drop(&mut self) {
        // Expedited: this is for devices that go, by the thousand perhaps, and hold others up.
        //
        // SAFETY: There is nothing that must be valid. It sleeps, which a `Reader` must not.
        unsafe { bindings::synchronize_rcu_expedited() };
        // SAFETY: The field is not used after this.
        unsafe { ManuallyDrop::drop(&mut self.0) };
    }
}

#[kunit_tests(sgio_filter_pointer_map)]
mod tests {
    use super::*;
    use kernel::sync::rcu;

    fn key(n: u32) -> Key {
        Key {
            place: n,
            address: ptr::without_provenance(n as usize * 64),
        }
    }

    #[test]
    fn finds_what_was_inserted() -> Result {
        let map = KBox::pin_init(PointerMap::new(), GFP_KERNEL)?;
        assert!(map.get(key(0), &rcu::read_lock()).is_none());
        // Enough to make it grow, several times.
        for n in 0..500 {
            map.insert(key(n), n)?;
        }
        let guard = rcu::read_lock();
        for n in 0..500 {
            assert_eq!(map.get(key(n), &guard).copied(), Some(n));
        }
        for n in [500, 511, 512, u32::MAX] {
            assert!(map.get(key(n), &guard).is_none());
        }
        Ok(())
    }

    #[test]
    fn a_place_is_not_enough() -> Result {
        let map = KBox::pin_init(PointerMap::new(), GFP_KERNEL)?;
        map.insert(key(1), 1)?;
        let other = Key {
            address: key(2).address,
            ..key(1)
        };
        assert!(map.get(other, &rcu::read_lock()).is_none());
        assert!(map.remove(other).is_none());
        assert_eq!(map.get(key(1), &rcu::read_lock()).copied(), Some(1));
        Ok(())
    }

    #[test]
    fn refuses_a_second_value_for_a_key() -> Result {
        let map = KBox::pin_init(PointerMap::new(), GFP_KERNEL)?;
        map.insert(key(1), 1)?;
        assert!(map.insert(key(1), 2) == Err(EEXIST));
        assert!(map.insert(key(MAX_PLACES as u32), 2) == Err(E2BIG));
        let guard = rcu::read_lock();
        assert_eq!(map.get(key(1), &guard).copied(), Some(1));
        Ok(())
    }

    #[test]
    fn removes_once() -> Result {
        let map = KBox::pin_init(PointerMap::new(), GFP_KERNEL)?;
        map.insert(key(1), 1)?;
        map.insert(key(200), 2)?;
        assert!(map.remove(key(1)).is_some());
        assert!(map.remove(key(1)).is_none());
        let guard = rcu::read_lock();
        assert!(map.get(key(1), &guard).is_none());
        assert_eq!(map.get(key(200), &guard).copied(), Some(2));
        Ok(())
    }
}
