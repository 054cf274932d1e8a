// SPDX-License-Identifier: GPL-2.0

//! Bindings to what the kernel crate has none for.
//!
//! Private to `rust/kernel/`. What is generated and from what:
//! `rust/bindings/parameters` and `rust/bindings/bindings_helper.h`.

#![allow(
    clippy::all,
    clippy::as_underscore,
    clippy::cast_lossless,
    clippy::ptr_as_ptr,
    clippy::ref_as_ptr,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    unsafe_code,
    unsafe_op_in_unsafe_fn
)]
#![allow(clippy::undocumented_unsafe_blocks)]

// Every type that is not generated here is the kernel crate's own.
pub(crate) use kernel::bindings::*;
use kernel::ffi;
use pin_init::MaybeZeroable;

include!(concat!(
    env!("SGIO_FILTER_OBJ"),
    "/rust/bindings/bindings_generated.rs"
));
