// SPDX-License-Identifier: GPL-2.0

//! One line of text to one rule, after the grammar in the head of `mod.rs`.
//!
//! For whole texts see `change.rs`.

use super::{
    scan::{
        Fault,
        Scanner, //
    },
    Access,
    Action, //
    ByteSet,
    Field,
    Lifetime,
    ParseErrorKind,
    Rule,
    TextRule,
};

/// What the prefix of a line does with its rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edit {
    /// `+`: put it in front of the list, so that it wins.
    Insert,
    /// `-`: take the first equal rule out of the list.
    Remove,
}

/// A parsed line: its prefix and its rule, and the index at which the line's text begins.
pub(super) struct Line {
    pub(super) edit: Option<Edit>,
    pub(super) rule: TextRule,
    pub(super) start: usize,
}

/// Parses a line (no newline in it); `None` if it is blank or has only a comment.
pub(super) fn line(text: &[u8]) -> Result<Option<Line>, Fault> {
    let strange = |byte: &u8| !matches!(byte, b'\t' | b' '..=b'~');
    if let Some((at, byte)) = text.iter().enumerate().find(|(_, byte)| strange(byte)) {
        return Err((at, ParseErrorKind::Character(*byte)));
    }

    let mut scan = Scanner::new(text);
    scan.blanks();
    if scan.at_end() {
        return Ok(None);
    }
    let start = scan.at;
    let edit = scan.edit();
    let action = scan.action()?;
    let opcodes = scan.items()?;
    let mut rule = Rule::new(action, opcodes).ok_or((scan.at, ParseErrorKind::Hex))?;
    let lifetime = loop {
        scan.blanks();
        if scan.at_end() {
            break None;
        }
        if let Some(lifetime) = scan.lifetime()? {
            break Some(lifetime);
        }
        let at = scan.at;
        rule = rule
            .with_field(scan.field()?)
            .ok_or((at, ParseErrorKind::TooManyFields))?;
    };
    scan.blanks();
    if !scan.at_end() {
        return Err((scan.at, ParseErrorKind::AfterLifetime));
    }
    let rule = TextRule { rule, lifetime };
    Ok(Some(Line { edit, rule, start }))
}

impl Scanner<'_> {
    fn edit(&mut self) -> Option<Edit> {
        let edit = if self.eat(b'+') {
            Edit::Insert
        } else if self.eat(b'-') {
            Edit::Remove
        } else {
            return None;
        };
        self.blanks();
        Some(edit)
    }

    fn action(&mut self) -> Result<Action, Fault> {
        if self.word(b"deny") {
            Ok(Action::Deny)
        } else if !self.word(b"allow") {
            Err((self.at, ParseErrorKind::Action))
        } else if self.word(b"r") {
            Ok(Action::Allow(Access::Read))
        } else if self.word(b"w") {
            Ok(Action::Allow(Access::Write))
        } else {
            Err((self.at, ParseErrorKind::Access))
        }
    }

    /// A list of values and ranges, and the end of the word behind it.
    fn items(&mut self) -> Result<ByteSet, Fault> {
        let mut set = ByteSet::EMPTY;
        loop {
            let at = self.at;
            let first = self.hex()?;
            let last = if self.eat(b'-') { self.hex()? } else { first };
            if last < first {
                return Err((at, ParseErrorKind::Descending));
            }
            set.insert_range(first, last);
            if !self.eat(b',') {
                break;
            }
        }
        match self.peek() {
            None | Some(b' ' | b'\t' | b'#') => Ok(set),
            Some(_) => Err((self.at, ParseErrorKind::AfterValue)),
        }
    }

    /// The number of a field's byte, without a leading zero.
    fn byte_number(&mut self) -> Result<u8, Fault> {
        let start = self.at;
        match self.decimal() {
            ([b'0'], _) => Err((start, ParseErrorKind::OpcodeByte)),
            ([b'1'..=b'9', ..], number @ 1..=31) => Ok(number as u8),
            _ => Err((start, ParseErrorKind::FieldByte)),
        }
    }

    /// A lifetime, without a leading zero, and the end of the word behind it; `None` if there is none.
    fn lifetime(&mut self) -> Result<Option<Lifetime>, Fault> {
        let word = b"for=";
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Ok(None);
        }
        self.at += word.len();
        let start = self.at;
        let lifetime = match self.decimal() {
            ([b'1'..=b'9', ..], seconds) => Lifetime::from_secs(seconds),
            _ => None,
        };
        match (lifetime, self.peek()) {
            (Some(_), None | Some(b' ' | b'\t' | b'#')) => Ok(lifetime),
            _ => Err((start, ParseErrorKind::Lifetime)),
        }
    }

    fn field(&mut self) -> Result<Field, Fault> {
        self.expect(b'[', ParseErrorKind::Field)?;
        let byte = self.byte_number()?;
        self.expect(b']', ParseErrorKind::Bracket)?;
        let mut mask = u8::MAX;
        if self.eat(b'&') {
            let at = self.at;
            mask = self.hex()?;
            if mask == 0 {
                return Err((at, ParseErrorKind::Mask));
            }
        }
        self.expect(b'=', ParseErrorKind::Equals)?;
        let at = self.at;
        let values = self.items()?;
        // The byte and the mask are good by now, and there is a value.
        Field::new(byte, mask, values).ok_or((at, ParseErrorKind::OutsideMask))
    }
}
