// SPDX-License-Identifier: GPL-2.0

//! The built-in class tables, as texts in the rule language.
//!
//! The `.rules` files tell what is allowed and why; this file tells which class uses which of them.

use super::{
    apply::apply_lines,
    ApplyError,
    Class,
    RuleStore,
    Time, //
};

/// The list that Linux 7.3 has for every class; the kernel module asks its own kernel instead.
pub const STOCK: &str = include_str!("stock.rules");

/// A built-in table of rules for a class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Table {
    /// Corrected for the class.
    Strict = 1,
    /// The kernel's own list.
    Stock = 2,
}

impl Table {
    /// Both of them.
    pub const ALL: [Table; 2] = [Table::Strict, Table::Stock];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Table::Strict => "strict",
            Table::Stock => "stock",
        }
    }

    /// Finds a table by its name.
    pub fn from_name(name: &[u8]) -> Option<Table> {
        Table::ALL
            .into_iter()
            .find(|table| table.name().as_bytes() == name)
    }
}

/// Names each text, so that a class is a list of names.
macro_rules! texts {
    ($($name:ident: $file:literal,)*) => {
        $(const $name: &str = include_str!(concat!("strict/", $file, ".rules"));)*
    };
}

texts! {
    ADC: "adc",
    BLOCK: "block",
    CDROM: "cdrom",
    CHANGER: "changer",
    COMMON: "common",
    COMMUNICATIONS: "communications",
    DISK: "disk",
    MAINTENANCE: "maintenance",
    OCRW: "ocrw",
    OPTICAL: "optical",
    OSD: "osd",
    PRINTER: "printer",
    PROCESSOR: "processor",
    RAID: "raid",
    RBC: "rbc",
    SCANNER: "scanner",
    SELECT: "select",
    TAPE: "tape",
    ZONED: "zoned",
}

/// Returns the texts of the `strict` table of a class, to be read one behind the other.
///
/// The rules of the class come first, those that classes share behind them, so that the former
/// win. Reserved and unknown types have only what every device answers harmlessly.
pub const fn strict(class: Class) -> &'static [&'static str] {
    match class {
        Class::DISK | Class::ZBC => &[DISK, ZONED, BLOCK, MAINTENANCE, COMMON],
        Class::TAPE => &[TAPE, SELECT, MAINTENANCE, COMMON],
        Class::PRINTER => &[PRINTER, SELECT, MAINTENANCE, COMMON],
        Class::PROCESSOR => &[PROCESSOR, SELECT, MAINTENANCE, COMMON],
        Class::WORM => &[BLOCK, MAINTENANCE, COMMON],
        Class::CDROM => &[CDROM, SELECT, COMMON],
        Class::SCANNER => &[SCANNER, SELECT, MAINTENANCE, COMMON],
        Class::OPTICAL => &[OPTICAL, BLOCK, MAINTENANCE, COMMON],
        Class::CHANGER => &[CHANGER, SELECT, MAINTENANCE, COMMON],
        Class::COMMUNICATIONS => &[COMMUNICATIONS, SELECT, MAINTENANCE, COMMON],
        Class::RAID => &[RAID, SELECT, MAINTENANCE, COMMON],
        Class::RBC => &[RBC, MAINTENANCE, COMMON],
        Class::OCRW => &[OCRW, SELECT, MAINTENANCE, COMMON],
        Class::OSD => &[OSD, SELECT, MAINTENANCE, COMMON],
        Class::ADC => &[ADC, SELECT, MAINTENANCE, COMMON],
        Class::ENCLOSURE | Class::BRIDGE | Class::SECURITY => &[SELECT, MAINTENANCE, COMMON],
        _ => &[MAINTENANCE, COMMON],
    }
}

/// Fills `store` with a table, given as texts to be read one behind the other.
///
/// # Errors
///
/// As of [`Change::apply`](super::Change::apply), with lines counted in the text they stand in.
pub fn load<S: RuleStore>(texts: &[&str], store: &mut S) -> Result<(), ApplyError<S::Error>> {
    store.clear();
    for text in texts {
        // None of them has a rule that ends.
        apply_lines(text.as_bytes(), store, Time::ZERO)?;
    }
    Ok(())
}
