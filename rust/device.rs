// SPDX-License-Identifier: GPL-2.0

//! What the filter knows of one SCSI device.

use crate::{
    kernel_ext::{
        percpu::Counter,
        scsi::{
            self,
            DeviceId,
            Hctl, //
        },
        sync::rcu::RcuArc, //
    },
    nexus::Nexus,
    policy::{
        Class,
        ReportLuns, //
    },
    state::Rules, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// The state of one device. It is made with the defaults and dies with the device.
pub(crate) struct Device {
    /// Its address.
    pub(crate) hctl: Hctl,
    /// Its identity to the kernel.
    pub(crate) scsi: DeviceId,
    /// No other device has or had it.
    pub(crate) id: u64,
    /// Its class, for life.
    pub(crate) class: Class,
    /// Everything is allowed.
    pub(crate) unpriv_sgio: Atomic<bool>,
    /// What is refused is let through.
    pub(crate) complain: Atomic<bool>,
    own_luns: Atomic<bool>,
    /// How it is reached, and who may reserve it.
    pub(crate) nexus: Arc<Nexus>,
    /// Its own rules, if it has any. Replaced with `State::writers` locked.
    pub(crate) rules: Rules,
    /// What was answered.
    pub(crate) stats: Stats,
    /// The last transaction it was named in. With `State::writers` locked.
    pub(crate) transaction: Atomic<u64>,
}

/// The id of the next device.
static NEXT_ID: Atomic<u64> = Atomic::new(1);

/// How many devices have `own_luns` set.
static WITH_OWN_LUNS: Atomic<usize> = Atomic::new(0);

impl Device {
    /// The defaults.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(device: &scsi::Device, nexus: Arc<Nexus>) -> Result<Self> {
        Ok(Self {
            hctl: device.hctl(),
            scsi: device.id(),
            id: NEXT_ID.fetch_add(1, Relaxed),
            class: Class::from_type(device.peripheral_device_type()),
            unpriv_sgio: Atomic::new(false),
            complain: Atomic::new(false),
            own_luns: Atomic::new(false),
            nexus,
            rules: RcuArc::none(),
            stats: Stats::new()?,
            transaction: Atomic::new(0),
        })
    }

    /// Who answers REPORT LUNS.
    pub(crate) fn report_luns(&self) -> ReportLuns {
        if self.has_own_luns() {
            ReportLuns::Own
        } else {
            ReportLuns::Passthrough
        }
    }

    /// REPORT LUNS is not for the device.
    #[inline]
    pub(crate) fn has_own_luns(&self) -> bool {
        self.own_luns.load(Acquire)
    }

    /// Sets who answers REPORT LUNS. Does not sleep.
    pub(crate) fn set_report_luns(&self, who: ReportLuns) {
        let own = who == ReportLuns::Own;
        match (self.own_luns.xchg(own, Full), own) {
            (false, true) => _ = WITH_OWN_LUNS.fetch_add(1, Full),
            (true, false) => _ = WITH_OWN_LUNS.fetch_sub(1, Full),
            _ => {}
        }
    }

    /// Whether REPORT LUNS is not for some device.
    pub(crate) fn any_has_own_luns() -> bool {
        WITH_OWN_LUNS.load(Acquire) != 0
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.set_report_luns(ReportLuns::Passthrough);
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
    /// REPORT LUNS that was answered without the device.
    pub(crate) emulated: Atomic<u64>,
}

impl Stats {
    fn new() -> Result<Self> {
        Ok(Self {
            allowed: Counter::new()?,
            privileged: Atomic::new(0),
            complained: Atomic::new(0),
            refused: Atomic::new(0),
            emulated: Atomic::new(0),
        })
    }
}

/// Counts one more. The counters order nothing.
#[inline]
pub(crate) fn count(counter: &Atomic<u64>) {
    counter.add(1, Relaxed);
}
