// SPDX-License-Identifier: GPL-2.0

//! The identity of a request queue, and a file of ours in the `queue` directory of a disk.
//!
//! An ordinary attribute in that directory would be taken for a `struct queue_sysfs_entry`, which is private to
//! the block layer (`block/blk-sysfs.c`, `queue_attr_show()`); a binary attribute is not.
//!
//! Not here: everything else about disks.
//!
//! C header: [`include/linux/blkdev.h`](srctree/include/linux/blkdev.h)

use super::{
    pointer_map::Key,
    sysfs::{
        Directory,
        File, //
    },
};
use crate::kernel::bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    container_of,
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// A request queue, by its address and its number: to be compared and looked up, not to be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueId {
    queue: *const bindings::request_queue,
    number: u32,
}

impl QueueId {
    /// The identity of a queue.
    ///
    /// # Safety
    ///
    /// `queue` is valid.
    #[inline(always)]
    pub(crate) unsafe fn new(queue: *const bindings::request_queue) -> Self {
        Self {
            queue,
            // SAFETY: By the safety requirement `queue` is valid. The number is given to the queue when it is
            // allocated, never negative, and does not change.
            number: unsafe { (*queue).id } as u32,
        }
    }

    /// What would be at this address, with this number.
    pub(crate) fn from_parts(addr: usize, number: u32) -> Self {
        Self {
            queue: core::ptr::without_provenance(addr),
            number,
        }
    }

    /// The address.
    pub(crate) fn as_ptr(self) -> *const c_void {
        self.queue.cast()
    }

    /// As a key: no two queues have the same number at the same time, and the kernel gives the
    /// smallest that is free.
    #[inline(always)]
    pub(crate) fn key(self) -> Key {
        Key {
            place: self.number,
            address: self.queue.cast(),
        }
    }
}

/// The `queue` directory of a disk, as a place of files.
///
/// # Invariants
///
/// This is the `queue_kobj` of a `gendisk`, in sysfs.
#[repr(transparent)]
pub(crate) struct QueueDirectory(Opaque<bindings::kobject>);

// SAFETY: The only field that is looked at never changes while the directory is in sysfs.
unsafe impl Sync for QueueDirectory {}

// SAFETY: `DiskFile::create()` creates files only in the `queue_kobj` of a disk.
unsafe impl Directory for QueueDirectory {
    type Data = Self;

    unsafe fn data<'a>(kobj: *mut bindings::kobject) -> &'a Self {
        // INVARIANT: By the safety requirement `kobj` is a directory that `Self` is for: the `queue_kobj` of a disk,
        // see the `SAFETY` comment of this `impl`.
        //
        // SAFETY: `Self` is a transparent wrapper; `kobj` is valid for `'a`.
        unsafe { &*kobj.cast() }
    }
}

impl QueueDirectory {
    /// The disk's queue.
    pub(crate) fn queue(&self) -> QueueId {
        let kobj = self.0.get();
        // SAFETY: By the type invariant `kobj` is in a `gendisk`, whose `queue` is set before it
        // gets into sysfs, stays, and is kept by the disk.
        unsafe { QueueId::new((*container_of!(kobj, bindings::gendisk, queue_kobj)).queue) }
    }
}

/// A disk that a driver has made of a device.
///
/// # Invariants
///
/// The pointer is valid and the `queue` directory in sysfs, for `'a`.
pub(crate) struct Disk<'a>(NonNull<bindings::gendisk>, PhantomData<&'a ()>);

impl<'a> Disk<'a> {
    /// The disk of `queue`, if it has one that is in sysfs.
    ///
    /// # Safety
    ///
    /// `queue` is valid, and nothing adds a disk to it or deletes it, for `'a`.
    pub(crate) unsafe fn of_queue(queue: *mut bindings::request_queue) -> Option<Self> {
        // SAFETY: By the safety requirement `queue` is valid. An older disk that was kept open may clear the pointer at the
        // same time, so it is read once, as by READ_ONCE().
        let disk = unsafe { (&raw const (*queue).disk).read_volatile() };
        // SAFETY: By the safety requirement `queue` is valid.
        let registered = unsafe { bindings::blk_queue_registered(queue) };
        // INVARIANT: The queue is registered with its disk's directory, and stays so.
        NonNull::new(disk)
            .filter(|_| registered)
            .map(|disk| Self(disk, PhantomData))
    }
}

/// A file of ours in a disk's `queue` directory.
///
/// It does not find its disk by the queue again, which may have lost it by then: `disk_release()` of
/// a disk that was kept open clears the queue's pointer although there is a new one.
///
/// # Invariants
///
/// Until the disk is deleted, `file` is in its `queue` directory.
pub(crate) struct DiskFile {
    disk: NonNull<bindings::gendisk>,
    file: &'static File<QueueDirectory>,
}

// SAFETY: A gendisk belongs to no thread.
unsafe impl Send for DiskFile {}

impl DiskFile {
    /// Creates `file` in the `queue` directory.
    ///
    /// # Errors
    ///
    /// `EEXIST`, with a warning, if there is a file of that name, `ENOMEM`.
    pub(crate) fn create(disk: &Disk<'_>, file: &'static File<QueueDirectory>) -> Result<Self> {
        let disk = disk.0;
        // INVARIANT: The file is created, or there is no object.
        //
        // SAFETY: By the type invariant of `Disk` the directory is in sysfs; the file is static and
        // made for this kind of directory.
        to_result(unsafe {
            bindings::sysfs_create_bin_file(&raw mut (*disk.as_ptr()).queue_kobj, file.as_raw())
        })?;
        Ok(Self { disk, file })
    }

    /// Removes the file, and waits for those who are in it.
    ///
    /// # Safety
    ///
    /// The disk has not been deleted, and is not deleted during the call.
    pub(crate) unsafe fn remove(self) {
        // SAFETY: By the safety requirement the disk is valid and its directory in sysfs.
        unsafe {
            let kobj = &raw mut (*self.disk.as_ptr()).queue_kobj;
            bindings::sysfs_remove_bin_file(kobj, self.file.as_raw());
        }
    }
}
