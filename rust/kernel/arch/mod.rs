// SPDX-License-Identifier: GPL-2.0

//! What differs between architectures.
//!
//! Each has a file with the same items. That of x86-64 has what is measured to be worth it; the generic one calls the
//! kernel's C functions, and does without what there is no portable way for.

#[cfg_attr(target_arch = "x86_64", path = "x86.rs")]
#[cfg_attr(not(target_arch = "x86_64"), path = "generic.rs")]
mod this;

pub(crate) use this::*;
