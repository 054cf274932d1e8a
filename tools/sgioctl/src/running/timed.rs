// SPDX-License-Identifier: GPL-2.0

//! Rules that end by themselves.

use serde::Serialize;

/// A rule that ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
pub struct Timed {
    /// Its number in the list, from 0.
    pub rule: usize,
    /// How long it has still to go.
    pub seconds_left: u64,
}

/// The rules of a text without the time that some have left, and which those are.
pub fn without_times(text: &str) -> (String, Vec<Timed>) {
    let mut timed = Vec::new();
    let mut rules = String::with_capacity(text.len());
    for (number, line) in text.lines().enumerate() {
        let (rule, seconds_left) = without_time(line);
        timed.extend(seconds_left.map(|seconds_left| Timed {
            rule: number,
            seconds_left,
        }));
        if number > 0 {
            rules.push('\n');
        }
        rules.push_str(rule);
    }
    (rules, timed)
}

/// A rule and the time that it has left: `allow w 89 for=574`.
pub fn without_time(line: &str) -> (&str, Option<u64>) {
    let timed = line
        .rsplit_once(" for=")
        .and_then(|(rule, seconds)| Some((rule, seconds.parse().ok()?)));
    timed.map_or((line, None), |(rule, seconds)| (rule, Some(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_end_are_told_from_those_that_stay() {
        let (rules, timed) = without_times("allow w 89 for=574\ndeny 48\nallow r 5e for=1");
        assert_eq!(rules, "allow w 89\ndeny 48\nallow r 5e");
        let timed: Vec<_> = timed.iter().map(|t| (t.rule, t.seconds_left)).collect();
        assert_eq!(timed, [(0, 574), (2, 1)]);
        assert_eq!(without_times(""), (String::new(), Vec::new()));
        assert_eq!(without_time("deny 48"), ("deny 48", None));
    }
}
