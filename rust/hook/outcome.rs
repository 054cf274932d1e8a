// SPDX-License-Identifier: GPL-2.0

//! What becomes of a command, and how that is counted: all that `stats` prints is counted here.

use crate::{
    kernel::uapi,
    state::stats::Stats, //
};
use kernel::sync::atomic::Relaxed;

/// What became of a command; the codes are those of the UAPI header.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Outcome {
    /// The policy allows it.
    Allowed = uapi::OUTCOME_ALLOWED as u8,
    /// The policy does not, but the sender has `CAP_SYS_RAWIO`.
    Privileged = uapi::OUTCOME_PRIVILEGED as u8,
    /// The policy does not, and the device only complains.
    Complained = uapi::OUTCOME_COMPLAINED as u8,
    /// The sender gets EPERM, or with `filter_sg`, where it is too late for an error, CHECK CONDITION.
    Refused = uapi::OUTCOME_REFUSED as u8,
    /// The filter replied in the place of the device.
    Emulated = uapi::OUTCOME_EMULATED as u8,
}

impl Outcome {
    /// The outcome of a command that the policy does not allow.
    pub(crate) fn of_not_allowed(privileged: bool, complains: bool) -> Self {
        if privileged {
            Self::Privileged
        } else if complains {
            Self::Complained
        } else {
            Self::Refused
        }
    }

    /// Counts one more of it.
    #[inline(always)]
    pub(crate) fn count(self, stats: &Stats) {
        let counter = match self {
            Self::Allowed => return stats.allowed.inc(),
            Self::Privileged => &stats.privileged,
            Self::Complained => &stats.complained,
            Self::Refused => &stats.refused,
            Self::Emulated => &stats.emulated,
        };
        // The counters order nothing.
        counter.add(1, Relaxed);
    }

    /// Whether the command is sent.
    pub(crate) fn lets_through(self) -> bool {
        !matches!(self, Self::Refused | Self::Emulated)
    }
}
