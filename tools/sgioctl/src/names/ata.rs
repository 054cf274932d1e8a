// SPDX-License-Identifier: GPL-2.0

//! ATA commands in rules that deny.
//!
//! The kernel does not compare the protocol of ATA PASS-THROUGH with the command: a drive gets a command without data
//! by the protocol of one with data too. And three CDBs carry ATA commands. A rule that denied one of them with one
//! protocol would deny nothing.

use super::table::of_opcode;
use crate::hex;
use sgio_policy::policy::{Change, Class, Rule};

/// A CDB that carries ATA commands.
struct Form {
    /// What a rule for it begins with.
    opcode: &'static str,
    /// The byte with the protocol.
    protocol: u8,
    /// The bytes with registers: features, its high byte, count, LBA, command; 0 where it has none.
    registers: [u8; 5],
}

const FORMS: [Form; 3] = [
    Form {
        opcode: "85",
        protocol: 1,
        registers: [4, 3, 6, 8, 14],
    },
    Form {
        opcode: "a1",
        protocol: 1,
        registers: [3, 0, 4, 5, 9],
    },
    Form {
        opcode: "7f [7]=18 [8]=1f [9]=f0",
        protocol: 10,
        registers: [21, 20, 23, 19, 25],
    },
];

/// The rules for what one of them matches, with any protocol, in each of the three CDBs that the class has; and the byte
/// that the protocol is in, of each. None for a rule that is about no ATA command.
pub fn ata_forms(rule: &Rule, class: Class) -> Vec<(Rule, u8)> {
    let forms = forms(rule, class).unwrap_or_default().into_iter();
    let rules = forms.filter_map(|text| {
        let text = format!("deny {text}");
        let change = Change::parse(text.as_bytes()).ok()?;
        let rule = change.rules().next()?.permanent()?;
        let opcode = rule.opcodes().iter().next();
        let form = FORMS.iter().find(|form| {
            u8::from_str_radix(form.opcode.get(..2).unwrap_or_default(), 16).ok() == opcode
        })?;
        Some((rule, form.protocol))
    });
    rules.collect()
}

/// The matching parts of the rules that deny what one of them names: with any protocol, in each of the three CDBs that the
/// class has. Of what the protocol itself does, as a reset, the protocol alone counts.
pub(super) fn forms(rule: &Rule, class: Class) -> Option<Vec<String>> {
    let mut opcodes = rule.opcodes().iter();
    let from = match (opcodes.next(), opcodes.next()) {
        (Some(0x85), None) => &FORMS[0],
        (Some(0xa1), None) => &FORMS[1],
        _ => return None,
    };
    let is_protocols = |byte: u8, mask: u8| byte == from.protocol && mask == 0xfe;
    let by_protocol = rule
        .fields()
        .any(|field| is_protocols(field.byte(), field.mask()));
    let text = |to: &Form| {
        let mut text = to.opcode.to_owned();
        for field in rule.fields() {
            let at = from.registers.iter().position(|byte| *byte == field.byte());
            let byte = match at {
                _ if by_protocol && field.byte() == from.protocol => to.protocol,
                Some(at) if !by_protocol => to.registers[at],
                None if to.opcode == from.opcode && field.byte() != from.protocol => field.byte(),
                _ => 0,
            };
            if byte != 0 {
                let values: Vec<u8> = field.values().iter().collect();
                text += &format!(" [{byte}]&{:02x}={}", field.mask(), hex::list(&values));
            }
        }
        text
    };
    let has = |to: &&Form| match to.opcode {
        "85" => of_opcode(0x85, class).next().is_some(),
        "a1" => of_opcode(0xa1, class).any(|entry| entry.base == "ata-pass-through-12"),
        _ => of_opcode(0x7f, class).any(|entry| entry.name == "ata-pass-through-32"),
    };
    Some(FORMS.iter().filter(has).map(text).collect())
}
