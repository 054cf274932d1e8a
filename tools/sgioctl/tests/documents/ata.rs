// SPDX-License-Identifier: GPL-2.0

//! ATA PASS-THROUGH in documents: a rule that is shown checks all that makes the command harmless.
//!
//! Protocols: SAT-4 "ATA PASS-THROUGH (12) command", PROTOCOL field. 0 and 1 are resets whatever the
//! command byte is, so a rule that looks at that byte alone allows a reset.

use sgio_policy::policy::{Access, Action, Rule};

const NO_DATA: u8 = 3;
const PIO_IN: u8 = 4;
const PIO_OUT: u8 = 5;

/// Commands that only read: command, feature (where it counts), protocol, name. ACS-4.
const READS: &[(u8, Option<u8>, u8, &str)] = &[
    // FEATURES bit 0 resets the device statistics (log 04h) and the counters of the PHY (log 11h) behind the reading.
    (0x2f, Some(0), PIO_IN, "READ LOG EXT"),
    (0xb0, Some(0xd0), PIO_IN, "SMART READ DATA"),
    (0xb0, Some(0xd1), PIO_IN, "SMART READ ATTRIBUTE THRESHOLDS"),
    (0xb0, Some(0xd5), PIO_IN, "SMART READ LOG"),
    (0xb0, Some(0xda), NO_DATA, "SMART RETURN STATUS"),
    (0xe5, None, NO_DATA, "CHECK POWER MODE"),
    (0xec, None, PIO_IN, "IDENTIFY DEVICE"),
];

/// What else a profile gives to readers that is made for it, since its program opens the device read-only: file, command,
/// feature, protocol. The profile says what that costs.
const OPTED_IN: &[(&str, u8, u8, u8)] = &[
    ("profiles/smart-test.toml", 0xb0, 0xd2, NO_DATA), // SMART ENABLE/DISABLE ATTRIBUTE AUTOSAVE
    ("profiles/smart-test.toml", 0xb0, 0xd4, NO_DATA), // SMART EXECUTE OFF-LINE IMMEDIATE
    ("profiles/smart-test.toml", 0xb0, 0xd8, NO_DATA), // SMART ENABLE OPERATIONS
    ("profiles/smart-test.toml", 0xb0, 0xdb, NO_DATA), // SMART ENABLE/DISABLE AUTOMATIC OFF-LINE
    ("profiles/smart-sct.toml", 0xb0, 0xd6, PIO_OUT),  // SMART WRITE LOG
];

/// The values of a byte that a rule lets pass.
fn values(rule: &Rule, byte: u8) -> Vec<u8> {
    let passes = |value: &u8| {
        let mut fields = rule.fields().filter(|field| field.byte() == byte);
        fields.all(|field| field.values().contains(value & field.mask()))
    };
    (0..=u8::MAX).filter(passes).collect()
}

/// The places of feature and command, if a rule is about ATA PASS-THROUGH(16) or (12) alone.
fn places(rule: &Rule) -> Option<(u8, u8)> {
    let mut opcodes = rule.opcodes().iter();
    match (opcodes.next(), opcodes.next()) {
        (Some(0x85), None) => Some((4, 14)),
        (Some(0xa1), None) => Some((3, 9)),
        _ => None,
    }
}

/// The commands that a rule lets pass, by name.
pub(crate) fn commands(rule: &Rule) -> String {
    let Some((feature_at, command_at)) = places(rule) else {
        return "no ATA PASS-THROUGH".into();
    };
    let (features, commands) = (values(rule, feature_at), values(rule, command_at));
    let passing: Vec<&str> = READS
        .iter()
        .filter(|(command, feature, ..)| {
            commands.contains(command) && feature.is_none_or(|feature| features.contains(&feature))
        })
        .map(|(.., name)| *name)
        .collect();
    passing.join(", ")
}

/// What a rule that allows ATA PASS-THROUGH to readers lets pass although it should not.
pub(crate) fn complaint(rule: &Rule, file: &str) -> Option<String> {
    if rule.action() != Action::Allow(Access::Read) {
        return None;
    }
    let (feature_at, command_at) = places(rule)?;
    for command in values(rule, command_at) {
        for feature in values(rule, feature_at) {
            let known = READS.iter().find(|(code, only, ..)| {
                *code == command && only.is_none_or(|only| only == feature)
            });
            let opted_in = OPTED_IN.iter().find(|(of, code, only, _)| {
                file.ends_with(of) && (*code, *only) == (command, feature)
            });
            let protocol = known.map(|(_, _, protocol, _)| protocol);
            let Some(protocol) = protocol.or(opted_in.map(|(.., protocol)| protocol)) else {
                return Some(format!(
                    "{command:02x} with feature {feature:02x} for readers"
                ));
            };
            // A 48-bit command has the high byte of FEATURES in byte 3 of the 16 byte form.
            if command == 0x2f && feature_at == 4 && values(rule, 3) != [0] {
                return Some(format!("{command:02x} with a feature in byte 3"));
            }
            for byte in values(rule, 1) {
                let used = (byte >> 1) & 0x0f;
                if used != *protocol {
                    return Some(format!("{command:02x} with protocol {used}"));
                }
            }
            let to_device = values(rule, 2).iter().any(|byte| byte & 0x08 == 0);
            if *protocol == PIO_IN && to_device {
                return Some(format!("{command:02x} with data to the device"));
            }
        }
    }
    None
}
