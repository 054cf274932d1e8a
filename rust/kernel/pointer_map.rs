// SPDX-License-Identifier: GPL-2.0

//! A hash table from addresses to values, looked up without locks.
//!
//! It is the kernel's resizable hash table with an address as the key. The address stands for
//! itself and is never dereferenced.
//!
//! Not here: iteration.
//!
//! C header: [`include/linux/rhashtable.h`](srctree/include/linux/rhashtable.h)

use crate::kernel_ext::bindings;
use core::{
    marker::PhantomData,
    mem::ManuallyDrop, //
};
use kernel::{
    container_of,
    error::to_result,
    prelude::*,
    sync::rcu,
    types::Opaque, //
};

/// A map from addresses to values of type `T`.
///
/// # Invariants
///
/// Every node in the table is the `node` of an [`Entry<T>`] that was made by `KBox` and is owned by
/// the table.
#[pin_data(PinnedDrop)]
pub(crate) struct PointerMap<T> {
    #[pin]
    table: Opaque<bindings::rhashtable>,
    _entries: PhantomData<KBox<Entry<T>>>,
}

/// What the table owns.
struct Entry<T> {
    node: bindings::sgio_pointer_node,
    value: T,
}

// SAFETY: Sending the map sends the values in it.
unsafe impl<T: Send> Send for PointerMap<T> {}

// SAFETY: The table does its own locking; sharing it shares the values, and any sharer may remove
// and drop one.
unsafe impl<T: Send + Sync> Sync for PointerMap<T> {}

impl<T> PointerMap<T> {
    /// An empty map.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            table <- Opaque::try_ffi_init(|table| {
                // SAFETY: `table` is valid for writes and pinned.
                to_result(unsafe { bindings::pointer_map_init(table) })
            }),
            _entries: PhantomData,
        })
    }

    /// The value for `key`, for as long as the RCU read side lock is held.
    #[inline]
    pub(crate) fn get<'a>(&'a self, key: *const c_void, guard: &'a rcu::Guard) -> Option<&'a T> {
        let entry = self.find(key, guard)?;
        // SAFETY: By the type invariant this is an entry of the table, and an entry that is
        // removed is freed after a grace period (`Removed::drop()`), which waits for `guard`.
        Some(unsafe { &(*entry).value })
    }

    /// Adds a value.
    ///
    /// # Errors
    ///
    /// `EEXIST` if there is one for that key, `ENOMEM`, `E2BIG`.
    pub(crate) fn insert(&self, key: *const c_void, value: T) -> Result {
        let entry = KBox::new(
            Entry {
                node: bindings::sgio_pointer_node {
                    key,
                    ..Default::default()
                },
                value,
            },
            GFP_KERNEL,
        )?;
        let entry = KBox::into_raw(entry);
        // INVARIANT: The table takes over an `Entry<T>` from a `KBox`.
        //
        // SAFETY: The table is initialised, the node valid and in no table.
        let ret = unsafe { bindings::pointer_map_insert(self.table.get(), &raw mut (*entry).node) };
        to_result(ret).inspect_err(|_| {
            // SAFETY: The table did not take the entry, so it is still owned here.
            drop(unsafe { KBox::from_raw(entry) });
        })
    }

    /// Takes the value for `key` out of the map.
    pub(crate) fn remove(&self, key: *const c_void) -> Option<Removed<T>> {
        // The lock keeps an entry that somebody else removes meanwhile from being freed before
        // the second look-up, inside of `pointer_map_remove()`, has failed to find it.
        let guard = rcu::read_lock();
        let entry = self.find(key, &guard)?;
        // SAFETY: The table is initialised; the node is valid while the RCU lock is held.
        let ret = unsafe { bindings::pointer_map_remove(self.table.get(), &raw mut (*entry).node) };
        to_result(ret).ok()?;
        // SAFETY: By the type invariant the entry came from a `KBox`, and exactly one caller of
        // `pointer_map_remove()` succeeds for it: the ownership is ours.
        Some(Removed(ManuallyDrop::new(unsafe { KBox::from_raw(entry) })))
    }

    #[inline]
    fn find(&self, key: *const c_void, _guard: &rcu::Guard) -> Option<*mut Entry<T>> {
        // SAFETY: The table is initialised and the RCU read side lock is held.
        let node = unsafe { bindings::pointer_map_lookup(self.table.get(), key) };
        // SAFETY: By the type invariant every node is that of an `Entry<T>`.
        (!node.is_null()).then(|| unsafe { container_of!(node, Entry<T>, node) })
    }
}

#[pinned_drop]
impl<T> PinnedDrop for PointerMap<T> {
    fn drop(self: Pin<&mut Self>) {
        /// # Safety
        ///
        /// `node` is that of an `Entry<T>` from a `KBox`, whose ownership comes with the call.
        unsafe extern "C" fn free<T>(node: *mut c_void, _arg: *mut c_void) {
            let node = node.cast::<bindings::sgio_pointer_node>();
            // SAFETY: By the safety requirement.
            drop(unsafe { KBox::from_raw(container_of!(node, Entry<T>, node)) });
        }

        // SAFETY: The table is initialised; nobody else uses it any more, since it is borrowed
        // exclusively, and every reader borrowed it too. By the type invariant, what it passes to
        // `free()` are the nodes of entries that it owns, once each.
        unsafe {
            bindings::rhashtable_free_and_destroy(
                self.table.get(),
                Some(free::<T>),
                core::ptr::null_mut(),
            )
        };
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
        // SAFETY: Called in process context, without RCU read side lock.
        unsafe { bindings::synchronize_rcu_expedited() };
        // SAFETY: The field is not used after this.
        unsafe { ManuallyDrop::drop(&mut self.0) };
    }
}

#[kunit_tests(sgio_filter_pointer_map)]
mod tests {
    use super::*;

    fn key(n: usize) -> *const c_void {
        core::ptr::without_provenance(n * 64)
    }

    #[test]
    fn finds_what_was_inserted() -> Result {
        let map = KBox::pin_init(PointerMap::new(), GFP_KERNEL)?;
        // Enough to make the table grow.
        for n in 1..500 {
            map.insert(key(n), n)?;
        }
        let guard = rcu::read_lock();
        for n in 1..500 {
            assert_eq!(map.get(key(n), &guard).copied(), Some(n));
        }
        assert!(map.get(key(500), &guard).is_none());
        Ok(())
    }

    #[test]
    fn refuses_a_second_value_for_a_key() -> Result {
        let map = KBox::pin_init(PointerMap::new(), GFP_KERNEL)?;
        map.insert(key(1), 1)?;
        assert!(map.insert(key(1), 2) == Err(EEXIST));
        let guard = rcu::read_lock();
        assert_eq!(map.get(key(1), &guard).copied(), Some(1));
        Ok(())
    }

    #[test]
    fn removes_once() -> Result {
        let map = KBox::pin_init(PointerMap::new(), GFP_KERNEL)?;
        map.insert(key(1), 1)?;
        map.insert(key(2), 2)?;
        assert!(map.remove(key(1)).is_some());
        assert!(map.remove(key(1)).is_none());
        let guard = rcu::read_lock();
        assert!(map.get(key(1), &guard).is_none());
        assert_eq!(map.get(key(2), &guard).copied(), Some(2));
        Ok(())
    }
}
