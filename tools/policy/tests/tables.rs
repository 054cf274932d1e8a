// SPDX-License-Identifier: GPL-2.0

//! Every rule of the built-in tables counts: without it, the class would answer some command
//! otherwise. So a rule that nobody can reach is found, and a rule that gets lost is noticed by
//! the tables of expectations, which look at the same commands.

use sgio_policy::{
    filter::{
        CompiledFilter,
        RuleVec, //
    },
    policy::{
        decide,
        load,
        strict,
        Cdb,
        Class,
        DevicePolicy,
        Filter,
        ListedRule,
        Rule,
        RuleStore,
        Time,
        MAX_CDB,
        STOCK, //
    }, //
};

/// The commands of one opcode that the tables tell apart: each of these bytes over all values, with
/// the additional length of a 32-byte CDB or a key class before.
fn commands(opcode: u8) -> impl Iterator<Item = [u8; MAX_CDB]> {
    [0x00, 0x02, 0x18].into_iter().flat_map(move |byte7| {
        [1, 2, 4, 7, 8, 9, 10].into_iter().flat_map(move |byte| {
            (0..=255).map(move |value| {
                let mut cdb = [0; MAX_CDB];
                (cdb[0], cdb[7]) = (opcode, byte7);
                cdb[byte] = value;
                cdb
            })
        })
    })
}

fn answers(filter: Filter<'_>, cdb: &[u8]) -> [bool; 2] {
    let state = DevicePolicy {
        unpriv: false,
        own_luns: false,
        device: None,
        class: filter,
    };
    let cdb = Cdb::new(cdb).unwrap();
    [false, true].map(|write| decide(&state, &cdb, write, || Time::ZERO).is_allowed())
}

fn table(texts: &[&str]) -> Vec<Rule> {
    let mut rules = RuleVec::new();
    load(texts, &mut rules).unwrap();
    // None of a table ends.
    assert!(!rules.rules().iter().any(ListedRule::is_timed));
    rules.rules().iter().map(|listed| *listed.rule()).collect()
}

fn compile(rules: impl IntoIterator<Item = Rule>) -> std::sync::Arc<CompiledFilter> {
    let mut list = RuleVec::new();
    for rule in rules {
        list.push(ListedRule::permanent(rule)).unwrap();
    }
    CompiledFilter::compile(list).unwrap()
}

/// The rules, and opcodes of rules, that make no difference.
fn idle(texts: &[&str]) -> Vec<String> {
    let rules = table(texts);
    let whole = compile(rules.iter().copied());
    let mut idle = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        let without = compile(
            (0..)
                .zip(&rules)
                .filter(|(n, _)| *n != number)
                .map(|(_, r)| *r),
        );
        for opcode in rule.opcodes().iter() {
            let counts = commands(opcode)
                .any(|cdb| answers(whole.view(), &cdb) != answers(without.view(), &cdb));
            if !counts {
                idle.push(format!("{opcode:02x} in {rule}"));
            }
        }
    }
    idle
}

#[test]
fn every_rule_counts() {
    for class in Class::ALL {
        let idle = idle(strict(class));
        assert!(idle.is_empty(), "{}: {idle:?}", class.name());
    }
    assert!(idle(&[STOCK]).is_empty());
}

/// What is found if a rule is there twice, or hidden behind another.
#[test]
fn idle_rules_are_found() {
    assert_eq!(idle(&["deny 12\nallow r 13"]), ["12 in deny 12"]);
    assert_eq!(
        idle(&["allow r 12-13\nallow w 13-14"]),
        ["13 in allow w 13-14"]
    );
    assert_eq!(
        idle(&["allow r a3 [1]&1f=0a\nallow r a3 [1]=0a"]),
        ["a3 in allow r a3 [1]=0a"]
    );
}
