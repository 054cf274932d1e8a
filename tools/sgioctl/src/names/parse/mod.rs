// SPDX-License-Identifier: GPL-2.0

//! Names, numbers and rule texts to rules.

use super::{
    cover::contradiction,
    denied,
    find::{find, unknown},
    narrow::exact,
    table::{of_opcode, whole, VENDOR_SPECIFIC},
};
use crate::hex::{self, Bytes, Form};
use anyhow::{anyhow, bail, Result};
use sgio_policy::policy::{Access, Change, Class, Rule, MAX_CDB};

/// The rule's matching part for a command by name, number or rule text, on a class:
/// `persistent-reserve-out:register`, `ata-pass-through-16:smart`, `5f`, `5f [1]&1f=00`, `c0-ff`,
/// `write-10 [1]&08=08`; or for a CDB ([`crate::hex`]), the narrowest rule that allows it. `access` `None` makes the
/// rules that deny it: all that has the bytes which name the command.
///
/// # Errors
///
/// An unknown name, with the nearest known ones; a wrong rule, with the column; a rule that matches nothing; bytes
/// that are a CDB or opcodes.
pub fn rules(command: &str, class: Class, access: Option<Access>) -> Result<Vec<Rule>> {
    read(command, class, access).map_err(|error| {
        let wrong = hex::mistake(command).or_else(|| hex::other_marks(command));
        wrong.map_or(error, |wrong| anyhow!(wrong))
    })
}

fn read(command: &str, class: Class, access: Option<Access>) -> Result<Vec<Rule>> {
    if command.contains(['\n', '\r']) {
        bail!("{command:?}: one command is one line");
    }
    let command = command.trim();
    let opcodes = command.strip_prefix("op:").map(str::trim);
    if let (None, Some(bytes)) = (opcodes, hex::read(command)) {
        let matching = match (of_bytes(&bytes, class)?, access) {
            (Meant::Opcodes(opcodes), _) => vec![opcodes],
            (Meant::Cdb, Some(_)) => vec![exact(&bytes.bytes, class)],
            (Meant::Cdb, None) => denied::of_cdb(&bytes.bytes, class),
        };
        return matching.iter().map(|text| parse(text, access)).collect();
    }
    let command = opcodes.unwrap_or(command);
    let (word, fields) = match command.find([' ', '\t']) {
        Some(at) => command.split_at(at),
        None => (command, ""),
    };
    if ["allow", "deny"].contains(&word) {
        bail!("'{command}': only opcodes and fields are wanted here, without '{word}'");
    }
    let name = word.to_ascii_lowercase();
    let matching = match find(&name, class) {
        Some(entry) if opcodes.is_none() => {
            // Otherwise a mistake in the fields would be reported at a column of another text.
            let others = line(&format!("00 {}", fields.trim()), None)
                .map_err(|_| anyhow!("'{command}': wrong fields after the name"))?;
            let rule = parse(&format!("{}{fields}", entry.text), access)?;
            return match access {
                None => {
                    let matching = denied::of_name(entry, &others, class);
                    matching.iter().map(|text| parse(text, None)).collect()
                }
                Some(_) => Ok(vec![rule]),
            };
        }
        _ if is_number(word) || word.is_empty() || opcodes.is_some() => {
            let plain = word.strip_prefix("0x").filter(|_| !fields.is_empty());
            format!("{}{fields}", plain.unwrap_or(word))
        }
        // A name may have been written in several words; the fields of a rule are none of them.
        _ => {
            let words = command.split('[').next().unwrap_or(word).trim();
            let words = words.to_ascii_lowercase();
            let is_access = ["r", "w", "rw", "wr", "ro"].contains(&name.as_str());
            return Err(unknown(if is_access { &name } else { &words }, class));
        }
    };
    Ok(vec![parse(&matching, access)?])
}

/// What bytes stand for.
enum Meant {
    /// These, as a rule has them.
    Opcodes(String),
    Cdb,
}

/// Tells whether bytes are an opcode, a list of opcodes, or a CDB.
fn of_bytes(read: &Bytes, class: Class) -> Result<Meant> {
    let opcodes = || Meant::Opcodes(hex::list(&read.bytes));
    let bytes = &read.bytes;
    if bytes.len() > MAX_CDB {
        bail!("a CDB has 1 to {MAX_CDB} bytes, not {}", bytes.len());
    }
    let (complete, twins) = (read.is_complete(), read.has_twins());
    match read.form {
        Form::One => return Ok(opcodes()),
        Form::Labelled => return Ok(Meant::Cdb),
        // As many opcodes, each once, may happen to be as long as a CDB. A CDB has several bytes that are zero.
        _ if complete && twins => return Ok(Meant::Cdb),
        Form::Commas if !complete && !twins && !names_action(bytes, class) => return Ok(opcodes()),
        // A rule for the first of them would close or open less, or more, than was written.
        Form::Certain | Form::Blanks | Form::Commas => (),
    }
    let what = |opcode: u8| whole(opcode, class).map_or("unknown", |entry| entry.name.as_str());
    let each = bytes
        .iter()
        .map(|byte| format!("{byte:02x} ({})", what(*byte)));
    let each: Vec<String> = each.collect();
    let decoded = super::decode(bytes, class);
    let name = decoded.name.as_deref().unwrap_or("unknown");
    Err(read.two_readings(&format!(", {name}"), &each.join(", ")))
}

/// The bytes of a command as it is written, if they are a CDB.
pub(super) fn cdb_meant(command: &str, class: Class) -> Option<Vec<u8>> {
    let read = hex::read(command)?;
    let meant = of_bytes(&read, class).ok()?;
    matches!(meant, Meant::Cdb).then_some(read.bytes)
}

/// Tells whether the second byte makes the first a command that has a name of its own, so that a CDB may be meant.
fn names_action(bytes: &[u8], class: Class) -> bool {
    let [opcode, second, ..] = hex::padded(bytes);
    of_opcode(opcode, class).any(|entry| {
        let mut fields = entry.rule.fields().filter(|field| field.byte() == 1);
        fields.next().is_some_and(|field| {
            // Bits that are set beside those of the field make it unlikely.
            let around = second & !field.mask() & 0xe0 == 0;
            around && field.values().contains(second & field.mask())
        })
    })
}

/// The rule with this matching part, which matches something.
fn parse(matching: &str, access: Option<Access>) -> Result<Rule> {
    let rule = line(matching, access)?;
    match contradiction(&rule) {
        Some(byte) => bail!(
            "'{matching}': no value of byte {byte} meets all conditions on it, so it matches no command"
        ),
        None => Ok(rule),
    }
}

/// The rule with this matching part.
fn line(matching: &str, access: Option<Access>) -> Result<Rule> {
    let verdict = match access {
        Some(Access::Read) => "allow r ",
        Some(Access::Write) => "allow w ",
        None => "deny ",
    };
    let text = format!("{verdict}{matching}");
    let change = Change::parse(text.as_bytes()).map_err(|error| {
        let column = (error.column as usize).saturating_sub(verdict.len()).max(1);
        anyhow!("'{matching}', column {column}: {}", error.kind)
    })?;
    let rule = change.rules().next();
    let rule = rule.ok_or_else(|| anyhow!("'{matching}' is no rule"))?;
    let ends = || anyhow!("'{matching}': a command has no 'for='");
    rule.permanent().ok_or_else(ends)
}

/// Tells whether a word is meant as opcodes: a digit comes first, or two hex digits stand alone.
fn is_number(word: &str) -> bool {
    let hex = |at: usize| word.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    word.starts_with(|c: char| c.is_ascii_digit())
        || hex(0) && hex(1) && matches!(word.as_bytes().get(2), None | Some(b',' | b'-' | b'['))
}

/// A CDB of a command by name: as long as the standard has it, all fields zero but those that make
/// it what the name says.
///
/// # Errors
///
/// An unknown name; a command that is nothing without a service action, or stands for several; vendor
/// specific ones.
pub fn cdb_of(name: &str, class: Class) -> Result<Vec<u8>> {
    let name = name.to_ascii_lowercase();
    let entry = find(&name, class).ok_or_else(|| unknown(&name, class))?;
    if entry.name == VENDOR_SPECIFIC {
        bail!("'{name}' is no single command; give the CDB");
    }
    let opcode = entry.rule.opcodes().iter().next().unwrap_or_default();
    let mut actions = of_opcode(opcode, class).filter(|entry| entry.is_part());
    if let (false, Some(action)) = (entry.is_part() || entry.by_parts, actions.next()) {
        bail!(
            "'{name}' has service actions; name one, as {}, or give the CDB",
            action.name
        );
    }
    let mut cdb = [0; MAX_CDB];
    cdb[0] = opcode;
    for field in entry.rule.fields() {
        let value = field.values().iter().next().unwrap_or_default();
        cdb[usize::from(field.byte())] |= value;
    }
    debug_assert!(whole(opcode, class).is_some());
    // Of a variable length it is as long as its names say; all of those are of 32 bytes.
    let length = hex::length(&cdb).unwrap_or(16);
    let cdb = cdb.get(..length).unwrap_or(&cdb);
    match super::decode(cdb, class).name {
        // With zeros in all other fields it is a more special one.
        Some(made) if made != entry.name && !entry.by_parts => {
            bail!("'{name}' is several commands, {made} among them; name one, or give the CDB")
        }
        _ => Ok(cdb.to_vec()),
    }
}

#[cfg(test)]
mod tests;
