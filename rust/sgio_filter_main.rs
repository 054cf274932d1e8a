// SPDX-License-Identifier: GPL-2.0

//! A filter for SCSI commands, per device and per class, in the place of the kernel's one list.
//!
//! `scsi_cmd_allowed()` decides which commands a process without `CAP_SYS_RAWIO` may send through
//! SG_IO and its relatives. This module redirects it, on an unmodified kernel, to a policy that
//! knows the device.
//!
//! This file only wires. CONTRIBUTING.md lists the layers, which are the modules below; a layer uses only what is below it.
//! `crate::kernel` is the folder `rust/kernel`, `kernel` the kernel crate.

#![deny(unsafe_code)]

mod hook;
mod hotplug;
#[allow(unsafe_code)]
mod kernel;
mod knobs;
pub mod policy;
mod state;

use ::kernel::prelude::*;

module! {
    type: SgioFilter,
    name: "sgio_filter",
    authors: ["sgio-filter developers"],
    description: "Per-device filter for SCSI commands sent through SG_IO",
    license: "GPL",
    params: {
        strict: bool {
            default: true,
            description: "Table that the classes start with: 1 corrected for the class (default), 0 the kernel's own list",
        },
        queue_knob: bool {
            default: true,
            description: "Add unpriv_sgio to the queue directory of SCSI disks (default 1)",
        },
    },
}

/// The module while it is loaded. What is armed last is disarmed first: the hook goes before the
/// filters that it asks, so that no command is decided with half of them.
#[pin_data]
struct SgioFilter {
    // Dropped first: what can be left to the kernel's own check is, while devices are missing.
    _ready: state::Ready,
    #[pin]
    _hook: kernel::scsi::cmd_allowed::Hook<hook::Decider>,
    #[pin]
    _control: knobs::Control,
    // Dropped after the node by which grants are made.
    _sweeper: knobs::Sweeper,
    _queue_files: Option<kernel::scsi::queue_files::QueueFiles>,
    // Dropped before the devices: a rescan may replace one.
    #[pin]
    _rescans: kernel::scsi::rescan::Hook<hotplug::Devices>,
    devices: kernel::scsi::device_events::Registration<hotplug::Devices>,
    // Dropped after the hook, which looks up senders by sg. What a file of `_root` arms after that is disarmed with the
    // last reference to the entry points, which the write to that file holds; `_root` waits for such writes.
    _entry_points: hook::entry_points::Armed,
    _root: knobs::Root,
    _current: state::Current,
}

impl ::kernel::InPlaceModule for SgioFilter {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let table = if *module_parameters::strict.value_ref() {
            policy::Table::Strict
        } else {
            policy::Table::Stock
        };
        let queue_knob = *module_parameters::queue_knob.value_ref();

        pin_init::pin_init_scope(move || {
            let state = state::State::new(table)?;
            Ok(try_pin_init!(Self {
                _current: state::Current::new(state.clone()),
                _root: knobs::Root::new(&state)?,
                _entry_points: hook::entry_points::Armed::new()?,
                devices: kernel::scsi::device_events::Registration::new()?,
                _rescans <- kernel::scsi::rescan::Hook::new(),
                // A logical unit may have been replaced before rescans were followed.
                _: { devices.for_each(hotplug::Devices::recheck_identity) },
                // All devices that were there before have been added by now.
                _: { hotplug::Devices::all_complete(&state)? },
                _sweeper: knobs::Sweeper::new()?,
                _queue_files: queue_knob.then(knobs::queue_files).transpose()?,
                _hook <- kernel::scsi::cmd_allowed::Hook::new(),
                _ready: state::Ready::new(state.clone()),
                // Last but one: an open file of it holds the module, even if loading fails after that.
                _control <- knobs::Control::new(),
                // Last: what user space does on the event may need all of the above.
                _: { hotplug::Devices::announce(devices) },
            }))
        })
    }
}
