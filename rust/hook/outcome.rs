// SPDX-License-Identifier: GPL-2.0

//! What becomes of a command, and how that is counted.

use crate::state::device::{
    count,
    Stats, //
};

/// What became of a command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The policy allows it.
    Allowed = 0,
    /// The policy does not, but the sender has `CAP_SYS_RAWIO`.
    Privileged = 1,
    /// The policy does not, and the device only complains.
    Complained = 2,
    /// The sender gets EPERM.
    Refused = 3,
    /// The filter replied in the place of the device.
    Emulated = 4,
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
