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
    };
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
    if section.switches.is_empty() && section.table.is_none() && section.rules.is_none() {
        return Err(start + 1);
    }
    Ok(section)
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
