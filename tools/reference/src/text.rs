// SPDX-License-Identifier: GPL-2.0

//! A text of rules, and what it does to a list.

use super::rule::{Line, Rule};

/// How many rules a list may have.
pub const MAX_RULES: usize = 4096;

/// `+` or `-`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prefix {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// What a good text does.
#[derive(Debug)]
pub enum Change {
    /// An empty line alone.
    Reset,
    /// The rules, each with the number of its line, replace the list.
    Replace(Vec<(usize, Line)>),
    /// The lines edit the list.
    Edit(Vec<(usize, Prefix, Line)>),
}

/// Why a text is bad.
#[derive(PartialEq, Eq, Debug)]
pub enum Bad {
    /// Nothing is in it but comments, or nothing at all.
    Nothing,
    /// The first line that is wrong, counted from 1.
    Line(usize),
}

/// Why a good text cannot be applied to a list; with the line.
#[derive(PartialEq, Eq, Debug)]
pub enum Failure {
    /// ENOENT
    NotFound(usize),
    /// ENOSPC
    TooMany(usize),
}

/// What a text does.
pub fn parse(text: &[u8]) -> Result<Change, Bad> {
    if text == b"\n" {
        return Ok(Change::Reset);
    }
    let mut replace = Vec::new();
    let mut edit = Vec::new();
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let printable = |byte: &u8| *byte == b'\t' || (0x20..0x7f).contains(byte);
        if !line.iter().all(printable) {
            return Err(Bad::Line(number));
        }
        let line = String::from_utf8_lossy(line);
        let line = line.split('#').next().unwrap_or_default();
        let mut line = line.trim_matches([' ', '\t']);
        if line.is_empty() {
            continue;
        }
        let mut prefix = None;
        for (mark, meaning) in [('+', Prefix::Plus), ('-', Prefix::Minus)] {
            if prefix.is_none() && line.starts_with(mark) {
                prefix = Some(meaning);
                line = &line[1..];
            }
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|w| !w.is_empty()).collect();
        let rule = Line::of_words(&words).ok_or(Bad::Line(number))?;
        match prefix {
            None => replace.push((number, rule)),
            Some(prefix) => edit.push((number, prefix, rule)),
        }
        // Mixed: the first line of the other kind is wrong.
        if !replace.is_empty() && !edit.is_empty() {
            return Err(Bad::Line(number));
        }
    }
    match (replace.is_empty(), edit.is_empty()) {
        (true, true) => Err(Bad::Nothing),
        (false, _) => Ok(Change::Replace(replace)),
        (true, false) => Ok(Change::Edit(edit)),
    }
}

/// A rule of a list, and the nanosecond at which it stops to apply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// The rule.
    pub rule: Rule,
    /// None: it applies until it is removed.
    pub end: Option<u64>,
}

const NANOS: u64 = 1_000_000_000;

impl Listed {
    /// A rule that a list gets at a time.
    pub fn new(line: &Line, now: u64) -> Listed {
        Listed {
            rule: line.rule.clone(),
            end: line.seconds.map(|seconds| now + seconds * NANOS),
        }
    }

    /// Whether it applies at a time.
    pub fn applies(&self, now: u64) -> bool {
        self.end.is_none_or(|end| now < end)
    }

    /// What the list shows of it at a time, at which it applies: the seconds that are left, rounded up.
    pub fn shown(&self, now: u64) -> Line {
        Line {
            rule: self.rule.clone(),
            seconds: self.end.map(|end| (end - now).div_ceil(NANOS)),
        }
    }
}

impl Change {
    /// The rules of the text.
    pub fn rules(&self) -> Vec<&Line> {
        match self {
            Change::Reset => Vec::new(),
            Change::Replace(lines) => lines.iter().map(|(_, rule)| rule).collect(),
            Change::Edit(lines) => lines.iter().map(|(_, _, rule)| rule).collect(),
        }
    }

    /// What becomes of a list at a time.
    pub fn apply(&self, before: &[Listed], now: u64) -> Result<Vec<Listed>, Failure> {
        // What has ended is not there any more.
        let mut list: Vec<Listed> = before.iter().filter(|l| l.applies(now)).cloned().collect();
        match self {
            Change::Reset => list.clear(),
            Change::Replace(lines) => {
                if let Some((line, _)) = lines.get(MAX_RULES) {
                    return Err(Failure::TooMany(*line));
                }
                list = lines
                    .iter()
                    .map(|(_, rule)| Listed::new(rule, now))
                    .collect();
            }
            Change::Edit(lines) => {
                for (line, prefix, rule) in lines {
                    if *prefix == Prefix::Minus {
                        let found = list.iter().position(|other| other.rule == rule.rule);
                        list.remove(found.ok_or(Failure::NotFound(*line))?);
                        continue;
                    }
                    // An equal rule that ends gives way, and a new one that ends too lasts as long
                    // as that would have.
                    let mut new = Listed::new(rule, now);
                    while let Some(at) = (list.iter())
                        .position(|other| other.rule == new.rule && other.end.is_some())
                    {
                        let old = list.remove(at);
                        new.end = new.end.max(old.end).filter(|_| new.end.is_some());
                    }
                    if list.len() == MAX_RULES {
                        return Err(Failure::TooMany(*line));
                    }
                    list.insert(0, new);
                }
            }
        }
        Ok(list)
    }
}
