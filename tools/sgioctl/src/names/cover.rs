// SPDX-License-Identifier: GPL-2.0

//! Which commands a rule is about.

use super::table::{of_opcode, whole, Entry};
use sgio_policy::policy::{ByteSet, Cdb, Class, Field, Rule, MAX_CDB};
use std::collections::HashSet;

/// More combinations of bytes than this are not tried one by one.
const MAX_COMBINATIONS: usize = 1 << 16;

/// A command that a rule matches, or some of it.
pub(super) struct Covered {
    pub(super) entry: &'static Entry,
    /// The rule matches all of it (but for what has an entry of its own).
    pub(super) all: bool,
}

/// The commands of an opcode that a rule matches on a class, each as narrow as the tables have
/// it; none if the opcode has no name there.
pub(super) fn covered(rule: &Rule, opcode: u8, class: Class) -> Vec<Covered> {
    let Some(command) = whole(opcode, class) else {
        return Vec::new();
    };
    if within(&command.rule, rule) {
        return vec![Covered {
            entry: command,
            all: true,
        }];
    }

    // What decides between the entries: these bytes, of which the rule lets some values pass.
    let mut bytes: Vec<(usize, ByteSet)> = Vec::new();
    for entry in of_opcode(opcode, class) {
        for field in entry.rule.fields() {
            let byte = usize::from(field.byte());
            if !bytes.iter().any(|(known, _)| *known == byte) {
                let values = allowed(rule, field.byte());
                bytes.push((byte, different(&values, field.byte(), opcode, class)));
            }
        }
    }
    let combinations = bytes.iter().try_fold(1usize, |product, (_, values)| {
        product.checked_mul(values.len())
    });
    let found = match combinations {
        Some(0) => Vec::new(),
        Some(count) if count <= MAX_COMBINATIONS => by_trying(opcode, class, &bytes),
        _ => of_opcode(opcode, class)
            .filter(|entry| meet(&entry.rule, rule))
            .collect(),
    };

    let all: Vec<bool> = found
        .iter()
        .map(|entry| within(&entry.rule, rule))
        .collect();
    // Who has all of `smart` need not be told of `smart-read-data`.
    let told = |entry: &Entry| {
        found.iter().zip(&all).any(|(wider, all)| {
            *all && wider.text != entry.text && within(&entry.rule, &wider.rule)
        })
    };
    found
        .iter()
        .zip(&all)
        .filter(|(entry, _)| !told(entry))
        .map(|(entry, all)| Covered { entry, all: *all })
        .collect()
}

/// The entry that says most about a CDB (which has all of its 32 bytes).
pub(super) fn best(cdb: &[u8; MAX_CDB], class: Class) -> Option<&'static Entry> {
    let [opcode, ..] = *cdb;
    let whole_cdb = Cdb::new(cdb)?;
    let mut best: Option<&Entry> = None;
    for entry in of_opcode(opcode, class).filter(|entry| entry.rule.matches(&whole_cdb)) {
        let fields = |entry: &Entry| entry.rule.fields().count();
        if best.is_none_or(|best| fields(entry) > fields(best)) {
            best = Some(entry);
        }
    }
    best
}

fn by_trying(opcode: u8, class: Class, bytes: &[(usize, ByteSet)]) -> Vec<&'static Entry> {
    let mut found: Vec<&'static Entry> = Vec::new();
    let mut cdb = [0; MAX_CDB];
    cdb[0] = opcode;
    try_all(&mut cdb, bytes, &mut |cdb| {
        if let Some(entry) = best(cdb, class) {
            if !found.iter().any(|known| known.text == entry.text) {
                found.push(entry);
            }
        }
    });
    found
}

fn try_all(
    cdb: &mut [u8; MAX_CDB],
    bytes: &[(usize, ByteSet)],
    each: &mut dyn FnMut(&[u8; MAX_CDB]),
) {
    match bytes {
        [] => each(cdb),
        [(byte, values), rest @ ..] => {
            for value in values.iter() {
                if let Some(place) = cdb.get_mut(*byte) {
                    *place = value;
                }
                try_all(cdb, rest, each);
            }
        }
    }
}

/// Of those values of a byte, one each of those that no entry tells from another.
fn different(values: &ByteSet, byte: u8, opcode: u8, class: Class) -> ByteSet {
    let fields: Vec<Field> = of_opcode(opcode, class)
        .flat_map(|entry| entry.rule.fields())
        .filter(|field| field.byte() == byte)
        .collect();
    let mut seen: HashSet<Vec<bool>> = HashSet::new();
    let mut different = ByteSet::EMPTY;
    for value in values.iter() {
        let satisfied = fields
            .iter()
            .map(|field| field.values().contains(value & field.mask()));
        if seen.insert(satisfied.collect()) {
            different.insert(value);
        }
    }
    different
}

/// The values of a byte that satisfy all conditions of a rule on it.
fn allowed(rule: &Rule, byte: u8) -> ByteSet {
    let mut set = ByteSet::EMPTY;
    let passes = |field: &Field, value: u8| field.values().contains(value & field.mask());
    for value in 0..=u8::MAX {
        let mut fields = rule.fields().filter(|field| field.byte() == byte);
        if fields.all(|field| passes(&field, value)) {
            set.insert(value);
        }
    }
    set
}

/// The byte on which a rule has conditions that no value meets, so that it matches nothing.
pub fn contradiction(rule: &Rule) -> Option<u8> {
    let mut bytes = rule.fields().map(|field| field.byte());
    bytes.find(|byte| allowed(rule, *byte).is_empty())
}

/// Tells whether a rule matches service actions that the standard does not define, of a command whose service actions have no
/// entries of their own.
pub(super) fn beyond_actions(rule: &Rule, entry: &Entry) -> bool {
    entry.action().is_some_and(|action| {
        let place = u8::try_from(action.byte).unwrap_or_default();
        let known = |value: u8| action.defined.contains(&(value & action.mask));
        !allowed(rule, place).iter().all(known)
    })
}

/// Tells whether each CDB that the inner matches, by its fields, is one of the outer.
pub(super) fn within(inner: &Rule, outer: &Rule) -> bool {
    outer.fields().all(|field| {
        allowed(inner, field.byte())
            .iter()
            .all(|value| field.values().contains(value & field.mask()))
    })
}

/// Tells whether there is a CDB that both match, by their fields.
fn meet(a: &Rule, b: &Rule) -> bool {
    a.fields().all(|field| {
        let (a, b) = (allowed(a, field.byte()), allowed(b, field.byte()));
        let both = a.iter().any(|value| b.contains(value));
        both
    })
}
