// SPDX-License-Identifier: GPL-2.0

//! Any architecture.

use core::ffi::c_void;

/// Code that ftrace may call at the beginning of a function: there is none.
#[derive(Clone, Copy)]
pub(crate) enum Trampoline {}

impl Trampoline {
    /// That of `sg_ioctl()`.
    pub(crate) fn of_sg_ioctl() -> Option<Self> {
        None
    }

    /// That of `blk_execute_rq_nowait()`.
    pub(crate) fn of_blk_execute_rq_nowait() -> Option<Self> {
        None
    }

    /// Its address.
    pub(crate) fn as_ptr(self) -> *const c_void {
        match self {}
    }
}

/// The targets of the calls in a text: not known.
pub(crate) fn branch_targets(_at: usize, _text: &[u8]) -> Option<core::iter::Empty<usize>> {
    None
}
