// SPDX-License-Identifier: GPL-2.0

//! What is wrong with the rules of a policy.

use super::{
    super::{
        At, Block, ClassBlock, ClassContent, CommandItem, Origin, Place, PlacedRule, Policies,
    },
    ata::walked_around,
    decode::Decode,
    meanings::{foreign, other_meanings},
    probe::{covers, matches, probes},
    remark::{Remark, Remarks},
};
use crate::{device::Device, hex, names};
use sgio_policy::policy::{Access, Action, Class, Rule};
use std::collections::{BTreeSet, HashSet};

const PERSISTENT_RESERVE_OUT: u8 = 0x5f;

/// Looks at rules.
pub(super) struct RuleLint<'a> {
    policies: &'a Policies,
    decode: Decode,
    /// Profiles, by class, that were looked at behind no rules of a block's own: a thousand blocks may have the same.
    seen: HashSet<(Vec<String>, u8)>,
}

impl<'a> RuleLint<'a> {
    pub(super) fn new(policies: &'a Policies, decode: Decode) -> RuleLint<'a> {
        RuleLint {
            policies,
            decode,
            seen: HashSet::new(),
        }
    }

    /// Looks at the rules of a block, as they are on the devices that it matches.
    pub(super) fn of_block(&mut self, block: &Block, matched: &[&Device], remarks: &mut Remarks) {
        let mut classes: Vec<Class> = block.selector.class.iter().map(|c| c.value).collect();
        for device in matched {
            if !classes.contains(&device.class) {
                classes.push(device.class);
            }
        }
        if classes.is_empty() {
            classes = block.profiles.iter().fold(Vec::new(), |mut all, name| {
                let profile = self.policies.profiles.named(&name.value, None);
                all.extend(profile.iter().flat_map(|profile| profile.classes.iter()));
                all
            });
            classes.truncate(1);
        }
        if classes.is_empty() {
            classes.push(Class::DISK);
        }
        let own = &block.own;
        left_open(&own.allow, &classes, remarks);
        left_open_by_denied(&own.deny, &classes, remarks);
        for name in &block.profiles {
            if let Some(profile) = self.policies.profiles.named(&name.value, None) {
                left_open(&profile.lists.allow, &classes, remarks);
                left_open_by_denied(&profile.lists.deny, &classes, remarks);
            }
        }
        let plain = own.deny.is_empty() && own.rules.is_empty() && own.allow.is_empty();
        let profiles: Vec<String> = block
            .profiles
            .iter()
            .map(|name| name.value.clone())
            .collect();
        for class in &classes {
            if plain && !self.seen.insert((profiles.clone(), class.type_code())) {
                continue;
            }
            match self.policies.entries(block, *class) {
                Ok(entries) => {
                    never_matching(&entries, remarks);
                    shadowed(&entries, remarks);
                    closed_by_profiles(block, &entries, remarks);
                    walked_around(&entries, *class, self.policies, remarks);
                    foreign(&entries, *class, block, self.policies, remarks);
                    self.destructive(&entries, *class, remarks);
                }
                Err(faults) => remarks.0.extend(faults.into_iter().map(Remark::from)),
            }
        }
        if block.selector.class.is_none() && !block.selector.is_one_unit() {
            if let Ok(entries) = self.policies.entries(block, classes[0]) {
                other_meanings(&entries, block, self.policies, self.decode, remarks);
            }
        }
    }

    /// Looks at the rules that replace those of a class.
    pub(super) fn of_class(&self, block: &ClassBlock, remarks: &mut Remarks) {
        if let ClassContent::Rules(rules) = &block.content {
            let entry = |rule: &At<Rule>| PlacedRule {
                rule: rule.value,
                place: rule.place.clone(),
                origin: Origin::Own,
            };
            let entries: Vec<PlacedRule> = rules.iter().map(entry).collect();
            never_matching(&entries, remarks);
            shadowed(&entries, remarks);
            self.destructive(&entries, block.class, remarks);
        }
    }

    /// What readers are allowed and must not be.
    fn destructive(&self, entries: &[PlacedRule], class: Class, remarks: &mut Remarks) {
        for (number, entry) in entries.iter().enumerate() {
            // Profiles that are built in have been thought about.
            if entry.rule.action() != Action::Allow(Access::Read) || is_built_in(entry) {
                continue;
            }
            if is_given_by_name(&entry.rule, class) {
                continue;
            }
            let mut found = BTreeSet::new();
            for cdb in probes(&entry.rule) {
                let (name, destructive) = (self.decode)(&cdb, class);
                let deciding = entries.iter().take(number).all(|e| !matches(&e.rule, &cdb));
                // A reader's reservation keeps the others out.
                let reserves = cdb[0] == PERSISTENT_RESERVE_OUT;
                if (destructive || reserves) && deciding {
                    found.insert(name.unwrap_or_else(|| format!("{:02x}", cdb[0])));
                }
            }
            if found.is_empty() {
                continue;
            }
            let more = if found.len() > 4 { ", ..." } else { "" };
            let some: Vec<String> = found.into_iter().take(4).collect();
            let some = some.join(", ");
            let message = format!("allowed to readers of a {}: {some}{more}", class.name());
            let fix = "allow it with w, or only its harmless service actions";
            remarks.warn(&entry.place, &message, fix);
        }
    }
}

/// CDBs that have more bytes than a rule has fields for.
fn left_open(allow: &[At<CommandItem>], classes: &[Class], remarks: &mut Remarks) {
    for item in allow {
        let mut open = classes
            .iter()
            .filter_map(|class| names::left_open_by(&item.value.text, *class));
        if let Some(open) = open.next() {
            let message = format!("'{}': {open}", item.value.text);
            let read = hex::read(&item.value.text);
            let fix = match read.as_ref().map(|read| read.bytes.as_slice()) {
                Some([opcode, first, ..]) => {
                    format!("write the bytes that matter: \"w {opcode:02x} [1]={first:02x}\", and more of [N]=XX")
                }
                _ => "write the bytes that matter".to_owned(),
            };
            remarks.warn(&item.place, &message, &fix);
        }
    }
}

/// What a deny leaves as it was, though it may be meant.
fn left_open_by_denied(deny: &[At<CommandItem>], classes: &[Class], remarks: &mut Remarks) {
    for item in deny {
        let text = &item.value.text;
        let open = |class: &Class| names::left_open_by_denied(text, *class);
        if let Some(open) = classes.iter().find_map(open) {
            remarks.note(
                &item.place,
                &format!("'{text}': {open}"),
                "nothing to do if that is meant",
            );
        }
    }
}

/// Rules with conditions that exclude each other.
fn never_matching(entries: &[PlacedRule], remarks: &mut Remarks) {
    for entry in entries {
        if let Some(byte) = names::contradiction(&entry.rule) {
            let message = format!(
                "'{}' matches no command: no value of byte {byte} meets all conditions on it",
                entry.rule
            );
            let fix = "write several values in one condition: [14]=ec,f4";
            remarks.warn(&entry.place, &message, fix);
        }
    }
}

/// Rules that never decide. What a profile says may well be overruled: only rules of one
/// origin are compared.
fn shadowed(entries: &[PlacedRule], remarks: &mut Remarks) {
    for (number, entry) in entries.iter().enumerate() {
        let earlier = entries.iter().take(number);
        let earlier: Vec<&PlacedRule> = earlier.filter(|e| e.origin == entry.origin).collect();
        let covers = |opcode: u8| {
            let found = earlier
                .iter()
                .find(|e| covers(&e.rule, &entry.rule, opcode));
            found.map(|found| &found.place)
        };
        let by: Option<BTreeSet<&Place>> = entry.rule.opcodes().iter().map(covers).collect();
        if let Some(by) = by {
            let by: Vec<String> = by.iter().map(ToString::to_string).collect();
            let message = format!("'{}' never decides: {} does", entry.rule, by.join(", "));
            let fix = "put the narrower rule first, or remove it";
            remarks.warn(&entry.place, &message, fix);
        }
    }
}

/// Profiles that open what one in front of them denies, as `smart-test` behind `smart-ro`.
fn closed_by_profiles(block: &Block, entries: &[PlacedRule], remarks: &mut Remarks) {
    for (number, entry) in entries.iter().enumerate() {
        let Origin::Profile(behind) = &entry.origin else {
            continue;
        };
        if entry.rule.action() == Action::Deny {
            continue;
        }
        let closes = |front: &&PlacedRule| {
            let other = matches!(&front.origin, Origin::Profile(name) if name != behind);
            let all = |opcode: u8| covers(&front.rule, &entry.rule, opcode);
            other && front.rule.action() == Action::Deny && entry.rule.opcodes().iter().all(all)
        };
        let Some(front) = entries.iter().take(number).find(closes) else {
            continue;
        };
        let name = block.profiles.iter().find(|name| name.value == *behind);
        if let (Some(name), Origin::Profile(first)) = (name, &front.origin) {
            let message = format!(
                "profile '{behind}' opens nothing by '{}': '{first}', in front of it, has '{}'",
                entry.rule, front.rule
            );
            let fix = format!(
                "the first rule that matches decides: write profiles = [\"{behind}\", \"{first}\"]"
            );
            remarks.warn(&name.place, &message, &fix);
            break;
        }
    }
}

/// Tells whether it is what the tool itself writes for readers, of commands by their names alone.
fn is_given_by_name(rule: &Rule, class: Class) -> bool {
    let by_name = |opcode: u8| {
        let access = names::default_access(&format!("op:{opcode:02x}"), class);
        access.is_ok_and(|access| access == Access::Read)
    };
    rule.fields().next().is_none() && rule.opcodes().iter().all(by_name)
}

fn is_built_in(entry: &PlacedRule) -> bool {
    let file = &entry.place.file;
    file.starts_with("<built in>") || file.contains("/usr/share/sgio-filter/profiles/")
}

#[cfg(test)]
mod tests;
