// SPDX-License-Identifier: GPL-2.0

//! The rules that deny a command.
//!
//! A deny pins the bytes that name the command and no other: one more would leave open what differs in it. A byte
//! that was not given may be anything.

use super::{
    ata::{self, ata_forms, Denied},
    cover::{best, within},
    table::{whole, Entry, VENDOR_SPECIFIC},
};
use crate::hex;
use sgio_policy::policy::{Action, ByteSet, Class, Field, Rule};

/// The fields that say which command of an opcode it is, as the tables call them.
const NAMING: [&str; 5] = [
    "service-action",
    "mode",
    "protocol",
    "key-class",
    "key-format",
];

/// Those that do where the tables have a name for what is in them.
const NAMING_SOME: [&str; 2] = ["specific", "page-code"];

/// The matching parts of the rules that deny a CDB, which may end early.
pub(super) fn of_cdb(cdb: &[u8], class: Class) -> Vec<String> {
    if let Some(denied) = ata::of_cdb(cdb, class) {
        return matching(denied);
    }
    let padded = hex::padded(cdb);
    let [opcode, ..] = padded;
    let is_given = |byte: u8| usize::from(byte) < cdb.len();
    let as_sent = |(byte, mask): &(u8, u8)| {
        let value = padded.get(usize::from(*byte))? & mask;
        Field::new(*byte, *mask, ByteSet::from_bytes(&[value]))
    };
    let named = best(&padded, class).filter(|entry| entry.is_part());
    let fields: Vec<Field> = match (named, whole(opcode, class)) {
        // As its name has it, so that both deny the same.
        (Some(part), Some(entry)) => {
            let bytes: Vec<(u8, u8)> = [&NAMING[..], &NAMING_SOME]
                .iter()
                .flat_map(|names| places(entry, names))
                .collect();
            let names = |field: &Field| {
                let at =
                    |(byte, mask): &(u8, u8)| *byte == field.byte() && field.mask() & !mask == 0;
                bytes.iter().any(at)
            };
            part.rule.fields().filter(names).collect()
        }
        // Of those that a standard defines with 32 bytes, nothing reads the length in byte 7.
        _ if opcode == 0x7f => [(8, 0xff), (9, 0xff)].iter().filter_map(as_sent).collect(),
        (_, Some(entry)) if !entry.is_opaque() => {
            let places = places(entry, &NAMING);
            places.iter().filter_map(as_sent).collect()
        }
        (_, Some(entry)) if entry.name != VENDOR_SPECIFIC => Vec::new(),
        _ => as_sent(&(1, 0xff)).into_iter().collect(),
    };
    let given = fields.iter().filter(|field| is_given(field.byte()));
    let given: Vec<String> = given.map(|field| format!(" {field}")).collect();
    vec![format!("{opcode:02x}{}", given.concat())]
}

/// The matching parts of the rules that deny what a name says, and that meets the conditions written behind it (a
/// rule of any opcode).
pub(super) fn of_name(entry: &Entry, others: &Rule, class: Class) -> Vec<String> {
    if let Some(denied) = ata::of_name(entry, others, class) {
        return matching(denied);
    }
    let is_length = |field: &Field| entry.text.starts_with("7f") && field.byte() == 7;
    let named = entry.rule.fields().filter(|field| !is_length(field));
    let fields: Vec<String> = named
        .chain(others.fields())
        .map(|field| format!(" {field}"))
        .collect();
    let opcodes = entry.text.split(' ').next().unwrap_or_default();
    vec![format!("{opcodes}{}", fields.concat())]
}

fn matching(denied: Vec<Denied>) -> Vec<String> {
    denied.into_iter().map(|denied| denied.matching).collect()
}

/// Bytes and masks of the fields with these names.
fn places(entry: &Entry, names: &[&str]) -> Vec<(u8, u8)> {
    let parts = entry.parts.iter();
    let parts = parts.filter(|part| names.contains(&part.name.as_str()));
    let bytes = parts.flat_map(|part| {
        (0..part.count).map(|at| {
            let mask = if at == 0 { part.mask } else { 0xff };
            (u8::try_from(part.byte + at).unwrap_or_default(), mask)
        })
    });
    bytes.collect()
}

/// The CDBs that carry the ATA commands of rules that were written out, and that none of all these rules denies.
pub fn also_carried_by(written: &[Rule], all: &[Rule], class: Class) -> Vec<String> {
    let denies: Vec<&Rule> = all
        .iter()
        .filter(|rule| rule.action() == Action::Deny)
        .collect();
    let forms = written.iter().flat_map(|rule| ata_forms(rule, class));
    let is_open = |form: &Rule| {
        let opcode = form.opcodes().iter().next().unwrap_or_default();
        let closes = |rule: &&Rule| rule.opcodes().contains(opcode) && within(form, rule);
        !denies.iter().any(closes)
    };
    let mut open: Vec<String> = forms
        .map(|(form, _)| form)
        .filter(is_open)
        .map(|form| form.to_string().trim_start_matches("deny ").to_owned())
        .collect();
    open.sort();
    open.dedup();
    open
}
