// SPDX-License-Identifier: GPL-2.0

//! CDBs to words, words to rules.
//!
//! Input: a byte for the class; a CDB, or behind a NUL the name of a command. The tables of names are the
//! tool's alone, so there is nothing to hold them against but themselves: what is decoded must be found
//! again by its name.

use crate::{
    change::{one_rule, prints_rule},
    of_policy,
};
use reference::{decide::matches, rule::Line};
use sgio_policy::policy::{Access, Class, MAX_CDB};
use sgioctl::{hex, names};

/// Checks one input.
pub fn check(data: &[u8]) {
    let Some((code, data)) = data.split_first() else {
        return;
    };
    let class = Class::from_type(code % 32);
    match data.split_first() {
        Some((0, text)) if *code >= 0x80 => {
            if let Ok(text) = std::str::from_utf8(text) {
                command(text, class, (code >> 5) & 3);
            }
        }
        _ => cdb(data, class),
    }
}

fn cdb(cdb: &[u8], class: Class) {
    let mut padded = [0; MAX_CDB];
    for (to, from) in padded.iter_mut().zip(cdb) {
        *to = *from;
    }
    let decoded = names::decode(cdb, class);
    // The kernel pads with zeros, so a CDB is the same with and without them.
    let again = names::decode(&padded, class);
    assert_eq!(format!("{decoded:?}"), format!("{again:?}"));
    assert_eq!(decoded.opcode, padded[0]);
    assert_eq!(decoded.name.is_some(), decoded.title.is_some());
    assert_eq!(decoded.name.is_some(), decoded.source.is_some());
    assert!(decoded.destructive || decoded.name.is_some());
    assert!(hex::length(cdb).is_none_or(|length| (6..=263).contains(&length)));

    // The rule that would allow it allows it, and no other opcode.
    let exact = names::exact(cdb, class);
    let (text, Line { rule, seconds }) = one_rule(&format!("allow r {exact}"));
    assert!(seconds.is_none() && matches(&rule, &padded), "{exact}");
    assert_eq!(rule.opcodes.len(), 1, "{exact}");
    assert!(!names::of_rule(&text.rule, class).is_empty());

    let Some(name) = decoded.name else { return };
    let rules = names::rules(&name, class, Some(Access::Write));
    let rules = rules.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        (rules.iter()).any(|rule| matches(&of_policy::rule(rule), &padded)),
        "{name}"
    );
    // A name stands for a command as a whole, or for one service action, which has a CDB.
    if let Ok(made) = names::cdb_of(&name, class) {
        let made = names::decode(&made, class);
        assert_eq!(made.name.as_ref(), Some(&name));
        assert_eq!(made.destructive, decoded.destructive);
    }
}

fn command(text: &str, class: Class, access: u8) {
    let access = match access {
        0 => None,
        1 => Some(Access::Write),
        _ => Some(Access::Read),
    };
    let Ok(rules) = names::rules(text, class, access) else {
        return;
    };
    assert!(!rules.is_empty());
    for rule in &rules {
        prints_rule(rule);
        assert!(!names::of_rule(rule, class).is_empty());
    }
    assert!(names::default_access(text, class).is_ok());
}
