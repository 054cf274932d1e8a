// SPDX-License-Identifier: GPL-2.0

//! The tracepoint in `rust/trace/`.
//!
//! `kernel::declare_trace!` looks for tracepoints in the kernel crate's bindings only, so that this
//! is written out here.
//!
//! C header: [`include/linux/tracepoint.h`](srctree/include/linux/tracepoint.h)

use crate::kernel_ext::bindings;
#[cfg(CONFIG_TRACEPOINTS)]
use kernel::jump_label::static_branch_unlikely;

pub(crate) use bindings::sgio_trace_decision as Decision;

/// Whether anybody wants to see decisions. A patched jump, not a load.
#[inline(always)]
pub(crate) fn decision_is_wanted() -> bool {
    #[cfg(CONFIG_TRACEPOINTS)]
    // SAFETY: The key is that of a tracepoint, defined by C.
    return unsafe {
        static_branch_unlikely!(bindings::__tracepoint_decision, bindings::tracepoint, key)
    };
    #[cfg(not(CONFIG_TRACEPOINTS))]
    return false;
}

/// Traces what `decision` makes, if anybody wants it. To be called with the RCU read lock held.
#[inline(always)]
pub(crate) fn decision(decision: impl FnOnce() -> Decision) {
    #[cfg(CONFIG_TRACEPOINTS)]
    {
        if decision_is_wanted() {
            let decision = decision();
            // SAFETY: The structure is valid for the call.
            unsafe { bindings::rust_do_trace_decision(&raw const decision) };
        }
    }

    #[cfg(not(CONFIG_TRACEPOINTS))]
    let _ = decision;
}
