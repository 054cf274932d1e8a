// SPDX-License-Identifier: GPL-2.0

//! The text of a transaction: `Documentation/ABI/testing/dev-sgio_filter`.

use super::text::{self, Bad, Change};
use std::collections::BTreeMap;

/// The settings of a device, in their order, each with the word that is off and the one that is on.
pub const DEVICE: &[(&str, [&str; 2])] = &[
    ("unpriv_sgio", ["0", "1"]),
    ("complain", ["0", "1"]),
    ("report_luns", ["passthrough", "own"]),
    ("pr_exclusive", ["0", "1"]),
    ("filter_sg", ["0", "1"]),
];
/// The built-in tables of a class.
pub const TABLES: &[&str] = &["strict", "stock"];
/// The classes by type.
pub const CLASSES: &str = "disk tape printer processor worm cdrom scanner optical changer \
    communications 0a 0b raid enclosure rbc ocrw bridge osd adc security zbc 15 16 17 18 19 1a 1b 1c 1d \
    wlun unknown";

/// What a section is about.
#[derive(PartialEq, Eq, Debug)]
pub enum Target {
    /// Host, channel, target; LUN; id.
    Device([u32; 3], u64, Option<u64>),
    /// By type.
    Class(usize),
}

/// A section.
#[derive(Debug)]
pub struct Section {
    /// What it is about.
    pub target: Target,
    /// The settings that it names, and whether they are on.
    pub switches: BTreeMap<&'static str, bool>,
    /// The table that it names.
    pub table: Option<&'static str>,
    /// `rules`.
    pub rules: Option<Change>,
    /// `grant` and `revoke`, in their order.
    pub grants: Vec<GrantChange>,
}

/// What happens to the grants on a device.
#[derive(Debug)]
pub enum GrantChange {
    /// Holder, name, seconds, rules.
    Grant(u64, String, Option<u64>, Change),
    /// Holder, name.
    Revoke(u64, Option<String>),
    /// All of the device.
    RevokeAll,
}

/// The sections of a text, or the line of its first mistake.
pub fn parse(text: &[u8]) -> Result<Vec<Section>, usize> {
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let header = |line: &[u8]| line.starts_with(b"device ") || line.starts_with(b"class ");
    let starts: Vec<usize> = (0..lines.len()).filter(|at| header(lines[*at])).collect();

    let before = &lines[..starts.first().copied().unwrap_or(lines.len())];
    if let Some(at) = before.iter().position(|line| !is_silent(line)) {
        return Err(at + 1);
    }
    let mut sections = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(lines.len());
        sections.push(section(&lines[*start..end], *start)?);
    }
    Ok(sections)
}

fn is_silent(line: &[u8]) -> bool {
    line.is_empty() || line[0] == b'#'
}

/// `start` lines stand before it.
fn section(lines: &[&[u8]], start: usize) -> Result<Section, usize> {
    let header = std::str::from_utf8(lines[0]).map_err(|_| start + 1)?;
    let target = target(header).ok_or(start + 1)?;
    let is_device = matches!(target, Target::Device(..));
    let mut section = Section {
        target,
        switches: BTreeMap::new(),
        table: None,
        rules: None,
        grants: Vec::new(),
    };
    // What is about grants comes last.
    let about_grants = |line: &&[u8]| {
        let word = line.split(|byte| *byte == b' ').next();
        matches!(word, Some(b"grant" | b"revoke"))
    };
    let mut headers: Vec<usize> = (1..lines.len())
        .filter(|at| about_grants(&lines[*at]))
        .collect();
    let all = lines;
    let lines = &all[..headers.first().copied().unwrap_or(all.len())];
    // How many of the keys of such a section have had their turn.
    let mut past = 0;
    for at in 1..lines.len() {
        let number = start + at + 1;
        if is_silent(lines[at]) {
            continue;
        }
        if lines[at] == b"rules" {
            if section.table.is_some() {
                return Err(number);
            }
            section.rules = Some(rules(&lines[at + 1..], number)?);
            break;
        }
        let line = std::str::from_utf8(lines[at]).map_err(|_| number)?;
        let (key, value) = line.split_once(' ').ok_or(number)?;
        if is_device {
            let place = DEVICE.iter().position(|(known, _)| *known == key);
            let place = place.filter(|place| *place >= past).ok_or(number)?;
            let (name, words) = DEVICE[place];
            let on = words.iter().position(|word| *word == value).ok_or(number)?;
            section.switches.insert(name, on == 1);
            past = place + 1;
        } else {
            let table = TABLES.iter().find(|table| **table == value);
            if key != "table" || section.table.is_some() || table.is_none() {
                return Err(number);
            }
            section.table = table.copied();
        }
    }
    if !is_device && !headers.is_empty() {
        return Err(start + headers[0] + 1);
    }
    headers.push(all.len());
    for pair in headers.windows(2) {
        let lines = &all[pair[0]..pair[1]];
        let change = grant(lines, start + pair[0])?;
        section.grants.push(change);
    }
    if section.switches.is_empty()
        && section.table.is_none()
        && section.rules.is_none()
        && section.grants.is_empty()
    {
        return Err(start + 1);
    }
    Ok(section)
}

/// A line about grants, and what is behind it up to the next one. `before` lines stand before it.
fn grant(lines: &[&[u8]], before: usize) -> Result<GrantChange, usize> {
    let header = std::str::from_utf8(lines[0]).map_err(|_| before + 1)?;
    let change = grant_header(header).ok_or(before + 1)?;
    let rest = &lines[1..];
    let GrantChange::Grant(holder, name, seconds, _) = change else {
        return match rest.iter().position(|line| !is_silent(line)) {
            Some(at) => Err(before + 1 + at + 1),
            None => Ok(change),
        };
    };
    match rules(rest, before + 1)? {
        rules @ Change::Replace(_) => Ok(GrantChange::Grant(holder, name, seconds, rules)),
        _ => Err(before + 1),
    }
}

/// A grant has no rules yet.
fn grant_header(line: &str) -> Option<GrantChange> {
    if line == "revoke all" {
        return Some(GrantChange::RevokeAll);
    }
    let mut words: Vec<&str> = line.split(' ').collect();
    let gives = words.remove(0) == "grant";
    // From the back, so that what is left must be the holder alone.
    let mut last = |key: &str| match words.last().and_then(|word| word.strip_prefix(key)) {
        Some(value) => {
            words.pop();
            Some(value)
        }
        None => None,
    };
    let seconds = match gives.then(|| last("for=")).flatten() {
        None => None,
        Some(text) => Some(plain_number(text).filter(|n| (1..=31_622_400).contains(n))?),
    };
    let name = last("name=");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:@/+\\".contains(c);
    if name.is_some_and(|name| !(1..=64).contains(&name.len()) || !name.chars().all(plain)) {
        return None;
    }
    let [holder] = words[..] else {
        return None;
    };
    let holder = plain_number(holder.strip_prefix("cgroup=")?).filter(|id| *id != 0)?;
    Some(match gives {
        true => GrantChange::Grant(
            holder,
            name.unwrap_or_default().to_owned(),
            seconds,
            Change::Reset,
        ),
        false => GrantChange::Revoke(holder, name.map(str::to_owned)),
    })
}

/// Digits, the first of which is no zero that could be left out.
fn plain_number(text: &str) -> Option<u64> {
    let padded = text.len() > 1 && text.starts_with('0');
    number(text).filter(|_| !padded)
}

/// `before` lines stand before them.
fn rules(lines: &[&[u8]], before: usize) -> Result<Change, usize> {
    match text::parse(&lines.join(&b'\n')) {
        Ok(change) => Ok(change),
        Err(Bad::Nothing) => Ok(Change::Reset),
        Err(Bad::Line(line)) => Err(before + line),
    }
}

fn target(header: &str) -> Option<Target> {
    if let Some(name) = header.strip_prefix("class ") {
        let class = CLASSES.split_whitespace().position(|known| known == name);
        return class.map(Target::Class);
    }
    let words: Vec<&str> = header.strip_prefix("device ")?.split(' ').collect();
    let id = match words[1..] {
        [] => None,
        [id] => Some(number(id.strip_prefix("id=")?)?),
        _ => return None,
    };
    let parts: Vec<&str> = words[0].split(':').collect();
    let [host, channel, target, lun] = parts[..] else {
        return None;
    };
    let small = |text| u32::try_from(number(text)?).ok();
    Some(Target::Device(
        [small(host)?, small(channel)?, small(target)?],
        number(lun)?,
        id,
    ))
}

/// Digits alone.
fn number(text: &str) -> Option<u64> {
    let digits = text.chars().all(|digit| digit.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}
