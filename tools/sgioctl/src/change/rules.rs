// SPDX-License-Identifier: GPL-2.0

//! Puts rules in front of a device's own, as edits.

use super::{Plan, Target};
use crate::time;
use anyhow::{anyhow, Result};
use sgio_policy::policy::{Change, Field, Rule};

/// A rule in force, and how long it has still to go; none: it stays.
pub type InForce = (Rule, Option<u64>);

/// The edits of one list.
#[derive(Default)]
pub struct Edits {
    /// The lines, with `+` and `-`, in their order.
    pub lines: Vec<String>,
    /// What they do, one line each, also where nothing is to be done but something to be said.
    pub words: Vec<String>,
    /// The list behind them.
    pub list: Vec<InForce>,
}

impl Edits {
    fn line(&mut self, line: String, words: String) {
        self.lines.push(line);
        self.words.push(words);
    }
}

/// The rules of a text, without times.
///
/// # Errors
///
/// A text that is no list of rules.
pub fn parse(text: &str) -> Result<Vec<Rule>> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let change = Change::parse(text.as_bytes()).map_err(|e| anyhow!("rules: {e}"))?;
    // When they end is another matter.
    Ok(change.rules().map(|text| text.rule).collect())
}

/// The rules that a device has in force.
///
/// # Errors
///
/// Rules that cannot be understood.
pub fn in_force(target: &Target) -> Result<Vec<InForce>> {
    let rules = parse(&target.running.rules)?;
    let with_time = |(number, rule)| (rule, target.running.seconds_left(number));
    Ok(rules.into_iter().enumerate().map(with_time).collect())
}

/// What puts `wanted` in force in front of `list`, the first of them foremost, for so many seconds or for
/// good. What decides as wanted already, for long enough, is left alone; no time is made shorter.
pub fn edits(mut list: Vec<InForce>, wanted: &[Rule], seconds: Option<u64>) -> Edits {
    let mut edits = Edits::default();
    for rule in wanted.iter().rev() {
        let equal: Vec<InForce> = list.iter().copied().filter(|(r, _)| r == rule).collect();
        let permanent = equal.iter().any(|(_, left)| left.is_none());
        let longest = equal.iter().filter_map(|(_, left)| *left).max();
        let decides = |wanted: &dyn Fn(&Option<u64>) -> bool| {
            list.iter()
                .take_while(|(front, _)| !disturbs(front, rule))
                .any(|(other, left)| other == rule && wanted(left))
        };
        let time = match seconds {
            _ if decides(&|left| left.is_none()) => {
                if seconds.is_some() {
                    edits.words.push(format!(
                        "{rule} is in force already, without a time limit: not changed"
                    ));
                }
                continue;
            }
            Some(seconds) if decides(&|left| left.is_some_and(|left| left >= seconds)) => {
                let left = time::words(longest.unwrap_or(seconds));
                edits.words.push(format!(
                    "{rule} is in force already, for {left}: not changed"
                ));
                continue;
            }
            Some(seconds) => format!(" for={seconds}"),
            None => String::new(),
        };
        let words = match (seconds, longest) {
            (Some(seconds), Some(left)) if left >= seconds => {
                format!(
                    "+ {rule} (moves to the front, ends in {})",
                    time::words(left)
                )
            }
            (Some(seconds), Some(left)) => format!(
                "+ {rule} (ends in {} instead of {})",
                time::words(seconds),
                time::words(left)
            ),
            (Some(seconds), None) => format!("+ {rule} (ends in {})", time::words(seconds)),
            (None, Some(left)) => {
                format!(
                    "+ {rule} (stays; it would have ended in {})",
                    time::words(left)
                )
            }
            (None, None) => format!("+ {rule}"),
        };
        // A rule behind another one that decides otherwise moves to the front. The first equal one
        // is taken away by -, so only if that is the one that is meant.
        if permanent && seconds.is_none() && longest.is_none() {
            edits.line(format!("-{rule}"), format!("- {rule} (moves to the front)"));
            if let Some(at) = list.iter().position(|(other, _)| other == rule) {
                list.remove(at);
            }
        }
        // The kernel takes away equal rules that end.
        list.retain(|(other, left)| other != rule || left.is_none());
        list.insert(
            0,
            (
                *rule,
                seconds.map(|seconds| seconds.max(longest.unwrap_or(0))),
            ),
        );
        edits.line(format!("+{rule}{time}"), words);
    }
    edits.list = list;
    edits
}

/// Tells whether `front` may decide another way on a command that `rule`, behind it, is about.
fn disturbs(front: &Rule, rule: &Rule) -> bool {
    front.action() != rule.action()
        && front
            .opcodes()
            .iter()
            .any(|opcode| rule.opcodes().contains(opcode))
        && !front
            .fields()
            .any(|one| rule.fields().any(|other| excludes(&one, &other)))
}

/// Two conditions that cannot both hold.
fn excludes(one: &Field, other: &Field) -> bool {
    one.byte() == other.byte()
        && one.mask() == other.mask()
        && !one
            .values()
            .iter()
            .any(|value| other.values().contains(value))
}

/// Adds a device to the plan on which `wanted` come into force.
///
/// # Errors
///
/// Rules in force that cannot be understood.
pub fn plan(plan: &mut Plan, target: &Target, wanted: &[Rule], seconds: Option<u64>) -> Result<()> {
    let edits = edits(in_force(target)?, wanted, seconds);
    if edits.lines.is_empty() {
        plan.report_only(target, edits.words);
    } else {
        let body = format!("rules\n{}\n", edits.lines.join("\n"));
        plan.add(target, edits.words, &body);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::running::without_time;

    fn edit(list: &str, wanted: &str, seconds: Option<u64>) -> Edits {
        let list = list.lines().map(|line| {
            let (rule, left) = without_time(line);
            (parse(rule).unwrap()[0], left)
        });
        edits(list.collect(), &parse(wanted).unwrap(), seconds)
    }

    fn lines(list: &str, wanted: &str, seconds: Option<u64>) -> Vec<String> {
        edit(list, wanted, seconds).lines
    }

    #[test]
    fn the_first_rule_wanted_ends_up_foremost() {
        assert_eq!(
            lines("", "allow r 5e\nallow w 5f", None),
            ["+allow w 5f", "+allow r 5e"]
        );
    }

    #[test]
    fn a_rule_in_force_is_not_added_again() {
        assert!(lines("allow r 5e", "allow r 5e", None).is_empty());
        // Nor is one behind a rule about other commands, or with the same answer.
        let list =
            "deny 48\nallow w 5f\nallow w 5f [1]&1f=00\nallow r 85 [14]=b0\nallow w 85 [14]=ec";
        assert!(lines(list, "allow w 5f [1]&1f=00", None).is_empty());
        assert!(lines(list, "allow w 85 [14]=ec", None).is_empty());
    }

    #[test]
    fn a_rule_without_effect_moves_to_the_front() {
        let list = "deny 5f\nallow w 5f";
        assert_eq!(
            lines(list, "allow w 5f", None),
            ["-allow w 5f", "+allow w 5f"]
        );
        // One for a while goes in front, and leaves the other where it was.
        assert_eq!(lines(list, "allow w 5f", Some(9)), ["+allow w 5f for=9"]);
        // The fields may both match: there is no telling.
        assert_eq!(
            lines(
                "deny 85 [4]=01\nallow r 85 [14]=ec",
                "allow r 85 [14]=ec",
                Some(9)
            ),
            ["+allow r 85 [14]=ec for=9"]
        );
    }

    #[test]
    fn what_ends_is_extended_and_never_shortened() {
        let rule = "allow w 89";
        for (list, seconds, expected) in [
            ("", Some(600), &["+allow w 89 for=600"][..]),
            // For good over for a while, and the other way round.
            ("allow w 89 for=60", None, &["+allow w 89"]),
            ("deny 89\nallow w 89 for=60", None, &["+allow w 89"]),
            ("allow w 89", Some(600), &[]),
            // Longer, shorter, shorter but without effect.
            ("allow w 89 for=60", Some(600), &["+allow w 89 for=600"]),
            ("allow w 89 for=60", Some(30), &[]),
            (
                "deny 89\nallow w 89 for=60",
                Some(30),
                &["+allow w 89 for=30"],
            ),
            // Both are there: the one for good is behind.
            (
                "allow w 89 for=60\ndeny 89\nallow w 89",
                None,
                &["+allow w 89"],
            ),
            ("allow w 89 for=60\nallow w 89", None, &[]),
        ] {
            assert_eq!(lines(list, rule, seconds), expected, "{list:?} {seconds:?}");
        }
        let said = |list, seconds| edit(list, rule, seconds).words.join("; ");
        assert!(said("allow w 89", Some(600)).contains("without a time limit"));
        assert!(said("allow w 89 for=60", Some(30)).contains("in force already, for 1 min"));
        assert!(said("allow w 89 for=60", Some(600)).contains("10 min instead of 1 min"));
        assert!(said("allow w 89 for=60", None).contains("stays"));
        assert!(said("deny 89\nallow w 89 for=60", Some(30)).contains("front, ends in 1 min"));
    }
}
