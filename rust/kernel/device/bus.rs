// SPDX-License-Identifier: GPL-2.0

//! Following the devices of a bus, and the drivers that come and go.
//!
//! Not here: registering a bus, the other events.
//!
//! C header: [`include/linux/device/bus.h`](srctree/include/linux/device/bus.h)

use crate::kernel::{
    bindings,
    notifier::{
        self,
        Chain,
        Receiver, //
    },
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    device,
    error::to_result,
    prelude::*,
    sync::aref::ARef, //
};

/// A device that has been added to a bus.
///
/// # Invariants
///
/// The pointer is to a device that has been added to a bus, and is alive for `'a`.
pub(crate) struct BusDevice<'a>(NonNull<bindings::device>, PhantomData<&'a ()>);

impl BusDevice<'_> {
    /// The device.
    pub(crate) fn as_raw(&self) -> *mut bindings::device {
        self.0.as_ptr()
    }

    /// Whether this is that device.
    pub(crate) fn is(&self, other: &BusDeviceRef) -> bool {
        self.0.as_ptr() == other.as_raw()
    }

    /// A reference to the device.
    pub(crate) fn to_ref(&self) -> BusDeviceRef {
        // INVARIANT: By the type invariant the device has been added to a bus.
        //
        // SAFETY: By the type invariant the device is alive.
        BusDeviceRef(unsafe { device::Device::get_device(self.0.as_ptr()) })
    }
}

/// A reference to a device that has been added to a bus, and may have been removed.
///
/// # Invariants
///
/// The device has been added to a bus.
#[derive(Clone)]
pub(crate) struct BusDeviceRef(ARef<device::Device>);

impl BusDeviceRef {
    /// The device.
    pub(crate) fn as_device(&self) -> BusDevice<'_> {
        // INVARIANT: By the type invariant the device has been added to a bus; the reference keeps it alive.
        BusDevice(self.as_non_null(), PhantomData)
    }

    fn as_non_null(&self) -> NonNull<bindings::device> {
        NonNull::from(&*self.0).cast()
    }

    fn as_raw(&self) -> *mut bindings::device {
        self.as_non_null().as_ptr()
    }
}

/// A device while nothing can bind it to a driver or unbind it.
///
/// # Invariants
///
/// The pointer is to a device that has been added to a bus, is alive, and whose `device_lock()` is held, for `'a` (by the
/// driver core or by us).
pub(crate) struct LockedDevice<'a>(NonNull<bindings::device>, PhantomData<&'a ()>);

impl LockedDevice<'_> {
    /// The device.
    pub(crate) fn as_raw(&self) -> *mut bindings::device {
        self.0.as_ptr()
    }

    /// Whether a driver is bound.
    pub(crate) fn is_bound(&self) -> bool {
        // SAFETY: By the type invariant the device is valid; `driver` changes only with the lock.
        unsafe { !(*self.0.as_ptr()).driver.is_null() }
    }

    /// Whether this is that device.
    pub(crate) fn is(&self, other: &BusDeviceRef) -> bool {
        self.0.as_ptr() == other.as_raw()
    }

    /// A reference to the device, for longer than it is locked.
    pub(crate) fn to_ref(&self) -> BusDeviceRef {
        // INVARIANT: By the type invariant the device has been added to a bus.
        //
        // SAFETY: By the type invariant the device is alive.
        BusDeviceRef(unsafe { device::Device::get_device(self.0.as_ptr()) })
    }
}

/// Calls `f` with `device` locked.
pub(crate) fn with_locked(device: &BusDeviceRef, f: impl FnOnce(&LockedDevice<'_>)) {
    // SAFETY: The reference keeps the device alive.
    unsafe { bindings::device_lock(device.as_raw()) };
    // INVARIANT: By the type invariant the device has been added to a bus; the reference keeps it alive, and it was locked
    // above.
    f(&LockedDevice(device.as_non_null(), PhantomData));
    // SAFETY: Locked above.
    unsafe { bindings::device_unlock(device.as_raw()) };
}

/// A bus.
///
/// # Invariants
///
/// The pointer is to a `bus_type` which stays registered as long as this module is loaded.
#[derive(Clone, Copy)]
pub(crate) struct Bus(*const bindings::bus_type);

// SAFETY: A `bus_type` belongs to no thread.
unsafe impl Send for Bus {}

// SAFETY: `bus_type` is constant and the functions below do their own locking.
unsafe impl Sync for Bus {}

impl Bus {
    /// The bus behind a pointer.
    ///
    /// # Safety
    ///
    /// `bus` is registered, and stays so as long as this module is loaded.
    pub(crate) unsafe fn from_raw(bus: *const bindings::bus_type) -> Self {
        // INVARIANT: By the safety requirement the bus stays registered as long as this module is loaded.
        Self(bus)
    }

    /// Calls `f` for each device of the bus, those that are just being removed included.
    pub(crate) fn for_each_device<F: FnMut(&BusDevice<'_>)>(self, mut f: F) {
        /// # Safety
        ///
        /// `dev` is a device on the bus that is iterated, with a reference for the duration of the
        /// call, and `f` is a `&mut F`.
        unsafe extern "C" fn call<F: FnMut(&BusDevice<'_>)>(
            dev: *mut bindings::device,
            f: *mut c_void,
        ) -> c_int {
            // INVARIANT: The device is on the bus, and has a reference.
            //
            // SAFETY: By the safety requirement `dev` is a device.
            let device = BusDevice(unsafe { NonNull::new_unchecked(dev) }, PhantomData);
            // SAFETY: By the safety requirement `f` is a `&mut F`.
            unsafe { (*f.cast::<F>())(&device) };
            0
        }

        // The only error is that of a bus which is not registered.
        //
        // SAFETY: By the type invariant the bus is registered, and its devices are passed to
        // `call()` with references to them and with `f`, which is borrowed exclusively here.
        let _ = unsafe {
            bindings::bus_for_each_dev(
                self.0,
                core::ptr::null_mut(),
                (&raw mut f).cast(),
                Some(call::<F>),
            )
        };
    }

    /// Calls `f` for each device of the bus, with its lock held.
    ///
    /// # Errors
    ///
    /// `EINTR` if a signal came while it waited for the lock of a device, which a driver that is
    /// just probing it may hold for long. The devices behind it are then not visited.
    pub(crate) fn for_each_locked_device<F: FnMut(&LockedDevice<'_>)>(self, mut f: F) -> Result {
        /// # Safety
        ///
        /// `dev` is a device on the bus that is iterated, with a reference for the duration of the
        /// call, and `f` is a `&mut F`.
        unsafe extern "C" fn call<F: FnMut(&LockedDevice<'_>)>(
            dev: *mut bindings::device,
            f: *mut c_void,
        ) -> c_int {
            // SAFETY: By the safety requirement `dev` is a device with a reference.
            let ret = unsafe { bindings::device_lock_interruptible(dev) };
            if ret != 0 {
                return ret;
            }
            // INVARIANT: The device is on the bus, has a reference, and was locked above.
            //
            // SAFETY: By the safety requirement `dev` is a device.
            let locked = LockedDevice(unsafe { NonNull::new_unchecked(dev) }, PhantomData);
            // SAFETY: By the safety requirement `f` is a `&mut F`.
            unsafe { (*f.cast::<F>())(&locked) };
            // SAFETY: Locked above.
            unsafe { bindings::device_unlock(dev) };
            0
        }

        // SAFETY: By the type invariant the bus is registered, and its devices are passed to
        // `call()` with references to them and with `f`, which is borrowed exclusively here.
        to_result(unsafe {
            bindings::bus_for_each_dev(
                self.0,
                core::ptr::null_mut(),
                (&raw mut f).cast(),
                Some(call::<F>),
            )
        })
    }
}

/// What wants to know about a bus. Calls come in parallel, for different devices.
pub(crate) trait BusListener: Send + Sync {
    /// A device was added. User space has not been told (its uevent follows), and no driver has been asked.
    fn added(&self, _device: &BusDevice<'_>) {}

    /// A device is about to be removed; nothing has been taken down yet.
    fn remove(&self, _device: &BusDevice<'_>) {}

    /// A driver was bound to a device; its probing has succeeded.
    fn bound(&self, _device: &LockedDevice<'_>) {}

    /// A driver is about to be unbound; nothing has been taken down yet.
    fn unbind(&self, _device: &LockedDevice<'_>) {}
}

/// While this object lives, its listener is told.
pub(crate) type BusSubscription<L> = notifier::Subscription<Bus, L>;

// SAFETY: The events of a bus are a blocking notifier chain: calls and changes have its lock.
unsafe impl Chain for Bus {
    unsafe fn register(self, block: *mut bindings::notifier_block) -> Result {
        // SAFETY: By the safety requirement of `Chain` the block stays valid until it is unregistered; by the type invariant the
        // bus is registered.
        to_result(unsafe { bindings::bus_register_notifier(self.0, block) })
    }

    unsafe fn unregister(self, block: *mut bindings::notifier_block) {
        // The only error is that of a bus which is not registered.
        //
        // SAFETY: By the safety requirement of `Chain` the block is registered, and by the type invariant the bus is.
        unsafe { bindings::bus_unregister_notifier(self.0, block) };
    }
}

impl<L: BusListener> Receiver<Bus> for L {
    unsafe fn receive(&self, event: c_ulong, dev: *mut c_void) {
        let Some(dev) = NonNull::new(dev.cast()) else {
            return;
        };
        // INVARIANT: The driver core announces a device that is alive and has been added.
        let device = || BusDevice(dev, PhantomData);
        // INVARIANT: The same. Only used for the two events that come with its lock held (`driver_bound()`,
        // `__device_release_driver()`).
        let locked = || LockedDevice(dev, PhantomData);
        match u32::try_from(event) {
            Ok(bindings::bus_notifier_event_BUS_NOTIFY_ADD_DEVICE) => self.added(&device()),
            Ok(bindings::bus_notifier_event_BUS_NOTIFY_DEL_DEVICE) => self.remove(&device()),
            Ok(bindings::bus_notifier_event_BUS_NOTIFY_BOUND_DRIVER) => self.bound(&locked()),
            Ok(bindings::bus_notifier_event_BUS_NOTIFY_UNBIND_DRIVER) => self.unbind(&locked()),
            _ => {}
        }
    }
}
