// SPDX-License-Identifier: GPL-2.0

//! What the words of a line are made of: bytes, blanks, hex and decimal numbers.
//!
//! A hexadecimal number that is cut off is an error and never another number.

use super::ParseErrorKind;

/// What is wrong, and the index of the byte in the line where it is.
pub(super) type Fault = (usize, ParseErrorKind);

/// A line that is read from left to right.
pub(super) struct Scanner<'a> {
    pub(super) text: &'a [u8],
    /// The index of the next byte.
    pub(super) at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Steps over `byte` if it is the next one.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Steps over `byte`, which must be there.
    pub(super) fn expect(&mut self, byte: u8, otherwise: ParseErrorKind) -> Result<(), Fault> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err((self.at, otherwise))
        }
    }

    pub(super) fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Tells whether nothing but a comment is left.
    pub(super) fn at_end(&self) -> bool {
        matches!(self.peek(), None | Some(b'#'))
    }

    /// Steps over `word` if it stands here as a whole word, and over the blanks behind it.
    pub(super) fn word(&mut self, word: &[u8]) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let found = match rest.strip_prefix(word) {
            Some(tail) => matches!(tail.first(), None | Some(b' ' | b'\t' | b'#')),
            None => false,
        };
        if found {
            self.at += word.len();
            self.blanks();
        }
        found
    }

    fn digit(&self, at: usize) -> Option<u8> {
        match self.text.get(at)? {
            digit @ b'0'..=b'9' => Some(digit - b'0'),
            digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
            digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
            _ => None,
        }
    }

    /// Exactly two hex digits.
    pub(super) fn hex(&mut self) -> Result<u8, Fault> {
        let at = self.at;
        match (self.digit(at), self.digit(at + 1), self.digit(at + 2)) {
            (Some(high), Some(low), None) => {
                self.at += 2;
                Ok((high << 4) | low)
            }
            _ => Err((at, ParseErrorKind::Hex)),
        }
    }

    /// Steps over decimal digits; returns them and their value, which is capped.
    pub(super) fn decimal(&mut self) -> (&[u8], u32) {
        let start = self.at;
        let mut number = 0u32;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number
                .saturating_mul(10)
                .saturating_add(u32::from(digit - b'0'));
            self.at += 1;
        }
        (self.text.get(start..self.at).unwrap_or_default(), number)
    }
}
