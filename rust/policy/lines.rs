// SPDX-License-Identifier: GPL-2.0

//! A text to its lines that have a rule.

use super::{
    parse,
    ParseError, //
};

/// The lines of a text that have a rule, with their numbers; ends behind the first error.
pub(super) struct Lines<'a> {
    rest: Option<&'a [u8]>,
    number: u32,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a [u8]) -> Lines<'a> {
        Lines {
            rest: Some(text),
            number: 0,
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<(u32, parse::Line), ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut parts = self.rest?.splitn(2, |byte| *byte == b'\n');
            let text = parts.next().unwrap_or_default();
            self.rest = parts.next();
            self.number = self.number.saturating_add(1);
            match parse::line(text) {
                Ok(None) => (),
                Ok(Some(line)) => return Some(Ok((self.number, line))),
                Err((at, kind)) => {
                    self.rest = None;
                    return Some(Err(ParseError {
                        line: self.number,
                        column: column(at),
                        kind,
                    }));
                }
            }
        }
    }
}

/// Returns the column, counted from 1, of an index into a line.
pub(super) fn column(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1)
}
