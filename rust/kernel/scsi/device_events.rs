// SPDX-License-Identifier: GPL-2.0

//! Following all SCSI devices, those that are there already included.
//!
//! The bus tells of a device before user space hears of it and before a driver probes it. The class
//! interface (`scsi_register_interface()`) tells when the driver is done, which may take a minute.
//!
//! C header: [`include/linux/device/bus.h`](srctree/include/linux/device/bus.h)

use super::Device;
use crate::kernel::device::bus::{
    BusDevice,
    BusDeviceRef,
    BusListener,
    BusSubscription, //
};
use core::marker::PhantomData;
use kernel::{
    new_mutex,
    prelude::*,
    sync::Mutex, //
};

/// What wants to know of SCSI devices. Its functions are called one at a time.
pub(crate) trait DeviceClient: 'static {
    /// A device has been added. User space hears of it when this returns, unless it was there already.
    fn add(device: &Device);

    /// A device has been added, and there is no memory to follow it.
    fn cannot_add(device: &Device);

    /// A device is about to be removed, or the registration ends. It comes once for each `add()`.
    ///
    /// A device that is being removed has the state `SDEV_CANCEL` or `SDEV_DEL` by now
    /// (`__scsi_remove_device()`): what users send reaches it no more.
    fn remove(device: &Device);
}

/// While this object lives, `C` is told.
pub(crate) struct Registration<C: DeviceClient>(Pin<KBox<BusSubscription<Known<C>>>>);

/// The devices that `C` knows.
#[pin_data]
struct Known<C> {
    // Held while `C` is called.
    #[pin]
    list: Mutex<List>,
    _client: PhantomData<fn() -> C>,
}

struct List {
    devices: KVec<BusDeviceRef>,
    /// No more of them.
    closed: bool,
}

impl<C: DeviceClient> BusListener for Known<C> {
    fn added(&self, device: &BusDevice<'_>) {
        let Some(scsi) = Device::from_bus(device) else {
            return;
        };
        let mut list = self.list.lock();
        // A device that is added while all of them are visited is met twice. One whose removal has been
        // announced is on the bus still.
        if list.closed || scsi.is_going() || list.find(device).is_some() {
            return;
        }
        if list.devices.push(device.to_ref(), GFP_KERNEL).is_err() {
            C::cannot_add(scsi);
            return;
        }
        C::add(scsi);
    }

    fn remove(&self, device: &BusDevice<'_>) {
        let mut list = self.list.lock();
        let Some(at) = list.find(device) else {
            return;
        };
        let gone = list.devices.remove(at);
        if let Some(scsi) = Device::from_bus(device) {
            C::remove(scsi);
        }
        drop(list);
        drop(gone);
    }
}

impl List {
    fn find(&self, device: &BusDevice<'_>) -> Option<usize> {
        self.devices.iter().position(|known| device.is(known))
    }
}

impl<C: DeviceClient> Registration<C> {
    /// Registers; `C::add()` has been called for all devices when it returns.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let bus = super::bus()?;
        let known = pin_init!(Known {
            list <- new_mutex!(List {
                devices: KVec::new(),
                closed: false,
            }),
            _client: PhantomData,
        });
        let this = Self(KBox::pin_init(
            BusSubscription::new(bus, known),
            GFP_KERNEL,
        )?);
        // Those that are added from here on are announced.
        bus.for_each_device(|device| this.0.listener().added(device));
        Ok(this)
    }

    /// Calls `f` for each device.
    pub(crate) fn for_each(&self, mut f: impl FnMut(&Device)) {
        let list = self.0.listener().list.lock();
        for device in &list.devices {
            if let Some(scsi) = Device::from_bus(&device.as_device()) {
                f(scsi);
            }
        }
    }
}

impl<C: DeviceClient> Drop for Registration<C> {
    fn drop(&mut self) {
        // The subscription is still there: the removal of a device is reported once.
        let mut list = self.0.listener().list.lock();
        list.closed = true;
        while let Some(device) = list.devices.pop() {
            if let Some(scsi) = Device::from_bus(&device.as_device()) {
                C::remove(scsi);
            }
        }
    }
}
