// SPDX-License-Identifier: GPL-2.0

//! The narrowest rule for a CDB that was sent.

use super::{
    carried::{carried, carrying, carrying_all, is_in_room, ATA_32},
    conditions::{selecting, values, Conditions},
    cover::best,
    table::{of_opcode, Entry},
};
use crate::hex::{self, Form};
use sgio_policy::policy::{Class, MAX_CDB, MAX_FIELDS};
use std::collections::BTreeMap;

/// More values of one byte than this are no list any more: the byte is left open.
const MAX_VALUES: usize = 16;

/// The matching part of the narrowest rule that allows a CDB: as much of it as selects what the command does, and where
/// that is not known, all that a rule has room for.
pub fn exact(cdb: &[u8], class: Class) -> String {
    sent(&[cdb], class)
}

/// The same for several CDBs that [`group`] has put together.
pub fn sent(cdbs: &[&[u8]], class: Class) -> String {
    matching(cdbs, class, MAX_CDB)
}

/// `zeros`: how many bytes are part of what is not known, though they are zero.
fn matching(cdbs: &[&[u8]], class: Class, zeros: usize) -> String {
    let padded: Vec<[u8; MAX_CDB]> = cdbs.iter().map(|cdb| hex::padded(cdb)).collect();
    let Some(first) = padded.first() else {
        return String::new();
    };
    let [opcode, ..] = *first;
    let conditions = match shape(first, class) {
        Shape::Named(entry) => selecting(entry, entry, &padded, MAX_FIELDS),
        Shape::Carried(entry) => carrying(entry, &padded),
        Shape::Action | Shape::Unknown => everything(&padded, zeros, class),
    };
    let mut text = format!("{opcode:02x}");
    for (byte, (mask, values)) in &conditions {
        let mask = match mask {
            0xff => String::new(),
            mask => format!("&{mask:02x}"),
        };
        text += &format!(" [{byte}]{mask}={}", hex::list(values));
    }
    text
}

/// What CDBs have in common that one rule is for: the rule itself, or of what is not known, the opcode and the byte
/// behind it.
pub fn group(cdb: &[u8], class: Class) -> String {
    let padded = hex::padded(cdb);
    match shape(&padded, class) {
        Shape::Action | Shape::Unknown => {
            let mut key = format!("{:02x} {:02x}", padded[0], padded[1]);
            for byte in selectors(padded[0], class) {
                key += &format!(" {byte}:{:02x}", padded[byte]);
            }
            key
        }
        _ => exact(cdb, class),
    }
}

/// What of CDBs that no table knows, and of the bytes that select what a command does, their rule leaves open, in words;
/// none if it has all of them.
pub fn left_open(cdbs: &[&[u8]], class: Class) -> Option<String> {
    let padded: Vec<[u8; MAX_CDB]> = cdbs.iter().map(|cdb| hex::padded(cdb)).collect();
    let length = cdbs.iter().map(|cdb| cdb.len()).max()?.min(MAX_CDB);
    let (pinned, wanted): (Conditions, Vec<usize>) = match shape(padded.first()?, class) {
        Shape::Named(entry) => (
            selecting(entry, entry, &padded, MAX_FIELDS),
            selecting(entry, entry, &padded, MAX_CDB)
                .into_keys()
                .collect(),
        ),
        Shape::Carried(entry) => (
            carrying(entry, &padded),
            carrying_all(entry, &padded, MAX_CDB).into_keys().collect(),
        ),
        _ => (everything(&padded, MAX_CDB, class), (1..length).collect()),
    };
    let open = wanted.iter().filter(|byte| !pinned.contains_key(byte));
    let open: Vec<String> = open.map(|byte| byte.to_string()).collect();
    let (last, rest) = open.split_last()?;
    let bytes = match rest {
        [] => format!("byte {last}"),
        rest => format!("bytes {} and {last}", rest.join(", ")),
    };
    Some(format!(
        "{bytes} may be anything: a rule has {MAX_FIELDS} fields, of {MAX_VALUES} values each here"
    ))
}

/// The same for a command as it is written, where it is a CDB and no opcode.
pub fn left_open_by(command: &str, class: Class) -> Option<String> {
    let read = hex::read(command).filter(|read| read.form != Form::One)?;
    left_open(&[&read.bytes], class)
}

/// Tells whether the tables know what the CDB does.
pub(super) fn is_known(cdb: &[u8; MAX_CDB], class: Class) -> bool {
    matches!(shape(cdb, class), Shape::Named(_) | Shape::Carried(_))
}

/// How much of a CDB is known.
enum Shape {
    /// What it does.
    Named(&'static Entry),
    /// The same, by the ATA command that is in it: the entry is that of ATA PASS-THROUGH(16).
    Carried(&'static Entry),
    /// A service action that nobody named, of a command whose service actions are all in the fields of this one.
    Action,
    /// Nothing, or that the vendor has defined it, or that it carries another one.
    Unknown,
}

fn shape(cdb: &[u8; MAX_CDB], class: Class) -> Shape {
    let [opcode, ..] = *cdb;
    let Some(entry) = best(cdb, class).filter(|entry| !entry.is_opaque()) else {
        return Shape::Unknown;
    };
    let mut parts = of_opcode(opcode, class).filter(|entry| entry.is_part());
    if entry.name == ATA_32 {
        let inner = best(&carried(cdb), class);
        return inner
            .filter(|inner| inner.is_part() && is_in_room(inner))
            .map_or(Shape::Unknown, Shape::Carried);
    }
    if entry.is_part() {
        return Shape::Named(entry);
    }
    let Some(part) = parts.next() else {
        return match entry.knows_action(cdb) {
            true => Shape::Named(entry),
            false => Shape::Unknown,
        };
    };
    let places = |entry: &Entry| -> Vec<(u8, u8)> {
        let fields = entry.rule.fields();
        fields.map(|field| (field.byte(), field.mask())).collect()
    };
    let same = places(part);
    match parts.all(|other| places(other) == same) {
        true => Shape::Action,
        false => Shape::Unknown,
    }
}

/// As many bytes as a rule has room for: first those that select among the commands that have names, then the byte
/// behind the opcode, what is not zero, and the rest. No standard tells how long a vendor's CDB is: behind the
/// bytes that were given there are zeros, as the kernel has them.
fn everything(cdbs: &[[u8; MAX_CDB]], zeros: usize, class: Class) -> Conditions {
    let [opcode, ..] = cdbs[0];
    let zero = |byte: &usize| cdbs.iter().all(|cdb| cdb[*byte] == 0);
    let mut order = selectors(opcode, class);
    match opcode {
        // What is behind the service action selects more than what is in front of it. Of ATA PASS-THROUGH(32) the
        // command, the protocol and the feature do.
        0x7f if order.contains(&8)
            && values(cdbs, 8, 0xff) == [0x1f]
            && values(cdbs, 9, 0xff) == [0xf0] =>
        {
            order = vec![8, 9, 7, 25, 10, 21];
        }
        0x7f => order.extend((10..MAX_CDB).filter(|byte| !zero(byte))),
        _ => order.extend([1, 2]),
    }
    order.extend((1..MAX_CDB).filter(|byte| !zero(byte)));
    if opcode == 0x7f {
        order.extend((10..zeros.min(MAX_CDB)).filter(zero));
    }
    order.extend((1..zeros.clamp(2, MAX_CDB)).filter(zero));
    let mut conditions = Conditions::new();
    for byte in order {
        let values = values(cdbs, byte, 0xff);
        if conditions.len() < MAX_FIELDS && values.len() <= MAX_VALUES {
            conditions.entry(byte).or_insert((0xff, values));
        }
    }
    conditions
}

/// The bytes by which the named commands of an opcode differ, most used first.
fn selectors(opcode: u8, class: Class) -> Vec<usize> {
    let mut used: BTreeMap<usize, usize> = BTreeMap::new();
    for entry in of_opcode(opcode, class).filter(|entry| !entry.is_opaque()) {
        for field in entry.rule.fields() {
            *used.entry(usize::from(field.byte())).or_default() += 1;
        }
    }
    let mut bytes: Vec<usize> = used.keys().copied().collect();
    bytes.sort_by_key(|byte| usize::MAX - used[byte]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_no_rule_can_name_are_left_out() {
        // No entry, so that every byte is looked at, also those behind the kernel's 32.
        for length in [MAX_CDB - 1, MAX_CDB, MAX_CDB + 1, 260] {
            let mut cdb = vec![0; length];
            cdb[0] = 0xc1;
            let rule = exact(&cdb, Class::DISK);
            assert!(rule.starts_with("c1 [1]=00"), "{rule}");
        }
    }

    #[test]
    fn the_narrowest_rule_for_a_cdb() {
        let mut sanitize = [0; 16];
        (sanitize[0], sanitize[1], sanitize[4], sanitize[14]) = (0x85, 0x06, 0x77, 0xb4);
        let mut hidden = [0; 16];
        (hidden[0], hidden[4], hidden[14]) = (0x85, 0x77, 0xb4);
        for (cdb, class, expected) in [
            (&[0x5e, 0xe0][..], Class::DISK, "5e [1]&1f=00"),
            // A service action that no table has.
            (
                &[0x5e, 0x1f],
                Class::DISK,
                "5e [1]=1f [2]=00 [3]=00 [4]=00 [5]=00 [6]=00",
            ),
            (&[0x28], Class::DISK, "28"),
            (&[0x48, 0x03], Class::DISK, "48 [1]&1f=03"),
            (&[0x48, 0x03], Class::CDROM, "48"),
            (&sanitize, Class::DISK, "85 [1]&1e=06 [4]=77 [6]=00 [14]=b4"),
            // Protocol 0 carries no command.
            (
                &hidden,
                Class::DISK,
                "85 [1]=00 [3]=00 [4]=77 [6]=00 [8]=00 [14]=b4",
            ),
            (
                &[0x7f, 0, 0, 0, 0, 0, 0, 0x18, 0x88, 0x01],
                Class::DISK,
                "7f [7]=18 [8]=88 [9]=01 [10]=00 [11]=00 [12]=00",
            ),
            // Vendor specific: what was sent.
            (
                &[0xc1, 0xe1, 0, 0, 0, 0, 0, 0, 0x28, 0],
                Class::DISK,
                "c1 [1]=e1 [2]=00 [3]=00 [4]=00 [5]=00 [8]=28",
            ),
            (
                &[0xd8, 0x03],
                Class::CDROM,
                "d8 [1]=03 [2]=00 [3]=00 [4]=00 [5]=00 [6]=00",
            ),
            (
                &[0x43, 0x03],
                Class::DISK,
                "43 [1]=03 [2]=00 [3]=00 [4]=00 [5]=00 [6]=00",
            ),
            (
                &[0xa3, 0x1f, 0x08],
                Class::DISK,
                "a3 [1]=1f [2]=08 [3]=00 [4]=00 [5]=00 [6]=00",
            ),
            (
                &[0xc1, 0xe1, 0, 0, 0, 0],
                Class::DISK,
                "c1 [1]=e1 [2]=00 [3]=00 [4]=00 [5]=00 [6]=00",
            ),
            // By protocol, and by what it does.
            (
                &[0xb5, 0x01, 0x07, 0xfe],
                Class::DISK,
                "b5 [1]=01 [2]=07 [3]=fe",
            ),
            (
                &[0xb5, 0xef, 0x00, 0x03],
                Class::DISK,
                "b5 [1]=ef [2]=00 [3]=03",
            ),
            (
                &[0xb5, 0xf0, 0x00, 0x03],
                Class::DISK,
                "b5 [1]=f0 [2]=00 [3]=03 [4]=00 [5]=00 [6]=00",
            ),
            // Any CDB is inside: here READ CAPACITY(16), and an extension in front of it.
            (
                &[
                    0x7e, 0x01, 0, 0, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0,
                ],
                Class::DISK,
                "7e [1]=01 [2]=00 [3]=00 [4]=9e [5]=10 [14]=20",
            ),
            (&[0x3b, 0x05, 0x02], Class::DISK, "3b [1]=05 [2]=02"),
            (&[0x1d, 0x04], Class::DISK, "1d [1]&f7=04 [3]=00 [4]=00"),
            (&[0x15, 0x11, 0, 0, 24], Class::DISK, "15 [1]&13=11"),
            (&[0x1b, 0, 0, 0, 0], Class::DISK, "1b [3]&0f=00 [4]&f7=00"),
            (&[0x1b, 0, 0, 0, 2], Class::CDROM, "1b [3]&03=00 [4]&f7=02"),
            (&[0x1b, 1, 0, 0, 0], Class::TAPE, "1b [4]&0f=00"),
        ] {
            assert_eq!(exact(cdb, class), expected, "{cdb:02x?}");
        }
        let mut bridge = [0; 12];
        (bridge[0], bridge[1], bridge[4]) = (0xa1, 0x80, 0x02);
        assert_eq!(
            exact(&bridge, Class::DISK),
            "a1 [1]=80 [2]=00 [3]=00 [4]=02 [5]=00 [9]=00"
        );
    }

    #[test]
    fn what_a_rule_has_no_room_for_is_told() {
        let long = [0xc1, 0xe1, 1, 2, 3, 4, 5, 6, 0, 0];
        let open = left_open(&[&long], Class::DISK).unwrap();
        assert!(
            open.starts_with("bytes 7, 8 and 9 may be anything"),
            "{open}"
        );
        assert_eq!(left_open(&[&long[..7]], Class::DISK), None);
        assert_eq!(left_open(&[&[0x28; 10]], Class::DISK), None);
        assert!(left_open_by("c1 e1 01 02 03 04 05 06 00 00", Class::DISK).is_some());
        assert_eq!(left_open_by("c1", Class::DISK), None);
        assert_eq!(left_open_by("c1 [1]=e1", Class::DISK), None);
        // Too many values of one byte.
        let cdbs: Vec<[u8; 6]> = (0..17).map(|byte| [0xc1, 1, 2, 3, 4, byte]).collect();
        let cdbs: Vec<&[u8]> = cdbs.iter().map(|cdb| &cdb[..]).collect();
        let open = left_open(&cdbs, Class::DISK).unwrap();
        assert!(open.starts_with("byte 5 may be anything"), "{open}");
    }

    #[test]
    fn several_cdbs_are_the_values_that_were_sent() {
        let read = |lba: u8, subchannel: u8| [0xd8, 0, 0, 0, 1, lba, 0, 0, 0, 1, subchannel, 0];
        let cdbs: Vec<[u8; 12]> = (0..100).map(|lba| read(lba, 2 * (lba % 2))).collect();
        let cdbs: Vec<&[u8]> = cdbs.iter().map(|cdb| &cdb[..]).collect();
        assert_eq!(
            sent(&cdbs, Class::CDROM),
            "d8 [1]=00 [2]=00 [3]=00 [4]=01 [9]=01 [10]=00,02"
        );
        let keys: Vec<String> = cdbs.iter().map(|cdb| group(cdb, Class::CDROM)).collect();
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_ne!(
            group(&[0xff, 0x08], Class::CDROM),
            group(&[0xff, 0x01], Class::CDROM)
        );
        assert_eq!(
            group(&[0x28, 1], Class::DISK),
            group(&[0x28, 2], Class::DISK)
        );
    }
}
