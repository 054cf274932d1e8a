// SPDX-License-Identifier: GPL-2.0

//! The ATA commands that ATA PASS-THROUGH(32) carries: a rule for one is as narrow as for the same by the CDB of 16 bytes.

use super::{
    conditions::{selecting, values, Conditions},
    table::Entry,
};
use sgio_policy::policy::{MAX_CDB, MAX_FIELDS};

/// The name of the CDB of 32 bytes that carries ATA commands.
pub(super) const ATA_32: &str = "ata-pass-through-32";

/// Where ATA PASS-THROUGH(32) has what ATA PASS-THROUGH(16) has in another byte: from 16 to 32, SAT-4.
const ATA_PLACES: [(usize, usize); 13] = [
    (1, 10),
    (3, 20),
    (4, 21),
    (5, 22),
    (6, 23),
    (7, 16),
    (8, 19),
    (9, 15),
    (10, 18),
    (11, 14),
    (12, 17),
    (13, 24),
    (14, 25),
];

/// The ATA command of a CDB of 32 bytes, as the CDB of 16 bytes carries it.
pub(super) fn carried(cdb: &[u8; MAX_CDB]) -> [u8; MAX_CDB] {
    let mut short = [0; MAX_CDB];
    short[0] = 0x85;
    for (to, from) in ATA_PLACES {
        short[to] = cdb[from];
    }
    short
}

/// Two fields of a rule say that a CDB of 32 bytes carries ATA commands.
const LEFT: usize = MAX_FIELDS - 2;

/// Tells whether a rule has room for all that makes a CDB of 16 bytes what its name says. What a protocol does without a
/// command, as a reset, takes more.
pub(super) fn is_in_room(entry: &Entry) -> bool {
    entry.rule.fields().count() <= LEFT
}

/// What a rule for ATA PASS-THROUGH(32) has room for of what selects what the ATA command does.
pub(super) fn carrying(entry: &Entry, cdbs: &[[u8; MAX_CDB]]) -> Conditions {
    // The length is part of the rule where there is room for it: it selects nothing.
    let mut conditions = carrying_all(entry, cdbs, LEFT);
    if conditions.len() < MAX_FIELDS {
        conditions.insert(7, (0xff, values(cdbs, 7, 0xff)));
    }
    conditions
}

/// The same with as much room as is given.
pub(super) fn carrying_all(entry: &Entry, cdbs: &[[u8; MAX_CDB]], room: usize) -> Conditions {
    let short: Vec<[u8; MAX_CDB]> = cdbs.iter().map(carried).collect();
    let mut conditions: Conditions = [8, 9]
        .map(|byte| (byte, (0xff, values(cdbs, byte, 0xff))))
        .into();
    for (byte, condition) in selecting(entry, entry, &short, room) {
        let place = ATA_PLACES.iter().find(|(place, _)| *place == byte);
        if let Some((_, place)) = place {
            conditions.insert(*place, condition);
        }
    }
    conditions
}
