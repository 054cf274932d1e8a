// SPDX-License-Identifier: GPL-2.0

//! The decision.

use super::{
    rule::{Action, Rule},
    text::Listed,
};

/// What is said of a command.
#[derive(PartialEq, Eq, Debug)]
pub enum Answer {
    /// Everything is allowed.
    Unpriv,
    /// By this rule.
    Allowed(Whose, usize),
    /// By this rule.
    Denied(Whose, usize),
    /// By this rule, since the file is not open for writing.
    NeedsWrite(Whose, usize),
    /// No rule matches.
    NoRule,
    /// REPORT LUNS, which would be allowed, is answered without the device.
    OwnLuns,
}

/// Whose rule it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// The device's own.
    Device,
    /// Its class's.
    Class,
    /// A grant's that the sender holds.
    Grant,
}

/// What a decision is made on besides the command.
pub struct Rules<'a> {
    /// The device's `unpriv_sgio`.
    pub unpriv: bool,
    /// The device's `report_luns` is `own`.
    pub own_luns: bool,
    /// The device's own rules.
    pub device: &'a [Listed],
    /// Those of the grants that the sender holds on the device, in the order in which they are asked.
    pub grants: &'a [Vec<Listed>],
    /// Those of its class.
    pub class: &'a [Listed],
    /// The time in nanoseconds.
    pub now: u64,
}

/// Decides.
pub fn decide(rules: &Rules<'_>, cdb: &[u8], write: bool) -> Answer {
    match by_rules(rules, cdb, write) {
        Answer::Unpriv | Answer::Allowed(..) if rules.own_luns && cdb[0] == 0xa0 => Answer::OwnLuns,
        answer => answer,
    }
}

fn by_rules(rules: &Rules<'_>, cdb: &[u8], write: bool) -> Answer {
    if rules.unpriv {
        return Answer::Unpriv;
    }
    let first = |list: &[Listed]| {
        let holds = |listed: &Listed| listed.applies(rules.now) && matches(&listed.rule, cdb);
        let number = list.iter().position(holds)?;
        Some((number, list[number].rule.action))
    };
    let device = first(rules.device);
    if let Some((number, Action::Deny)) = device {
        return Answer::Denied(Whose::Device, number);
    }
    for grant in rules.grants {
        match first(grant) {
            Some((number, Action::AllowRead)) => return Answer::Allowed(Whose::Grant, number),
            Some((number, Action::AllowWrite)) if write => {
                return Answer::Allowed(Whose::Grant, number)
            }
            _ => (),
        }
    }
    for (whose, found) in [(Whose::Device, device), (Whose::Class, first(rules.class))] {
        if let Some((number, action)) = found {
            return match action {
                Action::Deny => Answer::Denied(whose, number),
                Action::AllowWrite if !write => Answer::NeedsWrite(whose, number),
                Action::AllowWrite | Action::AllowRead => Answer::Allowed(whose, number),
            };
        }
    }
    Answer::NoRule
}

/// A field beyond the end of a CDB does not exist: an `allow` rule that names it does not match, a `deny`
/// rule does.
pub fn matches(rule: &Rule, cdb: &[u8]) -> bool {
    if !rule.opcodes.contains(&cdb[0]) {
        return false;
    }
    for field in &rule.fields {
        let holds = if field.byte < cdb.len() {
            field.values.contains(&(cdb[field.byte] & field.mask))
        } else {
            rule.action == Action::Deny
        };
        if !holds {
            return false;
        }
    }
    true
}
