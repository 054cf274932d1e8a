// SPDX-License-Identifier: GPL-2.0

//! How much the logs are told, by what it is about.
//!
//! Each device has limits of its own: what is sent to one must not hide what is sent to another. All messages that
//! are not about a known device share one set of limits.

use crate::kernel::ratelimit::RateLimit;
use kernel::{
    fmt,
    prelude::*, //
};

/// The limits of one device.
#[pin_data]
pub(crate) struct LogLimits {
    /// For the kernel log, of what `complain` lets through.
    #[pin]
    pub(crate) complaints: RateLimit,
    /// For the audit log, of what is refused.
    #[pin]
    pub(crate) refusals: RateLimit,
    /// For the kernel log, of rules that an administrator has written wrong.
    #[pin]
    pub(crate) mistakes: RateLimit,
}

impl LogLimits {
    /// Nothing was logged yet.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            complaints <- RateLimit::new(),
            refusals <- RateLimit::new(),
            mistakes <- RateLimit::new(),
        })
    }
}

/// The end of a message that tells how many like it, about the same device, were suppressed before it.
pub(crate) struct Suppressed(pub(crate) u32);

impl fmt::Display for Suppressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            n => write!(f, ", {n} suppressed"),
        }
    }
}
