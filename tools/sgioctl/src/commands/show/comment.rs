// SPDX-License-Identifier: GPL-2.0

//! What a rule is about, in words.

use crate::{change::rules, names};
use sgio_policy::policy::Class;

/// The names of the commands that a rule matches on a class; empty if it is none.
pub(super) fn comment(rule: &str, class: Class) -> String {
    match rules::parse(rule).as_deref() {
        Ok([rule]) => names::of_rule(rule, class),
        _ => String::new(),
    }
}
