// SPDX-License-Identifier: GPL-2.0

//! CDBs in hex: the one notation of all commands, policy files and logs.
//!
//! A CDB is its bytes, of two digits each, with or without `0x` or `\x` in front, with blanks, commas or colons
//! between them or nothing, and with or without brackets or quotes around them. What a program prints in front of
//! it may stay, if the bytes come after `cdb:`, `cdb=` or `cmdp=`: lines of the kernel's log, of strace, of sg3_utils,
//! of smartctl and of the audit log.
//!
//! Where opcodes can stand as well, as in `sgioctl allow`, `5f 06` is a CDB that ends early, or two opcodes.
//! [`Form`] tells what is certain from what is not; `cdb:5f 06` and `op:5f,06` say which is meant.

mod announced;
mod cdb_length;
mod digits;
mod words;

pub use self::{
    cdb_length::{assumed, length, padded},
    digits::{hex, list, without_h},
    words::items,
};

use self::{
    announced::{announced, one_announced},
    digits::{byte_digits, is_number, tokens},
};
use anyhow::{anyhow, bail, Result};
use sgio_policy::policy::MAX_CDB;

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

/// The bytes of a CDB, where nothing but a CDB can stand.
///
/// # Errors
///
/// Anything else, and a CDB of 0 or more than 32 bytes.
pub fn cdb(text: &str) -> Result<Vec<u8>> {
    one_announced(text)?;
    let Some(Bytes { bytes, .. }) = read(text) else {
        bail!("'{text}' is no hex bytes: two digits a byte are wanted");
    };
    if bytes.len() > MAX_CDB {
        bail!("a CDB has 1 to {MAX_CDB} bytes, not {}", bytes.len());
    }
    Ok(bytes)
}

/// The bytes of a CDB in a list of CDBs and names, where no opcodes can stand. What means opcodes elsewhere is
/// no CDB here.
///
/// # Errors
///
/// As of [`cdb`], and of a list of opcodes.
pub fn one(item: &str) -> Result<Vec<u8>> {
    match read(item) {
        Some(bytes)
            if bytes.form == Form::Commas && !(bytes.is_complete() && bytes.has_twins()) =>
        {
            // Opcodes have no place here, so that nobody is told how to write them.
            let written = hex(&bytes.bytes);
            bail!(
                "'{item}' means opcodes where opcodes can stand, and here a CDB is wanted: write 'cdb:{written}' \
                 for one CDB, or each opcode as a CDB of its own, as 'cdb:{:02x}'",
                bytes.bytes.first().copied().unwrap_or_default()
            );
        }
        None if item.trim_start().starts_with("op:") => bail!(
            "'{item}' is opcodes, and here a CDB is wanted: give each as a CDB of its own, as 'cdb:5f'"
        ),
        _ => cdb(item),
    }
}

/// The bytes that a text is; `None` if it is something else, like a name or the fields of a rule.
pub fn read(text: &str) -> Option<Bytes> {
    if let Some(announced) = announced(text) {
        let form = Form::Labelled;
        return match <[_; 1]>::try_from(announced) {
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

#[cfg(test)]
mod tests;
