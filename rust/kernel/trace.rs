// SPDX-License-Identifier: GPL-2.0

//! The tracepoint in `rust/trace/`.
//!
//! `kernel::declare_trace!` looks for tracepoints in the kernel crate's bindings only, so that this
//! is written out here.
//!
//! C header: [`include/linux/tracepoint.h`](srctree/include/linux/tracepoint.h)

use crate::kernel::bindings;

pub(crate) use bindings::sgio_trace_decision as Decision;

/// Whether anybody wants to see decisions. A patched jump, not a load.
///
/// It is `static_branch_unlikely!`, which does not tell the compiler that it leaves the stack alone.
#[cfg(all(CONFIG_TRACEPOINTS, CONFIG_JUMP_LABEL))]
#[inline(always)]
pub(crate) fn decision_is_wanted() -> bool {
    // SAFETY: The key must be the `static_key` of a static that C defines: it is the field `key` of the tracepoint that
    // rust/trace/events.c defines, in this module, so that it is there whenever this code is. The code must do no more
    // than it says: it is a no-op, or a jump to `l_yes`, which the kernel patches as a whole, and an entry in the table
    // of such places; neither touches a register, the flags, memory or the stack, so that `nostack` is true.
    unsafe {
        kernel::asm!(
            include!(concat!(env!("OBJTREE"), "/rust/kernel/generated_arch_static_branch_asm.rs"));
            l_yes = label { return true },
            symb = sym bindings::__tracepoint_decision,
            off = const core::mem::offset_of!(bindings::tracepoint, key),
            branch = const kernel::jump_label::bool_to_int(false),
            options(nostack),
        );
    }
    false
}

/// Whether anybody wants to see decisions.
#[cfg(all(CONFIG_TRACEPOINTS, not(CONFIG_JUMP_LABEL)))]
#[inline(always)]
pub(crate) fn decision_is_wanted() -> bool {
    // SAFETY: The key must be a static key that C defines: it is the field `key` of the tracepoint that
    // rust/trace/events.c defines, in this module, so that it is there whenever this code is.
    unsafe {
        kernel::jump_label::static_branch_unlikely!(
            bindings::__tracepoint_decision,
            bindings::tracepoint,
            key
        )
    }
}

/// Nobody can want to see decisions.
#[cfg(not(CONFIG_TRACEPOINTS))]
#[inline(always)]
pub(crate) fn decision_is_wanted() -> bool {
    false
}

/// Traces what `decision` makes, if anybody wants it.
#[inline(always)]
pub(crate) fn decision(decision: impl FnOnce() -> Decision) {
    #[cfg(CONFIG_TRACEPOINTS)]
    {
        if decision_is_wanted() {
            let decision = decision();
            // SAFETY: The pointer must be valid during the call: it is to a local variable. Nothing else is required,
            // since the tracepoint protects its probes itself (`guard()` in `__DECLARE_TRACE()`).
            unsafe { bindings::rust_do_trace_decision(&raw const decision) };
        }
    }

    #[cfg(not(CONFIG_TRACEPOINTS))]
    let _ = decision;
}
