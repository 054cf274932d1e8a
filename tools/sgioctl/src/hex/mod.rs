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
mod bytes;
mod cdb_length;
mod digits;
mod mistake;
mod words;

pub use self::{
    bytes::{read, Bytes, Form},
    cdb_length::{assumed, length, padded},
    digits::{hex, list, without_h},
    mistake::{mistake, other_marks},
    words::items,
};

use self::announced::one_announced;
use anyhow::{bail, Result};
use sgio_policy::policy::MAX_CDB;

/// The bytes of a CDB, where nothing but a CDB can stand.
///
/// # Errors
///
/// Anything else, and a CDB of 0 or more than 32 bytes.
pub fn cdb(text: &str) -> Result<Vec<u8>> {
    one_announced(text)?;
    let Some(Bytes { bytes, .. }) = read(text) else {
        if let Some(wrong) = mistake(text).or_else(|| other_marks(text)) {
            bail!("{wrong}");
        }
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

#[cfg(test)]
mod tests;
