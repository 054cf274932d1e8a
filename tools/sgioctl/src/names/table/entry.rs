// SPDX-License-Identifier: GPL-2.0

//! What the tables say of one command.

use sgio_policy::policy::{Class, Rule, MAX_CDB};

/// The name of what no standard defines.
pub(in crate::names) const VENDOR_SPECIFIC: &str = "vendor-specific";

/// The name of a CDB with another one inside, whose opcode is behind an extension of any length.
const EXTENDED_CDB: &str = "extended-cdb";

/// What a command does to others than its sender.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::names) enum Harm {
    /// Nothing.
    None,
    /// It moves, locks, reserves or delays something, so it is for writers.
    Write,
    /// It destroys data, changes the medium, firmware, settings or what others have registered and reserved.
    Destroys,
}

/// One field of a CDB.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::names) struct Part {
    pub(in crate::names) name: String,
    pub(in crate::names) byte: usize,
    /// Of the first byte.
    pub(in crate::names) mask: u8,
    pub(in crate::names) count: usize,
    /// It selects what the command does, rather than where or how much.
    pub(in crate::names) selects: bool,
    /// Of a service action without entries of its own: the values that the standard defines.
    pub(in crate::names) defined: Vec<u8>,
}

/// A command, or one service action of a command, on some classes.
pub(in crate::names) struct Entry {
    /// A bit for each peripheral device type.
    pub(super) classes: u32,
    /// What it matches; the verdict means nothing.
    pub(in crate::names) rule: Rule,
    /// The same as text: `5f [1]&1f=00`.
    pub(in crate::names) text: String,
    pub(in crate::names) name: String,
    /// The name of the command that it is a service action of; else its own.
    pub(in crate::names) base: String,
    pub(in crate::names) title: String,
    pub(in crate::names) source: String,
    pub(in crate::names) harm: Harm,
    /// Its name alone stands for its harmless service actions.
    pub(in crate::names) by_parts: bool,
    pub(in crate::names) parts: Vec<Part>,
}

impl Entry {
    pub(in crate::names) fn is_on(&self, class: Class) -> bool {
        (self.classes >> class.type_code()) & 1 != 0
    }

    /// Tells whether its name does not say what it does: the vendor has defined that, or any command is inside.
    pub(in crate::names) fn is_opaque(&self) -> bool {
        [VENDOR_SPECIFIC, EXTENDED_CDB].contains(&self.name.as_str())
            || self.name.ends_with(":vendor-specific")
    }

    /// Tells whether it is one service action of a command, not a whole command.
    pub(in crate::names) fn is_part(&self) -> bool {
        self.rule.fields().next().is_some()
    }
    /// The field with its service action; none if it has no such field.
    pub(in crate::names) fn action(&self) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == "service-action")
    }

    /// Tells whether a command without entries for its service actions has none, or the one that the CDB has is one of the
    /// standard's.
    pub(in crate::names) fn knows_action(&self, cdb: &[u8; MAX_CDB]) -> bool {
        self.action().is_none_or(|action| {
            let value = cdb.get(action.byte).map(|byte| byte & action.mask);
            value.is_some_and(|value| action.defined.contains(&value))
        })
    }
}
