// SPDX-License-Identifier: GPL-2.0

//! Properties of the policy on random input, held against the reference implementation of the language.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{
        select,
        Index, //
    },
    test_runner::Config, //
};
use reference::{
    decide::{
        Answer,
        Rules,
        Whose, //
    },
    text::{
        Bad,
        Listed, //
    }, //
};
use sgio_policy::{
    filter::{
        CompiledFilter,
        RuleVec, //
    },
    policy::{
        decide,
        ApplyError,
        Cdb,
        Change,
        ChangeKind,
        Decision,
        DevicePolicy,
        Filter,
        Layer,
        ListedRule,
        Rule,
        RuleStore,
        Time, //
    }, //
};
use std::{
    fmt::{
        Display,
        Write, //
    },
    sync::Arc, //
};

/// Few opcodes and values, so that rules and commands meet often, and any.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => select(&[0x00, 0x01, 0x12, 0x5e, 0x5f, 0x7f, 0x80, 0x9e, 0xff][..]),
        1 => any::<u8>(),
    ]
}

/// Two digits in either case.
fn hex(value: u8, upper: bool) -> String {
    if upper {
        format!("{value:02X}")
    } else {
        format!("{value:02x}")
    }
}

fn item() -> impl Strategy<Value = String> {
    (byte(), byte(), any::<[bool; 3]>()).prop_map(|(one, other, [range, a, b])| {
        let (first, last) = (one.min(other), one.max(other));
        if range {
            format!("{}-{}", hex(first, a), hex(last, b))
        } else {
            hex(first, a)
        }
    })
}

fn items() -> impl Strategy<Value = String> {
    vec(item(), 1..5).prop_map(|items| items.join(","))
}

/// A field; with a mask its values are single and inside it.
fn field() -> impl Strategy<Value = String> {
    let number = prop_oneof![3 => 1..5u8, 1 => 1..32u8];
    let masked = (1..=255u8, vec(byte(), 1..5), any::<bool>()).prop_map(|(mask, values, upper)| {
        let values: Vec<_> = values.iter().map(|v| hex(v & mask, upper)).collect();
        format!("&{}={}", hex(mask, upper), values.join(","))
    });
    let low = (1..=8u32, byte(), byte()).prop_map(|(bits, one, other)| {
        let mask = (0xffu32 >> (8 - bits)) as u8;
        let (one, other) = (one & mask, other & mask);
        let (first, last) = (one.min(other), one.max(other));
        format!("&{mask:02x}={first:02x}-{last:02x}")
    });
    let plain = items().prop_map(|items| format!("={items}"));
    (number, prop_oneof![masked, low, plain]).prop_map(|(number, rest)| format!("[{number}]{rest}"))
}

fn blank() -> impl Strategy<Value = &'static str> {
    select(&[" ", " ", " ", "  ", "\t", " \t "][..])
}

/// How many seconds after it was written a text is looked at.
const AGES: std::ops::Range<u64> = 0..6;

/// A good rule without prefix, in any way of writing.
fn rule() -> impl Strategy<Value = String> {
    let lifetime = prop_oneof![
        3 => Just(None),
        1 => (1..=AGES.end).prop_map(|seconds| Some(format!("for={seconds}"))),
    ];
    (
        select(&["allow r", "allow w", "deny"][..]),
        items(),
        vec(field(), 0..=6),
        lifetime,
        blank(),
        select(&["", "", "", " ", "# x", "\t# deny 00 [1]=00"][..]),
    )
        .prop_map(|(verdict, opcodes, fields, lifetime, blank, end)| {
            let mut words: Vec<_> = verdict.split(' ').collect();
            words.push(&opcodes);
            words.extend(fields.iter().chain(&lifetime).map(String::as_str));
            words.join(blank) + end
        })
}

/// A good text of rules without prefixes, blank lines and comments strewn in.
fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        6 => rule(),
        1 => select(&["", " ", "\t", "# x", "  # deny 00"][..]).prop_map(str::to_owned),
    ];
    (vec(line, 0..12), rule(), any::<bool>()).prop_map(|(mut lines, last, newline)| {
        lines.push(last);
        lines.join("\n") + if newline { "\n" } else { "" }
    })
}

fn cdb() -> impl Strategy<Value = Vec<u8>> {
    vec(byte(), 1..=32)
}

/// When a text is that many seconds old.
fn after(age: u64) -> Time {
    Time::from_nanos(age * 1_000_000_000)
}

/// What a text makes of a list.
fn parse(text: &str) -> Vec<ListedRule> {
    let change = Change::parse(text.as_bytes());
    let change = change.unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut rules = RuleVec::new();
    change.apply(&mut rules, after(0)).unwrap();
    rules.rules().to_vec()
}

fn compile(rules: &[ListedRule]) -> Arc<CompiledFilter> {
    let mut list = RuleVec::new();
    for rule in rules {
        list.push(*rule).unwrap();
    }
    CompiledFilter::compile(list).unwrap()
}

fn print(rules: &[ListedRule]) -> String {
    print_at(rules, 0)
}

fn print_at(rules: &[ListedRule], age: u64) -> String {
    lines(rules.iter().filter_map(|listed| listed.at(after(age))))
}

fn lines(items: impl IntoIterator<Item = impl Display>) -> String {
    items.into_iter().fold(String::new(), |mut text, item| {
        writeln!(text, "{item}").unwrap();
        text
    })
}

/// The reference's list of the rules of a text.
fn listed(text: &str) -> Vec<Listed> {
    match reference::text::parse(text.as_bytes()) {
        Ok(change) => change
            .rules()
            .into_iter()
            .map(|line| Listed::new(line, 0))
            .collect(),
        Err(Bad::Nothing) => Vec::new(),
        Err(Bad::Line(line)) => panic!("line {line}: {text}"),
    }
}

/// What the reference decides by both lists.
fn expected(device: &[Listed], class: &[Listed], cdb: &[u8], write: bool) -> Decision {
    expected_at(0, device, class, cdb, write)
}

/// The same of lists that are so many seconds old.
fn expected_at(age: u64, device: &[Listed], class: &[Listed], cdb: &[u8], write: bool) -> Decision {
    let rules = Rules {
        unpriv: false,
        own_luns: false,
        device,
        grants: &[],
        class,
        now: age * 1_000_000_000,
    };
    let by = |decision: fn(Layer, u16) -> Decision, whose, number: usize| {
        let layer = match whose {
            Whose::Device => Layer::Device,
            Whose::Class => Layer::Class,
            Whose::Grant => Layer::Grant,
        };
        decision(layer, u16::try_from(number).unwrap())
    };
    match reference::decide::decide(&rules, cdb, write) {
        Answer::Unpriv => Decision::Unpriv,
        Answer::Allowed(whose, number) => by(Decision::Allowed, whose, number),
        Answer::Denied(whose, number) => by(Decision::Denied, whose, number),
        Answer::NeedsWrite(whose, number) => by(Decision::NeedsWriteOpen, whose, number),
        Answer::NoRule => Decision::NoRule,
        Answer::OwnLuns => Decision::OwnLuns,
    }
}

fn config(cases: u32) -> Config {
    Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config(3000))]

    /// What is printed parses to the same rules, and prints the same again.
    #[test]
    fn round_trip(text in text()) {
        let rules = parse(&text);
        let printed = print(&rules);
        let again = parse(&printed);
        let same = |one: &ListedRule, other: &ListedRule| {
            one.rule() == other.rule() && one.deadline() == other.deadline()
        };
        prop_assert!(again.len() == rules.len() && again.iter().zip(&rules).all(|(a, b)| same(a, b)));
        prop_assert_eq!(print(&again), printed.clone());
        prop_assert!(printed.lines().all(|line| line.len() <= Rule::MAX_TEXT));
    }

    /// The compiled filter of a text, and of its canonical print, decides as the reference does.
    #[test]
    fn decisions(text in text(), cdbs in vec(cdb(), 1..20), write: bool) {
        let rules = parse(&text);
        let printed = print(&rules);
        let filter = compile(&rules);
        let again = compile(&parse(&printed));
        let (listed, listed_again) = (listed(&text), listed(&printed));
        for cdb in &cdbs {
            let decision = |filter: &CompiledFilter| {
                let state = DevicePolicy { unpriv: false, own_luns: false, device: None, class: filter.view() };
                decide(&state, &Cdb::new(cdb).unwrap(), write, || after(0))
            };
            let expected = expected(&[], &listed, cdb, write);
            prop_assert_eq!(decision(&filter), expected);
            prop_assert_eq!(decision(&again), expected);
            prop_assert_eq!(self::expected(&[], &listed_again, cdb, write), expected);
        }
    }

    /// The device's rules come before the class's.
    #[test]
    fn layers(device in text(), class in text(), cdbs in vec(cdb(), 1..20), write: bool) {
        let (of_device, of_class) = (compile(&parse(&device)), compile(&parse(&class)));
        let (device, class) = (listed(&device), listed(&class));
        for cdb in &cdbs {
            let state = DevicePolicy {
                unpriv: false,
                own_luns: false,
                device: Some(of_device.view()),
                class: of_class.view(),
            };
            for age in AGES {
                let decision = decide(&state, &Cdb::new(cdb).unwrap(), write, || after(age));
                prop_assert_eq!(decision, expected_at(age, &device, &class, cdb, write));
            }

            let silent = DevicePolicy { device: Some(Filter::EMPTY), ..state };
            let without = DevicePolicy { device: None, ..state };
            let cdb = Cdb::new(cdb).unwrap();
            let now = || after(0);
            prop_assert_eq!(decide(&silent, &cdb, write, now), decide(&without, &cdb, write, now));
            let unpriv = DevicePolicy { unpriv: true, ..state };
            prop_assert_eq!(decide(&unpriv, &cdb, write, now), Decision::Unpriv);
        }
    }

    /// What is printed of a text that has become older is a text that decides the same, rule for
    /// rule, and so does what it decides later.
    #[test]
    fn ageing(text in text(), cdbs in vec(cdb(), 1..10), write: bool) {
        let rules = parse(&text);
        let filter = compile(&rules);
        for age in AGES {
            let printed = print_at(&rules, age);
            let again = match printed.as_str() {
                "" => compile(&[]),
                printed => compile(&parse(printed)),
            };
            for (cdb, more) in cdbs.iter().zip(AGES.cycle()) {
                let cdb = Cdb::new(cdb).unwrap();
                let decision = |filter: &CompiledFilter, now| {
                    let state = DevicePolicy { unpriv: false, own_luns: false, device: None, class: filter.view() };
                    let line = |number| filter.view().number_at(number, now);
                    match decide(&state, &cdb, write, || now) {
                        Decision::Allowed(layer, number) => Decision::Allowed(layer, line(number)),
                        Decision::Denied(layer, number) => Decision::Denied(layer, line(number)),
                        Decision::NeedsWriteOpen(layer, number) => {
                            Decision::NeedsWriteOpen(layer, line(number))
                        }
                        other => other,
                    }
                };
                prop_assert_eq!(decision(&filter, after(age + more)), decision(&again, after(more)), "{}", printed);
            }
        }
    }

    /// A good text with a character changed, lost or put in is an error, or means what the
    /// reference reads in it: it is never quietly taken for something else.
    #[test]
    fn misprints(
        text in text(),
        place: Index,
        how in 0..3,
        with in select(&b" \t\n#,-[]&=0123456789abcdefrwADFx+"[..]),
        cdbs in vec(cdb(), 1..20),
    ) {
        let mut text = text.into_bytes();
        let at = place.index(text.len());
        match how {
            0 => text[at] = with,
            1 => { text.remove(at); }
            _ => text.insert(at, with),
        }
        let text = String::from_utf8(text).unwrap();
        if Change::parse(text.as_bytes()).is_ok_and(|change| change.kind() == ChangeKind::Replace) {
            let filter = compile(&parse(&text));
            let listed = listed(&text);
            for cdb in &cdbs {
                let state = DevicePolicy { unpriv: false, own_luns: false, device: None, class: filter.view() };
                let decision = decide(&state, &Cdb::new(cdb).unwrap(), true, || after(0));
                prop_assert_eq!(decision, expected(&[], &listed, cdb, true), "{}", text);
            }
        }
    }

    /// No bytes make the parser panic; errors lie inside the text and say so in one line.
    #[test]
    fn any_bytes(
        text in prop_oneof![
            vec(any::<u8>(), 0..200),
            vec(select(&b"  \t\n#,-[]&=0019afrw+"[..]), 0..60),
            vec(select(&["allow ", "deny ", "r ", "w ", "12", "48", "-", ",", " ", "[1]", "[31]",
                "&1f", "=", "\n", "+", "#", " for=", "600"][..]), 0..20)
                .prop_map(|words| words.concat().into_bytes()),
        ],
    ) {
        match Change::parse(&text) {
            Ok(change) => {
                let mut rules = RuleVec::new();
                match change.apply(&mut rules, after(0)) {
                    Ok(()) | Err(ApplyError::NotFound { .. }) => (),
                    Err(error) => panic!("{error}"),
                }
                let printed = print(rules.rules());
                prop_assert!(printed.is_empty() || print(&parse(&printed)) == printed);
            }
            Err(error) => {
                let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
                let line = lines.get(error.line as usize - 1);
                let inside = line.is_some_and(|line| error.column as usize <= line.len() + 1);
                prop_assert!(inside && error.column > 0, "{}", error);
                prop_assert!(!error.to_string().contains('\n'));
            }
        }
    }

    /// Edits do to a list of rules what they do to a list of lines.
    #[test]
    fn edits(
        // Rules that are equal if and only if their canonical text is: so few that they meet.
        start in vec(select(&POOL[..]), 1..8),
        steps in vec((any::<bool>(), select(&POOL[..])), 1..12),
    ) {
        let mut rules = RuleVec::new();
        for rule in parse(&start.join("\n")) {
            rules.push(rule).unwrap();
        }
        let mut lines = start;
        let mut text = String::new();
        let mut missing = None;
        for (number, (insert, rule)) in (1..).zip(&steps) {
            text += &format!("{}{rule}\n", if *insert { "+" } else { "- " });
            if missing.is_some() {
                continue;
            }
            if *insert {
                lines.insert(0, rule);
            } else {
                match lines.iter().position(|line| line == rule) {
                    Some(at) => { lines.remove(at); }
                    None => missing = Some(number),
                }
            }
        }

        let change = Change::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(change.kind(), ChangeKind::Edit);
        match (change.apply(&mut rules, after(0)), missing) {
            (Ok(()), None) => {
                prop_assert_eq!(print(rules.rules()), self::lines(lines));
            }
            (Err(ApplyError::NotFound { line }), Some(number)) => prop_assert_eq!(line, number),
            (result, _) => panic!("{result:?}, missing {missing:?}"),
        }
    }
}

/// Rules in canonical text.
const POOL: [&str; 5] = [
    "allow r 12",
    "allow w 12",
    "deny 12",
    "allow r 12 [1]=00",
    "deny 40-4f,ff [1]&1f=00-04 [2]=ff",
];
