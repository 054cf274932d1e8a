// SPDX-License-Identifier: GPL-2.0

//! SCSI devices, as the filter sees them.
//!
//! Not here: hosts, targets, commands of our own.
//!
//! C header: [`include/scsi/scsi_device.h`](srctree/include/scsi/scsi_device.h)

pub(crate) mod cmd_allowed;
pub(crate) mod interface;
pub(crate) mod ioctl;
pub(crate) mod pr_ops;
pub(crate) mod queue_files;
pub(crate) mod sg;

use super::{
    block::{
        Disk,
        QueueId, //
    },
    device::bus::{
        Bus,
        LockedDevice, //
    },
    kobject::Parent, //
};
use crate::kernel::bindings;
use kernel::{
    container_of,
    prelude::*,
    types::Opaque, //
};

/// A SCSI device, by its address alone: to be compared, not to be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeviceId(usize);

impl DeviceId {
    /// What would be at this address.
    fn from_addr(addr: usize) -> Self {
        Self(addr)
    }
}

/// The address of a device: host, channel, target, LUN.
pub(crate) type Address = (u32, u32, u32, u64);

/// A SCSI device.
///
/// # Invariants
///
/// It has been added to its bus, and is alive for as long as it is borrowed.
#[repr(transparent)]
pub(crate) struct Device(Opaque<bindings::scsi_device>);

impl Device {
    /// The device behind its class device (`sdev_dev`).
    ///
    /// # Safety
    ///
    /// `dev` is the `sdev_dev` of a SCSI device that is valid for `'a`.
    unsafe fn from_class_device<'a>(dev: *mut bindings::device) -> &'a Self {
        // SAFETY: By the safety requirement.
        unsafe { &*Opaque::cast_from(container_of!(dev, bindings::scsi_device, sdev_dev)).cast() }
    }

    /// The device behind a device of the SCSI bus, if it is one: there are hosts and targets too.
    pub(crate) fn from_locked<'a>(dev: &'a LockedDevice<'_>) -> Option<&'a Self> {
        // SAFETY: A `LockedDevice` is valid.
        if unsafe { bindings::scsi_is_sdev_device(dev.as_raw()) } == 0 {
            return None;
        }
        let dev = dev.as_raw();
        // SAFETY: The device is the `sdev_gendev` of a SCSI device, and valid while `dev` is.
        Some(unsafe {
            &*Opaque::cast_from(container_of!(dev, bindings::scsi_device, sdev_gendev)).cast()
        })
    }

    /// The identity of the device, as long as it is there.
    pub(crate) fn id(&self) -> DeviceId {
        DeviceId(self.0.get() as usize)
    }

    /// The identity of the device's request queue, which it has for life.
    pub(crate) fn queue_id(&self) -> QueueId {
        // SAFETY: The device is valid and keeps its queue.
        unsafe { QueueId::new(self.queue()) }
    }

    fn queue(&self) -> *mut bindings::request_queue {
        // SAFETY: The device is valid and its queue was set before it was added.
        unsafe { (*self.0.get()).request_queue }
    }

    /// The peripheral device type, as INQUIRY reported it when the device was found.
    pub(crate) fn peripheral_device_type(&self) -> u8 {
        // SAFETY: The device is valid; `type` does not change after it was added.
        unsafe { (*self.0.get()).type_ }
    }

    /// The device's directory in sysfs.
    pub(crate) fn as_parent(&self) -> Parent<'_> {
        // SAFETY: The device has been added, and its directory stays at least until the class
        // interface has been told of its removal.
        unsafe { Parent::from_raw(&raw mut (*self.0.get()).sdev_gendev.kobj) }
    }

    /// The disk that the bound driver made of the device, if it did. `lock` is that of this device.
    fn disk<'a>(&self, lock: &'a LockedDevice<'_>) -> Option<Disk<'a>> {
        // Without a driver, or while it comes or goes, `disk` may be a leftover.
        if !lock.is_bound() {
            return None;
        }
        // SAFETY: The queue is the device's. A disk is added in a driver's probe function and
        // deleted in its remove function, both of which run with the device lock held, which `lock`
        // is for `'a`.
        unsafe { Disk::of_queue(self.queue()) }
    }

    /// The name of the logical unit: a designator of its VPD page 83h as text, or nothing if it has none.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn lu_name(&self) -> Result<KVec<u8>> {
        // A designator has no more than 255 bytes.
        let mut text = [0u8; 256];
        // SAFETY: The device is valid, and so is the buffer.
        let len = unsafe {
            bindings::scsi_vpd_lun_id(self.0.get(), text.as_mut_ptr().cast::<c_char>(), text.len())
        };
        let text = text
            .get(..usize::try_from(len).unwrap_or(0))
            .unwrap_or(&text);
        let end = text
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(text.len());
        let mut name = KVec::with_capacity(end, GFP_KERNEL)?;
        name.extend_from_slice(text.get(..end).unwrap_or_default(), GFP_KERNEL)?;
        Ok(name)
    }

    /// The device's address.
    pub(crate) fn address(&self) -> Address {
        let sdev = self.0.get();
        // SAFETY: The device is valid, and so is its host; the addresses never change.
        unsafe {
            (
                bindings::scsi_device_host_no(sdev),
                (*sdev).channel,
                (*sdev).id,
                (*sdev).lun,
            )
        }
    }
}

/// The queue of the device at an address, if there is one at this moment.
pub(crate) fn queue_at((host, channel, target, lun): Address) -> Option<QueueId> {
    // SAFETY: No requirements.
    let host = unsafe { bindings::scsi_host_lookup(host) };
    if host.is_null() {
        return None;
    }
    // SAFETY: `host` is valid.
    let sdev = unsafe { bindings::scsi_device_lookup(host, channel, target, lun) };
    let queue = (!sdev.is_null()).then(|| {
        // SAFETY: `sdev` is valid; its queue was set before it could be found. The reference
        // comes from the look-up.
        unsafe {
            let queue = QueueId::new((*sdev).request_queue);
            bindings::scsi_device_put(sdev);
            queue
        }
    });
    // SAFETY: The reference comes from the look-up.
    unsafe { bindings::scsi_host_put(host) };
    queue
}

/// The SCSI bus.
///
/// `scsi_bus_type` is not exported, so it is read off a host that is made for this and never added.
///
/// # Errors
///
/// `ENOMEM`.
pub(crate) fn bus() -> Result<Bus> {
    struct Template(bindings::scsi_host_template);
    // SAFETY: It is constant.
    unsafe impl Sync for Template {}
    static TEMPLATE: Template = Template(pin_init::zeroed());

    // SAFETY: A template of zeros has no callbacks, which is enough for a host that is not added.
    let host = unsafe { bindings::scsi_host_alloc(&raw const TEMPLATE.0, 0) };
    if host.is_null() {
        return Err(ENOMEM);
    }
    // SAFETY: `host` is valid.
    let bus = unsafe { bindings::scsi_host_bus(host) };
    // SAFETY: The reference comes from `scsi_host_alloc()`.
    unsafe { bindings::scsi_host_put(host) };
    // SAFETY: `scsi_alloc_host()` sets the bus to `scsi_bus_type`, which stays registered until
    // scsi_mod, which this module uses symbols of, is unloaded.
    Ok(unsafe { Bus::from_raw(bus) })
}
