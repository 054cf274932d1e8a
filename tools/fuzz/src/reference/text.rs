// SPDX-License-Identifier: GPL-2.0

//! A text of rules, and what it does to a list.

use super::rule::Rule;

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
    Replace(Vec<(usize, Rule)>),
    /// The lines edit the list.
    Edit(Vec<(usize, Prefix, Rule)>),
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
        let words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        let rule = Rule::of_words(words).ok_or(Bad::Line(number))?;
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

impl Change {
    /// The rules of the text.
    pub fn rules(&self) -> Vec<&Rule> {
        match self {
            Change::Reset => Vec::new(),
            Change::Replace(lines) => lines.iter().map(|(_, rule)| rule).collect(),
            Change::Edit(lines) => lines.iter().map(|(_, _, rule)| rule).collect(),
        }
    }

    /// What becomes of a list.
    pub fn apply(&self, before: &[Rule]) -> Result<Vec<Rule>, Failure> {
        let mut list = before.to_vec();
        match self {
            Change::Reset => list.clear(),
            Change::Replace(lines) => {
                if let Some((line, _)) = lines.get(MAX_RULES) {
                    return Err(Failure::TooMany(*line));
                }
                list = lines.iter().map(|(_, rule)| rule.clone()).collect();
            }
            Change::Edit(lines) => {
                for (line, prefix, rule) in lines {
                    if *prefix == Prefix::Minus {
                        let found = list.iter().position(|other| other == rule);
                        list.remove(found.ok_or(Failure::NotFound(*line))?);
                    } else if list.len() == MAX_RULES {
                        return Err(Failure::TooMany(*line));
                    } else {
                        list.insert(0, rule.clone());
                    }
                }
            }
        }
        Ok(list)
    }
}
