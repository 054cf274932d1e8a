// SPDX-License-Identifier: GPL-2.0

//! The tables of commands: text files, read once. `reader.rs` knows what they look like.

mod entry;
mod reader;

pub(super) use self::{
    entry::{Entry, Harm, Part, VENDOR_SPECIFIC},
    reader::rule,
};

use sgio_policy::policy::Class;
use std::sync::LazyLock;

/// The commands of an opcode on a class: the whole one first, then its service actions.
pub(super) fn of_opcode(opcode: u8, class: Class) -> impl Iterator<Item = &'static Entry> {
    TABLE
        .get(usize::from(opcode))
        .into_iter()
        .flatten()
        .filter(move |entry| entry.is_on(class))
}

/// The whole command of an opcode on a class.
pub(super) fn whole(opcode: u8, class: Class) -> Option<&'static Entry> {
    of_opcode(opcode, class).find(|entry| !entry.is_part())
}

/// Tells whether service actions of an opcode have names on a class.
pub(super) fn has_parts(opcode: u8, class: Class) -> bool {
    of_opcode(opcode, class).any(Entry::is_part)
}

/// All commands of a class, by opcode.
pub(super) fn of_class(class: Class) -> impl Iterator<Item = &'static Entry> {
    (0..=u8::MAX).flat_map(move |opcode| of_opcode(opcode, class))
}

const FILES: [(&str, &str); 6] = [
    ("spc", include_str!("../spc.table")),
    ("sbc", include_str!("../sbc.table")),
    ("mmc", include_str!("../mmc.table")),
    ("ssc", include_str!("../ssc.table")),
    ("smc", include_str!("../smc.table")),
    ("ata", include_str!("../ata.table")),
];

/// By opcode.
static TABLE: LazyLock<Vec<Vec<Entry>>> = LazyLock::new(|| match load() {
    Ok(table) => table,
    // The files are part of the program, and a test reads them.
    Err(error) => panic!("{error}"),
});

fn load() -> Result<Vec<Vec<Entry>>, String> {
    let mut table: Vec<Vec<Entry>> = (0..256).map(|_| Vec::new()).collect();
    for (file, text) in FILES {
        let mut reader = reader::Reader::default();
        for (number, line) in (1..).zip(text.lines()) {
            let entries = reader
                .line(line)
                .ok_or_else(|| format!("{file}.table, line {number}: {line}"))?;
            for entry in entries {
                let opcode = entry.rule.opcodes().iter().next().unwrap_or_default();
                table[usize::from(opcode)].push(entry);
            }
        }
    }
    for opcode in 0xc0..=0xffu8 {
        let rule = reader::rule(&format!("{opcode:02x}")).ok_or("vendor specific")?;
        table[usize::from(opcode)].push(Entry {
            classes: u32::MAX,
            rule,
            text: "c0-ff".into(),
            name: VENDOR_SPECIFIC.into(),
            base: VENDOR_SPECIFIC.into(),
            title: "vendor specific".into(),
            source: "SPC-5 \"Operation code\"".into(),
            harm: Harm::Destroys,
            by_parts: false,
            parts: Vec::new(),
        });
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_files_can_be_read() {
        assert_eq!(load().err(), None);
        assert!(of_class(Class::DISK).count() > 200);
        assert!(of_class(Class::CDROM).count() > 100);
    }

    /// On each class an opcode is one command, and a name is one entry.
    #[test]
    fn one_meaning_a_class() {
        for class in Class::ALL {
            for opcode in 0..=u8::MAX {
                let whole = of_opcode(opcode, class).filter(|entry| !entry.is_part());
                let parts = of_opcode(opcode, class).filter(|entry| entry.is_part());
                let (whole, parts) = (whole.count(), parts.count());
                assert!(whole <= 1, "{opcode:02x} on {}", class.name());
                assert!(whole == 1 || parts == 0, "{opcode:02x} {}", class.name());
            }
            let mut names = HashSet::new();
            for entry in of_class(class).filter(|entry| entry.name != VENDOR_SPECIFIC) {
                assert!(
                    names.insert(&entry.name),
                    "{} on {}",
                    entry.name,
                    class.name()
                );
            }
        }
    }
}
