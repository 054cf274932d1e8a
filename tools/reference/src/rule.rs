// SPDX-License-Identifier: GPL-2.0

//! A rule: from a line of text, and back.

use std::{collections::BTreeSet, fmt};

/// What a rule says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Action {
    /// `allow r`
    AllowRead,
    /// `allow w`
    AllowWrite,
    /// `deny`
    Deny,
}

/// `[byte]&mask=values`
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Field {
    /// Which byte of the CDB.
    pub byte: usize,
    /// Which of its bits.
    pub mask: u8,
    /// What they may be.
    pub values: BTreeSet<u8>,
}

/// The most seconds that a rule can apply for.
const MAX_SECONDS: u64 = 366 * 86400;

/// A rule with its `for=`, if it has one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The rule.
    pub rule: Rule,
    /// For how many seconds.
    pub seconds: Option<u64>,
}

impl Line {
    /// The rule of a line without prefix and comment.
    pub fn of_words(words: &[&str]) -> Option<Line> {
        let (words, seconds) = match words.split_last()? {
            (last, before) if last.starts_with("for=") => {
                (before, Some(last.strip_prefix("for=")?))
            }
            _ => (words, None),
        };
        let seconds = match seconds {
            None => None,
            Some(text) => {
                let digits = !text.starts_with('0') && text.chars().all(|c| c.is_ascii_digit());
                let seconds: u64 = digits.then(|| text.parse().ok())??;
                Some((1..=MAX_SECONDS).contains(&seconds).then_some(seconds)?)
            }
        };
        Some(Line {
            rule: Rule::of_words(words.iter().copied())?,
            seconds,
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rule.fmt(f)?;
        match self.seconds {
            None => Ok(()),
            Some(seconds) => write!(f, " for={seconds}"),
        }
    }
}

/// A rule. Its fields are kept sorted: their order means nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// What it says.
    pub action: Action,
    /// Of which opcodes.
    pub opcodes: BTreeSet<u8>,
    /// If all of these hold.
    pub fields: Vec<Field>,
}

impl Rule {
    /// The rule of a line without prefix and comment.
    pub fn of_words<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Rule> {
        let action = match words.next()? {
            "deny" => Action::Deny,
            "allow" => match words.next()? {
                "r" => Action::AllowRead,
                "w" => Action::AllowWrite,
                _ => return None,
            },
            _ => return None,
        };
        let opcodes = list(words.next()?)?;
        let mut fields: Vec<Field> = words.map(field).collect::<Option<_>>()?;
        fields.sort();
        (fields.len() <= 6).then_some(Rule {
            action,
            opcodes,
            fields,
        })
    }
}

/// The canonical text, but for the order of fields on the same bits of the same byte.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.action {
            Action::AllowRead => "allow r",
            Action::AllowWrite => "allow w",
            Action::Deny => "deny",
        })?;
        write!(f, " {}", text_of(&self.opcodes))?;
        for field in &self.fields {
            write!(f, " [{}]", field.byte)?;
            if field.mask != 0xff {
                write!(f, "&{:02x}", field.mask)?;
            }
            write!(f, "={}", text_of(&field.values))?;
        }
        Ok(())
    }
}

/// Sorted and merged.
fn text_of(values: &BTreeSet<u8>) -> String {
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    for value in values {
        match ranges.last_mut() {
            Some((_, last)) if u16::from(*last) + 1 == u16::from(*value) => *last = *value,
            _ => ranges.push((*value, *value)),
        }
    }
    let words: Vec<String> = ranges
        .iter()
        .map(|(first, last)| match first == last {
            true => format!("{first:02x}"),
            false => format!("{first:02x}-{last:02x}"),
        })
        .collect();
    words.join(",")
}

/// `12`, `12,a0-a3`
fn list(word: &str) -> Option<BTreeSet<u8>> {
    let mut values = BTreeSet::new();
    for item in word.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let (first, last) = (hex(first)?, hex(last)?);
        if last < first {
            return None;
        }
        values.extend(first..=last);
    }
    Some(values)
}

/// Exactly two digits.
fn hex(digits: &str) -> Option<u8> {
    let good = digits.len() == 2 && digits.chars().all(|digit| digit.is_ascii_hexdigit());
    good.then(|| u8::from_str_radix(digits, 16).ok())?
}

/// `[1]=00`, `[1]&1f=00-04,06`
fn field(word: &str) -> Option<Field> {
    let (byte, rest) = word.strip_prefix('[')?.split_once(']')?;
    let digits = !byte.starts_with('0') && byte.chars().all(|digit| digit.is_ascii_digit());
    let byte: usize = digits.then(|| byte.parse().ok())??;
    let (mask, values) = rest.split_once('=')?;
    let mask = match mask {
        "" => 0xff,
        mask => hex(mask.strip_prefix('&')?)?,
    };
    let values = list(values)?;
    let good = (1..=31).contains(&byte) && mask != 0 && values.iter().all(|v| v & !mask == 0);
    good.then_some(Field { byte, mask, values })
}
