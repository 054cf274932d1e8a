// SPDX-License-Identifier: GPL-2.0

//! How long a CDB is.

use sgio_policy::policy::MAX_CDB;

/// A CDB as the kernel decides on it: with zeros behind its end. What is behind byte 31 is left out.
pub fn padded(cdb: &[u8]) -> [u8; MAX_CDB] {
    let mut padded = [0; MAX_CDB];
    for (to, from) in padded.iter_mut().zip(cdb) {
        *to = *from;
    }
    padded
}

/// The length that the standards give a CDB; none where they leave it open.
pub fn length(cdb: &[u8]) -> Option<usize> {
    match *cdb.first()? {
        0x00..=0x1f => Some(6),
        0x20..=0x5f => Some(10),
        0x7f => Some(usize::from(cdb.get(7).copied().unwrap_or(0)) + 8),
        0x80..=0x9f => Some(16),
        0xa0..=0xbf => Some(12),
        _ => None,
    }
}

/// The bytes that are taken for those that a CDB lacks at its end, in words; none if it has its length.
pub fn assumed(cdb: &[u8]) -> Option<String> {
    let given = cdb.len();
    let (last, many) = match length(cdb) {
        Some(standard) if standard > given => (standard - 1, standard - 1 > given),
        // Of variable length, where that is not told.
        None if given == 1 => return Some("all bytes behind the opcode are 00".into()),
        _ => return None,
    };
    Some(match many {
        true => format!("bytes {given} to {last} are 00"),
        false => format!("byte {last} is 00"),
    })
}
