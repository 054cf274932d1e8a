// SPDX-License-Identifier: GPL-2.0

//! Lists of rules and what they answer, for the tests of tables and documents.

// Every test program has a copy of its own, and none uses all of it.
#![allow(dead_code, unreachable_pub)]

use sgio_policy::{
    filter::{CompiledFilter, RuleVec},
    policy::{decide, load, Access, Cdb, Class, DevicePolicy, Rule, RuleStore, Time, MAX_CDB},
};
use sgioctl::names;
use std::sync::Arc;

/// A list of rules, and its filter.
pub struct Table {
    pub rules: Vec<Rule>,
    filter: Arc<CompiledFilter>,
}

impl Table {
    /// Returns the list of these texts, read one behind the other.
    pub fn new(texts: &[&str]) -> Table {
        let mut rules = RuleVec::new();
        load(texts, &mut rules).unwrap();
        let list = rules.rules().iter().map(|rule| *rule.rule()).collect();
        let filter = CompiledFilter::compile(rules).unwrap();
        Table {
            rules: list,
            filter,
        }
    }

    /// Returns `r` (any open), `w` (write open) or `-` (refused): the answer of these rules alone.
    pub fn answer(&self, cdb: &[u8; MAX_CDB]) -> char {
        answer_of(None, self, cdb)
    }
}

/// Returns the answer of a device's own rules in front of those of its class.
pub fn answer_of(device: Option<&Table>, class: &Table, cdb: &[u8; MAX_CDB]) -> char {
    let state = DevicePolicy {
        unpriv: false,
        own_luns: false,
        device: device.map(|device| device.filter.view()),
        class: class.filter.view(),
    };
    let cdb = Cdb::new(cdb).unwrap();
    match [false, true].map(|write| decide(&state, &cdb, write, || Time::ZERO).is_allowed()) {
        [true, true] => 'r',
        [false, true] => 'w',
        _ => '-',
    }
}

/// Returns CDBs that `rule` matches and none of `narrower` does: with zeros wherever `rule` does
/// not look, and with each byte that any of the rules looks at, and byte 1, over all its values.
pub fn sample(rule: &Rule, narrower: &[Rule], others: &[Rule]) -> Vec<[u8; MAX_CDB]> {
    let opcode = rule.opcodes().iter().next().unwrap();
    let (mut base, mut fixed) = ([0; MAX_CDB], [0; MAX_CDB]);
    base[0] = opcode;
    for field in rule.fields() {
        let byte = usize::from(field.byte());
        fixed[byte] |= field.mask();
        base[byte] |= field.values().iter().next().unwrap();
    }
    let others = others
        .iter()
        .filter(|other| other.opcodes().contains(opcode));
    let mut bytes = vec![1];
    for other in narrower.iter().chain(others) {
        bytes.extend(other.fields().map(|field| usize::from(field.byte())));
    }
    bytes.sort_unstable();
    bytes.dedup();

    let values = bytes
        .iter()
        .flat_map(|byte| (0..=u8::MAX).map(move |value| (*byte, value)));
    let mut cdbs: Vec<_> = values
        .map(|(byte, value)| {
            let mut cdb = base;
            cdb[byte] = base[byte] | value & !fixed[byte];
            cdb
        })
        .filter(|cdb| {
            let cdb = Cdb::new(cdb).unwrap();
            !narrower.iter().any(|narrower| narrower.matches(&cdb))
        })
        .collect();
    cdbs.dedup();
    cdbs
}

/// Returns the answers of the rules to these CDBs, each once: some of `r`, `w` and `-`, in this order.
pub fn answers(table: &Table, cdbs: &[[u8; MAX_CDB]]) -> String {
    let found: Vec<char> = cdbs.iter().map(|cdb| table.answer(cdb)).collect();
    "rw-"
        .chars()
        .filter(|answer| found.contains(answer))
        .collect()
}

/// Returns the named commands of a class, each with the rule that is it.
pub fn commands(class: Class) -> Vec<(String, Rule)> {
    let rule = |name: &String| names::rules(name, class, Some(Access::Read)).unwrap()[0];
    let names = names::all(class).into_iter();
    names
        .map(|name| (rule(&name), name))
        .map(|(rule, name)| (name, rule))
        .collect()
}
