// SPDX-License-Identifier: GPL-2.0

//! What policy files say.

use super::{At, Fault, HolderName, Lists, Place, Profiles, Selector};
use crate::settings::Settings;
use sgio_policy::policy::{Class, ReportLuns, Rule};

/// What the files say, in their order.
#[derive(Default)]
pub struct Policies {
    /// `[[device]]`: of those that match a device, the first decides.
    pub blocks: Vec<Block>,
    /// `[[class]]`, each class at most once.
    pub classes: Vec<ClassBlock>,
    /// `[[grant]]`: of those that match a device and a holder, the first decides.
    pub grants: Vec<GrantBlock>,
    /// `[all]`: `filter_sg` of all devices; none: it is left as it is.
    pub filter_sg: Option<At<bool>>,
    /// Those built in, those of the site, and `[profile.*]`.
    pub profiles: Profiles,
    /// What is most likely not meant of the files themselves: not read, empty, written by others.
    pub warnings: Vec<Fault>,
    pub(super) digest: u64,
}

impl Policies {
    /// Tells these files from others: it changes with the content of any of them, and with this program.
    pub fn digest(&self) -> String {
        format!("{} {:016x}", env!("CARGO_PKG_VERSION"), self.digest)
    }
}

/// A `[[device]]`.
pub struct Block {
    /// Where it begins.
    pub place: Place,
    /// `match`.
    pub selector: Selector,
    /// `unpriv_sgio`; false if it is not said.
    pub unpriv_sgio: At<bool>,
    /// `complain`; false if it is not said.
    pub complain: At<bool>,
    /// `report_luns`; passthrough if it is not said.
    pub report_luns: ReportLuns,
    /// `pr_exclusive`; false if it is not said.
    pub pr_exclusive: bool,
    /// `filter_sg`; false if it is not said.
    pub filter_sg: bool,
    /// Something else than `match` stands in it, be it empty.
    pub has_settings: bool,
    /// `deny`, `rules` and `allow`.
    pub own: Lists,
    /// `profile` or `profiles`.
    pub profiles: Vec<At<String>>,
}

impl Block {
    /// Its settings.
    pub fn settings(&self) -> Settings {
        Settings {
            unpriv_sgio: self.unpriv_sgio.value,
            complain: self.complain.value,
            report_luns: self.report_luns,
            pr_exclusive: self.pr_exclusive,
            filter_sg: self.filter_sg,
        }
    }
}

/// A `[[grant]]`.
pub struct GrantBlock {
    /// `to`.
    pub to: At<HolderName>,
    /// All else; its settings are off.
    pub block: Block,
}

/// A `[[class]]`.
pub struct ClassBlock {
    /// Where it begins.
    pub place: Place,
    /// `name`.
    pub class: Class,
    /// `table` or `rules`.
    pub content: ClassContent,
}

/// What a class gets.
#[derive(Clone)]
pub enum ClassContent {
    /// A built-in table, `strict` or `stock`.
    Table(String),
    /// Rules.
    Rules(Vec<At<Rule>>),
}
