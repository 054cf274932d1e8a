// SPDX-License-Identifier: GPL-2.0

//! ATA commands in rules that deny.
//!
//! The kernel does not compare the protocol of ATA PASS-THROUGH with the command: a drive gets a command without data
//! by the protocol of one with data too. And three CDBs carry ATA commands. A rule that denied one of them with one
//! protocol would deny nothing.

use super::table::{of_opcode, Entry, Part};
use crate::hex;
use sgio_policy::policy::{Change, Class, Rule, MAX_FIELDS};

/// A CDB that carries ATA commands.
struct Form {
    /// What a rule for it begins with. Nothing reads the length in byte 7 of a CDB of 32 bytes.
    matching: &'static str,
    opcode: u8,
    /// The bytes with the registers, as [`PROTOCOL`] and the others number them; 0 where it has none.
    registers: [u8; REGISTERS],
}

const REGISTERS: usize = 14;

/// The numbers of registers: the protocol with EXTEND, flags, FEATURES and its high byte, COUNT and its high byte,
/// the six bytes of LBA (low, mid, high, and the high byte of each), DEVICE, COMMAND.
const PROTOCOL: usize = 0;
const FEATURES: usize = 2;
const FEATURES_HIGH: usize = 3;
const COMMAND: usize = 13;

/// SAT-4 "ATA PASS-THROUGH (16) command", (12), (32).
const FORMS: [Form; 3] = [
    Form {
        matching: "85",
        opcode: 0x85,
        registers: [1, 2, 4, 3, 6, 5, 8, 10, 12, 7, 9, 11, 13, 14],
    },
    Form {
        matching: "a1",
        opcode: 0xa1,
        registers: [1, 2, 3, 0, 4, 0, 5, 6, 7, 0, 0, 0, 8, 9],
    },
    Form {
        matching: "7f [8]=1f [9]=f0",
        opcode: 0x7f,
        registers: [10, 11, 21, 20, 23, 22, 19, 18, 17, 16, 15, 14, 24, 25],
    },
];

impl Form {
    fn is_on(&self, class: Class) -> bool {
        match self.opcode {
            0x85 => of_opcode(0x85, class).next().is_some(),
            0xa1 => of_opcode(0xa1, class).any(|entry| entry.base == "ata-pass-through-12"),
            _ => of_opcode(0x7f, class).any(|entry| entry.name == "ata-pass-through-32"),
        }
    }
}

/// Where a condition is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a register, by its number.
    Register(usize),
    /// In a byte that only the CDB itself has.
    Byte(u8),
}

#[derive(Clone, PartialEq, Eq)]
struct Condition {
    place: Place,
    mask: u8,
    values: Vec<u8>,
}

/// One of the rules that deny an ATA command.
pub(super) struct Denied {
    /// Its matching part.
    pub(super) matching: String,
    /// The bytes, of the CDB that was written, whose conditions it has no place for: it denies more.
    pub(super) without: Vec<u8>,
    /// The byte that the protocol is in.
    protocol: u8,
}

/// The rules for what one of them matches, with any protocol, in each of the CDBs that the class has; and the byte
/// that the protocol is in, of each. None for a rule that is about no ATA command.
pub fn ata_forms(rule: &Rule, class: Class) -> Vec<(Rule, u8)> {
    let of_opcode = |opcode: u8| {
        let form = FORMS.iter().find(|form| form.opcode == opcode)?;
        is_about(rule, form, class).then(|| {
            let naming = conditions(rule, form, false);
            every_form(form, &naming, &[], class)
        })
    };
    let opcodes = rule.opcodes().iter();
    let denied: Vec<Denied> = opcodes.filter_map(of_opcode).flatten().collect();
    let rules = denied.iter().filter_map(|denied| {
        let text = format!("deny {}", denied.matching);
        let change = Change::parse(text.as_bytes()).ok()?;
        let rule = change.rules().next()?.permanent()?;
        Some((rule, denied.protocol))
    });
    rules.collect()
}

/// Tells whether a rule is about commands of ATA in this CDB: a CDB of 32 bytes has others as well.
fn is_about(rule: &Rule, form: &Form, class: Class) -> bool {
    let has = |byte: u8, value: u8| {
        rule.fields().any(|field| {
            field.byte() == byte
                && field.mask() == 0xff
                && field.values().iter().eq(std::iter::once(value))
        })
    };
    form.is_on(class) && (form.opcode != 0x7f || has(8, 0x1f) && has(9, 0xf0))
}

/// The conditions of a rule but for the protocol, or that alone. `named`: it is the rule of a name, in which the high
/// byte of FEATURES counts with EXTEND alone.
fn conditions(rule: &Rule, form: &Form, named: bool) -> Vec<Condition> {
    let own = |byte: u8| form.opcode == 0x7f && [7, 8, 9].contains(&byte);
    let fields = rule.fields().filter(|field| !own(field.byte()));
    let all: Vec<Condition> = fields
        .map(|field| Condition {
            place: place(form, field.byte()),
            mask: field.mask(),
            values: field.values().iter().collect(),
        })
        .collect();
    let is_protocol = |condition: &&Condition| condition.place == Place::Register(PROTOCOL);
    let by_protocol = all.iter().filter(is_protocol).find(|condition| {
        let mut values = condition.values.iter();
        condition.mask & 0x1e == 0x1e && values.all(|value| acts_alone((value & 0x1e) >> 1))
    });
    if let Some(protocol) = by_protocol {
        let mut values: Vec<u8> = protocol.values.iter().map(|value| value & 0x1e).collect();
        values.dedup();
        return vec![of_protocol(values)];
    }
    let high = |condition: &Condition| named && condition.place == Place::Register(FEATURES_HIGH);
    let all = all.into_iter();
    let all = all.filter(|condition| !is_protocol(&condition) && !high(condition));
    all.collect()
}

/// Tells whether a protocol is all that a device looks at: a reset, or the question for the last answer.
fn acts_alone(protocol: u8) -> bool {
    [0, 1, 15].contains(&protocol)
}

fn of_protocol(values: Vec<u8>) -> Condition {
    Condition {
        place: Place::Register(PROTOCOL),
        mask: 0x1e,
        values,
    }
}

fn place(form: &Form, byte: u8) -> Place {
    let register = form.registers.iter().position(|at| *at == byte);
    register.map_or(Place::Byte(byte), Place::Register)
}

/// The rules with these conditions, in each CDB that the class has. Of those that do not name the command, as many as
/// there is a place for.
fn every_form(
    from: &Form,
    naming: &[Condition],
    others: &[Condition],
    class: Class,
) -> Vec<Denied> {
    let there = |form: &&Form| form.opcode == from.opcode || form.is_on(class);
    let rule = |to: &Form| {
        let byte = |condition: &Condition| match condition.place {
            Place::Register(number) => Some(to.registers[number]).filter(|byte| *byte != 0),
            Place::Byte(byte) => (to.opcode == from.opcode).then_some(byte),
        };
        let room = MAX_FIELDS - if to.opcode == 0x7f { 2 } else { 0 };
        let mut fields: Vec<(u8, String)> = Vec::new();
        let mut without = Vec::new();
        for condition in naming.iter().chain(others) {
            match byte(condition) {
                Some(byte) if fields.len() < room => {
                    let mask = match condition.mask {
                        0xff => String::new(),
                        mask => format!("&{mask:02x}"),
                    };
                    let values = hex::list(&condition.values);
                    fields.push((byte, format!(" [{byte}]{mask}={values}")));
                }
                _ => without.push(match condition.place {
                    Place::Register(number) => from.registers[number],
                    Place::Byte(byte) => byte,
                }),
            }
        }
        fields.sort();
        let fields: Vec<String> = fields.into_iter().map(|(_, text)| text).collect();
        Denied {
            matching: to.matching.to_owned() + &fields.concat(),
            without,
            protocol: to.registers[PROTOCOL],
        }
    };
    FORMS.iter().filter(there).map(rule).collect()
}

/// The rules that deny what a name says, and that meets the conditions written behind it (a rule of any opcode): with
/// any protocol, in each of the CDBs that the class has. Of what the protocol itself does, as a reset, the protocol
/// alone counts.
pub(super) fn of_name(entry: &Entry, others: &Rule, class: Class) -> Option<Vec<Denied>> {
    let opcode = entry.rule.opcodes().iter().next()?;
    let form = FORMS.iter().find(|form| form.opcode == opcode)?;
    if opcode == 0x7f || !entry.is_part() || !form.is_on(class) {
        return None;
    }
    let naming = conditions(&entry.rule, form, true);
    let others = conditions(others, form, false);
    Some(every_form(form, &naming, &others, class))
}

/// The rules that deny the ATA command of a CDB, which may end early; none if it carries none.
pub(super) fn of_cdb(cdb: &[u8], class: Class) -> Option<Vec<Denied>> {
    let opcode = cdb.first()?;
    let from = FORMS.iter().find(|form| form.opcode == *opcode)?;
    let carries = match from.opcode {
        // It is nothing else on any class, and libata takes it for a CD drive too.
        0x85 => true,
        0xa1 => from.is_on(class),
        _ => cdb.get(8..10) == Some(&[0x1f, 0xf0][..]),
    };
    if !carries {
        return None;
    }
    let register = |number: usize| cdb.get(usize::from(from.registers[number])).copied();
    let every = |naming: &[Condition]| every_form(from, naming, &[], class);
    let Some(command) = register(COMMAND) else {
        return Some(every(&[]));
    };
    let protocol = register(PROTOCOL).unwrap_or_default() & 0x1e;
    let mut denied = Vec::new();
    if acts_alone(protocol >> 1) {
        denied = every(&[of_protocol(vec![protocol])]);
        if command == 0 {
            return Some(denied);
        }
    }
    denied.extend(every(&naming(register)));
    Some(denied)
}

/// The conditions that name a command: its number, and what says which of several it is, as the tables have it.
fn naming(register: impl Fn(usize) -> Option<u8>) -> Vec<Condition> {
    let [form, ..] = &FORMS;
    let mut best: Option<(&Entry, Vec<Condition>)> = None;
    for entry in of_opcode(form.opcode, Class::DISK).filter(|entry| entry.is_part()) {
        let conditions = conditions(&entry.rule, form, true);
        let names = |condition: &Condition| match condition.place {
            Place::Register(number) => {
                let value = register(number).unwrap_or_default();
                condition.values.contains(&(value & condition.mask))
            }
            Place::Byte(_) => false,
        };
        let of_command = |condition: &Condition| condition.place == Place::Register(COMMAND);
        let more = best
            .as_ref()
            .is_none_or(|(_, best)| conditions.len() > best.len());
        if more && conditions.iter().all(names) && conditions.iter().any(of_command) {
            best = Some((entry, conditions));
        }
    }
    let is_value = |number: usize| Condition {
        place: Place::Register(number),
        mask: 0xff,
        values: register(number).into_iter().collect(),
    };
    let Some((entry, mut conditions)) = best else {
        return vec![is_value(COMMAND)];
    };
    let selects = |part: &Part| part.selects && part.name == "features";
    let has = |condition: &Condition| condition.place == Place::Register(FEATURES);
    let is_given = register(FEATURES).is_some();
    if is_given && entry.parts.iter().any(selects) && !conditions.iter().any(has) {
        conditions.push(is_value(FEATURES));
    }
    conditions
}
