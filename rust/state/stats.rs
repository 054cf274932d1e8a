// SPDX-License-Identifier: GPL-2.0

//! Counters of outcomes: what the files `stats` print.

use crate::kernel::percpu::Counter;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// How often each outcome was that of a command. Counted by `Outcome::count()`.
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

    /// The counters at this moment, by the names that users see.
    pub(crate) fn named(&self) -> [(&'static str, u64); 5] {
        [
            ("allowed", self.allowed.sum()),
            ("privileged", self.privileged.load(Relaxed)),
            ("complained", self.complained.load(Relaxed)),
            ("refused", self.refused.load(Relaxed)),
            ("emulated", self.emulated.load(Relaxed)),
        ]
    }
}
