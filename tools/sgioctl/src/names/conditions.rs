// SPDX-License-Identifier: GPL-2.0

//! The conditions of a rule for CDBs that were sent.

use super::table::Entry;
use sgio_policy::policy::MAX_CDB;
use std::collections::BTreeMap;

/// Conditions by byte: mask and values.
pub(super) type Conditions = BTreeMap<usize, (u8, Vec<u8>)>;

fn fields_of(entry: &Entry, cdbs: &[[u8; MAX_CDB]]) -> Conditions {
    let mut conditions = Conditions::new();
    for field in entry.rule.fields() {
        let byte = usize::from(field.byte());
        let mask = conditions.get(&byte).map_or(0, |(mask, _)| *mask) | field.mask();
        conditions.insert(byte, (mask, values(cdbs, byte, mask)));
    }
    conditions
}

/// The fields that name an entry, and those of a command that select what it does.
pub(super) fn selecting(
    named: &Entry,
    command: &Entry,
    cdbs: &[[u8; MAX_CDB]],
    room: usize,
) -> Conditions {
    let mut conditions = fields_of(named, cdbs);
    for part in command.parts.iter().filter(|part| part.selects) {
        for at in 0..part.count {
            let byte = part.byte + at;
            let mask = if at == 0 { part.mask } else { 0xff };
            let known = conditions.get(&byte).map_or(0, |(mask, _)| *mask);
            if known != 0 || conditions.len() < room {
                let mask = mask | known;
                conditions.insert(byte, (mask, values(cdbs, byte, mask)));
            }
        }
    }
    conditions
}

pub(super) fn values(cdbs: &[[u8; MAX_CDB]], byte: usize, mask: u8) -> Vec<u8> {
    let mut values: Vec<u8> = cdbs.iter().map(|cdb| cdb[byte] & mask).collect();
    values.sort_unstable();
    values.dedup();
    values
}
