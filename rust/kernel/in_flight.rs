// SPDX-License-Identifier: GPL-2.0

//! Calls of a function of ours that sleep there, and waiting for them.
//!
//! A redirection ([`super::ftrace`]) that has ended waits for tasks that run in the replacement, but not for those
//! that sleep in it. So these are counted.

use super::ftrace::wait_for_tasks;
use kernel::{
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// How many calls of a function are under way.
pub(crate) struct InFlight(Atomic<usize>);

/// One call.
pub(crate) struct Call<'a>(&'a InFlight);

impl InFlight {
    /// None.
    pub(crate) const fn none() -> Self {
        Self(Atomic::new(0))
    }

    /// Counts a call until the result is dropped. To be called before the function sleeps.
    pub(crate) fn enter(&self) -> Call<'_> {
        self.0.fetch_add(1, Relaxed);
        Call(self)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0 .0.fetch_sub(1, Release);
    }
}

/// When it is dropped, waits until no call is under way. No call may begin any more, and all tasks must have been
/// waited for ([`wait_for_tasks`]) since the last could: then each call has been counted.
pub(crate) struct Wait(pub(crate) &'static InFlight);

impl Drop for Wait {
    fn drop(&mut self) {
        while self.0 .0.load(Acquire) != 0 {
            fsleep(Delta::from_millis(10));
        }
        // The last few instructions behind the count do not sleep.
        wait_for_tasks();
    }
}
