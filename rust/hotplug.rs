// SPDX-License-Identifier: GPL-2.0

//! Hot plug: what happens when a SCSI device is added, is removed, or becomes another logical unit.
//!
//! | event | what is done |
//! | --- | --- |
//! | a device is added | it gets its [state](DeviceState), with the defaults, and its directory in sysfs, before user space hears of it |
//! | a device is removed (unplugged) | both are taken away; rules that were written by hand go with them |
//! | a rescan finds another logical unit at the address | the same as a removal and an addition |
//!
//! The file in a disk's `queue` directory comes and goes with the disk: [`QueueFiles`](crate::kernel::scsi::queue_files::QueueFiles).

use crate::{
    kernel::scsi::{
        self,
        device_events::{
            DeviceClient,
            Registration, //
        },
        rescan::RescanClient, //
    },
    knobs,
    policy::Hctl,
    state::{
        device::DeviceState,
        KnownDevice,
        State, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc, //
    },
    types::ScopeGuard,
};

/// Keeps the map of devices, and their directories, as the SCSI devices come and go.
pub(crate) struct Devices;

impl Devices {
    /// Fails if a device that was there before the module has no filter or no knobs: loading fails, and can be
    /// retried.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn all_complete(state: &State) -> Result {
        if state.incomplete.load(Relaxed) {
            return Err(ENOMEM);
        }
        Ok(())
    }

    /// Sends a "change" event for each device that was there before the module: its filter is in force. A device that
    /// comes later has its filter before its "add" event.
    pub(crate) fn announce(devices: &Registration<Self>) {
        devices.for_each(|device| device.announce(c"SGIO_FILTER=ready"));
    }

    fn only_class(state: &State, device: &scsi::Device, e: Error) {
        state.incomplete.store(true, Relaxed);
        pr_err!("{}: only the class's filter: {:?}\n", Hctl::from(device), e);
    }

    /// Adds a device to the map, with the defaults. To be called with `State::plugging` held.
    fn add_to(state: &Arc<State>, scsi: &scsi::Device, rescans: u32) -> Result {
        let nexus = state.nexuses.join(scsi)?;
        let leave = ScopeGuard::new_with_data((state.clone(), nexus.clone()), |(state, nexus)| {
            state.nexuses.leave(&nexus, scsi.into());
        });
        let device = Arc::new(DeviceState::new(scsi, nexus, rescans)?, GFP_KERNEL)?;
        // Without knobs the device still has its class's filter.
        let directory = knobs::directory(state, scsi, &device)
            .inspect_err(|e| {
                pr_err!("{}: no sgio_filter directory: {:?}\n", device.hctl, e);
                state.incomplete.store(true, Relaxed);
            })
            .ok();
        let known = KnownDevice {
            device,
            _directory: directory,
        };
        state.devices.insert(scsi.queue_id().key(), known)?;
        leave.dismiss();
        Ok(())
    }

    /// Takes a device out of the map. To be called with `State::plugging` held.
    fn remove_from(state: &State, device: &scsi::Device) {
        let queue = device.queue_id();
        if let Some(gone) = state.device(queue) {
            state.nexuses.leave(&gone.nexus, gone.hctl);
        }
        drop(state.devices.remove(queue.key()));
    }

    /// Gives the defaults to a device that has another name than its state was made for.
    pub(crate) fn recheck_identity(device: &scsi::Device) {
        <Self as RescanClient>::end(device, false);
    }
}

impl RescanClient for Devices {
    /// Whether the device was told.
    type Begun = bool;

    fn begin(device: &scsi::Device) -> bool {
        let Some(state) = State::get() else {
            return false;
        };
        let _plugging = state.plugging.lock();
        let known = state.device(device.queue_id());
        known.inspect(|known| known.modes.begin_rescan()).is_some()
    }

    fn end(device: &scsi::Device, begun: bool) {
        let Some(state) = State::get() else {
            return;
        };
        let _plugging = state.plugging.lock();
        let Some(known) = state.device(device.queue_id()) else {
            return;
        };
        if known.has_its_name() {
            if begun {
                known.modes.end_rescan();
            }
            return;
        }
        pr_notice!(
            "{}: another logical unit: it has the defaults\n",
            known.hctl
        );
        Self::remove_from(&state, device);
        // The old state has not been told that the rescan ends: nothing is decided by it. Those rescans
        // that other tasks have begun are ended by them.
        let rescans = known.modes.rescans().saturating_sub(u32::from(begun));
        if let Err(e) = Self::add_to(&state, device, rescans) {
            Self::only_class(&state, device, e);
        }
        device.announce(c"SGIO_FILTER=changed");
    }
}

impl DeviceClient for Devices {
    fn add(device: &scsi::Device) {
        let Some(state) = State::get() else {
            return;
        };
        let _plugging = state.plugging.lock();
        if let Err(e) = Self::add_to(&state, device, 0) {
            Self::only_class(&state, device, e);
        }
    }

    fn cannot_add(device: &scsi::Device) {
        if let Some(state) = State::get() {
            Self::only_class(&state, device, ENOMEM);
        }
    }

    fn remove(device: &scsi::Device) {
        if let Some(state) = State::get() {
            let _plugging = state.plugging.lock();
            Self::remove_from(&state, device);
        }
    }
}
