// SPDX-License-Identifier: GPL-2.0

//! Doing something with fewer rights than one has.
//!
//! C header: [`include/linux/cred.h`](srctree/include/linux/cred.h)

use crate::kernel::bindings;
use kernel::{
    prelude::*,
    types::ScopeGuard, //
};

/// Calls `f` with the current task's credentials less all effective capabilities.
///
/// # Errors
///
/// `ENOMEM` if the credentials cannot be made; `f` is then not called.
pub(crate) fn without_capabilities<R>(f: impl FnOnce() -> R) -> Result<R> {
    // SAFETY: `prepare_creds()` has no requirements.
    let cred = unsafe { bindings::prepare_creds() };
    if cred.is_null() {
        return Err(ENOMEM);
    }
    // SAFETY: `cred` is valid and not in use by any task yet.
    unsafe { bindings::cap_clear(cred) };
    // SAFETY: `cred` is valid. The credentials that it stands in for come back below, before
    // the reference to it is given up.
    let old = unsafe { bindings::override_creds(cred) };
    let _restore = ScopeGuard::new(|| {
        // SAFETY: `old` comes from the `override_creds()` above, in this task; what
        // `revert_creds()` returns is `cred`, whose reference from `prepare_creds()` is ours.
        unsafe { bindings::put_cred(bindings::revert_creds(old)) };
    });
    Ok(f())
}
