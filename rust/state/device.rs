// SPDX-License-Identifier: GPL-2.0

//! What the filter knows of one SCSI device.

use crate::{
    kernel::{
        scsi::{
            self,
            DeviceId,
            DeviceRef,
            LunInCdb, //
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
    state::filter::Rules,
    state::log_limits::LogLimits,
    state::nexus::Nexus,
    state::stats::Stats, //
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
    },
    time::{
        hrtimer::HrTimerExpires,
        BootTime,
        Instant, //
    }, //
};

/// The state of one device. It is made with the defaults and dies with the device, or when another logical unit is
/// behind the device's address.
pub(crate) struct DeviceState {
    /// Its address.
    pub(crate) hctl: Hctl,
    /// Its identity to the kernel.
    pub(crate) scsi: DeviceId,
    handle: DeviceRef,
    /// Unique since boot.
    pub(crate) id: u64,
    /// Its class, which does not change.
    pub(crate) class: Class,
    /// What the kernel makes of byte 1 of its CDBs: what is judged is what is sent.
    pub(crate) lun_in_cdb: LunInCdb,
    /// Its switches, and the rescans under way.
    pub(crate) modes: Modes,
    own_luns: Atomic<bool>,
    /// `/dev/sgN` is filtered however it is open.
    filter_sg: Atomic<bool>,
    /// Its I_T nexus, and the owner of that.
    pub(crate) nexus: Arc<Nexus>,
    /// Its own rules, if it has any. Replaced with `State::writers` locked.
    pub(crate) rules: Rules,
    /// Counters of the answers.
    pub(crate) stats: Stats,
    /// Rate limits of what is logged about it.
    pub(crate) log_limits: Pin<KBox<LogLimits>>,
    /// The last transaction that named it. Protected by `State::writers`.
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

/// What one rescan adds to the word of [`Modes`], above all switches.
const ONE_RESCAN: u32 = 1 << 8;

/// The switches that are on, in one word, so that one load tells that none is.
pub(crate) struct Modes(Atomic<u32>);

impl Modes {
    /// All off, with `rescans` rescans of the device under way.
    pub(crate) const fn with_rescans(rescans: u32) -> Self {
        Self(Atomic::new(rescans * ONE_RESCAN))
    }

    /// The number of rescans under way. It is part of the word, so that the fast path needs no load of its own.
    #[inline]
    pub(crate) fn rescans(&self) -> u32 {
        self.0.load(Acquire) / ONE_RESCAN
    }

    /// A rescan begins. Changed with `State::plugging` locked.
    pub(crate) fn begin_rescan(&self) {
        self.0.fetch_add(ONE_RESCAN, Full);
    }

    /// A rescan has ended.
    pub(crate) fn end_rescan(&self) {
        self.0.fetch_sub(ONE_RESCAN, Full);
    }

    /// Whether a switch is on.
    #[inline]
    pub(crate) fn has(&self, mode: Mode) -> bool {
        self.0.load(Acquire) & mode as u32 != 0
    }

    /// Whether a switch is on or a rescan is under way.
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

/// The id of the next device; 0 before the first one is added.
static NEXT_ID: Atomic<u64> = Atomic::new(0);

/// Returns an id that is unique since boot.
///
/// Ids count up from the time at which the first device is added, in microseconds since boot. Adding a device takes
/// longer than a microsecond, so the ids of a module stay below the time at which it is unloaded, and a module that is
/// loaded later begins above them.
fn new_id() -> u64 {
    let now = HrTimerExpires::as_nanos(&Instant::<BootTime>::now()) / 1000;
    let first = u64::try_from(now).unwrap_or(0).max(1);
    // It fails if another CPU has set it first.
    let _ = NEXT_ID.cmpxchg(0, first, Relaxed);
    NEXT_ID.fetch_add(1, Relaxed)
}

impl DeviceState {
    /// A device with the defaults, with `rescans` rescans under way.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(device: &scsi::Device, nexus: Arc<Nexus>, rescans: u32) -> Result<Self> {
        Ok(Self {
            hctl: device.into(),
            scsi: device.id(),
            handle: device.to_ref(),
            id: new_id(),
            class: Class::from_type(device.peripheral_device_type()),
            lun_in_cdb: device.lun_in_cdb(),
            modes: Modes::with_rescans(rescans),
            own_luns: Atomic::new(false),
            filter_sg: Atomic::new(false),
            nexus,
            rules: RcuArc::none(),
            stats: Stats::new()?,
            log_limits: KBox::pin_init(LogLimits::new(), GFP_KERNEL)?,
            transaction: Atomic::new(0),
        })
    }

    /// Whether the logical unit at the address has the name that this state was made for.
    pub(crate) fn has_its_name(&self) -> bool {
        self.handle.has_lu_name(&self.nexus.name)
    }

    /// Whether this state is that of the logical unit at the address. Only a rescan can change the name.
    #[inline]
    pub(crate) fn is_that_of_lu(&self) -> bool {
        self.modes.rescans() == 0 || self.has_its_name()
    }

    /// Whether the device or the filter answers REPORT LUNS.
    pub(crate) fn report_luns(&self) -> ReportLuns {
        if self.has_own_luns() {
            ReportLuns::Own
        } else {
            ReportLuns::Passthrough
        }
    }

    /// Whether the filter answers REPORT LUNS, with this logical unit alone.
    #[inline]
    pub(crate) fn has_own_luns(&self) -> bool {
        self.own_luns.load(Acquire)
    }

    /// Whether `/dev/sgN` is filtered however it is open.
    #[inline(always)]
    pub(crate) fn filters_sg(&self) -> bool {
        self.filter_sg.load_once()
    }

    /// Sets whether `/dev/sgN` is filtered however it is open. Does not sleep.
    pub(crate) fn set_filter_sg(&self, filter: bool) {
        self.filter_sg.store(filter, Relaxed);
    }

    /// Sets whether the device or the filter answers REPORT LUNS. Does not sleep.
    pub(crate) fn set_report_luns(&self, who: ReportLuns) {
        self.own_luns.store(who == ReportLuns::Own, Release);
    }
}

#[kunit_tests(sgio_filter_device)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_new() {
        let (first, second) = (new_id(), new_id());
        assert!(first != 0);
        assert!(first < second);
    }

    #[test]
    fn rescans_are_no_switch() {
        let modes = Modes::with_rescans(1);
        modes.begin_rescan();
        modes.set(Mode::Unpriv, true);
        assert_eq!(modes.rescans(), 2);
        modes.end_rescan();
        modes.set(Mode::Unpriv, false);
        assert!(modes.any());
        modes.end_rescan();
        assert!(!modes.any());
        assert!(!modes.has(Mode::Complain));
    }

    #[test]
    fn switches_are_apart() {
        let modes = Modes::with_rescans(0);
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
