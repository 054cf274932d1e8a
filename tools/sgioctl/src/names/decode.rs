// SPDX-License-Identifier: GPL-2.0

//! CDBs in words.

use super::{
    cover::best,
    narrow::is_known,
    table::{whole, Harm, Part},
};
use crate::hex;
use serde::Serialize;
use sgio_policy::policy::{Class, MAX_CDB};

/// What a CDB is, as far as it can be told.
#[derive(Clone, Serialize, Debug)]
pub struct Decoded {
    /// The opcode.
    pub opcode: u8,
    /// The name, with the service action where there is one: `persistent-reserve-out:register`;
    /// `vendor-specific` for c0h-ffh; none if nobody gave it one on this class.
    pub name: Option<String>,
    /// The title as the standard has it: `PERSISTENT RESERVE OUT`.
    pub title: Option<String>,
    /// The document, and the command it describes: `SPC-5 "PERSISTENT RESERVE OUT"`. Clauses have another
    /// number in every version, so the command's name is what to look for.
    pub source: Option<String>,
    /// The fields that matter, by name and value.
    pub fields: Vec<(String, String)>,
    /// The tables know what it does. A name alone is not enough: it may be that of a command whose service action
    /// has none.
    pub known: bool,
    /// It destroys data, changes the medium, firmware, reservations or settings; or it is not known what it does.
    pub destructive: bool,
    /// It takes nothing from others either, so it may be proposed to readers.
    #[serde(skip)]
    pub for_readers: bool,
    /// What the opcode means on other classes, where that is something else: class names and name.
    pub elsewhere: Vec<(Vec<String>, String)>,
}

/// Decodes a CDB for a class. Bytes behind its end count as zero, as the kernel pads it.
pub fn decode(cdb: &[u8], class: Class) -> Decoded {
    let padded = hex::padded(cdb);
    let [opcode, ..] = padded;
    let entry = best(&padded, class);
    let known = is_known(&padded, class);

    let fields: Vec<(String, String)> = entry
        .iter()
        .flat_map(|entry| &entry.parts)
        .filter_map(|part| Some((part.name.clone(), value(part, &padded)?)))
        .collect();

    Decoded {
        opcode,
        name: entry.map(|entry| entry.name.clone()),
        title: entry.map(|entry| entry.title.clone()),
        source: entry.map(|entry| entry.source.clone()),
        fields,
        known,
        destructive: !known || entry.is_none_or(|entry| entry.harm == Harm::Destroys),
        for_readers: known && entry.is_some_and(|entry| entry.harm == Harm::None),
        elsewhere: elsewhere(opcode, class, entry.map(|entry| entry.base.as_str())),
    }
}

/// What an opcode means on other classes than this one, where it is `name`.
pub(super) fn elsewhere(
    opcode: u8,
    class: Class,
    name: Option<&str>,
) -> Vec<(Vec<String>, String)> {
    let mut meanings: Vec<(Vec<String>, String)> = Vec::new();
    for other in Class::ALL {
        // Types that no standard defines have what is common to all, and no name.
        let defined = !other.name().starts_with(|c: char| c.is_ascii_digit())
            && other != Class::UNKNOWN
            && other != Class::WLUN;
        let Some(entry) = whole(opcode, other).filter(|_| defined && other != class) else {
            continue;
        };
        if Some(entry.name.as_str()) == name {
            continue;
        }
        match meanings.iter_mut().find(|(_, name)| *name == entry.name) {
            Some((classes, _)) => classes.push(other.name().into()),
            None => meanings.push((vec![other.name().into()], entry.name.clone())),
        }
    }
    meanings
}

/// Fields that are codes, not quantities.
const CODES: [&str; 27] = [
    "action",
    "buffer-id",
    "classes",
    "command",
    "data-type",
    "definition",
    "features",
    "features-high",
    "format",
    "function",
    "key-class",
    "key-format",
    "list-identifier",
    "media-type",
    "mode",
    "page-code",
    "power-condition",
    "prevent",
    "protocol",
    "reporting-options",
    "requested-opcode",
    "requested-service-action",
    "scope",
    "service-action",
    "specific",
    "subpage-code",
    "type",
];

fn value(part: &Part, cdb: &[u8; MAX_CDB]) -> Option<String> {
    let bytes = cdb.get(part.byte..part.byte + part.count)?;
    let (first, rest) = bytes.split_first()?;
    let mut number = u64::from(first & part.mask);
    if part.count == 1 {
        number >>= part.mask.trailing_zeros();
    }
    for byte in rest {
        number = (number << 8) | u64::from(*byte);
    }
    Some(match (part.name.as_str(), meaning(&part.name, number)) {
        (_, Some(meaning)) => format!("{number:02x}h ({meaning})"),
        (name, None) if CODES.contains(&name) => {
            format!("{number:0width$x}h", width = part.count * 2)
        }
        _ => number.to_string(),
    })
}

/// The words for values that most readers do not know by heart.
fn meaning(field: &str, value: u64) -> Option<&'static str> {
    Some(match (field, value) {
        // PERSISTENT RESERVE: SPC-5 "TYPE field", "SCOPE field".
        ("type", 0x1) => "write exclusive",
        ("type", 0x3) => "exclusive access",
        ("type", 0x5) => "write exclusive, registrants only",
        ("type", 0x6) => "exclusive access, registrants only",
        ("type", 0x7) => "write exclusive, all registrants",
        ("type", 0x8) => "exclusive access, all registrants",
        ("scope", 0x0) => "logical unit",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(cdb: &[u8], class: Class, name: &str) -> Option<String> {
        let decoded = decode(cdb, class);
        let mut fields = decoded.fields.into_iter();
        fields.find(|(known, _)| known == name).map(|(_, v)| v)
    }

    #[test]
    fn fields_are_read_where_they_are() {
        let read_10 = [0x28, 0, 0x01, 0x02, 0x03, 0x04, 0, 0x00, 0x08, 0];
        assert_eq!(field(&read_10, Class::DISK, "lba").unwrap(), "16909060");
        assert_eq!(field(&read_10, Class::DISK, "blocks").unwrap(), "8");

        // 21 bits of LBA share byte 1 with the LUN of old.
        let read_6 = [0x08, 0xff, 0xff, 0xff, 0, 0];
        assert_eq!(field(&read_6, Class::DISK, "lba").unwrap(), "2097151");

        let reserve = [0x5f, 0x01, 0x05, 0, 0, 0, 0, 0, 0x18, 0];
        let kind = field(&reserve, Class::DISK, "type").unwrap();
        assert_eq!(kind, "05h (write exclusive, registrants only)");
        let bytes = field(&reserve, Class::DISK, "parameter-length").unwrap();
        assert_eq!(bytes, "24");

        let mut smart = [0x85; 16];
        (smart[1], smart[4], smart[14]) = (0x08, 0xd0, 0xb0);
        let decoded = decode(&smart, Class::DISK);
        let name = decoded.name.unwrap();
        assert_eq!(name, "ata-pass-through-16:smart-read-data");
        assert!(!decoded.destructive);
        assert_eq!(field(&smart, Class::DISK, "command").unwrap(), "b0h");
        // Sent by DMA, it is not that.
        smart[1] = 0x0c;
        let decoded = decode(&smart, Class::DISK);
        assert_eq!(decoded.name.unwrap(), "ata-pass-through-16");
        assert!(decoded.destructive && !decoded.known);

        let mut read_32 = [0; 32];
        (read_32[0], read_32[7], read_32[9], read_32[31]) = (0x7f, 0x18, 0x09, 3);
        assert_eq!(field(&read_32, Class::DISK, "blocks").unwrap(), "3");
    }

    #[test]
    fn an_opcode_means_something_else_elsewhere() {
        for (class, opcode, name, destructive) in [
            (Class::DISK, 0x48, Some("sanitize"), true),
            (Class::CDROM, 0x48, Some("play-audio-track-index"), false),
            (Class::TAPE, 0x48, None, true),
            (Class::CDROM, 0xa1, Some("blank"), true),
            (
                Class::DISK,
                0xa1,
                Some("ata-pass-through-12:hard-reset"),
                true,
            ),
            (Class::DISK, 0xa4, Some("maintenance-out"), true),
            (Class::CDROM, 0xa4, Some("report-key"), false),
            (Class::DISK, 0xd8, Some("vendor-specific"), true),
            (Class::TAPE, 0x93, Some("erase-16"), true),
        ] {
            let decoded = decode(&[opcode], class);
            assert_eq!(decoded.name.as_deref(), name, "{opcode:02x}");
            assert_eq!(decoded.destructive, destructive, "{opcode:02x}");
        }
        let elsewhere = decode(&[0x48], Class::DISK).elsewhere;
        assert_eq!(
            elsewhere,
            [(vec!["cdrom".into()], "play-audio-track-index".into())]
        );
        let elsewhere = decode(&[0x48], Class::CDROM).elsewhere;
        let disks = ["disk", "rbc", "zbc"].map(String::from).to_vec();
        assert_eq!(elsewhere, [(disks, "sanitize".into())]);
        assert!(decode(&[0x12], Class::DISK).elsewhere.is_empty());
        assert!(decode(&[0xd8], Class::DISK).elsewhere.is_empty());
    }

    #[test]
    fn every_opcode_decodes_on_every_class() {
        for class in Class::ALL {
            for opcode in 0..=u8::MAX {
                for action in 0..=u8::MAX {
                    let decoded = decode(&[opcode, action], class);
                    assert_eq!(decoded.opcode, opcode);
                    assert_eq!(decoded.name.is_some(), decoded.title.is_some());
                    assert_eq!(decoded.name.is_some(), decoded.source.is_some());
                    assert!(decoded.destructive || decoded.name.is_some());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode(
            cdb in proptest::collection::vec(any::<u8>(), 0..40),
            code in 0u8..32,
        ) {
            let decoded = decode(&cdb, Class::from_type(code));
            prop_assert_eq!(decoded.opcode, cdb.first().copied().unwrap_or(0));
        }
    }
}
