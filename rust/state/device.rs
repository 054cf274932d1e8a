// SPDX-License-Identifier: GPL-2.0

//! What the filter knows of one SCSI device.

use crate::{
    kernel::{
        percpu::Counter,
        scsi::{
            self,
            DeviceId, //
        },
        sync::{
            load::Load,
            rcu::RcuArc, //
        }, //
    },
    policy::{
        Class,
        Hctl,
        ReportLuns, //
    },
    state::nexus::Nexus,
    state::rules::Rules, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed,
            Release, //
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
    /// What is not decided by rules alone.
    pub(crate) modes: Modes,
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

/// A switch of a device.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    /// `unpriv_sgio`: everything is allowed.
    Unpriv = 1 << 0,
    /// `complain`: what is refused is let through.
    Complain = 1 << 1,
}

/// The switches that are on: in one word, so that one look tells that none is.
pub(crate) struct Modes(Atomic<u32>);

impl Modes {
    /// All are off.
    pub(crate) const fn none() -> Self {
        Self(Atomic::new(0))
    }

    /// Whether a switch is on.
    #[inline]
    pub(crate) fn has(&self, mode: Mode) -> bool {
        self.0.load(Acquire) & mode as u32 != 0
    }

    /// Whether there is any.
    #[inline(always)]
    pub(crate) fn any(&self) -> bool {
        self.0.load_acquire() != 0
    }

    /// Turns a switch on or off. Does not sleep.
    pub(crate) fn set(&self, mode: Mode, on: bool) {
        let mut old = self.0.load(Relaxed);
        loop {
            let new = match on {
                true => old | mode as u32,
                false => old & !(mode as u32),
            };
            match self.0.cmpxchg(old, new, Full) {
                Ok(_) => return,
                Err(other) => old = other,
            }
        }
    }
}

/// The id of the next device.
static NEXT_ID: Atomic<u64> = Atomic::new(1);

impl Device {
    /// The defaults.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(device: &scsi::Device, nexus: Arc<Nexus>) -> Result<Self> {
        Ok(Self {
            hctl: device.into(),
            scsi: device.id(),
            id: NEXT_ID.fetch_add(1, Relaxed),
            class: Class::from_type(device.peripheral_device_type()),
            modes: Modes::none(),
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
        self.own_luns.store(who == ReportLuns::Own, Release);
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
    pub(super) fn new() -> Result<Self> {
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

#[kunit_tests(sgio_filter_device)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_apart() {
        let modes = Modes::none();
        assert!(!modes.any());
        for (mode, on, unpriv, complain) in [
            (Mode::Complain, true, false, true),
            (Mode::Unpriv, true, true, true),
            (Mode::Unpriv, true, true, true),
            (Mode::Complain, false, true, false),
            (Mode::Complain, false, true, false),
            (Mode::Unpriv, false, false, false),
        ] {
            modes.set(mode, on);
            assert_eq!(modes.has(Mode::Unpriv), unpriv);
            assert_eq!(modes.has(Mode::Complain), complain);
            assert_eq!(modes.any(), unpriv || complain);
        }
    }
}
