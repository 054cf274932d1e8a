// SPDX-License-Identifier: GPL-2.0

//! What the files would put in force, to be asked before it is.

use super::{ClassContent, Policies, Resolved};
use crate::{root::Root, verdict::Policy};
use anyhow::Result;
use sgio_policy::policy::{Class, STOCK};

/// The policy that the files make for a device.
///
/// # Errors
///
/// Files of the running system that cannot be read.
pub fn planned(root: &Root, policies: &Policies, state: &Resolved<'_>) -> Result<Policy> {
    let mut policy = planned_class(root, policies, state.device.class)?;
    if !state.entries.is_empty() {
        policy = policy.with_device_rules(&state.rules())?;
    }
    policy.unpriv_sgio = state.unpriv_sgio;
    policy.complain = state.complain;
    policy.report_luns = state.report_luns;
    policy.pr_exclusive = state.pr_exclusive;
    Ok(policy)
}

/// Which table the module was loaded with.
fn loaded_strict(root: &Root) -> Result<bool> {
    let parameter = root.read("/sys/module/sgio_filter/parameters/strict")?;
    Ok(!matches!(parameter.as_deref(), Some("N" | "0")))
}

/// The list of the running kernel, if a class shows it; else that of Linux 7.3.
fn stock(root: &Root, class: Class) -> String {
    let file = |name| format!("/sys/kernel/sgio_filter/classes/{}/{name}", class.name());
    let table = root.read(file("table")).ok().flatten();
    match table.as_deref() {
        Some("stock") => root.read(file("rules")).ok().flatten(),
        _ => None,
    }
    .unwrap_or_else(|| STOCK.to_owned())
}

/// The policy that the files make for a device of a class that no block matches.
///
/// # Errors
///
/// As [`planned`].
pub fn planned_class(root: &Root, policies: &Policies, class: Class) -> Result<Policy> {
    let block = policies.classes.iter().find(|block| block.class == class);
    let rules = match block.map(|block| &block.content) {
        Some(ClassContent::Rules(rules)) => {
            let lines: Vec<String> = rules.iter().map(|rule| rule.value.to_string()).collect();
            Some(lines.join("\n") + "\n")
        }
        Some(ClassContent::Table(table)) => (table == "stock").then(|| stock(root, class)),
        None => (!loaded_strict(root)?).then(|| stock(root, class)),
    };
    Policy::of_class(class, rules.as_deref())
}
