// SPDX-License-Identifier: GPL-2.0

//! Names, numbers and rule texts to rules.

use super::{
    narrow::exact,
    table::{of_class, of_opcode, whole, Entry, VENDOR_SPECIFIC},
};
use crate::hex::{self, Bytes, Form};
use anyhow::{anyhow, bail, Result};
use sgio_policy::policy::{Access, Change, Class, Rule, MAX_CDB};

/// How many names an error offers.
const SUGGESTIONS: usize = 3;

/// The rule's matching part for a command by name, number or rule text, on a class:
/// `persistent-reserve-out:register`, `ata-pass-through-16:smart`, `5f`, `5f [1]&1f=00`, `c0-ff`,
/// `write-10 [1]&08=08`; or for a CDB ([`crate::hex`]), the narrowest rule that allows it. `access` `None` makes a deny
/// rule. A name may need several rules.
///
/// # Errors
///
/// An unknown name, with the nearest known ones; a wrong rule, with the column; bytes that are a CDB or opcodes.
pub fn rules(command: &str, class: Class, access: Option<Access>) -> Result<Vec<Rule>> {
    if command.contains(['\n', '\r']) {
        bail!("{command:?}: one command is one line");
    }
    let command = command.trim();
    let opcodes = command.strip_prefix("op:").map(str::trim);
    if let (None, Some(bytes)) = (opcodes, hex::read(command)) {
        let matching = of_bytes(&bytes, class)?;
        return parse(&matching, access).map(|rule| vec![rule]);
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
            let named: Vec<&str> = entry.text.split(' ').collect();
            // Otherwise a mistake in the fields would be reported at a column of another text.
            parse(&format!("00 {}", fields.trim()), None)
                .map_err(|_| anyhow!("'{command}': wrong fields after the name"))?;
            format!("{}{fields}", named.join(" "))
        }
        _ if is_number(word) || word.is_empty() || opcodes.is_some() => {
            let plain = word.strip_prefix("0x").filter(|_| !fields.is_empty());
            format!("{}{fields}", plain.unwrap_or(word))
        }
        _ => return Err(unknown(&name, class)),
    };
    parse(&matching, access).map(|rule| vec![rule])
}

/// The matching part of the rule that bytes stand for: an opcode, a list of opcodes, or what the CDB is.
fn of_bytes(read: &Bytes, class: Class) -> Result<String> {
    let opcodes = || hex::hex(&read.bytes).replace(' ', ",");
    let bytes = &read.bytes;
    if bytes.len() > MAX_CDB {
        bail!("a CDB has 1 to {MAX_CDB} bytes, not {}", bytes.len());
    }
    let (complete, twins) = (read.is_complete(), read.has_twins());
    match read.form {
        Form::One => return Ok(opcodes()),
        Form::Labelled => return Ok(exact(bytes, class)),
        Form::Certain if complete => return Ok(exact(bytes, class)),
        Form::Blanks if complete => return Ok(exact(bytes, class)),
        Form::Commas if complete && twins => return Ok(exact(bytes, class)),
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

/// Tells whether the second byte makes the first a command that has a name of its own, so that a CDB may be meant.
fn names_action(bytes: &[u8], class: Class) -> bool {
    let mut padded = [0; MAX_CDB];
    for (to, from) in padded.iter_mut().zip(bytes) {
        *to = *from;
    }
    let [opcode, second, ..] = padded;
    of_opcode(opcode, class).any(|entry| {
        let mut fields = entry.rule.fields().filter(|field| field.byte() == 1);
        fields.next().is_some_and(|field| {
            // Bits that are set beside those of the field make it unlikely.
            let around = second & !field.mask() & 0xe0 == 0;
            around && field.values().contains(second & field.mask())
        })
    })
}

/// The rule with this matching part.
fn parse(matching: &str, access: Option<Access>) -> Result<Rule> {
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

/// The entry of a name on a class. `command:service-action` is understood too where the service
/// action has a name of its own.
fn find(name: &str, class: Class) -> Option<&'static Entry> {
    of_class(class).find(|entry| {
        entry.name == name
            || entry.is_part()
                && name
                    .strip_prefix(entry.base.as_str())
                    .and_then(|rest| rest.strip_prefix(':'))
                    == Some(entry.name.as_str())
    })
}

fn unknown(name: &str, class: Class) -> anyhow::Error {
    let mut others = Class::ALL.into_iter().filter(|other| *other != class);
    if let Some(other) = others.find(|other| find(name, *other).is_some()) {
        return anyhow!(
            "'{name}' is a command of class {}, but not of {}",
            other.name(),
            class.name()
        );
    }
    let near = nearest(name, class);
    let hint = match near.as_slice() {
        [] => format!("see: sgioctl explain --names --class {}", class.name()),
        _ => format!("did you mean {}?", near.join(", ")),
    };
    anyhow!(
        "'{name}' is no known command of class {}; {hint}",
        class.name()
    )
}

/// The names most like `name`, best first.
fn nearest(name: &str, class: Class) -> Vec<String> {
    let mut names: Vec<(usize, &str)> = of_class(class)
        .filter_map(|entry| {
            let known = entry.name.as_str();
            let (_, action) = known.rsplit_once(':').unwrap_or(("", known));
            let distance = distance(name, known).min(distance(name, action) + 1);
            let near = distance <= (name.len() / 3).max(2);
            let part = name.len() >= 3 && known.contains(name);
            (near || part).then_some((if near { distance } else { known.len() }, known))
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    let names = names.into_iter().map(|(_, name)| name.to_owned());
    names.take(SUGGESTIONS).collect()
}

/// How many letters to insert, remove or change to make one of the other.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in (1..).zip(a.chars()) {
        let mut next = vec![i];
        for (j, b) in b.iter().enumerate() {
            let change = row[j] + usize::from(a != *b);
            next.push(change.min(row[j + 1] + 1).min(next[j] + 1));
        }
        row = next;
    }
    row[b.len()]
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
    if let (false, Some(action)) = (entry.is_part(), actions.next()) {
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
    let length = match opcode {
        0x00..=0x1f => 6,
        0x20..=0x5f => 10,
        0x7f => MAX_CDB,
        0xa0..=0xbf => 12,
        _ => 16,
    };
    debug_assert!(whole(opcode, class).is_some());
    let cdb = &cdb[..length];
    match super::decode(cdb, class).name {
        // With zeros in all other fields it is a more special one.
        Some(made) if made != entry.name => {
            bail!("'{name}' is several commands, {made} among them; name one, or give the CDB")
        }
        _ => Ok(cdb.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(command: &str, class: Class) -> Result<String> {
        let rules = rules(command, class, Some(Access::Read))?;
        let rules: Vec<String> = rules.iter().map(Rule::to_string).collect();
        Ok(rules.join("\n"))
    }

    #[test]
    fn what_is_understood() {
        for (command, expected) in [
            ("persistent-reserve-out:register", "allow r 5f [1]&1f=00"),
            ("persistent-reserve-out", "allow r 5f"),
            ("Read-Capacity-16", "allow r 9e [1]&1f=10"),
            (
                "service-action-in-16:read-capacity-16",
                "allow r 9e [1]&1f=10",
            ),
            ("vendor-specific", "allow r c0-ff"),
            (
                "ata-pass-through-16:identify",
                "allow r 85 [1]&1e=08 [14]=ec",
            ),
            (
                "ata-pass-through-12:smart-read-data",
                "allow r a1 [1]&1e=08 [3]=d0 [9]=b0",
            ),
            ("write-same-32", "allow r 7f [7]=18 [8]=00 [9]=0d"),
            ("write-10 [1]&08=08", "allow r 2a [1]&08=08"),
            ("5f", "allow r 5f"),
            ("0x5f", "allow r 5f"),
            ("0x5f [1]&1f=00", "allow r 5f [1]&1f=00"),
            ("28,2a", "allow r 28,2a"),
            ("5e,5f", "allow r 5e-5f"),
            ("op:5f,06", "allow r 06,5f"),
            // A CDB, in whatever notation: what was sent.
            ("cdb:5f 06", "allow r 5f [1]&1f=06"),
            ("5f060000000000001800", "allow r 5f [1]&1f=06"),
            ("5f 06 00 00 00 00 00 00 18 00", "allow r 5f [1]&1f=06"),
            ("5f,06,00,00,00,00,00,00,18,00", "allow r 5f [1]&1f=06"),
            (
                "85 08 0e 00 d0 00 01 00 00 00 4f 00 c2 00 b0 00",
                "allow r 85 [1]&1e=08 [4]=d0 [14]=b0",
            ),
            (
                "c1 e1 00 00 00 00 00 00 28 00",
                "allow r c1 [1]=e1 [2]=00 [3]=00 [4]=00 [5]=00 [8]=28",
            ),
            ("5F [1]&1f=00", "allow r 5f [1]&1f=00"),
            ("c0-ff", "allow r c0-ff"),
            (" 28,2a\t[1]=00 ", "allow r 28,2a [1]=00"),
        ] {
            assert_eq!(text(command, Class::DISK).unwrap(), expected);
        }
        // What ends early may be opcodes, however it is written: a rule for the first would not be what was asked.
        for command in [
            "5f06",
            "0x5f,0x06",
            "0x42,0x89",
            "0x42, 0x48, 0x93",
            "[5f,5e]",
            "5f:5e",
            "0x5f5e",
            "\\x5f\\x5e",
        ] {
            let error = rules(command, Class::DISK, None).err().unwrap().to_string();
            assert!(
                error.contains("can be read in two ways"),
                "{command}: {error}"
            );
        }
        let deny = rules("unmap", Class::DISK, None).unwrap();
        assert_eq!(deny[0].to_string(), "deny 42");
        let write = rules("unmap", Class::DISK, Some(Access::Write)).unwrap();
        assert_eq!(write[0].to_string(), "allow w 42");
    }

    #[test]
    fn what_is_not() {
        for (command, class, part) in [
            (
                "persistent-reserve-out:regster",
                Class::DISK,
                "did you mean persistent-reserve-out:register",
            ),
            ("unmpa", Class::DISK, "did you mean unmap"),
            (
                "compare",
                Class::ADC,
                "is a command of class disk, but not of adc",
            ),
            (
                "read-toc-pma-atip",
                Class::DISK,
                "is a command of class cdrom",
            ),
            (
                "qqqqqqqqqqqq",
                Class::DISK,
                "no known command of class disk; see",
            ),
            (
                "5f [1]&1f=20",
                Class::DISK,
                "'5f [1]&1f=20', column 11: the value has bits",
            ),
            // Both readings, and how to say each.
        (
            "85 08 0e",
            Class::DISK,
            "which 'cdb:85 08 0e' says; or as the opcodes 85 (ata-pass-through-16), 08 (read-6), 0e (unknown), which 'op:85,08,0e' says",
        ),
        ("5f 06", Class::DISK, "persistent-reserve-out:register-and-ignore-existing-key"),
        ("0x5f 0x06", Class::DISK, "can be read in two ways"),
        ("5f,06", Class::DISK, "can be read in two ways"),
        ("85,08,0e", Class::DISK, "can be read in two ways"),
        ("12,00,03,25,a0,a3", Class::DISK, "can be read in two ways"),
        ("12,00,00", Class::DISK, "can be read in two ways"),
        ("op:unmap", Class::DISK, "column 1: expected"),

            ("5", Class::DISK, "column 1: expected exactly two"),
            ("", Class::DISK, "column 1: expected exactly two"),
            ("12\nallow r 48", Class::DISK, "one command is one line"),
            ("allow r 48", Class::DISK, "without 'allow'"),
            ("unmap 48", Class::DISK, "wrong fields"),
            ("unmap [1]", Class::DISK, "wrong fields"),
        ] {
            let error = text(command, class).unwrap_err().to_string();
            assert!(error.contains(part), "{command}: {error}");
        }
    }

    #[test]
    fn cdbs_of_names() {
        let cdb = cdb_of("write-same-32", Class::DISK).unwrap();
        assert_eq!((cdb.len(), cdb[0], cdb[7], cdb[9]), (32, 0x7f, 0x18, 0x0d));
        assert_eq!(
            cdb_of("inquiry", Class::TAPE).unwrap(),
            [0x12, 0, 0, 0, 0, 0]
        );
        assert!(cdb_of("persistent-reserve-out", Class::DISK).is_err());
        assert!(cdb_of("vendor-specific", Class::DISK).is_err());
        assert!(cdb_of("nothing", Class::DISK).is_err());
        // SANITIZE DEVICE with no feature is SANITIZE STATUS EXT.
        assert!(cdb_of("ata-pass-through-16:sanitize", Class::DISK).is_err());
        assert!(cdb_of("ata-pass-through-16:sanitize-status", Class::DISK).is_ok());
    }

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("unmap", "unmap"), 0);
    }

    proptest! {
        #[test]
        fn any_text_is_a_rule_or_an_error(command in ".{0,40}", code in 0u8..32) {
            let _ = rules(&command, Class::from_type(code), None);
        }

        /// Whatever is accepted is one line of the rule language that means the same.
        #[test]
        fn what_is_accepted_reads_back(
            command in "[0-9a-f,\\-]{2,8}( \\[[0-9]{1,2}\\](&[0-9a-f]{2})?=[0-9a-f]{2}){0,2}",
        ) {
            if let Ok(rules) = rules(&command, Class::DISK, Some(Access::Write)) {
                for rule in rules {
                    let text = rule.to_string();
                    let again = Change::parse(text.as_bytes()).unwrap().rules().next();
                    let again = again.and_then(|rule| rule.permanent());
                    prop_assert!(again == Some(rule));
                }
            }
        }
    }
}
