// SPDX-License-Identifier: GPL-2.0

//! Being told of all SCSI devices, those that are there already included.
//!
//! C header: [`include/scsi/scsi_driver.h`](srctree/include/scsi/scsi_driver.h)

use super::Device;
use crate::kernel::bindings;
use core::marker::PhantomData;
use kernel::{
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// What wants to know of SCSI devices.
pub(crate) trait Client: 'static {
    /// A device has been added.
    fn add(device: &Device);

    /// A device is about to be removed, or the registration ends. It comes once for each `add()`,
    /// never at the same time as another call.
    ///
    /// A device that is being removed has the state `SDEV_CANCEL` or `SDEV_DEL` by now
    /// (`__scsi_remove_device()`): what users send reaches it no more.
    fn remove(device: &Device);
}

/// While this object lives, `C` is told.
///
/// # Invariants
///
/// `interface` is registered.
#[pin_data(PinnedDrop)]
pub(crate) struct Registration<C: Client> {
    #[pin]
    interface: Opaque<bindings::class_interface>,
    _client: PhantomData<C>,
}

// SAFETY: The class does its own locking, and `C` is never instantiated.
unsafe impl<C: Client> Send for Registration<C> {}

// SAFETY: As above.
unsafe impl<C: Client> Sync for Registration<C> {}

impl<C: Client> Registration<C> {
    /// Registers; `C::add()` has been called for all devices when it returns.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there are no SCSI devices in this kernel.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // INVARIANT: The initializer fails or registers the interface.
            interface <- Opaque::try_ffi_init(|interface: *mut bindings::class_interface| {
                // SAFETY: `interface` is valid for writes and pinned until it is unregistered.
                unsafe {
                    interface.write(bindings::class_interface {
                        add_dev: Some(Self::add),
                        remove_dev: Some(Self::remove),
                        ..Default::default()
                    });
                    to_result(bindings::scsi_register_interface(interface))
                }
            }),
            _client: PhantomData,
        })
    }

    /// # Safety
    ///
    /// Called by the class `scsi_device`, for a device of it that is alive during the call.
    unsafe extern "C" fn add(dev: *mut bindings::device) -> c_int {
        // SAFETY: By the safety requirement; the class's devices are the `sdev_dev`s of SCSI devices.
        C::add(unsafe { Device::from_class_device(dev) });
        // Nobody looks at it.
        0
    }

    /// # Safety
    ///
    /// As for [`Self::add`].
    unsafe extern "C" fn remove(dev: *mut bindings::device) {
        // SAFETY: As in `add()`.
        C::remove(unsafe { Device::from_class_device(dev) });
    }
}

#[pinned_drop]
impl<C: Client> PinnedDrop for Registration<C> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariant the interface is registered.
        unsafe { bindings::class_interface_unregister(self.interface.get()) };
    }
}
