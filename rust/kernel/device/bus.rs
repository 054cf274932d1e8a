// SPDX-License-Identifier: GPL-2.0

//! Following the devices of a bus, and the drivers that come and go.
//!
//! Not here: registering a bus, the other events.
//!
//! C header: [`include/linux/device/bus.h`](srctree/include/linux/device/bus.h)

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

/// A device that has been added to a bus.
///
/// # Invariants
///
/// The pointer is to a device that is alive for `'a`.
pub(crate) struct BusDevice<'a>(NonNull<bindings::device>, PhantomData<&'a ()>);

impl BusDevice<'_> {
    /// The device.
    pub(crate) fn as_raw(&self) -> *mut bindings::device {
        self.0.as_ptr()
    }

    /// A reference to the device.
    pub(crate) fn to_ref(&self) -> DeviceRef {
        // INVARIANT: The reference is taken here.
        //
        // SAFETY: By the type invariant the device is alive.
        unsafe { bindings::get_device(self.0.as_ptr()) };
        DeviceRef(self.0)
    }
}

/// A device while nothing can bind it to a driver or unbind it.
///
/// # Invariants
///
/// The pointer is to a device that is alive, and whose `device_lock()` is held, for `'a` (by the
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

    /// A reference to the device, for longer than it is locked.
    pub(crate) fn to_ref(&self) -> DeviceRef {
        // INVARIANT: The reference is taken here.
        //
        // SAFETY: By the type invariant the device is alive.
        unsafe { bindings::get_device(self.0.as_ptr()) };
        DeviceRef(self.0)
    }
}

/// A reference to a device.
///
/// # Invariants
///
/// The pointer is to a device, to which this object has a reference.
pub(crate) struct DeviceRef(NonNull<bindings::device>);

// SAFETY: References to devices may be given up in any thread.
unsafe impl Send for DeviceRef {}

impl DeviceRef {
    /// The device, which was on its bus when the reference was taken.
    pub(crate) fn as_bus_device(&self) -> BusDevice<'_> {
        // INVARIANT: The reference keeps it alive.
        BusDevice(self.0, PhantomData)
    }

    /// Whether this is that device.
    pub(crate) fn is(&self, other: *mut bindings::device) -> bool {
        self.0.as_ptr() == other
    }
}

impl Clone for DeviceRef {
    fn clone(&self) -> Self {
        // INVARIANT: The reference is taken here.
        //
        // SAFETY: By the type invariant the device is alive.
        unsafe { bindings::get_device(self.0.as_ptr()) };
        Self(self.0)
    }
}

impl Drop for DeviceRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the reference is ours.
        unsafe { bindings::put_device(self.0.as_ptr()) };
    }
}

/// Calls `f` with `device` locked.
pub(crate) fn with_locked(device: &DeviceRef, f: impl FnOnce(&LockedDevice<'_>)) {
    // SAFETY: By the type invariant of `DeviceRef` the device is alive.
    unsafe { bindings::device_lock(device.0.as_ptr()) };
    // INVARIANT: The device is alive while the reference is borrowed, and was locked above.
    f(&LockedDevice(device.0, PhantomData));
    // SAFETY: Locked above.
    unsafe { bindings::device_unlock(device.0.as_ptr()) };
}

/// A bus.
///
/// # Invariants
///
/// The pointer is to a `bus_type` which stays registered as long as this module is loaded.
#[derive(Clone, Copy)]
pub(crate) struct Bus(*const bindings::bus_type);

// SAFETY: `bus_type` is constant and the functions below do their own locking.
unsafe impl Send for Bus {}

// SAFETY: As above.
unsafe impl Sync for Bus {}

impl Bus {
    /// The bus behind a pointer.
    ///
    /// # Safety
    ///
    /// `bus` is registered, and stays so as long as this module is loaded.
    pub(crate) unsafe fn from_raw(bus: *const bindings::bus_type) -> Self {
        // INVARIANT: By the safety requirement.
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
            // INVARIANT: The device has a reference.
            //
            // SAFETY: By the safety requirement `dev` is a device.
            let device = BusDevice(unsafe { NonNull::new_unchecked(dev) }, PhantomData);
            // SAFETY: By the safety requirement.
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
            // SAFETY: By the safety requirement.
            let ret = unsafe { bindings::device_lock_interruptible(dev) };
            if ret != 0 {
                return ret;
            }
            // INVARIANT: The device has a reference, and was locked above.
            //
            // SAFETY: By the safety requirement `dev` is a device.
            let locked = LockedDevice(unsafe { NonNull::new_unchecked(dev) }, PhantomData);
            // SAFETY: By the safety requirement.
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
pub(crate) trait Listener: Send + Sync {
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
///
/// # Invariants
///
/// `block` is registered with `bus`, and in a `Subscription<L>`.
#[pin_data(PinnedDrop)]
pub(crate) struct Subscription<L: Listener> {
    #[pin]
    listener: L,
    #[pin]
    block: Opaque<bindings::notifier_block>,
    bus: Bus,
}

// SAFETY: The notifier chain does its own locking, and the listener is `Send`.
unsafe impl<L: Listener> Send for Subscription<L> {}

// SAFETY: The notifier chain does its own locking, and the listener is `Sync`.
unsafe impl<L: Listener> Sync for Subscription<L> {}

impl<L: Listener> Subscription<L> {
    /// Subscribes to the events of `bus`.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the bus is not registered, and those of `listener`.
    pub(crate) fn new(bus: Bus, listener: impl PinInit<L>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // Before the registration, which calls it.
            listener <- listener,
            // INVARIANT: The initializer fails or registers the block.
            block <- Opaque::try_ffi_init(move |block: *mut bindings::notifier_block| {
                // SAFETY: `block` is valid for writes and pinned until it is unregistered.
                unsafe {
                    block.write(bindings::notifier_block {
                        notifier_call: Some(Self::notify),
                        ..Default::default()
                    });
                    to_result(bindings::bus_register_notifier(bus.0, block))
                }
            }),
            bus,
        })
    }

    /// Who is told.
    pub(crate) fn listener(&self) -> &L {
        &self.listener
    }

    /// # Safety
    ///
    /// Called by the driver core for an event of the bus that [`Self::new`] subscribed to, with the
    /// `block` of that `Self`, and with the device as `dev`.
    unsafe extern "C" fn notify(
        block: *mut bindings::notifier_block,
        event: c_ulong,
        dev: *mut c_void,
    ) -> c_int {
        // SAFETY: By the safety requirement; the object is pinned and lives until the block has
        // been unregistered.
        let this = unsafe { &*container_of!(Opaque::cast_from(block), Self, block) };
        let Some(dev) = NonNull::new(dev.cast()) else {
            return bindings::NOTIFY_DONE as c_int;
        };
        // INVARIANT: The driver core announces a device that is alive and has been added.
        let device = || BusDevice(dev, PhantomData);
        // INVARIANT: The same. Only used for the two events that come with its lock held (`driver_bound()`,
        // `__device_release_driver()`).
        let locked = || LockedDevice(dev, PhantomData);
        match u32::try_from(event) {
            Ok(bindings::bus_notifier_event_BUS_NOTIFY_ADD_DEVICE) => {
                this.listener.added(&device());
            }
            Ok(bindings::bus_notifier_event_BUS_NOTIFY_DEL_DEVICE) => {
                this.listener.remove(&device());
            }
            Ok(bindings::bus_notifier_event_BUS_NOTIFY_BOUND_DRIVER) => {
                this.listener.bound(&locked());
            }
            Ok(bindings::bus_notifier_event_BUS_NOTIFY_UNBIND_DRIVER) => {
                this.listener.unbind(&locked());
            }
            _ => {}
        }
        bindings::NOTIFY_DONE as c_int
    }
}

#[pinned_drop]
impl<L: Listener> PinnedDrop for Subscription<L> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariant the block is registered. The chain's lock makes this wait
        // for calls that are under way.
        unsafe { bindings::bus_unregister_notifier(self.bus.0, self.block.get()) };
    }
}
