// SPDX-License-Identifier: GPL-2.0

//! What the files would put in force, to be asked before it is.

use super::{ClassContent, Policies, Resolved};
use crate::verdict::{Policy, Tables};
use anyhow::Result;
use sgio_policy::policy::Class;

/// The policy that the files make for a device.
///
/// # Errors
///
/// Rules that make no policy.
pub fn planned(policies: &Policies, state: &Resolved<'_>, tables: &Tables) -> Result<Policy> {
    let mut policy = planned_class(policies, state.device.class, tables)?;
    if !state.entries().is_empty() {
        policy = policy.with_device_rules(state.rules())?;
    }
    let settings = &state.settings;
    policy.unpriv_sgio = settings.unpriv_sgio;
    policy.complain = settings.complain;
    policy.report_luns = settings.report_luns;
    Ok(policy)
}

/// The policy that the files make for a device of a class that no block matches.
///
/// # Errors
///
/// As [`planned`].
pub fn planned_class(policies: &Policies, class: Class, tables: &Tables) -> Result<Policy> {
    let block = policies.classes.iter().find(|block| block.class == class);
    let rules = match block.map(|block| &block.content) {
        Some(ClassContent::Rules(rules)) => {
            let lines: Vec<String> = rules.iter().map(|rule| rule.value.to_string()).collect();
            Some(lines.join("\n") + "\n")
        }
        Some(ClassContent::Table(table)) => (table == "stock").then(|| tables.stock.clone()),
        None => (!tables.strict).then(|| tables.stock.clone()),
    };
    Policy::of_class(class, rules.as_deref())
}
