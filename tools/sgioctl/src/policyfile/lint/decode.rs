// SPDX-License-Identifier: GPL-2.0

//! What is known of a CDB.

use crate::names;
use sgio_policy::policy::Class;

/// What is known of a CDB on a class: [`NAMES`], or what a test says.
pub type Decode = fn(&[u8], Class) -> (Option<String>, bool);

/// The name of a command, and whether it is destructive, as [`names::decode`] has it.
pub const NAMES: Decode = |cdb, class| {
    let decoded = names::decode(cdb, class);
    (decoded.name, decoded.destructive)
};
