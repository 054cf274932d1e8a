// SPDX-License-Identifier: GPL-2.0

//! A file in the `queue` directory of every SCSI disk.
//!
//! The directory appears when a driver (sd, sr) that is bound to a device makes a disk of it, and
//! vanishes when the driver is unbound. Both happen with the device locked, and both are announced.
//! What was created is kept in a list, so that what is removed is just that.

use super::Device;
use crate::kernel::{
    block::{
        DiskFile,
        QueueDirectory, //
    },
    device::bus::{
        with_locked,
        BusDeviceRef,
        BusListener,
        BusSubscription, //
        LockedDevice,
    },
    sysfs::File, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::Mutex, //
};

/// While this object lives, the disks of all SCSI devices have the file.
///
/// Dropping it waits for the lock of each device whose disk has it.
pub(crate) struct QueueFiles(Pin<KBox<BusSubscription<Files>>>);

/// The files, by device.
#[pin_data]
struct Files {
    file: &'static File<QueueDirectory>,
    // Taken with the device lock held, never the other way round.
    #[pin]
    list: Mutex<List>,
}

struct List {
    entries: KVec<Entry>,
    /// No more of them.
    closed: bool,
}

/// A file that was created.
///
/// # Invariants
///
/// `file`'s disk is that which the driver bound to `device` made of it, and the driver is not being
/// unbound, or only about to be, as long as the entry is in the list.
struct Entry {
    device: BusDeviceRef,
    file: DiskFile,
}

impl List {
    fn take(&mut self, device: &LockedDevice<'_>) -> Option<Entry> {
        let at = self
            .entries
            .iter()
            .position(|entry| device.is(&entry.device))?;
        self.entries.remove(at).ok()
    }
}

impl Files {
    fn create(&self, device: &LockedDevice<'_>) -> Result {
        let Some(disk) = Device::disk_of(device) else {
            return Ok(());
        };
        let mut list = self.list.lock();
        // A device that is bound while all of them are visited is met twice.
        if list.closed || list.entries.iter().any(|entry| device.is(&entry.device)) {
            return Ok(());
        }
        list.entries.reserve(1, GFP_KERNEL)?;
        // INVARIANT: The disk is that of the bound driver; `unbind()` takes the entry out.
        let entry = Entry {
            device: device.to_ref(),
            file: DiskFile::create(&disk, self.file)?,
        };
        Ok(list.entries.push(entry, GFP_KERNEL)?)
    }

    fn remove(&self, device: &LockedDevice<'_>) {
        let entry = self.list.lock().take(device);
        if let Some(entry) = entry {
            // SAFETY: By the type invariant of `Entry` the driver that made the disk has not begun to
            // take it down, and it cannot while the device is locked.
            unsafe { entry.file.remove() };
        }
    }

    /// Any device that has the file; none ever gets it again.
    fn close(&self) -> Option<BusDeviceRef> {
        let mut list = self.list.lock();
        list.closed = true;
        list.entries.last().map(|entry| entry.device.clone())
    }
}

impl BusListener for Files {
    fn bound(&self, device: &LockedDevice<'_>) {
        if let Err(e) = self.create(device) {
            pr_err!("a disk goes without its file in queue/: {:?}\n", e);
        }
    }

    fn unbind(&self, device: &LockedDevice<'_>) {
        self.remove(device);
    }
}

impl QueueFiles {
    /// Creates the file for all disks that are there, and for those to come.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EINTR` if a signal came while a driver kept a device locked, which it does while it
    /// probes.
    pub(crate) fn new(file: &'static File<QueueDirectory>) -> Result<Self> {
        let bus = super::bus()?;
        let files = pin_init!(Files {
            file,
            list <- new_mutex!(List {
                entries: KVec::new(),
                closed: false,
            }),
        });
        let this = Self(KBox::pin_init(
            BusSubscription::new(bus, files),
            GFP_KERNEL,
        )?);
        // Those that are bound from here on are announced.
        let mut result = Ok(());
        bus.for_each_locked_device(|device| {
            if result.is_ok() {
                result = this.0.listener().create(device);
            }
        })?;
        result.map(|()| this)
    }
}

impl Drop for QueueFiles {
    fn drop(&mut self) {
        let files = self.0.listener();
        // The subscription is still there: a device that is unbound at this moment loses its file first.
        while let Some(device) = files.close() {
            with_locked(&device, |device| files.remove(device));
        }
    }
}
