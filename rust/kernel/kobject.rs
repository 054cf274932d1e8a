// SPDX-License-Identifier: GPL-2.0

//! A directory in sysfs with files that work on data of ours.
//!
//! The kobject itself is freed by the kernel's own code, that of `kobject_create()`. So the last reference may be
//! dropped anywhere and at any time (`CONFIG_DEBUG_KOBJECT_RELEASE`): that needs nothing of this module, which may
//! be gone by then. A word behind it says where the data is, so that all
//! directories of a kind share their files.
//!
//! Not here: uevents, ksets, namespaces, renaming.
//!
//! C header: [`include/linux/kobject.h`](srctree/include/linux/kobject.h)

use super::sysfs::{
    Directory,
    File, //
};
use crate::kernel::bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    prelude::*, //
};

/// What a directory is put into.
///
/// # Invariants
///
/// The pointer is to a kobject that stays in sysfs for `'a`.
#[derive(Clone, Copy)]
pub(crate) struct Parent<'a>(*mut bindings::kobject, PhantomData<&'a ()>);

impl Parent<'static> {
    /// `/sys/kernel`.
    pub(crate) fn kernel() -> Self {
        // INVARIANT: `kernel_kobj` is never removed.
        //
        // SAFETY: It is set before any module can be loaded, and does not change.
        Self(unsafe { bindings::kernel_kobj }, PhantomData)
    }
}

impl Parent<'_> {
    /// A directory that the kernel made.
    ///
    /// # Safety
    ///
    /// `kobj` is initialised and stays in sysfs for the lifetime of the result.
    pub(crate) unsafe fn from_raw(kobj: *mut bindings::kobject) -> Self {
        // INVARIANT: By the safety requirement `kobj` is initialised and stays in sysfs.
        Self(kobj, PhantomData)
    }
}

/// A kobject that knows its data.
#[repr(C)]
struct Node {
    kobj: bindings::kobject,
    data: *const c_void,
}

/// The type of kobjects that `kobject_create()` makes.
fn dynamic_type() -> *const bindings::kobj_type {
    // SAFETY: `kernel_kobj` is never removed, and is made by `kobject_create_and_add()`
    // (kernel/ksysfs.c).
    unsafe { (*bindings::kernel_kobj).ktype }
}

/// The data of a directory.
trait Data: Send + Sync {}

impl<T: Send + Sync> Data for T {}

/// A directory, whatever its data is. Dropping it takes the directory out of sysfs: it waits for
/// files that are being read or written, so it must not be dropped with a lock held that those
/// take, nor from within one of them.
///
/// # Invariants
///
/// - `node` is valid, its kobject has been added to sysfs, and this object has a reference to it. It stays in sysfs
///   until this object is dropped, or a directory above it is removed, which removes it too.
/// - Its `data` is the address of `_data`'s value.
pub(crate) struct Entry {
    node: NonNull<Node>,
    // Freed after the directory is gone, by `drop()`.
    _data: KBox<dyn Data>,
}

// SAFETY: The data may be sent and shared, and kobjects and files belong to no thread.
unsafe impl Send for Entry {}

// SAFETY: The data may be shared, and what a shared `Entry` gives out is the address of its kobject.
unsafe impl Sync for Entry {}

impl Entry {
    fn kobj(&self) -> *mut bindings::kobject {
        // SAFETY: By the type invariant, it is valid; no reference is made.
        unsafe { &raw mut (*self.node.as_ptr()).kobj }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the kobject is valid and the reference that is put is ours.
        // `kobject_del()` removes the files with the directory, waiting until nobody is in one of
        // them, and nobody enters one of them again. (If a directory above has been removed first, that has
        // waited likewise; a kobject keeps what `kobject_del()` needs, see `create_dir()` in lib/kobject.c.) The
        // data can go then.
        unsafe {
            bindings::kobject_del(self.kobj());
            bindings::kobject_put(self.kobj());
        }
    }
}

/// A directory with data of type `T` and with files. It is dropped as an [`Entry`] is.
///
/// # Invariants
///
/// The data of `entry` is a `T`.
pub(crate) struct Kobject<T> {
    entry: Entry,
    _data: PhantomData<T>,
}

impl<T> From<Kobject<T>> for Entry {
    fn from(kobject: Kobject<T>) -> Self {
        kobject.entry
    }
}

impl<T: Send + Sync + 'static> Kobject<T> {
    /// Makes the directory `name` in `parent`, with `files` in it.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EEXIST` if there is a directory of that name already.
    pub(crate) fn new(
        parent: Parent<'_>,
        name: &CStr,
        data: T,
        files: &'static [File<Self>],
    ) -> Result<Self> {
        let data = KBox::new(data, GFP_KERNEL)?;
        let node = KBox::new(
            Node {
                // SAFETY: All zeros are a kobject before `kobject_init()`.
                kobj: unsafe { core::mem::zeroed() },
                data: (&raw const *data).cast(),
            },
            GFP_KERNEL,
        )?;
        let node = KBox::into_raw(node);
        // SAFETY: The kobject is all zeros, its type is never gone, and the pointer of `Parent` is
        // valid by its type invariant; the kobject takes a reference to it. What frees it, by `kfree()`
        // (dynamic_kobj_release() in lib/kobject.c), frees the node, whose first field it is, and which comes from
        // `kmalloc()`.
        let ret = unsafe {
            bindings::kobject_init_and_add(
                &raw mut (*node).kobj,
                dynamic_type(),
                parent.0,
                c"%s".as_char_ptr(),
                name.as_char_ptr(),
            )
        };
        if let Err(error) = to_result(ret) {
            // SAFETY: It was initialised, and the reference is ours.
            unsafe { bindings::kobject_put(&raw mut (*node).kobj) };
            return Err(error);
        }
        // INVARIANT: The kobject has been added to sysfs, and the reference to it is ours. The heap allocation
        // behind `_data` does not move.
        let this = Self {
            entry: Entry {
                node: NonNull::new(node).ok_or(ENOMEM)?,
                _data: data,
            },
            _data: PhantomData,
        };
        for file in files {
            // SAFETY: The directory has been added to sysfs (if one above it has been removed since, no file is
            // created) and is one that the file is for. The file is never gone, and `drop()` removes it before what it
            // needs is.
            to_result(unsafe {
                bindings::sysfs_create_bin_file(this.entry.kobj(), file.as_raw())
            })?;
        }
        Ok(this)
    }

    /// This directory as the place for another one.
    pub(crate) fn as_parent(&self) -> Parent<'_> {
        // INVARIANT: By the type invariant of `Entry` the kobject is in sysfs while `self` lives, unless a directory
        // above it is removed: the user has put `self` into one that stays, as `/sys/kernel`.
        Parent(self.entry.kobj(), PhantomData)
    }
}

// SAFETY: `new()` creates files only in directories of nodes that point to a `T` that outlives them.
unsafe impl<T: Send + Sync + 'static> Directory for Kobject<T> {
    type Data = T;

    unsafe fn data<'a>(kobj: *mut bindings::kobject) -> &'a T {
        // SAFETY: By the safety requirement this is the directory of a file which stays in sysfs
        // for `'a`, so the first field of a node, and so does the `Entry` that owns it and, by the
        // invariants of both types, the data, which is a `T`.
        unsafe { &*(*kobj.cast::<Node>()).data.cast() }
    }
}

#[kunit_tests(sgio_filter_kobject)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_once_at_a_time() -> Result {
        let first = Kobject::new(Parent::kernel(), c"sgio_filter_kunit", (), &[])?;
        let inside = Kobject::new(first.as_parent(), c"sgio_filter_kunit", (), &[])?;
        drop(inside);
        drop(first);
        drop(Kobject::new(
            Parent::kernel(),
            c"sgio_filter_kunit",
            (),
            &[],
        )?);
        Ok(())
    }
}
