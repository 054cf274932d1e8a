// SPDX-License-Identifier: GPL-2.0

//! Opcodes that are another command on another class.

use super::{
    super::{At, Block, Origin, PlacedRule, Policies},
    decode::Decode,
    probe::probes,
    remark::Remarks,
};
use crate::names;
use sgio_policy::policy::{Action, Class, Rule};
use std::collections::BTreeMap;

/// The classes whose opcodes differ most: where a block does not say which, these are compared.
const TYPICAL: [Class; 5] = [
    Class::DISK,
    Class::TAPE,
    Class::CDROM,
    Class::CHANGER,
    Class::ENCLOSURE,
];

/// How many opcodes of a profile are named.
const MAX_OPCODES: usize = 4;

/// The first opcode of a rule that is another command on another one of these classes.
fn ambiguous(rule: &Rule, classes: &[Class], decode: Decode) -> Option<String> {
    probes(rule).iter().find_map(|cdb| {
        let mut meanings: Vec<(String, &str)> = Vec::new();
        for class in classes {
            if let (Some(name), _) = decode(cdb, *class) {
                if meanings.iter().all(|(other, _)| *other != name) {
                    meanings.push((name, class.name()));
                }
            }
        }
        let list = meanings
            .iter()
            .map(|(name, class)| format!("{name} ({class})"));
        let list: Vec<String> = list.collect();
        let opcode = cdb[0];
        (list.len() > 1).then(|| format!("{opcode:02x} depends on the class: {}", list.join(", ")))
    })
}

/// Rules of a block that do not say on which class they are meant.
pub(super) fn other_meanings(
    entries: &[PlacedRule],
    block: &Block,
    policies: &Policies,
    decode: Decode,
    remarks: &mut Remarks,
) {
    for entry in entries {
        if entry.rule.action() == Action::Deny {
            continue;
        }
        let Origin::Profile(name) = &entry.origin else {
            if let Some(message) = ambiguous(&entry.rule, &TYPICAL, decode) {
                remarks.warn(&entry.place, &message, "add class to match");
            }
            continue;
        };
        let Some((at, profile)) = named(block, name).zip(policies.profiles.named(name, None))
        else {
            continue;
        };
        if profile.is_for_all_by_design() {
            continue;
        }
        // On a class that it is not for, it opens nothing.
        let classes = match profile.classes.as_slice() {
            [] => &TYPICAL,
            classes => classes,
        };
        if let Some(message) = ambiguous(&entry.rule, classes, decode) {
            let message = format!("profile '{name}': {message}");
            remarks.warn(
                &at.place,
                &message,
                "add class to match, or a profile for each class",
            );
        }
    }
}

/// Profiles that open, on a class, what is a command of other classes alone.
pub(super) fn foreign(
    entries: &[PlacedRule],
    class: Class,
    block: &Block,
    policies: &Policies,
    remarks: &mut Remarks,
) {
    for at in &block.profiles {
        let Some(profile) = policies.profiles.named(&at.value, Some(class)) else {
            continue;
        };
        if profile.is_for_all_by_design() {
            continue;
        }
        let mut found: BTreeMap<u8, String> = BTreeMap::new();
        let of_it = |entry: &&PlacedRule| {
            let its = matches!(&entry.origin, Origin::Profile(name) if *name == at.value);
            its && entry.rule.action() != Action::Deny
        };
        for entry in entries.iter().filter(of_it) {
            let probes = probes(&entry.rule);
            for opcode in entry.rule.opcodes().iter() {
                let mut of_opcode = probes.iter().filter(|cdb| cdb[0] == opcode).peekable();
                let Some(first) = of_opcode.peek() else {
                    continue;
                };
                let elsewhere = names::decode(*first, class).elsewhere;
                if of_opcode.any(|cdb| names::decode(cdb, class).name.is_some()) {
                    continue;
                }
                // One that the profile is for too is what was meant.
                let is_its = |(classes, _): &&(Vec<String>, String)| {
                    let its = |class: &Class| classes.iter().any(|name| name == class.name());
                    profile.classes.iter().any(its)
                };
                let meant = elsewhere.iter().find(is_its).or(elsewhere.first());
                if let Some((classes, name)) = meant {
                    let own =
                        |on: &&String| profile.classes.iter().any(|c| c.name() == on.as_str());
                    let on = classes.iter().find(own).or(classes.first());
                    let on = on.map(String::as_str).unwrap_or_default();
                    found.insert(opcode, format!("{opcode:02x} ({name} of a {on})"));
                }
            }
        }
        if found.is_empty() {
            continue;
        }
        let more = if found.len() > MAX_OPCODES {
            ", ..."
        } else {
            ""
        };
        let some: Vec<String> = found.into_values().take(MAX_OPCODES).collect();
        let (name, class, some) = (&at.value, class.name(), some.join(", "));
        let message =
            format!("profile '{name}' opens what is no command of a {class}: {some}{more}");
        let fix = "write a profile for each class, with classes = [...]";
        remarks.warn(&at.place, &message, fix);
    }
}

/// Where a block names a profile.
fn named<'a>(block: &'a Block, name: &str) -> Option<&'a At<String>> {
    block.profiles.iter().find(|at| at.value == name)
}
