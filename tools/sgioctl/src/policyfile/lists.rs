// SPDX-License-Identifier: GPL-2.0

//! Lists of commands and rules, as a block or a profile has them.

use super::{At, CommandItem};
use sgio_policy::policy::Rule;

/// What a block or a profile allows and refuses, before it is known for which class.
#[derive(Clone, Default)]
pub struct Lists {
    /// `deny`: asked first.
    pub deny: Vec<At<CommandItem>>,
    /// `rules`: asked next.
    pub rules: Vec<At<Rule>>,
    /// `allow`: asked last.
    pub allow: Vec<At<CommandItem>>,
}
