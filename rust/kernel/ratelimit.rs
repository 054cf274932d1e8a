// SPDX-License-Identifier: GPL-2.0

//! Rate limits, for what an unprivileged process can make the kernel say.
//!
//! C header: [`include/linux/ratelimit.h`](srctree/include/linux/ratelimit.h)

use crate::kernel::bindings;
use kernel::{
    prelude::*,
    types::Opaque, //
};

/// At most so many events in so much time.
#[pin_data]
pub(crate) struct RateLimit {
    #[pin]
    state: Opaque<bindings::ratelimit_state>,
    name: &'static CStr,
}

// SAFETY: `ratelimit_state` is protected by its own lock.
unsafe impl Send for RateLimit {}

// SAFETY: As above.
unsafe impl Sync for RateLimit {}

impl RateLimit {
    /// The kernel's usual limit for messages: 10 in 5 seconds. When some were left out, the kernel
    /// says how many, by `name`.
    pub(crate) fn new(name: &'static CStr) -> impl PinInit<Self> {
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
            name,
        })
    }

    /// Whether one more event is within the limit. May be called in any context.
    pub(crate) fn allows(&self) -> bool {
        // SAFETY: `state` was initialised in `new()`.
        unsafe { bindings::___ratelimit(self.state.get(), self.name.as_char_ptr()) != 0 }
    }
}
