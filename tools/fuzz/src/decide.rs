// SPDX-License-Identifier: GPL-2.0

//! Decisions, with the index and without.
//!
//! Input: bytes that rules, and then times and CDBs, are made of. The rules go through their text to the
//! policy.

use crate::{change::one_rule, of_policy};
use reference::{
    decide::{self, Answer, Whose},
    rule::{Action, Field, Line, Rule},
    text::Listed,
};
use sgio_policy::{
    filter::{CompiledFilter, RuleVec},
    policy::{self, ByteSet, Cdb, Decision, FastTable, Filter, Layer, ListedRule, RuleStore, Time},
};
use std::{collections::BTreeSet, sync::Arc};

/// Opcodes that rules and commands both have, so that they meet.
const OPCODES: [u8; 8] = [0x00, 0x12, 0x5e, 0x5f, 0x7f, 0xa0, 0x9e, 0xff];
/// So many rules and CDBs at most: enough for all that can happen between two rules.
const MAX_RULES: u8 = 12;
const MAX_CDBS: usize = 16;

/// Checks one input.
pub fn check(data: &[u8]) {
    let mut bytes = Bytes(data);
    let flags = bytes.next();
    let (device, class) = (bytes.rules(), bytes.rules());
    // Mostly none.
    let grants: Vec<Vec<Line>> = (0..(flags >> 4) % 3).map(|_| bytes.rules()).collect();
    let held: Vec<_> = grants.iter().map(|grant| compile(grant)).collect();
    let own = compile(&device);
    let defaults = compile(&class);
    let listed =
        |lines: &[Line]| -> Vec<Listed> { lines.iter().map(|line| Listed::new(line, 0)).collect() };
    let (device, class): (Vec<Listed>, Vec<Listed>) = (listed(&device), listed(&class));
    let grants: Vec<Vec<Listed>> = grants.iter().map(|lines| listed(lines)).collect();
    let mut rules = decide::Rules {
        unpriv: flags & 1 != 0,
        own_luns: flags & 4 != 0,
        device: &device,
        grants: &grants,
        class: &class,
        now: 0,
    };
    let state = policy::DevicePolicy {
        unpriv: rules.unpriv,
        own_luns: rules.own_luns,
        // Without rules of its own, a device has none, or an empty list.
        device: (flags & 2 != 0 || !device.is_empty() || !held.is_empty()).then(|| own.view()),
        class: defaults.view(),
    };
    let mut tables = [
        (state.device.unwrap_or(Filter::EMPTY), Whose::Device),
        (state.class, Whose::Class),
    ]
    .map(|(filter, whose)| (filter, table(&filter), whose));
    // What a grant mentions is never known.
    let mut mentioned = ByteSet::EMPTY;
    for listed in held.iter().flat_map(|grant| grant.view().rules()) {
        mentioned = mentioned.union(listed.rule().opcodes());
    }
    if !held.is_empty() {
        tables[0].1.leave_to_grants(&mentioned);
    }
    let granting: Vec<FastTable> = held.iter().map(|grant| table(&grant.view())).collect();
    for _ in 0..MAX_CDBS {
        let cdb = bytes.cdb();
        // The clock does not go back.
        rules.now += u64::from(bytes.next() % 4) * 500_000_000;
        let now = Time::from_nanos(rules.now);
        for write in [false, true] {
            let answer = decide::decide(&rules, &cdb, write);
            let cdb = Cdb::new(&cdb).expect("1 to 32 bytes");
            let granted = || {
                let allowing = |grant: &Arc<CompiledFilter>| {
                    policy::allowed_by_grant(&grant.view(), &cdb, write, || now)
                };
                held.iter().find_map(allowing)
            };
            let decision = policy::decide_with_grants(&state, &cdb, write, || now, granted);
            if held.is_empty() {
                assert_eq!(decision, policy::decide(&state, &cdb, write, || now));
            }
            assert_eq!(answer_of(decision), answer, "{:02x?}", cdb.bytes());
            let allowed = matches!(answer, Answer::Unpriv | Answer::Allowed(..));
            assert_eq!(decision.is_allowed(), allowed);
            if !rules.unpriv {
                if tables[0].1.get(cdb.opcode()).is_left_to_grants() {
                    if let Some(number) = granted_by_opcode(&granting, cdb.opcode(), write) {
                        assert_eq!(decision, Decision::Allowed(Layer::Grant, number));
                    }
                }
                // Before what has ended is forgotten, and after.
                check_table(&tables, cdb.opcode(), write, &answer);
                for (filter, table, _) in &tables {
                    if !mentioned.contains(cdb.opcode()) {
                        table.update(filter, cdb.opcode(), now);
                    }
                }
                check_table(&tables, cdb.opcode(), write, &answer);
                check_lines(&rules, &own, &defaults, &decision);
            }
        }
        if bytes.0.is_empty() {
            break;
        }
    }
}

fn table(filter: &Filter<'_>) -> FastTable {
    let mut table = FastTable::unknown();
    table.fill(filter);
    table
}

/// The rule by which the first of the grants allows all commands of an opcode, as the kernel reads their tables.
fn granted_by_opcode(granting: &[FastTable], opcode: u8, write: bool) -> Option<u16> {
    for table in granting {
        let answer = table.get(opcode);
        if answer.is_unmentioned() {
            continue;
        }
        if !answer.is_known() {
            return None;
        }
        if answer.is_allowed(write) {
            return Some(answer.rule());
        }
    }
    None
}

/// The line of the rule that decides, among those that apply.
fn check_lines(
    rules: &decide::Rules<'_>,
    own: &CompiledFilter,
    class: &CompiledFilter,
    decision: &Decision,
) {
    let (Decision::Allowed(layer, number)
    | Decision::Denied(layer, number)
    | Decision::NeedsWriteOpen(layer, number)) = *decision
    else {
        return;
    };
    let (filter, list) = match layer {
        Layer::Device => (own, rules.device),
        Layer::Class => (class, rules.class),
        Layer::Grant => return,
    };
    let number_at = filter.view().number_at(number, Time::from_nanos(rules.now));
    let before = list.iter().take(number.into());
    let expected = before.filter(|rule| rule.applies(rules.now)).count();
    assert_eq!(usize::from(number_at), expected);
}

/// What the tables know of an opcode is the answer to every CDB.
fn check_table(
    tables: &[(Filter<'_>, FastTable, Whose)],
    opcode: u8,
    write: bool,
    answer: &Answer,
) {
    let said = tables.iter().find_map(|(_, table, whose)| {
        let fast = table.get(opcode);
        (!fast.is_unmentioned()).then_some((fast, *whose))
    });
    let Some((fast, whose)) = said else {
        assert_eq!(*answer, Answer::NoRule);
        return;
    };
    let (rule, allowed) = (usize::from(fast.rule()), fast.is_allowed(write));
    match answer {
        _ if !fast.is_known() => assert!(!allowed),
        Answer::Allowed(by, number) => assert!(allowed && (*by, *number) == (whose, rule)),
        Answer::Denied(by, number) | Answer::NeedsWrite(by, number) => {
            assert!(!allowed && (*by, *number) == (whose, rule));
        }
        _ => panic!("{opcode:02x}: known, but {answer:?}"),
    }
}

fn compile(lines: &[Line]) -> Arc<CompiledFilter> {
    let mut list = RuleVec::new();
    for line in lines {
        let (parsed, reference) = one_rule(&line.to_string());
        assert_eq!(reference, *line);
        assert_eq!(of_policy::line(&parsed), *line);
        let listed = ListedRule::new(parsed, Time::ZERO);
        list.push(listed).unwrap_or_else(|never| match never {});
    }
    CompiledFilter::compile(list).expect("few rules")
}

fn answer_of(decision: Decision) -> Answer {
    let whose = |layer| match layer {
        Layer::Device => Whose::Device,
        Layer::Class => Whose::Class,
        Layer::Grant => Whose::Grant,
    };
    match decision {
        Decision::Unpriv => Answer::Unpriv,
        Decision::Allowed(layer, rule) => Answer::Allowed(whose(layer), rule.into()),
        Decision::Denied(layer, rule) => Answer::Denied(whose(layer), rule.into()),
        Decision::NeedsWriteOpen(layer, rule) => Answer::NeedsWrite(whose(layer), rule.into()),
        Decision::NoRule => Answer::NoRule,
        Decision::OwnLuns => Answer::OwnLuns,
        Decision::NotOwner => panic!("the policy knows no sender"),
    }
}

/// The rest of the input; zeros behind its end.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// One of few, or any.
    fn opcode(&mut self) -> u8 {
        match self.next() {
            byte @ 0..0xf0 => OPCODES[usize::from(byte % 8)],
            _ => self.next(),
        }
    }

    fn rules(&mut self) -> Vec<Line> {
        let count = self.next() % (MAX_RULES + 1);
        let line = |_| {
            let rule = self.rule();
            // Up to so many seconds, most of them less than there are between the commands.
            let seconds = match self.next() {
                0..0xa0 => None,
                byte => Some(1 + u64::from(byte % 16)),
            };
            Line { rule, seconds }
        };
        (0..count).map(line).collect()
    }

    fn rule(&mut self) -> Rule {
        let shape = self.next();
        let mut opcodes = BTreeSet::from([self.opcode()]);
        if shape & 0x08 != 0 {
            opcodes.insert(self.opcode());
        }
        if shape & 0x80 != 0 {
            opcodes.extend(self.next()..=self.next());
        }
        let fields = (shape >> 4) & 7;
        let mut fields: Vec<Field> = (0..fields.min(6)).map(|_| self.field()).collect();
        fields.sort();
        Rule {
            action: match shape & 7 {
                0..=2 => Action::AllowRead,
                3..=5 => Action::AllowWrite,
                _ => Action::Deny,
            },
            opcodes,
            fields,
        }
    }

    fn field(&mut self) -> Field {
        let place = self.next();
        let mask = match self.next() {
            0 => 0xff,
            mask => mask,
        };
        let mut values = BTreeSet::from([self.next() & mask]);
        if place & 0x20 != 0 {
            values.insert(self.next() & mask);
        }
        if place & 0x40 != 0 {
            values.extend((self.next()..=self.next()).filter(|value| value & !mask == 0));
        }
        // Mostly a byte that short CDBs have too.
        let byte = match place & 0x80 {
            0 => 1 + usize::from(place % 4),
            _ => 1 + usize::from(place % 31),
        };
        Field { byte, mask, values }
    }

    fn cdb(&mut self) -> Vec<u8> {
        let len = 1 + self.next() % 32;
        let opcode = self.opcode();
        let rest = (1..len).map(|_| self.next());
        std::iter::once(opcode).chain(rest).collect()
    }
}
