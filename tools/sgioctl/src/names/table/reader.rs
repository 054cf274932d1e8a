// SPDX-License-Identifier: GPL-2.0

//! The lines of the tables.
//!
//! ```text
//! @ SPC-5                                                the document of what follows
//! $ rw10 lba=2.4,blocks=7.2                              a short name for fields
//! DTW 5e - persistent-reserve-in allocation-length=7.2 PERSISTENT RESERVE IN
//! +   [1]&1f=00 - read-keys . READ KEYS                  one service action of it
//! +D  [1]&1f=10 - =read-capacity-16 - READ CAPACITY(16)  one with a name of its own, on disks only
//! ```
//!
//! The columns: classes, opcode (or the conditions of the service action, as in a rule, joined by
//! `;`), harm, name, fields, title. Classes are the letters of T10's list of opcodes, and U (bridge),
//! X (security); `*` is every class, `*-R` every class but one. Harm is `!` (destructive), `w` (takes
//! something from others, but destroys nothing) or `-`; `r` of a command with service actions is `w`, but that its name
//! alone, without r or w, is a rule for each harmless one of them. A field is `name=byte.count`,
//! `name=byte/mask`, or `name=byte:mask.count` where the first byte is shared; `.` stands for the
//! fields of the command. A field with `^` in front selects what the command does: a rule for a CDB that was
//! sent has its value too. Behind a service action without lines of its own stand the values that the standard defines
//! (`service-action=1/1f|00|01`); any other is not known.
//!
//! Commands of ATA stand in `ata.table`, which says how they look.

use super::entry::{Entry, Harm, Part};
use crate::hex;
use sgio_policy::policy::{Change, Rule};
use std::collections::HashMap;

/// The rule with that matching part.
pub(in crate::names) fn rule(text: &str) -> Option<Rule> {
    let text = format!("deny {text}");
    let rule = Change::parse(text.as_bytes()).ok()?.rules().next();
    rule?.permanent()
}

/// The high byte of FEATURES.
const HIGH: &str = "features-high";
/// The high byte of COUNT.
const COUNT_HIGH: &str = "count-high";
/// The two bytes of the LBA behind the low one.
const LBA_MID: &str = "lba-mid";
const LBA_HIGH: &str = "lba-high";

/// Where ATA PASS-THROUGH has the registers. The protocol is in byte 1, whichever it is.
#[derive(Clone, Copy)]
struct Ata {
    command: u8,
    features: u8,
}

/// What the lines before have said.
#[derive(Default)]
pub(super) struct Reader<'a> {
    document: &'a str,
    short: HashMap<&'a str, &'a str>,
    /// The commands that `+` lines, or those of ATA, are service actions of.
    whole: Vec<Whole>,
}

#[derive(Clone)]
struct Whole {
    classes: u32,
    opcode: String,
    name: String,
    title: String,
    parts: Vec<Part>,
    ata: Option<Ata>,
}

impl<'a> Reader<'a> {
    /// The entries of a line; `None` if it cannot be read.
    pub(super) fn line(&mut self, line: &'a str) -> Option<Vec<Entry>> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Some(Vec::new());
        }
        if let Some(document) = line.strip_prefix("@ ") {
            self.document = document;
            return Some(Vec::new());
        }
        if let Some(short) = line.strip_prefix("$ ") {
            let (name, fields) = short.split_once(' ')?;
            self.short.insert(name, fields.trim());
            return Some(Vec::new());
        }
        if let Some(line) = line.strip_prefix("= ") {
            return self.ata_whole(line);
        }
        if self.whole.iter().any(|whole| whole.ata.is_some()) {
            return self.ata_command(line);
        }
        self.command(line).map(|entry| vec![entry])
    }

    fn command(&mut self, line: &'a str) -> Option<Entry> {
        let (part, line) = match line.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let (classes, rest) = column(line, part)?;
        let (matching, rest) = column(rest, false)?;
        let (harm, rest) = column(rest, false)?;
        let (name, rest) = column(rest, false)?;
        let (fields, title) = column(rest, false)?;
        let by_parts = harm == "r";
        let harm = harm_of(harm)?;

        if !part {
            let whole = Whole {
                classes: classes_of(classes)?,
                opcode: matching.into(),
                name: name.into(),
                title: title.into(),
                parts: self.parts(fields, &[])?,
                ata: None,
            };
            let mut entry = self.entry(&whole, whole.classes, "", harm)?;
            entry.by_parts = by_parts;
            self.whole = vec![whole];
            return Some(entry);
        }

        let whole = self.whole.first()?;
        let mut this = Whole {
            parts: self.parts(fields, &whole.parts)?,
            ..whole.clone()
        };
        (this.name, this.title) = match name.strip_prefix('=') {
            Some(name) => (name.into(), title.into()),
            None => (
                format!("{}:{name}", whole.name),
                format!("{}: {title}", whole.title),
            ),
        };
        let classes = match classes {
            "" => whole.classes,
            letters => classes_of(letters)?,
        };
        let mut entry = self.entry(&this, classes, &matching.replace(';', " "), harm)?;
        entry.base.clone_from(&whole.name);
        if !name.starts_with('=') {
            entry.source = self.source(&whole.title);
        }
        Some(entry)
    }

    fn ata_whole(&mut self, line: &'a str) -> Option<Vec<Entry>> {
        let (classes, rest) = column(line, false)?;
        let (opcode, rest) = column(rest, false)?;
        let (command, rest) = column(rest, false)?;
        let (features, rest) = column(rest, false)?;
        let (name, rest) = column(rest, false)?;
        let (fields, title) = column(rest, false)?;
        let ata = Ata {
            command: command.parse().ok()?,
            features: features.parse().ok()?,
        };
        let whole = Whole {
            classes: classes_of(classes)?,
            opcode: opcode.into(),
            name: name.into(),
            title: title.into(),
            parts: self.parts(fields, &[])?,
            ata: Some(ata),
        };
        let entry = self.entry(&whole, whole.classes, "", Harm::Destroys)?;
        self.whole.push(whole);
        Some(vec![entry])
    }

    fn ata_command(&self, line: &'a str) -> Option<Vec<Entry>> {
        let (matching, rest) = column(line, false)?;
        let (protocols, rest) = column(rest, false)?;
        let (harm, rest) = column(rest, false)?;
        let (name, title) = column(rest, false)?;
        let (matching, selecting) = match matching.split_once('?') {
            None => (matching, &[][..]),
            Some((matching, "")) => (matching, &["features"][..]),
            Some((matching, "lba")) => (matching, &["features", "lba-low"][..]),
            Some((matching, "count")) => (matching, &["features", "count"][..]),
            Some((matching, "+ext")) => (matching, &["features", HIGH, "extend"][..]),
            Some((matching, "sub")) => (matching, &[COUNT_HIGH][..]),
            Some((matching, "sp")) => (matching, &["features", LBA_MID, LBA_HIGH][..]),
            Some((matching, "ncq")) => (matching, &["features", HIGH, COUNT_HIGH, "lba-low"][..]),
            Some(_) => return None,
        };
        let (matching, pinned) = match matching.split_once(';') {
            None => (matching, &[][..]),
            Some((matching, "count=00")) => (matching, &["count"][..]),
            Some((matching, "ext")) => (matching, &[HIGH, "extend"][..]),
            Some(_) => return None,
        };
        let carried = protocols_of(protocols)?;
        let each = |whole: &Whole| {
            let Ata { command, features } = whole.ata?;
            let mut parts = whole.parts.clone();
            // The CDB of 16 bytes alone can carry commands of 48 bits.
            let is_long = parts.iter().any(|part| part.name == "extend");
            if is_long && (selecting.contains(&HIGH) || pinned.contains(&HIGH)) {
                parts.push(part(&format!("{HIGH}={}.1", features - 1))?);
            }
            if is_long && selecting.contains(&COUNT_HIGH) {
                parts.push(part(&format!("{COUNT_HIGH}={}.1", features + 1))?);
            }
            // The registers behind the low byte of the LBA; of commands of 48 bits each has two bytes.
            let (mid, high) = if is_long { (10, 12) } else { (6, 7) };
            for (name, byte) in [(LBA_MID, mid), (LBA_HIGH, high)] {
                if selecting.contains(&name) {
                    parts.push(part(&format!("{name}={byte}.1"))?);
                }
            }
            let fields = match matching.split_once('/') {
                // No command, but what the protocol itself does: with anything else in it, it is unknown.
                None if matching == "*" => nothing_but(protocols, whole),
                None => format!("[1]&1e={carried} [{command}]={matching}"),
                Some((number, feature)) => {
                    let (value, mask) = feature.split_once('&').unwrap_or((feature, "ff"));
                    let protocol = match is_long && pinned.contains(&"extend") {
                        true => with_extend(&carried)?,
                        false => format!("[1]&1e={carried}"),
                    };
                    let mut fields =
                        format!("{protocol} [{command}]={number} [{features}]&{mask}={value}");
                    let named = |part: &&Part| {
                        part.name != "extend" && pinned.contains(&part.name.as_str())
                    };
                    for Part { byte, .. } in parts.iter().filter(named) {
                        fields += &format!(" [{byte}]=00");
                    }
                    fields
                }
            };
            for part in &mut parts {
                part.selects = selecting.contains(&part.name.as_str());
            }
            let this = Whole {
                name: format!("{}:{name}", whole.name),
                title: format!("{}: {title}", whole.title),
                parts,
                ..whole.clone()
            };
            let mut entry = self.entry(&this, whole.classes, &fields, harm_of(harm)?)?;
            entry.base.clone_from(&whole.name);
            entry.source = self.source(title);
            Some(entry)
        };
        self.whole.iter().map(each).collect()
    }

    fn entry(&self, what: &Whole, classes: u32, fields: &str, harm: Harm) -> Option<Entry> {
        let text = format!("{} {fields}", what.opcode);
        let rule = rule(&text)?;
        Some(Entry {
            classes,
            rule,
            // In the words of the rule language itself.
            text: rule.to_string().strip_prefix("deny ")?.into(),
            name: what.name.clone(),
            base: what.name.clone(),
            title: what.title.clone(),
            source: self.source(&what.title),
            harm,
            by_parts: false,
            parts: what.parts.clone(),
        })
    }

    /// Clauses are numbered anew in every version, but called by the command.
    fn source(&self, title: &str) -> String {
        format!("{} \"{title}\"", self.document)
    }

    fn parts(&self, text: &str, inherited: &[Part]) -> Option<Vec<Part>> {
        match text {
            "-" => return Some(Vec::new()),
            "." => return Some(inherited.to_vec()),
            _ => (),
        }
        let mut parts = Vec::new();
        for item in text.split(',') {
            match item.strip_prefix('$') {
                Some(short) => parts.extend(self.parts(self.short.get(short)?, &[])?),
                None => parts.push(part(item)?),
            }
        }
        Some(parts)
    }
}

fn part(text: &str) -> Option<Part> {
    let (selects, text) = match text.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (text, defined) = text.split_once('|').unwrap_or((text, ""));
    let defined = defined.split('|').filter(|value| !value.is_empty());
    let defined: Option<Vec<u8>> = defined
        .map(|value| u8::from_str_radix(value, 16).ok())
        .collect();
    let defined = defined?;
    let (name, place) = text.split_once('=')?;
    let (place, mask, count) = if let Some((byte, mask)) = place.split_once('/') {
        (byte, mask, 1)
    } else {
        let (place, count) = place.split_once('.')?;
        let (byte, mask) = place.split_once(':').unwrap_or((place, "ff"));
        (byte, mask, count.parse().ok()?)
    };
    let (byte, mask) = (place.parse().ok()?, u8::from_str_radix(mask, 16).ok()?);
    (mask != 0 && (1..=8).contains(&count) && byte + count <= 32).then(|| Part {
        name: name.into(),
        byte,
        mask,
        count,
        selects,
        defined,
    })
}

/// A condition, and that all registers of an ATA command are zero.
fn nothing_but(condition: &str, whole: &Whole) -> String {
    let mut text = condition.to_owned();
    for part in &whole.parts {
        if ["features", "count", "lba-low", "command"].contains(&part.name.as_str()) {
            text += &format!(" [{}]=00", part.byte);
        }
    }
    text
}

/// The values of byte 1 under its mask, as a rule lists them, for the letters of `ata.table`. A condition stands for
/// itself.
fn protocols_of(letters: &str) -> Option<String> {
    if letters.starts_with('[') {
        return Some(String::new());
    }
    let mut values: Vec<u8> = Vec::new();
    for letter in letters.chars() {
        // SAT-4 "PROTOCOL field", which is in bits 1 to 4.
        let protocols: &[u8] = match letter {
            'N' => &[3],
            'I' => &[4],
            'O' => &[5],
            'D' => &[6, 10],
            'U' => &[6, 11],
            'X' => &[8],
            'R' => &[9],
            'F' => &[12],
            _ => return None,
        };
        values.extend(protocols.iter().map(|protocol| protocol << 1));
    }
    values.sort_unstable();
    values.dedup();
    (!values.is_empty()).then(|| hex::list(&values))
}

/// The condition on byte 1: these protocols, and EXTEND.
fn with_extend(protocols: &str) -> Option<String> {
    let value = |protocol: &str| Some(u8::from_str_radix(protocol, 16).ok()? | 0x01);
    let values: Option<Vec<u8>> = protocols.split(',').map(value).collect();
    Some(format!("[1]&1f={}", hex::list(&values?)))
}

/// The first word, and what is behind the blanks behind it. `empty`: it may be missing.
fn column(text: &str, empty: bool) -> Option<(&str, &str)> {
    let (word, rest) = text.split_once(' ')?;
    (empty || !word.is_empty()).then(|| (word, rest.trim_start()))
}

fn harm_of(text: &str) -> Option<Harm> {
    match text {
        "-" => Some(Harm::None),
        "w" | "r" => Some(Harm::Write),
        "!" => Some(Harm::Destroys),
        _ => None,
    }
}

fn classes_of(letters: &str) -> Option<u32> {
    let bits = |letters: &str| {
        letters.chars().try_fold(0, |bits, letter| {
            let types: &[u8] = match letter {
                'D' => &[0x00, 0x14],
                'T' => &[0x01],
                'L' => &[0x02],
                'P' => &[0x03],
                'W' => &[0x04],
                'R' => &[0x05],
                'S' => &[0x06],
                'O' => &[0x07],
                'M' => &[0x08],
                'C' => &[0x09],
                'A' => &[0x0c],
                'E' => &[0x0d],
                'B' => &[0x0e],
                'K' => &[0x0f],
                'U' => &[0x10],
                'F' => &[0x11],
                'V' => &[0x12],
                'X' => &[0x13],
                _ => return None,
            };
            Some(types.iter().fold(bits, |bits, code| bits | (1 << code)))
        })
    };
    match letters.strip_prefix('*') {
        Some("") => Some(u32::MAX),
        Some(but) => Some(!bits(but.strip_prefix('-')?)?),
        None => bits(letters),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_wrong_is_an_error() {
        for line in [
            "D 28 - read-10 lba=2.4",
            "D 128 - read-10 - READ(10)",
            "D 28 ? read-10 - READ(10)",
            "Q 28 - read-10 - READ(10)",
            "D 28 - read-10 lba=2 READ(10)",
            "D 28 - read-10 lba=30.4 READ(10)",
            "D 28 - read-10 $nothing READ(10)",
            "+ [1]&1f=00 - x . X",
        ] {
            assert!(Reader::default().line(line).is_none(), "{line}");
        }
    }
}
