// SPDX-License-Identifier: GPL-2.0

//! A decision in a sentence.

use crate::{names::Decoded, verdict::Policy};
use sgio_policy::policy::{Decision, Layer};

/// Why the decision is what it is.
pub(super) fn why(
    policy: &Policy,
    command: &Decoded,
    decision: Decision,
    rule: Option<&str>,
) -> String {
    let class = policy.class.name();
    let by = |layer, number: u16| {
        let whose = match layer {
            Layer::Device => "of the device".to_owned(),
            Layer::Class => format!("of class {class}"),
            Layer::Grant => "of a grant".to_owned(),
        };
        let text = rule.map(|rule| format!(" '{rule}'")).unwrap_or_default();
        format!("rule {number} {whose}{text}")
    };
    match decision {
        Decision::Unpriv => "unpriv_sgio is 1, so everything is allowed".to_owned(),
        Decision::Allowed(layer, number) => by(layer, number),
        Decision::Denied(layer, number) => format!("{} denies it", by(layer, number)),
        Decision::NeedsWriteOpen(layer, number) => format!(
            "{} allows it to files open for writing only; open the device O_RDWR",
            by(layer, number)
        ),
        Decision::OwnLuns => {
            "report_luns is 'own', so SG_IO has an answer from the filter, with this logical unit \
             alone; every other interface is refused"
                .to_owned()
        }
        Decision::NotOwner => "pr_exclusive is 1, and another cgroup owns the I_T nexus".to_owned(),
        Decision::NoRule => {
            let own = match policy.device_rules {
                Some(_) => "neither a rule of the device nor one of",
                None => "no rule of",
            };
            format!(
                "{own} class {class} matches{}",
                meant_for_others(class, command)
            )
        }
    }
}

/// An opcode that is refused here may be one that everybody knows from another class.
fn meant_for_others(class: &str, command: &Decoded) -> String {
    let Some((classes, name)) = command.elsewhere.first() else {
        return String::new();
    };
    let on = classes.first().map(String::as_str).unwrap_or_default();
    match &command.name {
        Some(here) => format!(
            "; opcode {:02x} is {name} on class {on}, but {here} on {class}",
            command.opcode
        ),
        None => format!(
            "; opcode {:02x} is {name} on class {on}, but nothing on {class}",
            command.opcode
        ),
    }
}
