// SPDX-License-Identifier: GPL-2.0

//! What the filter knows of one SCSI device.

use crate::{
    kernel_ext::{
        percpu::Counter,
        scsi::{
            self,
            Hctl, //
        },
        sync::rcu::RcuArc, //
    },
    policy::Class,
    state::Rules, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// The state of one device. It is made with the defaults and dies with the device.
pub(crate) struct Device {
    /// Its address.
    pub(crate) hctl: Hctl,
    /// No other device has or had it.
    pub(crate) id: u64,
    /// Its class, for life.
    pub(crate) class: Class,
    /// Everything is allowed.
    pub(crate) unpriv_sgio: Atomic<bool>,
    /// What is refused is let through.
    pub(crate) complain: Atomic<bool>,
    /// Its own rules, if it has any. Replaced with `State::writers` locked.
    pub(crate) rules: Rules,
    /// What was answered.
    pub(crate) stats: Stats,
    /// The last transaction it was named in. With `State::writers` locked.
    pub(crate) transaction: Atomic<u64>,
}

/// The id of the next device.
static NEXT_ID: Atomic<u64> = Atomic::new(1);

impl Device {
    /// The defaults.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(device: &scsi::Device) -> Result<Self> {
        Ok(Self {
            hctl: device.hctl(),
            id: NEXT_ID.fetch_add(1, Relaxed),
            class: Class::from_type(device.peripheral_device_type()),
            unpriv_sgio: Atomic::new(false),
            complain: Atomic::new(false),
            rules: RcuArc::none(),
            stats: Stats::new()?,
            transaction: Atomic::new(0),
        })
    }
}

/// How often each answer was given to senders of commands.
pub(crate) struct Stats {
    /// Allowed by the policy. Counted per CPU: this is the path of all guest I/O.
    pub(crate) allowed: Counter,
    /// Not allowed, but the sender had `CAP_SYS_RAWIO`.
    pub(crate) privileged: Atomic<u64>,
    /// Not allowed, but let through because of `complain`.
    pub(crate) complained: Atomic<u64>,
    /// Refused.
    pub(crate) refused: Atomic<u64>,
}

impl Stats {
    fn new() -> Result<Self> {
        Ok(Self {
            allowed: Counter::new()?,
            privileged: Atomic::new(0),
            complained: Atomic::new(0),
            refused: Atomic::new(0),
        })
    }
}

/// Counts one more. The counters order nothing.
#[inline]
pub(crate) fn count(counter: &Atomic<u64>) {
    counter.add(1, Relaxed);
}
