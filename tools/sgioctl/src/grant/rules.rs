// SPDX-License-Identifier: GPL-2.0

//! Puts rules in front of a device's own, as edits.

use super::{Plan, Target};
use anyhow::{anyhow, Result};
use sgio_policy::policy::{Change, Field, Rule};

/// What to do with rules that are there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// A rule that is there, but has no effect behind another, moves to the front.
    Move,
    /// It stays, and the new one is taken back later: the list is then as it was.
    Both,
}

/// The edits of one list.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Edits {
    /// The lines, with `+` and `-`, in their order.
    pub lines: Vec<String>,
    /// The rules that were not there before.
    pub added: Vec<String>,
}

/// The rules of a text.
///
/// # Errors
///
/// A text that is no list of rules.
pub fn parse(text: &str) -> Result<Vec<Rule>> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let change = Change::parse(text.as_bytes()).map_err(|e| anyhow!("rules: {e}"))?;
    // When they end does not matter to whether they are there.
    Ok(change.rules().map(|text| text.rule).collect())
}

/// What puts `wanted` in force, in front of `list`, the first of them foremost. What decides as
/// wanted already is left alone.
pub fn edits(mut list: Vec<Rule>, wanted: &[Rule], keep: Keep) -> Edits {
    let mut edits = Edits::default();
    for rule in wanted.iter().rev() {
        let at = list.iter().position(|other| other == rule);
        if let Some(at) = at {
            if !list.iter().take(at).any(|front| disturbs(front, rule)) {
                continue;
            }
            if keep == Keep::Move {
                list.remove(at);
                edits.lines.push(format!("-{rule}"));
            }
        }
        list.insert(0, *rule);
        edits.lines.push(format!("+{rule}"));
        if at.is_none() || keep == Keep::Both {
            edits.added.push(rule.to_string());
        }
    }
    edits
}

/// Tells whether `front` may decide another way on a command that `rule`, behind it, is about.
fn disturbs(front: &Rule, rule: &Rule) -> bool {
    front.verdict() != rule.verdict()
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

/// Adds a device to the plan on which `wanted` come into force; returns the rules added.
///
/// # Errors
///
/// Rules in force that cannot be understood.
pub fn plan(plan: &mut Plan, target: &Target, wanted: &[Rule], keep: Keep) -> Result<Vec<String>> {
    let edits = edits(parse(&target.running.rules)?, wanted, keep);
    let mut changes = Vec::new();
    for line in &edits.lines {
        changes.push(match line.split_at(1) {
            ("-", rule) => format!("- {rule} (moves to the front)"),
            (_, rule) => format!("+ {rule}"),
        });
    }
    let body = format!("rules\n{}\n", edits.lines.join("\n"));
    plan.add(target, changes, &body);
    Ok(edits.added)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(list: &str, wanted: &str, keep: Keep) -> Vec<String> {
        edits(parse(list).unwrap(), &parse(wanted).unwrap(), keep).lines
    }

    #[test]
    fn the_first_rule_wanted_ends_up_foremost() {
        assert_eq!(
            lines("", "allow r 5e\nallow w 5f", Keep::Move),
            ["+allow w 5f", "+allow r 5e"]
        );
    }

    #[test]
    fn a_rule_in_force_is_not_added_again() {
        assert!(lines("allow r 5e", "allow r 5e", Keep::Move).is_empty());
        // Nor is one behind a rule about other commands, or with the same answer.
        let list =
            "deny 48\nallow w 5f\nallow w 5f [1]&1f=00\nallow r 85 [14]=b0\nallow w 85 [14]=ec";
        assert!(lines(list, "allow w 5f [1]&1f=00", Keep::Move).is_empty());
        assert!(lines(list, "allow w 85 [14]=ec", Keep::Move).is_empty());
    }

    #[test]
    fn a_rule_without_effect_moves_to_the_front() {
        let list = "deny 5f\nallow w 5f";
        assert_eq!(
            lines(list, "allow w 5f", Keep::Move),
            ["-allow w 5f", "+allow w 5f"]
        );
        // One for a while goes in front, so that taking back the first equal one undoes it.
        assert_eq!(lines(list, "allow w 5f", Keep::Both), ["+allow w 5f"]);
        // The fields may both match: there is no telling.
        assert_eq!(
            lines(
                "deny 85 [4]=01\nallow r 85 [14]=ec",
                "allow r 85 [14]=ec",
                Keep::Both
            ),
            ["+allow r 85 [14]=ec"]
        );
    }

    #[test]
    fn what_was_there_before_is_not_taken_back() {
        let added = |list: &str, keep| {
            edits(parse(list).unwrap(), &parse("allow w 5f").unwrap(), keep).added
        };
        assert_eq!(added("", Keep::Both), ["allow w 5f"]);
        assert_eq!(added("deny 5f\nallow w 5f", Keep::Both), ["allow w 5f"]);
        assert!(added("deny 5f\nallow w 5f", Keep::Move).is_empty());
        assert!(added("allow w 5f", Keep::Both).is_empty());
    }
}
