// SPDX-License-Identifier: GPL-2.0

//! Texts of rules: parsed, applied to a list, printed.
//!
//! Input: the text of a list, NUL, the text of a change. The change is made some seconds later: as many as
//! the list has bytes, so that some of its rules may have ended.

use crate::{of_policy, split};
use reference::{
    rule::Line,
    text::{self, Bad, Failure, Listed},
};
use sgio_policy::{
    filter::RuleVec,
    policy::{ApplyError, Change, ChangeKind, Rule as PolicyRule, RuleStore, TextRule, Time},
};

/// Checks one input.
pub fn check(data: &[u8]) {
    let (before, text) = split(data);
    let mut list = RuleVec::new();
    let mut expected = Vec::new();
    if let Some(change) = agreed(before) {
        let _ = apply(&change, &mut list, &mut expected, 0);
    }
    // Between two seconds, too.
    let now = before.len() as u64 * 500_000_000;
    if let Some(change) = agreed(text) {
        let _ = apply(&change, &mut list, &mut expected, now);
    }
    shows(&list, &expected, now);
    shows(&list, &expected, now + 1_500_000_001);
}

/// What a list shows at a time: the rules that apply, each as a text that means it.
fn shows(list: &RuleVec, expected: &[Listed], now: u64) {
    let shown = list
        .rules()
        .iter()
        .map(|listed| listed.at(Time::from_nanos(now)));
    let expected = expected
        .iter()
        .map(|l| l.applies(now).then(|| l.shown(now)));
    assert!(shown
        .clone()
        .map(|text| text.as_ref().map(of_policy::line))
        .eq(expected));
    shown.flatten().for_each(|text| prints(&text));
}

/// A text in both readings.
type Both<'a> = (Change<'a>, text::Change);

/// Parses, and holds the outcome against the reference.
pub(crate) fn agreed(text: &[u8]) -> Option<Both<'_>> {
    match (Change::parse(text), text::parse(text)) {
        (Ok(change), Ok(expected)) => {
            same(&change, &expected);
            Some((change, expected))
        }
        (Err(error), Err(bad)) => {
            if let Bad::Line(line) = bad {
                assert_eq!(error.line as usize, line, "{error}");
                let line = text.split(|byte| *byte == b'\n').nth(line - 1);
                let columns = 1..=line.map_or(0, <[u8]>::len) + 1;
                assert!(columns.contains(&(error.column as usize)), "{error}");
            }
            assert!(error.to_string().len() < 200);
            None
        }
        (change, expected) => panic!("{:?}, expected {expected:?}", change.map(|c| c.kind())),
    }
}

/// Holds a text that was parsed against the reference.
pub(crate) fn same(change: &Change<'_>, expected: &text::Change) {
    let kind = match expected {
        text::Change::Reset => ChangeKind::Reset,
        text::Change::Replace(_) => ChangeKind::Replace,
        text::Change::Edit(_) => ChangeKind::Edit,
    };
    assert_eq!(change.kind(), kind);
    let rules: Vec<Line> = change.rules().map(|rule| of_policy::line(&rule)).collect();
    assert!(rules.iter().eq(expected.rules()), "{rules:?}");
}

fn apply(
    (change, reference): &Both<'_>,
    list: &mut RuleVec,
    expected: &mut Vec<Listed>,
    now: u64,
) -> Result<(), Failure> {
    let mut copy = list.clone();
    let applied = change
        .apply(&mut copy, Time::from_nanos(now))
        .map_err(|error| match error {
            ApplyError::NotFound { line } => Failure::NotFound(line as usize),
            ApplyError::TooMany { line } => Failure::TooMany(line as usize),
            other => panic!("{other}"),
        });
    match reference.apply(expected, now) {
        Err(failure) => {
            assert_eq!(applied, Err(failure));
        }
        Ok(after) => {
            applied?;
            assert!(copy
                .rules()
                .iter()
                .map(of_policy::listed)
                .eq(after.iter().cloned()));
            (*list, *expected) = (copy, after);
        }
    }
    Ok(())
}

/// The same of a rule that does not end.
pub(crate) fn prints_rule(rule: &PolicyRule) {
    prints(&TextRule {
        rule: *rule,
        lifetime: None,
    });
}

/// The text of a rule is canonical, and means the rule.
pub(crate) fn prints(rule: &TextRule) {
    let text = rule.to_string();
    let (again, reference) = one_rule(&text);
    assert!(again == *rule, "{text}");
    assert_eq!(again.to_string(), text);
    assert_eq!(reference, of_policy::line(rule));
    assert!(text.len() <= PolicyRule::MAX_TEXT);
    let words = |text: &str| {
        let mut words: Vec<String> = text.split(' ').map(String::from).collect();
        words.sort();
        words
    };
    assert_eq!(words(&text), words(&reference.to_string()));
}

/// The rule of a good text, in both readings.
pub(crate) fn one_rule(text: &str) -> (TextRule, Line) {
    let (change, reference) = agreed(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
    let rule = change.rules().next().unwrap_or_else(|| panic!("{text}"));
    (rule, reference.rules()[0].clone())
}
