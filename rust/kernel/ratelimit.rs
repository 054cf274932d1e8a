// SPDX-License-Identifier: GPL-2.0

//! Rate limits, for what an unprivileged process can make the kernel say.
//!
//! C header: [`include/linux/ratelimit.h`](srctree/include/linux/ratelimit.h)

use crate::kernel::bindings;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    types::Opaque, //
};

/// At most so many events in so much time.
#[pin_data]
pub(crate) struct RateLimit {
    #[pin]
    state: Opaque<bindings::ratelimit_state>,
    /// The events since the last that was within the limit.
    suppressed: Atomic<u32>,
}

// SAFETY: `ratelimit_state` belongs to no thread.
unsafe impl Send for RateLimit {}

// SAFETY: `ratelimit_state` is protected by its own lock.
unsafe impl Sync for RateLimit {}

impl RateLimit {
    /// The kernel's usual limit for messages: 10 in 5 seconds.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- Opaque::ffi_init(|state| {
                // SAFETY: `state` is valid for writes and pinned.
                unsafe {
                    bindings::ratelimit_state_init(
                        state,
                        bindings::DEFAULT_RATELIMIT_INTERVAL as c_int,
                        bindings::DEFAULT_RATELIMIT_BURST as c_int,
                    )
                }
            }),
            suppressed: Atomic::new(0),
        })
    }

    /// Admits an event if it is within the limit, and returns the number of events suppressed since the last one admitted. Each
    /// suppressed event is counted in one such number. May be called in any context.
    pub(crate) fn admit(&self) -> Option<u32> {
        // SAFETY: `state` was initialised in `new()`. The name is for a message that is switched off.
        let admitted =
            unsafe { bindings::___ratelimit(self.state.get(), c"sgio_filter".as_char_ptr()) != 0 };
        if !admitted {
            self.suppressed.fetch_add(1, Relaxed);
            return None;
        }
        Some(self.suppressed.xchg(0, Relaxed))
    }

    /// Suppresses an event if the limit is used up at this moment, and counts it as [`admit`](Self::admit) does; returns
    /// whether it did. It takes no lock. May be called in any context.
    pub(crate) fn suppress_if_used_up(&self) -> bool {
        // SAFETY: `state` was initialised in `new()`. What others write at the same time is read once.
        let used_up = unsafe { bindings::ratelimit_is_used_up(self.state.get()) };
        if used_up {
            self.suppressed.fetch_add(1, Relaxed);
        }
        used_up
    }
}

#[kunit_tests(sgio_filter_ratelimit)]
mod tests {
    use super::*;

    #[test]
    fn tells_each_suppressed_event_once() -> Result {
        let limit = KBox::pin_init(RateLimit::new(), GFP_KERNEL)?;
        let other = KBox::pin_init(RateLimit::new(), GFP_KERNEL)?;
        let (mut admitted, mut told) = (0, 0);
        for _ in 0..100 {
            if let Some(suppressed) = limit.admit() {
                admitted += 1;
                told += suppressed;
            }
        }
        assert!((10..100).contains(&admitted));
        assert_eq!(admitted + told + limit.suppressed.load(Relaxed), 100);
        assert_eq!(other.admit(), Some(0));
        Ok(())
    }

    #[test]
    fn suppresses_only_what_it_would_not_admit() -> Result {
        let limit = KBox::pin_init(RateLimit::new(), GFP_KERNEL)?;
        let (mut seen, mut told) = (0, 0);
        // Of a limit that was not used, and as long as there is room.
        assert!(!limit.suppress_if_used_up());
        while !limit.suppress_if_used_up() {
            told += limit.admit().map_or(0, |suppressed| 1 + suppressed);
            seen += 1;
            assert!(seen <= 100);
        }
        assert!((10..100).contains(&told));
        // The one that ended the loop.
        seen += 1;
        assert_eq!(told + limit.suppressed.load(Relaxed), seen);
        Ok(())
    }
}
