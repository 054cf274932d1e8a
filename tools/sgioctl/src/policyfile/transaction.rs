// SPDX-License-Identifier: GPL-2.0

//! The text of a transaction: `Documentation/ABI/testing/dev-sgio_filter`.

use super::{ClassContent, Policies, Resolved};
use sgio_policy::policy::Class;
use std::fmt::Write as _;

/// The section of a device; `id` is that of the device object that is meant.
pub fn device(resolved: &Resolved<'_>, id: Option<u64>) -> String {
    let mut text = format!("device {}", resolved.device.hctl);
    if let Some(id) = id {
        text += &format!(" id={id}");
    }
    // Writing to a String cannot fail.
    let (settings, rules) = (resolved.settings.lines(), resolved.rules());
    let _ = write!(text, "\n{settings}rules\n{rules}\n");
    text
}

/// The sections of all classes; those that no file names get back their defaults.
pub fn classes(policies: &Policies) -> String {
    let sections = Class::ALL.into_iter().map(|one| class(policies, one));
    sections.collect()
}

/// The section of one class.
pub fn class(policies: &Policies, class: Class) -> String {
    let block = policies.classes.iter().find(|block| block.class == class);
    let mut text = format!("class {}\n", class.name());
    match block.map(|block| &block.content) {
        Some(ClassContent::Table(table)) => text += &format!("table {table}\n\n"),
        Some(ClassContent::Rules(rules)) => {
            text += "rules\n";
            text.extend(rules.iter().map(|rule| format!("{}\n", rule.value)));
            text += "\n";
        }
        None => text += "rules\n\n",
    }
    text
}
