// SPDX-License-Identifier: GPL-2.0

//! Which verdicts differ between two policies of a device.
//!
//! For each opcode, the values of each byte that any rule looks at fall into groups that no rule
//! tells apart; one CDB of each combination of groups is decided on by both policies. So the answer
//! is complete, without asking about every CDB there is.

use crate::{names, verdict::Policy};
use serde::Serialize;
use sgio_policy::policy::{
    decide, Access, Action, ByteSet, Cdb, Class, DevicePolicy, Field, ListedRule, Rule, Time,
    MAX_CDB,
};
use std::{collections::BTreeMap, fmt};

/// How many combinations of one opcode are looked at; beyond, bytes are varied one by one.
const MAX_COMBINATIONS: usize = 1 << 16;

/// The files through which a command may be sent.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// No file.
    Refused,
    /// Files that are open for writing.
    WriteOpen,
    /// Files that are open in any way.
    AnyOpen,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Answer::Refused => "refused",
            Answer::WriteOpen => "write open",
            Answer::AnyOpen => "any open",
        })
    }
}

/// A change of verdict.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Change {
    /// The commands: opcode and fields, as in a rule.
    pub commands: String,
    /// Their names.
    pub names: String,
    /// What the answer is.
    pub before: Answer,
    /// What it would be.
    pub after: Answer,
}

/// The rules of a policy, those of the class included.
fn rules(policy: &Policy) -> impl Iterator<Item = &Rule> {
    let own = policy.device_rules.iter().flat_map(|f| f.view().rules());
    let all = own.chain(policy.class_rules.view().rules());
    all.map(ListedRule::rule)
}

/// Through which files a CDB may be sent, by the rules and `unpriv_sgio`.
pub fn answer(policy: &Policy, cdb: &[u8; MAX_CDB]) -> Answer {
    let state = DevicePolicy {
        unpriv: policy.unpriv_sgio,
        // A setting of its own: no verdict of the rules.
        own_luns: false,
        device: policy.device_rules.as_ref().map(|filter| filter.view()),
        class: policy.class_rules.view(),
    };
    let allowed = |write| {
        Cdb::new(cdb).is_some_and(|cdb| decide(&state, &cdb, write, || Time::ZERO).is_allowed())
    };
    match (allowed(false), allowed(true)) {
        (true, _) => Answer::AnyOpen,
        (false, true) => Answer::WriteOpen,
        (false, false) => Answer::Refused,
    }
}

/// A byte that rules look at: the bits they look at, and the values that no rule tells apart.
struct Byte {
    number: u8,
    mask: u8,
    groups: Vec<ByteSet>,
}

fn bytes(rules: &[&Rule]) -> Vec<Byte> {
    let mut fields: BTreeMap<u8, Vec<Field>> = BTreeMap::new();
    for field in rules.iter().flat_map(|rule| rule.fields()) {
        let of_byte = fields.entry(field.byte()).or_default();
        if !of_byte.contains(&field) {
            of_byte.push(field);
        }
    }
    let byte = |(number, fields): (u8, Vec<Field>)| {
        let mask = fields.iter().fold(0, |mask, field| mask | field.mask());
        let mut groups: BTreeMap<Vec<bool>, ByteSet> = BTreeMap::new();
        for value in (0..=u8::MAX).filter(|value| value & !mask == 0) {
            let told = |field: &Field| field.values().contains(value & field.mask());
            let signature = fields.iter().map(told).collect();
            groups.entry(signature).or_default().insert(value);
        }
        Byte {
            number,
            mask,
            groups: groups.into_values().collect(),
        }
    };
    fields.into_iter().map(byte).collect()
}

/// The combinations of groups, as the number of the group of each byte.
fn combinations(bytes: &[Byte]) -> Vec<Vec<usize>> {
    let count = bytes
        .iter()
        .try_fold(1usize, |n, byte| n.checked_mul(byte.groups.len()));
    let mut all = vec![vec![0; bytes.len()]];
    let product = count.is_some_and(|count| count <= MAX_COMBINATIONS);
    for (at, byte) in bytes.iter().enumerate() {
        let base = if product {
            all.clone()
        } else {
            vec![vec![0; bytes.len()]]
        };
        for group in 1..byte.groups.len() {
            all.extend(base.iter().map(|combination| {
                let mut combination = combination.clone();
                combination[at] = group;
                combination
            }));
        }
    }
    all
}

/// Returns what changes from one policy to the other, by opcode.
pub fn changes(before: &Policy, after: &Policy, class: Class) -> Vec<Change> {
    (0..=u8::MAX)
        .flat_map(|opcode| of_opcode(before, after, class, opcode))
        .collect()
}

fn of_opcode(before: &Policy, after: &Policy, class: Class, opcode: u8) -> Vec<Change> {
    let all = rules(before).chain(rules(after));
    let all: Vec<&Rule> = all.filter(|r| r.opcodes().contains(opcode)).collect();
    let bytes = bytes(&all);
    let mut boxes: Vec<(Vec<ByteSet>, Answer, Answer)> = Vec::new();
    for combination in combinations(&bytes) {
        let mut cdb = [0; MAX_CDB];
        cdb[0] = opcode;
        let sets: Vec<ByteSet> = bytes
            .iter()
            .zip(&combination)
            .map(|(b, g)| b.groups[*g])
            .collect();
        for (byte, set) in bytes.iter().zip(&sets) {
            cdb[usize::from(byte.number)] = set.iter().next().unwrap_or_default();
        }
        boxes.push((sets, answer(before, &cdb), answer(after, &cdb)));
    }
    merge(&mut boxes);
    let described = boxes
        .into_iter()
        .filter(|(_, before, after)| before != after);
    described
        .map(|(sets, before, after)| {
            let rule = describe(opcode, &bytes, &sets);
            Change {
                commands: rule.map_or_else(String::new, |r| {
                    r.to_string().trim_start_matches("allow r ").to_owned()
                }),
                names: rule.map_or_else(String::new, |r| names::of_rule(&r, class)),
                before,
                after,
            }
        })
        .collect()
}

/// Joins what differs in one byte only and has the same answers, until nothing can be joined.
fn merge(boxes: &mut Vec<(Vec<ByteSet>, Answer, Answer)>) {
    let mut at = 0;
    while at < boxes.len() {
        let (left, right) = boxes.split_at_mut(at + 1);
        let joined = left.last_mut().and_then(|one| {
            right.iter().position(|other| {
                if (one.1, one.2) != (other.1, other.2) {
                    return false;
                }
                let mut differ = (0..one.0.len()).filter(|i| one.0[*i] != other.0[*i]);
                let (Some(byte), None) = (differ.next(), differ.next()) else {
                    return false;
                };
                other.0[byte].iter().for_each(|v| one.0[byte].insert(v));
                true
            })
        });
        match joined {
            Some(other) => {
                boxes.remove(at + 1 + other);
                at = 0;
            }
            None => at += 1,
        }
    }
}

/// The commands of a box as a rule, for its text and its names.
fn describe(opcode: u8, bytes: &[Byte], sets: &[ByteSet]) -> Option<Rule> {
    let verdict = Action::Allow(Access::Read);
    let mut rule = Rule::new(verdict, ByteSet::from_bytes(&[opcode]))?;
    for (byte, set) in bytes.iter().zip(sets) {
        let all: usize = byte.groups.iter().map(ByteSet::len).sum();
        if set.len() < all {
            // More fields than a rule has: the text then says less than it could.
            let field = Field::new(byte.number, byte.mask, *set)?;
            rule = rule.with_field(field).unwrap_or(rule);
        }
    }
    Some(rule)
}
