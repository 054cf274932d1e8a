// SPDX-License-Identifier: GPL-2.0

//! The policy of sgio-filter outside the kernel: for the tool, and for tests.
//!
//! [`policy`] is the very source that the kernel module is built from; [`filter`] is the memory
//! for it; [`uapi`] is what the module and programs agree upon.

pub mod filter;
#[path = "../../../rust/policy/mod.rs"]
pub mod policy;
mod serialize;
pub mod uapi;
