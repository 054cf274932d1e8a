// SPDX-License-Identifier: GPL-2.0

//! What differs between architectures.
//!
//! The generic file calls the kernel's C functions, and does without what there is no portable way for. That of x86-64
//! has what is measured to be worth it, as far as the kernel is configured for it.

#[cfg_attr(target_arch = "x86_64", allow(dead_code))]
mod generic;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use generic::*;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::*;
