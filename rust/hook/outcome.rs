// SPDX-License-Identifier: GPL-2.0

//! What becomes of a command, and how that is counted.

use crate::{
    kernel::uapi,
    state::device::{
        count,
        Stats, //
    }, //
};

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
    /// Counts and returns the outcome of a command that the policy does not allow.
    pub(crate) fn not_allowed(stats: &Stats, privileged: bool, complain: bool) -> Self {
        let (counter, outcome) = if privileged {
            (&stats.privileged, Self::Privileged)
        } else if complain {
            (&stats.complained, Self::Complained)
        } else {
            (&stats.refused, Self::Refused)
        };
        count(counter);
        outcome
    }

    /// Whether the command is sent.
    pub(crate) fn lets_through(self) -> bool {
        !matches!(self, Self::Refused | Self::Emulated)
    }
}
