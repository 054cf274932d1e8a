// SPDX-License-Identifier: GPL-2.0

//! Commands have names here, as T10 and T13 write them, in lower case with hyphens.
//!
//! The data is in the `.table` files; `table/reader.rs` says how to read them. From there: `cover.rs` (which
//! commands a rule is about), `decode.rs` (CDB to words), `find.rs` (commands by name), `parse/mod.rs` (names
//! to rules), `narrow.rs` (the rule that allows what was sent), `carried.rs` (that of an ATA command in a CDB of 32
//! bytes), `conditions.rs` (what both make rules of), `denied.rs` (the rules that deny what was sent), `ata.rs` (those that
//! deny an ATA command), `deny_notes.rs` (what these leave open, in words).

mod ata;
mod carried;
mod conditions;
mod cover;
mod decode;
mod denied;
mod deny_notes;
mod find;
mod narrow;
mod parse;
mod table;

use anyhow::Result;
use sgio_policy::policy::{Access, Class, Rule, MAX_CDB};

pub use self::{
    ata::ata_forms,
    cover::contradiction,
    decode::{decode, Decoded},
    denied::also_carried_by,
    deny_notes::left_open_by_denied,
    find::distance,
    narrow::{exact, group, left_open, left_open_by, sent},
    parse::{cdb_of, rules},
};

/// Tells whether service actions of an opcode have names on a class.
pub fn has_actions(opcode: u8, class: Class) -> bool {
    table::has_parts(opcode, class)
}

/// The access the command needs to be harmless: writing for what is destructive, and for what
/// takes something from others or is not known.
///
/// # Errors
///
/// As [`rules`].
pub fn default_access(command: &str, class: Class) -> Result<Access> {
    let rules = rules(command, class, Some(Access::Read))?;
    let reads = |rule: &Rule| {
        rule.opcodes().iter().all(|opcode| {
            let covered = cover::covered(rule, opcode, class);
            let harmless = |c: &cover::Covered| {
                // Of a command with service actions, some that have no name.
                let nameless = !c.all
                    && !c.entry.is_part()
                    && (table::has_parts(opcode, class) || cover::beyond_actions(rule, c.entry));
                c.entry.harm == table::Harm::None && !nameless
            };
            // What is told of as part of a harmless command may do more.
            let mut parts = table::of_opcode(opcode, class).filter(|entry| entry.is_part());
            let harmful =
                parts.any(|part| part.harm != table::Harm::None && cover::within(&part.rule, rule));
            !covered.is_empty() && covered.iter().all(harmless) && !harmful
        })
    };
    Ok(if rules.iter().all(reads) {
        Access::Read
    } else {
        Access::Write
    })
}

/// The rules that allow a command without a word on the open: to any open what is harmless, to one for writing
/// what is not. Of a command whose service actions the tables tell apart by that, those that are harmless; and in front of
/// them what is within them and is not.
///
/// # Errors
///
/// As [`rules`].
pub fn by_default(command: &str, class: Class) -> Result<Vec<Rule>> {
    let access = default_access(command, class)?;
    let whole = rules(command, class, Some(access))?;
    let [rule] = whole.as_slice() else {
        return Ok(whole);
    };
    let opcode = rule.opcodes().iter().next().unwrap_or_default();
    let parts: Vec<&table::Entry> = table::of_opcode(opcode, class)
        .filter(|entry| entry.is_part())
        .collect();
    let harmless = |entry: &&&table::Entry| entry.harm == table::Harm::None;
    let alone = rule.opcodes().len() == 1 && rule.fields().next().is_none();
    let by_parts = alone && table::whole(opcode, class).is_some_and(|entry| entry.by_parts);
    // The harmless ones that are meant: each of the command, or the one that the rule is.
    let is_rule =
        |part: &table::Entry| cover::within(&part.rule, rule) && cover::within(rule, &part.rule);
    let meant = parts.iter().filter(harmless);
    let meant: Vec<_> = meant
        .filter(|part| by_parts || rule.opcodes().len() == 1 && is_rule(part))
        .collect();
    if meant.is_empty() {
        return Ok(whole);
    }
    let mut found = Vec::new();
    for part in parts.iter().filter(|part| !harmless(part)) {
        if meant
            .iter()
            .any(|meant| cover::within(&part.rule, &meant.rule))
        {
            found.extend(rules(&part.text, class, Some(Access::Write))?);
        }
    }
    for part in meant {
        found.extend(rules(&part.text, class, Some(Access::Read))?);
    }
    Ok(found)
}

/// The commands that a rule matches all of, by name, and a CDB of each. Vendor specific ones have none.
pub fn within(rule: &Rule, class: Class) -> Vec<(&'static str, [u8; MAX_CDB])> {
    let entries = rule
        .opcodes()
        .iter()
        .flat_map(|opcode| table::of_opcode(opcode, class))
        .filter(|entry| entry.name != table::VENDOR_SPECIFIC && cover::within(&entry.rule, rule));
    entries
        .map(|entry| {
            let mut cdb = [0; MAX_CDB];
            cdb[0] = entry.rule.opcodes().iter().next().unwrap_or_default();
            for field in entry.rule.fields() {
                cdb[usize::from(field.byte())] |= field.values().iter().next().unwrap_or_default();
            }
            (entry.name.as_str(), cdb)
        })
        .collect()
}

/// An error about words of a command line, each of which was taken for a command: of one name in several words, how to
/// write it.
pub fn one_name(error: anyhow::Error, words: &[String], class: Class) -> anyhow::Error {
    match find::in_words(words, class) {
        Some(name) => anyhow::anyhow!(
            "'{}' is one command of class {}: write {name}",
            words.join(" "),
            class.name()
        ),
        None => error,
    }
}

/// What tells a command from others: its name, and whether the tables know what it does.
#[cfg(test)]
pub(crate) fn identity(cdb: &[u8; MAX_CDB], class: Class) -> (Option<&'static str>, bool) {
    let name = cover::best(cdb, class).map(|entry| entry.name.as_str());
    (name, narrow::is_known(cdb, class))
}

/// All names known on a class, for completion and "did you mean".
pub fn all(class: Class) -> Vec<String> {
    let mut names: Vec<String> = table::of_class(class)
        .map(|entry| entry.name.clone())
        .collect();
    names.dedup();
    names
}

/// So many names are a comment; more are a list that nobody reads.
const MAX_COMMENT: usize = 12;

/// A comment for a rule: the names of what it matches on a class. Never empty.
///
/// An opcode without a name there is given as number, with a name from elsewhere. What a rule
/// matches by fields that are in no name is given with these fields.
pub fn of_rule(rule: &Rule, class: Class) -> String {
    let mut fields = String::new();
    for field in rule.fields() {
        fields += &format!(" {field}");
    }
    if rule.opcodes().len() == 256 {
        return format!("all commands{fields}");
    }
    let mut names: Vec<String> = Vec::new();
    for opcode in rule.opcodes().iter() {
        let covered = cover::covered(rule, opcode, class);
        if covered.is_empty() {
            names.push(
                match decode::elsewhere(opcode, class, None).into_iter().next() {
                    Some((classes, name)) => {
                        let on = classes.first().map(String::as_str).unwrap_or_default();
                        format!("{opcode:02x}{fields} ({name} of {on})")
                    }
                    None => format!("{opcode:02x}{fields} (unknown)"),
                },
            );
        }
        for covered in covered {
            let name = &covered.entry.name;
            names.push(if covered.all {
                name.clone()
            } else {
                format!("{name}{fields}")
            });
        }
    }
    names.dedup();
    let more = names.len().saturating_sub(MAX_COMMENT);
    names.truncate(MAX_COMMENT);
    let mut text = names.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
