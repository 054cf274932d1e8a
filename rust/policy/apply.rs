// SPDX-License-Identifier: GPL-2.0

//! The lines of a text, applied to a list of rules.
//!
//! The caller owns the memory of the list.

use super::{
    lines::Lines,
    parse::Edit,
    ListedRule,
    ParseError,
    Time, //
};
use core::fmt::{
    Display,
    Formatter, //
};

/// How many rules a list may have.
pub const MAX_RULES: usize = 4096;

/// A list of rules that a [`Change`](super::Change) can be applied to. The caller implements it, since the kernel and
/// user space allocate memory in different ways, and allocation may fail.
pub trait RuleStore {
    /// Why a rule could not be stored.
    type Error;

    /// Returns the rules in their order.
    fn rules(&self) -> &[ListedRule];

    /// Puts a rule behind the last.
    fn push(&mut self, rule: ListedRule) -> Result<(), Self::Error>;

    /// Puts a rule before the first.
    fn insert_front(&mut self, rule: ListedRule) -> Result<(), Self::Error>;

    /// Takes the rule at `index` out. Only called with an index of [`rules`](Self::rules).
    fn remove(&mut self, index: usize);

    /// Takes the rules out that `keep` does not want.
    fn retain(&mut self, keep: impl FnMut(&ListedRule) -> bool);

    /// Takes all rules out.
    fn clear(&mut self);
}

/// Why a good text could not be applied to a list. Lines count from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApplyError<E> {
    /// The rule that this line removes is not in the list (`-ENOENT`).
    NotFound {
        /// The line of the text.
        line: u32,
    },
    /// With this line there would be more than [`MAX_RULES`] rules (`-ENOSPC`).
    TooMany {
        /// The line of the text.
        line: u32,
    },
    /// The list could not be stored (`-ENOMEM`).
    Store(E),
    /// The text is bad (`-EINVAL`). Only [`load`](super::load) returns it; a [`Change`](super::Change) has been
    /// checked.
    Invalid(ParseError),
}

impl<E> Display for ApplyError<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotFound { line } => write!(f, "line {line}: there is no such rule to remove"),
            Self::TooMany { line } => write!(f, "line {line}: more than {MAX_RULES} rules"),
            Self::Store(_) => f.write_str("the rules could not be stored"),
            Self::Invalid(error) => error.fmt(f),
        }
    }
}

/// Applies the lines of `text` to `store` as it is; a line without prefix goes behind the last.
pub(super) fn apply_lines<S: RuleStore>(
    text: &[u8],
    store: &mut S,
    now: Time,
) -> Result<(), ApplyError<S::Error>> {
    for item in Lines::new(text) {
        let (at, line) = item.map_err(ApplyError::Invalid)?;
        let equal = |listed: &ListedRule| *listed.rule() == line.rule.rule;
        if line.edit == Some(Edit::Remove) {
            let index = store.rules().iter().position(equal);
            store.remove(index.ok_or(ApplyError::NotFound { line: at })?);
            continue;
        }
        let mut new = ListedRule::new(line.rule, now);
        if line.edit == Some(Edit::Insert) {
            let superseded = |listed: &ListedRule| listed.is_timed() && equal(listed);
            for listed in store.rules().iter().filter(|listed| superseded(listed)) {
                new.extend(listed);
            }
            store.retain(|listed| !superseded(listed));
        }
        if store.rules().len() >= MAX_RULES {
            return Err(ApplyError::TooMany { line: at });
        }
        match line.edit {
            Some(_) => store.insert_front(new),
            None => store.push(new),
        }
        .map_err(ApplyError::Store)?;
    }
    Ok(())
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_apply))]
mod tests {
    use super::super::{
        tests::support::{
            apply,
            apply_at,
            edit,
            lists_as,
            lists_as_at,
            rule,
            Failure,
            RuleVec, //
        },
        ListedRule,
        RuleStore,
        Time,
        MAX_RULES, //
    };

    /// A list of so many times the same rule.
    fn full(len: usize) -> Option<RuleVec> {
        let rule = ListedRule::permanent(rule("deny 48")?);
        let mut rules = RuleVec::new();
        for _ in 0..len {
            rules.push(rule).ok()?;
        }
        Some(rules)
    }

    #[test]
    fn lists() {
        for (texts, expected) in [
            // Replacing forgets what was; the order is that of the text; twice is twice.
            (&["deny 01"][..], "deny 01\n"),
            (&["deny 01", "deny 02\ndeny 03\n"], "deny 02\ndeny 03\n"),
            (
                &["deny 02\ndeny 01\ndeny 02"],
                "deny 02\ndeny 01\ndeny 02\n",
            ),
            // A reset empties.
            (&["deny 01", "\n"], ""),
            (&["\n"], ""),
            // Each + goes to the very front, so the last one wins.
            (&["deny 01", "+deny 02"], "deny 02\ndeny 01\n"),
            (
                &["deny 01", "+deny 02\n+deny 03"],
                "deny 03\ndeny 02\ndeny 01\n",
            ),
            (&["+deny 01"], "deny 01\n"),
            (&["deny 01", "+deny 01"], "deny 01\ndeny 01\n"),
            // A - takes the first equal rule, and equal is meant by meaning.
            (
                &["deny 01\ndeny 02\ndeny 03", "-deny 02"],
                "deny 01\ndeny 03\n",
            ),
            (
                &["deny 01\ndeny 02\ndeny 01", "-deny 01"],
                "deny 02\ndeny 01\n",
            ),
            (&["deny 01", "-deny 01"], ""),
            (&["deny 10-12", "-deny 12,11,10"], ""),
            (
                &["deny 7f [8]=00 [9]=0b", "-deny 7f [9]=0B [8]&ff=00 # x"],
                "",
            ),
            // Lines count one after the other.
            (&["deny 01", "-deny 01\n+deny 02"], "deny 02\n"),
            (
                &["deny 01", "+deny 02\n-deny 02\n+deny 03"],
                "deny 03\ndeny 01\n",
            ),
            (
                &["deny 01\ndeny 02", "-deny 02\n+deny 02"],
                "deny 02\ndeny 01\n",
            ),
        ] {
            assert!(edit(texts).is_ok_and(|rules| lists_as(rules.rules(), expected)));
        }
    }

    #[test]
    fn rules_that_end() {
        // Texts at the seconds 0, 10, 20, ...; what the list is 10 seconds after the last.
        for (texts, expected) in [
            (&["deny 01 for=10"][..], ""),
            (&["deny 01 for=11\ndeny 02"], "deny 01 for=1\ndeny 02\n"),
            // A text that replaces is taken as it stands.
            (
                &["deny 01 for=50\ndeny 01\ndeny 01 for=20"],
                "deny 01 for=40\ndeny 01\ndeny 01 for=10\n",
            ),
            (&["deny 01", "deny 02 for=15"], "deny 02 for=5\n"),
            (&["deny 01 for=50", "\n"], ""),
            // In front, like every +.
            (&["deny 01", "+deny 02 for=15"], "deny 02 for=5\ndeny 01\n"),
            // Without end over one that ends: it does not end any more.
            (
                &["deny 01 for=50\ndeny 02", "+deny 01"],
                "deny 01\ndeny 02\n",
            ),
            // One that ends over one that does not: in front, and the other stays.
            (
                &["deny 02\ndeny 01", "+deny 01 for=15"],
                "deny 01 for=5\ndeny 02\ndeny 01\n",
            ),
            (&["deny 01", "+deny 01 for=10"], "deny 01\n"),
            // The later end of two, whichever came last; and in front.
            (
                &["deny 02\ndeny 01 for=50", "+deny 01 for=15"],
                "deny 01 for=30\ndeny 02\n",
            ),
            (
                &["deny 02\ndeny 01 for=15", "+deny 01 for=50"],
                "deny 01 for=40\ndeny 02\n",
            ),
            (
                &[
                    "deny 01 for=90\ndeny 02\ndeny 01 for=50\ndeny 01",
                    "+deny 01 for=15",
                ],
                "deny 01 for=70\ndeny 02\ndeny 01\n",
            ),
            // What has ended extends nothing.
            (&["deny 01 for=10", "+deny 01 for=15"], "deny 01 for=5\n"),
            // - ignores the time, of the list and of the text.
            (&["deny 01 for=50", "-deny 01"], ""),
            (&["deny 01 for=50", "-deny 01 for=7"], ""),
            (&["deny 01", "-deny 01 for=7"], ""),
            (&["deny 01 for=50\ndeny 01", "-deny 01"], "deny 01\n"),
            (&["deny 01", "+deny 01 for=50\n-deny 01"], "deny 01\n"),
            // Lines count one after the other.
            (
                &["+deny 01 for=50\n+deny 01\n+deny 01 for=50"],
                "deny 01 for=40\ndeny 01\n",
            ),
        ] {
            let mut rules = RuleVec::new();
            let mut second = 0;
            for text in texts {
                let now = Time::from_nanos(second * 1_000_000_000);
                assert_eq!(apply_at(text, &mut rules, now), Ok(()));
                second += 10;
            }
            let now = Time::from_nanos(second * 1_000_000_000);
            assert!(lists_as_at(rules.rules(), expected, now));
        }
    }

    #[test]
    fn what_has_ended_is_taken_out() {
        let mut rules = RuleVec::new();
        let later = Time::from_nanos(10_000_000_000);
        assert_eq!(
            apply("deny 01 for=10\ndeny 02\ndeny 03 for=11", &mut rules),
            Ok(())
        );
        // It cannot be removed any more ...
        let gone = rules.rules().first().copied();
        assert_eq!(
            apply_at("-deny 01", &mut rules, later),
            Err(Failure::NotFound(1))
        );
        assert!(gone.is_some_and(|rule| rule.rule() != rules.rules()[0].rule()));
        assert_eq!(rules.rules().len(), 2);
        // ... and takes no room.
        let full = full(MAX_RULES - 1);
        let mut rules = full.unwrap_or_else(RuleVec::new);
        assert_eq!(apply("+deny 01 for=10", &mut rules), Ok(()));
        assert_eq!(apply("+deny 02", &mut rules), Err(Failure::TooMany(1)));
        assert_eq!(apply_at("+deny 02", &mut rules, later), Ok(()));
        assert_eq!(rules.rules().len(), MAX_RULES);
        // One that takes the place of another needs no more room.
        assert_eq!(
            apply("-deny 02\n+deny 03 for=9\n+deny 03 for=9", &mut rules),
            Ok(())
        );
        assert_eq!(apply("+deny 03", &mut rules), Ok(()));
        assert_eq!(
            apply("+deny 03 for=9", &mut rules),
            Err(Failure::TooMany(1))
        );
    }

    #[test]
    fn failures() {
        for (texts, expected) in [
            (&["-deny 01"][..], Failure::NotFound(1)),
            (&["deny 01", "-deny 02"], Failure::NotFound(1)),
            (
                &["deny 01", "+deny 02\n\n-deny 01\n-deny 01"],
                Failure::NotFound(4),
            ),
            (&["deny 01", "-deny 01-02"], Failure::NotFound(1)),
            (&["deny 01", "-allow r 01"], Failure::NotFound(1)),
            (&["deny 01", "-deny 01 [1]=00-ff"], Failure::NotFound(1)),
            (&["deny 01", "-deny 01\n-deny 0"], Failure::Parse),
            (&["deny 01", ""], Failure::Parse),
            (&["deny 01", "deny 02\n-deny 01"], Failure::Parse),
        ] {
            assert_eq!(edit(texts).err(), Some(expected));
        }
    }

    #[test]
    fn at_most_4096() {
        for (len, text, expected) in [
            (MAX_RULES - 1, "+deny 01", Ok(())),
            (MAX_RULES, "+deny 01", Err(Failure::TooMany(1))),
            (
                MAX_RULES - 1,
                "+deny 01\n# x\n+deny 02",
                Err(Failure::TooMany(3)),
            ),
            (MAX_RULES, "-deny 48\n+deny 01", Ok(())),
            (
                MAX_RULES,
                "-deny 48\n+deny 01\n+deny 02",
                Err(Failure::TooMany(3)),
            ),
            (MAX_RULES, "deny 01", Ok(())),
            (MAX_RULES, "\n", Ok(())),
        ] {
            let applied = full(len).map(|mut rules| apply(text, &mut rules));
            assert_eq!(applied, Some(expected));
        }
    }
}
