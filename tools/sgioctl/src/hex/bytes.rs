// SPDX-License-Identifier: GPL-2.0

//! Bytes as they are written, and what else they could be.

use super::{
    announced::announced,
    cdb_length::length,
    digits::{byte_digits, hex, is_number, list, tokens},
};
use anyhow::anyhow;

/// How sure it is that bytes are a CDB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Two digits: in a list of commands, an opcode.
    One,
    /// Bytes with blanks between them: a CDB, or opcodes one after the other.
    Blanks,
    /// Bytes with commas between them and nothing else: a CDB, or a rule's list of opcodes.
    Commas,
    /// Bytes that are written as programs print a CDB: with `0x` or brackets, or nothing between them. One that ends early,
    /// or that has no byte twice, may be opcodes all the same.
    Certain,
    /// A CDB: it is called one (`cdb:`).
    Labelled,
}

/// Bytes as they were written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bytes {
    /// At least one.
    pub bytes: Vec<u8>,
    /// What else they could be.
    pub form: Form,
}

impl Bytes {
    /// Tells whether they are as many as a CDB with that opcode has; of a vendor specific one, as the shortest has.
    pub fn is_complete(&self) -> bool {
        match length(&self.bytes) {
            Some(length) => self.bytes.len() == length,
            None => self.bytes.len() >= 6,
        }
    }

    /// Tells whether a byte is there twice, as no list of opcodes has it.
    pub fn has_twins(&self) -> bool {
        let mut bytes = self.bytes.iter().enumerate();
        bytes.any(|(at, byte)| self.bytes[..at].contains(byte))
    }

    /// What to say of bytes that can be a CDB or opcodes.
    pub fn two_readings(&self, cdb: &str, opcodes: &str) -> anyhow::Error {
        let (written, list) = (hex(&self.bytes), list(&self.bytes));
        anyhow!(
            "'{written}' can be read in two ways: as one CDB{cdb}, which 'cdb:{written}' says; or as the opcodes \
             {opcodes}, which 'op:{list}' says"
        )
    }
}

/// The bytes that a text is; `None` if it is something else, like a name or the fields of a rule.
pub fn read(text: &str) -> Option<Bytes> {
    if let Some(announced) = announced(text) {
        let form = Form::Labelled;
        return match <[_; 1]>::try_from(announced.unwrap_or_default()) {
            Ok([bytes]) => Some(Bytes { bytes, form }),
            Err(_) => None,
        };
    }
    let trimmed = text.trim();
    let inside = trimmed.trim_matches(|c: char| "[]{}()\"'".contains(c) || c.is_whitespace());
    // One bracket alone, as the argument `[5f`, is none of ours.
    let brackets = inside.len() != trimmed.len();
    let (inside, comma) = match inside.strip_suffix(',') {
        Some(inside) => (inside, true),
        None => (inside, false),
    };
    // An offset, as xxd prints it: the bytes behind it may be any part of a CDB.
    if inside
        .split_once(": ")
        .is_some_and(|(offset, _)| offset.len() >= 4 && is_number(offset))
    {
        return None;
    }
    let mut bytes = Vec::new();
    let mut long = false;
    for token in tokens(inside) {
        let token = byte_digits(token)?;
        long |= token.len() > 1;
        bytes.extend(token);
    }
    let escaped = inside.contains("\\x");
    let form = match bytes.len() {
        0 => return None,
        // A list that ends too early.
        1 if comma => return None,
        _ if brackets || escaped || long || inside.contains(':') => Form::Certain,
        1 => Form::One,
        _ if !inside.contains(',') => Form::Blanks,
        _ if inside.contains([' ', '\t']) || inside.contains("0x") => Form::Certain,
        _ => Form::Commas,
    };
    Some(Bytes { bytes, form })
}
