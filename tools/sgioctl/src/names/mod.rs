// SPDX-License-Identifier: GPL-2.0

//! Commands have names here, as T10 and T13 write them, in lower case with hyphens.
//!
//! The data is in the `.table` files; `table/reader.rs` says how to read them. From there: `cover.rs` (which
//! commands a rule is about), `decode.rs` (CDB to words), `parse.rs` (names to rules), `narrow.rs` (the rule for what
//! was sent).

mod cover;
mod decode;
mod narrow;
mod parse;
mod table;

use anyhow::Result;
use serde::Serialize;
use sgio_policy::policy::{Access, Class, Rule};

pub use self::{
    narrow::{exact, group, sent},
    parse::cdb_of,
};

/// What a CDB is, as far as it can be told.
#[derive(Clone, Serialize, Debug)]
pub struct Decoded {
    /// The opcode.
    pub opcode: u8,
    /// The name, with the service action where there is one: `persistent-reserve-out:register`;
    /// `vendor-specific` for c0h-ffh; none if nobody gave it one on this class.
    pub name: Option<String>,
    /// The title as the standard has it: `PERSISTENT RESERVE OUT`.
    pub title: Option<String>,
    /// The document, and the command it describes: `SPC-5 "PERSISTENT RESERVE OUT"`. Clauses have another
    /// number in every version, so the command's name is what to look for.
    pub source: Option<String>,
    /// The fields that matter, by name and value.
    pub fields: Vec<(String, String)>,
    /// The tables know what it does. A name alone is not enough: it may be that of a command whose service action
    /// has none.
    pub known: bool,
    /// It destroys data, changes the medium, firmware, reservations or settings; or it is not known what it does.
    pub destructive: bool,
    /// What the opcode means on other classes, where that is something else: class names and name.
    pub elsewhere: Vec<(Vec<String>, String)>,
}

/// Decodes a CDB for a class. Bytes behind its end count as zero, as the kernel pads it.
pub fn decode(cdb: &[u8], class: Class) -> Decoded {
    decode::decode(cdb, class)
}

/// The rule's matching part for a command by name, number or rule text, on a class:
/// `persistent-reserve-out:register`, `ata-pass-through-16:smart`, `5f`, `5f [1]&1f=00`, `c0-ff`,
/// `write-10 [1]&08=08`; or for a CDB ([`crate::hex`]), the narrowest rule that allows it. `access` `None` makes a deny
/// rule. A name may need several rules.
///
/// # Errors
///
/// An unknown name, with the nearest known ones; a wrong rule, with the column; bytes that are a CDB or opcodes.
pub fn rules(command: &str, class: Class, access: Option<Access>) -> Result<Vec<Rule>> {
    parse::rules(command, class, access)
}

/// The access the command needs to be harmless: writing for what is destructive, and for what
/// takes something from others or is not known.
///
/// # Errors
///
/// As [`rules`].
pub fn default_access(command: &str, class: Class) -> Result<Access> {
    let rules = parse::rules(command, class, Some(Access::Read))?;
    let reads = |rule: &Rule| {
        rule.opcodes().iter().all(|opcode| {
            let covered = cover::covered(rule, opcode, class);
            let harmless = |c: &cover::Covered| {
                // Of a command with service actions, some that have no name.
                let nameless = !c.all && !c.entry.is_part() && table::has_parts(opcode, class);
                c.entry.harm == table::Harm::None && !nameless
            };
            !covered.is_empty() && covered.iter().all(harmless)
        })
    };
    Ok(if rules.iter().all(reads) {
        Access::Read
    } else {
        Access::Write
    })
}

/// What tells a command from others: its name, and whether the tables know what it does.
#[cfg(test)]
pub(crate) fn identity(
    cdb: &[u8; sgio_policy::policy::MAX_CDB],
    class: Class,
) -> (Option<&'static str>, bool) {
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
