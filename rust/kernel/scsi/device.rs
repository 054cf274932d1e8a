// SPDX-License-Identifier: GPL-2.0

//! A SCSI device.
//!
//! C header: [`include/scsi/scsi_device.h`](srctree/include/scsi/scsi_device.h)

use super::LunInCdb;
use crate::kernel::{
    bindings,
    block::{
        Disk,
        QueueId, //
    },
    device::bus::{
        BusDevice,
        LockedDevice, //
    },
    kobject::Parent, //
};
use kernel::{
    container_of,
    device,
    prelude::*,
    sync::aref::ARef,
    types::Opaque, //
};

/// The longest name of a logical unit: a T10 vendor identification of 255 bytes, each of which `scsi_vpd_lun_id()`
/// escapes by four characters, behind `t10.`. With less room names would be cut off, and two logical units that
/// differ behind that would be taken for one.
const LONGEST_NAME: usize = 4 + 4 * 255;

/// A SCSI device, by its address alone: to be compared, not to be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeviceId(usize);

impl DeviceId {
    /// What would be at this address.
    pub(super) fn from_addr(addr: usize) -> Self {
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
    /// The device behind a device of the SCSI bus, if it is one: there are hosts and targets too.
    pub(crate) fn from_bus<'a>(dev: &'a BusDevice<'_>) -> Option<&'a Self> {
        // SAFETY: A `BusDevice` has been added to its bus, and is alive for `'a`.
        unsafe { Self::from_raw_device(dev.as_raw()) }
    }

    /// As [`Self::from_bus`].
    fn from_locked<'a>(dev: &'a LockedDevice<'_>) -> Option<&'a Self> {
        // SAFETY: A `LockedDevice` has been added to its bus, and is alive for `'a`.
        unsafe { Self::from_raw_device(dev.as_raw()) }
    }

    /// # Safety
    ///
    /// `dev` is a device that has been added to a bus, and alive for `'a`.
    unsafe fn from_raw_device<'a>(dev: *mut bindings::device) -> Option<&'a Self> {
        // SAFETY: By the safety requirement `dev` is valid.
        if unsafe { bindings::scsi_is_sdev_device(dev) } == 0 {
            return None;
        }
        // INVARIANT: By the safety requirement it has been added to its bus, and is alive for `'a`.
        //
        // SAFETY: `scsi_is_sdev_device()` tells that the device is the `sdev_gendev` of a SCSI device; by the safety
        // requirement it is alive for `'a`.
        Some(unsafe {
            &*Opaque::cast_from(container_of!(dev, bindings::scsi_device, sdev_gendev)).cast()
        })
    }

    /// Whether its removal has begun.
    pub(crate) fn is_going(&self) -> bool {
        // SAFETY: The device is valid; the field is an integer, which may change at any time.
        let state = unsafe { (&raw const (*self.0.get()).sdev_state).read_volatile() };
        matches!(
            state,
            bindings::scsi_device_state_SDEV_CANCEL | bindings::scsi_device_state_SDEV_DEL
        )
    }

    /// Tells user space that something about the device has changed, by a uevent with `property`
    /// (`NAME=VALUE`).
    pub(crate) fn announce(&self, property: &CStr) {
        let mut environment = [property.as_char_ptr().cast_mut(), core::ptr::null_mut()];
        // A failure is ignored: user space that misses the event can look into sysfs.
        //
        // SAFETY: The device is valid, and so are the strings, which are only read; the array ends with null.
        unsafe {
            bindings::kobject_uevent_env(
                &raw mut (*self.0.get()).sdev_gendev.kobj,
                bindings::kobject_action_KOBJ_CHANGE,
                environment.as_mut_ptr(),
            )
        };
    }

    /// What becomes of byte 1 of its CDBs. It never changes.
    pub(crate) fn lun_in_cdb(&self) -> LunInCdb {
        let sdev = self.0.get();
        // SAFETY: The device is valid. It has been added, and what is read here was set before.
        unsafe { LunInCdb::new(bindings::scsi_device_lun_in_cdb(sdev), (*sdev).lun) }
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
        // SAFETY: By the type invariant the device has been added, so its kobject is initialised. Its directory is
        // removed by `device_del()`, after the bus has announced the removal and the listener of `device_events.rs`
        // has returned. That it has not returned, the types do not prove, but the two users of the directory do:
        //
        // - `Devices::add()` runs with the list of `device_events.rs` locked, which the listener locks first;
        // - `Devices::end()` has found the device in the map with `State::plugging` locked. The listener takes it out
        //   of the map with the same lock.
        unsafe { Parent::from_raw(&raw mut (*self.0.get()).sdev_gendev.kobj) }
    }

    /// The disk that the bound driver made of a device, if it is a SCSI device and the driver did.
    pub(super) fn disk_of<'a>(lock: &'a LockedDevice<'_>) -> Option<Disk<'a>> {
        // Without a driver, or while it comes or goes, `disk` may be a leftover.
        if !lock.is_bound() {
            return None;
        }
        let device = Self::from_locked(lock)?;
        // SAFETY: The queue is the device's. A disk is added in a driver's probe function and
        // deleted in its remove function, both of which run with the device lock held, which `lock`
        // is for `'a`.
        unsafe { Disk::of_queue(device.queue()) }
    }

    /// The name of the logical unit: a designator of its VPD page 83h as text, or nothing if it has none.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn lu_name(&self) -> Result<KVec<u8>> {
        self.with_lu_name(|text| {
            let mut name = KVec::with_capacity(text.len(), GFP_KERNEL)?;
            name.extend_from_slice(text, GFP_KERNEL)?;
            Ok(name)
        })
    }

    /// The result of `f`, called with the name. Does not sleep if `f` does not.
    fn with_lu_name<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        let mut text = [0u8; LONGEST_NAME + 1];
        // SAFETY: The device is valid, and so is the buffer.
        let len = unsafe {
            bindings::scsi_vpd_lun_id(self.0.get(), text.as_mut_ptr().cast::<c_char>(), text.len())
        };
        let text = text
            .get(..usize::try_from(len).unwrap_or(0))
            .unwrap_or(&text);
        // What is behind a zero in the middle tells names apart, too.
        let end = text
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        f(text.get(..end).unwrap_or_default())
    }

    /// A reference to the device, for longer than it is on its bus.
    pub(crate) fn to_ref(&self) -> DeviceRef {
        // INVARIANT: It is that of a SCSI device.
        //
        // SAFETY: The device is valid.
        DeviceRef(unsafe { device::Device::get_device(&raw mut (*self.0.get()).sdev_gendev) })
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

/// A reference to a SCSI device, which may have been removed.
///
/// # Invariants
///
/// The device is the `sdev_gendev` of a SCSI device that was added.
pub(crate) struct DeviceRef(ARef<device::Device>);

impl DeviceRef {
    /// Whether the logical unit has this name, as far as the kernel has read it. Does not sleep.
    #[cold]
    #[inline(never)]
    pub(crate) fn has_lu_name(&self, name: &[u8]) -> bool {
        let device = core::ptr::from_ref(&*self.0).cast::<bindings::device>();
        // SAFETY: By the type invariant it is in a SCSI device, which the reference keeps alive. By the type invariant
        // that was added, as `Device` requires.
        let device = unsafe {
            let sdev = container_of!(device, bindings::scsi_device, sdev_gendev);
            &*Opaque::cast_from(sdev).cast::<Device>()
        };
        device.with_lu_name(|now| now == name)
    }
}

#[kunit_tests(sgio_filter_scsi)]
mod tests {
    use super::*;
    use core::mem::offset_of;

    /// The name of a logical unit whose VPD page 83h has a T10 vendor identification alone.
    fn name_of(vendor: &[u8; 255]) -> Result<KVec<u8>> {
        const HEADER: [u8; 4] = [0, 0x83, 1, 3];
        // ASCII, of the logical unit, T10 vendor identification; its length.
        const DESIGNATOR: [u8; 4] = [2, 1, 0, 255];

        let page = Iterator::chain(HEADER.iter(), &DESIGNATOR);
        let page = Iterator::chain(page, vendor);
        let len = page.clone().count();
        // Words, for the alignment of the structure.
        let words = (offset_of!(bindings::scsi_vpd, data) + len).div_ceil(size_of::<u64>());
        let mut memory = KVec::from_elem(0u64, words, GFP_KERNEL)?;
        let vpd: *mut bindings::scsi_vpd = memory.as_mut_ptr().cast();
        // SAFETY: The memory is aligned for the structure, and has room for it and for the page behind it.
        unsafe {
            (*vpd).len = c_int::try_from(len)?;
            let data = (&raw mut (*vpd).data).cast::<u8>();
            for (index, byte) in page.enumerate() {
                data.add(index).write(*byte);
            }
        }

        let mut sdev = KBox::<bindings::scsi_device>::new_uninit(GFP_KERNEL)?;
        // SAFETY: The memory is there; zeros are a device that nothing is known of, in which the page is set. It has
        // not been added to a bus, which the type invariant of `Device` asks for. `lu_name()` does not rely on that:
        // it calls `scsi_vpd_lun_id()`, which reads nothing of the device but this page. Both live until it returns.
        unsafe {
            let sdev = sdev.as_mut_ptr();
            sdev.write_bytes(0, 1);
            (*sdev).vpd_pg83 = vpd;
            (*Opaque::cast_from(sdev).cast::<Device>()).lu_name()
        }
    }

    #[test]
    fn long_names_that_differ_at_the_end_are_two() -> Result {
        let one = [b'a'; 255];
        let mut other = one;
        other[254] = b'b';
        assert!(name_of(&one)? == name_of(&one)?);
        assert!(name_of(&one)? != name_of(&other)?);
        // Each byte may be escaped by four characters.
        let one = [1; 255];
        let mut other = one;
        other[254] = 2;
        assert_eq!(name_of(&one)?.len(), LONGEST_NAME);
        assert!(name_of(&one)? != name_of(&other)?);
        Ok(())
    }
}
