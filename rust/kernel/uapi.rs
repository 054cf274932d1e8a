// SPDX-License-Identifier: GPL-2.0

//! Structures that this module exchanges with user space (`rust/uapi/`).

use crate::kernel::bindings;
use kernel::transmute::{
    AsBytes,
    FromBytes, //
};

pub(crate) use bindings::{
    sgio_filter_check as Check,
    SGIO_FILTER_BY_CLASS as BY_CLASS,
    SGIO_FILTER_WRITE as WRITE, //
};

// SAFETY: All fields are integers and arrays of them, without padding in between (below).
unsafe impl FromBytes for Check {}

// SAFETY: There is no padding: the sizes of the fields add up to that of the structure. Nothing in
// it can change behind a shared reference.
unsafe impl AsBytes for Check {}

const _: () = assert!(size_of::<Check>() == 2 * 8 + 8 + 3 * 4 + 32 + 5 * 4);
