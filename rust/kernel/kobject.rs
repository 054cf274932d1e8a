// SPDX-License-Identifier: GPL-2.0

//! A directory in sysfs with files that work on data of ours.
//!
//! The kobject itself is made and freed by the kernel's own code (`kobject_create_and_add()`). So
//! whoever has the last reference to it, and whenever (`CONFIG_DEBUG_KOBJECT_RELEASE`), it needs
//! nothing of this module, which may be gone by then.
//!
//! Not here: uevents, ksets, namespaces, renaming.
//!
//! C header: [`include/linux/kobject.h`](srctree/include/linux/kobject.h)

use super::sysfs::{
    Directory,
    File, //
};
use crate::kernel_ext::bindings;
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
        // INVARIANT: By the safety requirement.
        Self(kobj, PhantomData)
    }
}

/// A directory with data and files. Dropping it takes the directory out of sysfs: it waits for
/// files that are being read or written, so it must not be dropped with a lock held that those
/// take, nor from within one of them.
///
/// # Invariants
///
/// - `kobj` is valid, in sysfs, and this object has a reference to it.
/// - Each of `files` that is in sysfs is in the directory of `kobj`, and has the address of `_data`'s
///   value as `private`.
pub(crate) struct Kobject<T: Send + Sync + 'static> {
    kobj: NonNull<bindings::kobject>,
    // Freed by `drop()` after the directory is gone.
    files: KVec<File<Self>>,
    _data: KBox<T>,
}

// SAFETY: The data may be sent and shared, and kobjects and files belong to no thread.
unsafe impl<T: Send + Sync> Send for Kobject<T> {}

// SAFETY: As above.
unsafe impl<T: Send + Sync> Sync for Kobject<T> {}

impl<T: Send + Sync + 'static> Kobject<T> {
    /// Makes the directory `name` in `parent`, with `files` in it.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, also if there is a directory of that name already.
    pub(crate) fn new(
        parent: Parent<'_>,
        name: &CStr,
        data: T,
        files: &'static [File<Self>],
    ) -> Result<Self> {
        let data = KBox::new(data, GFP_KERNEL)?;
        let mut own = KVec::with_capacity(files.len(), GFP_KERNEL)?;
        for file in files {
            own.push(file.with_private((&raw const *data).cast()), GFP_KERNEL)?;
        }
        // SAFETY: By the type invariant of `Parent` its pointer is valid.
        let kobj = unsafe { bindings::kobject_create_and_add(name.as_char_ptr(), parent.0) };
        // INVARIANT: The kobject is in sysfs, the reference to it is ours, and none of the files is
        // in sysfs. The heap allocations behind `files` and `_data` do not move.
        let this = Self {
            kobj: NonNull::new(kobj).ok_or(ENOMEM)?,
            files: own,
            _data: data,
        };
        for file in &this.files {
            // SAFETY: The directory is in sysfs. The file was made for it, and `drop()` removes it
            // from there before it is freed.
            to_result(unsafe { bindings::sysfs_create_bin_file(kobj, file.as_raw()) })?;
        }
        Ok(this)
    }

    /// This directory as the place for another one.
    pub(crate) fn as_parent(&self) -> Parent<'_> {
        // INVARIANT: By the type invariant `kobj` is in sysfs while `self` lives.
        Parent(self.kobj.as_ptr(), PhantomData)
    }
}

// SAFETY: `new()` creates files only with `private` pointing to a `T` that outlives them.
unsafe impl<T: Send + Sync + 'static> Directory for Kobject<T> {
    type Data = T;

    unsafe fn data<'a>(_: *mut bindings::kobject, private: *const c_void) -> &'a T {
        // SAFETY: By the safety requirement `private` is that of a file which stays in sysfs for
        // `'a`, and so does the `Kobject` that owns it and, by its type invariant, the data.
        unsafe { &*private.cast() }
    }
}

impl<T: Send + Sync + 'static> Drop for Kobject<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant `kobj` is valid and the reference that is put is ours.
        // `kobject_del()` removes the files with the directory, waiting until nobody is in one of
        // them, and nobody enters one of them again. The fields can go then.
        unsafe {
            bindings::kobject_del(self.kobj.as_ptr());
            bindings::kobject_put(self.kobj.as_ptr());
        }
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
