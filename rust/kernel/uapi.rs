// SPDX-License-Identifier: GPL-2.0

//! Structures and codes that this module exchanges with user space (`rust/uapi/`).

use crate::kernel::bindings;
use kernel::transmute::{
    AsBytes,
    FromBytes, //
};

pub(crate) use bindings::{
    sgio_filter_check as Check,
    SGIO_FILTER_ALLOWED as ALLOWED,
    SGIO_FILTER_AS_CGROUP as AS_CGROUP,
    SGIO_FILTER_BY_CLASS as BY_CLASS,
    SGIO_FILTER_CDB_MAX as CDB_MAX,
    SGIO_FILTER_DENIED as DENIED,
    SGIO_FILTER_LAYER_CLASS as LAYER_CLASS,
    SGIO_FILTER_LAYER_DEVICE as LAYER_DEVICE,
    SGIO_FILTER_LAYER_GRANT as LAYER_GRANT,
    SGIO_FILTER_LAYER_NONE as LAYER_NONE,
    SGIO_FILTER_NEEDS_WRITE as NEEDS_WRITE,
    SGIO_FILTER_NOT_OWNER as NOT_OWNER,
    SGIO_FILTER_NO_RULE as NO_RULE,
    SGIO_FILTER_OUTCOME_ALLOWED as OUTCOME_ALLOWED,
    SGIO_FILTER_OUTCOME_COMPLAINED as OUTCOME_COMPLAINED,
    SGIO_FILTER_OUTCOME_EMULATED as OUTCOME_EMULATED,
    SGIO_FILTER_OUTCOME_PRIVILEGED as OUTCOME_PRIVILEGED,
    SGIO_FILTER_OUTCOME_REFUSED as OUTCOME_REFUSED,
    SGIO_FILTER_OWN_LUNS as OWN_LUNS,
    SGIO_FILTER_UNPRIV as UNPRIV,
    SGIO_FILTER_WRITE as WRITE, //
};

// SAFETY: All fields are integers and arrays of them, without padding in between (below).
unsafe impl FromBytes for Check {}

// SAFETY: There is no padding: the sizes of the fields add up to that of the structure. Nothing in
// it can change behind a shared reference.
unsafe impl AsBytes for Check {}

const _: () = assert!(size_of::<Check>() == 4 * 4 + 8 + 2 * 4 + 8 + 4 + 32 + 5 * 4 + 8);
