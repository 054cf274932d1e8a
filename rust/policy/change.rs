// SPDX-License-Identifier: GPL-2.0

//! A whole text of rules, and what it does to a list of them.
//!
//! The whole text is checked first ([`Change::parse`]), and then applied ([`Change::apply`]) to a copy of
//! the list, which the caller publishes, or drops if that fails. The caller owns the memory.

use super::{
    apply::apply_lines,
    lines::{
        column,
        Lines, //
    },
    ApplyError,
    ParseError,
    ParseErrorKind,
    RuleStore,
    TextRule,
    Time, //
};

/// What a text does to the list as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeKind {
    /// No line has a prefix: the rules of the text replace the list.
    Replace,
    /// Every line has a prefix: the lines edit the list, one after the other.
    Edit,
    /// An empty line alone: back to the default, which is for the caller to know.
    Reset,
}

/// A text of rules that has been checked as a whole.
///
/// A text without prefixes replaces the list. One in which every rule has a prefix edits it, line
/// by line: `+` puts a rule in front, so that it wins, and `-` takes the first equal rule out.
///
/// Lifetimes (`for=`) begin when the change is applied, and do not count when rules are compared.
/// Where `+` finds an equal rule in the list that ends, the new rule takes its place, in front:
/// without end, if the new one has none, else until the later of both deadlines. An equal rule that
/// does not end stays where it is.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    text: &'a [u8],
    kind: ChangeKind,
}

impl<'a> Change<'a> {
    /// The reset.
    pub(super) const RESET: Change<'static> = Change {
        text: b"\n",
        kind: ChangeKind::Reset,
    };

    /// Checks a whole text.
    ///
    /// One rule is one line. Blank lines and lines with only a comment are skipped, as long as
    /// there is a rule. Exactly one empty line (`"\n"`) is a reset; a text without a byte or with
    /// nothing but comments is an error, so that a mistake does not reset the list. The newline of the
    /// last line may be missing.
    ///
    /// # Errors
    ///
    /// The first error of the text. If lines with and without prefix are mixed, it is at the first line
    /// that differs from the lines before it.
    pub fn parse(text: &'a [u8]) -> Result<Change<'a>, ParseError> {
        let empty = |kind| ParseError {
            line: 1,
            column: 1,
            kind,
        };
        match text {
            [] => return Err(empty(ParseErrorKind::Empty)),
            [b'\n'] => return Ok(Change::RESET),
            _ => (),
        }

        let mut found = None;
        for item in Lines::new(text) {
            let (at, line) = item?;
            let kind = match line.edit {
                Some(_) => ChangeKind::Edit,
                None => ChangeKind::Replace,
            };
            if found.is_some_and(|found| found != kind) {
                return Err(ParseError {
                    line: at,
                    column: column(line.start),
                    kind: ParseErrorKind::MixedPrefixes,
                });
            }
            found = Some(kind);
        }
        match found {
            Some(kind) => Ok(Change { text, kind }),
            None => Err(empty(ParseErrorKind::NoRule)),
        }
    }

    /// Returns what the text does to the list as a whole.
    pub fn kind(&self) -> ChangeKind {
        self.kind
    }

    /// Returns the rules of the text in their order; none for a reset.
    pub fn rules(&self) -> impl Iterator<Item = TextRule> + 'a {
        Lines::new(self.text).filter_map(|item| item.ok().map(|(_, line)| line.rule))
    }

    /// Applies the text to `store`, which holds the rules to change. Rules that have ended at `now` are
    /// removed first.
    ///
    /// [`ChangeKind::Reset`] empties the list: for a device that is the default, for a class the
    /// caller fills in its table.
    ///
    /// # Errors
    ///
    /// After an error the store is half changed, and must be dropped.
    pub fn apply<S: RuleStore>(
        &self,
        store: &mut S,
        now: Time,
    ) -> Result<(), ApplyError<S::Error>> {
        if self.kind == ChangeKind::Edit {
            store.retain(|listed| listed.applies(|| now));
        } else {
            store.clear();
        }
        apply_lines(self.text, store, now)
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_change))]
mod tests {
    use super::super::{
        tests::support::{
            apply,
            edit,
            lists_as,
            Failure,
            RuleVec, //
        },
        Change,
        ChangeKind,
        RuleStore,
        Time,
        MAX_RULES, //
    };

    #[test]
    fn kinds() {
        for (text, kind) in [
            ("\n", Some(ChangeKind::Reset)),
            ("deny 48", Some(ChangeKind::Replace)),
            ("\ndeny 48\n", Some(ChangeKind::Replace)),
            ("# x\n\n deny 48 # y\n", Some(ChangeKind::Replace)),
            ("+deny 48", Some(ChangeKind::Edit)),
            ("- deny 48\n", Some(ChangeKind::Edit)),
            ("# x\n+deny 48\n\n-deny 48\n", Some(ChangeKind::Edit)),
            ("", None),
            (" ", None),
            (" \n", None),
            ("\n\n", None),
            ("#\n", None),
            ("deny 48\n+deny 48", None),
        ] {
            let change = Change::parse(text.as_bytes()).ok();
            assert_eq!(change.map(|change| change.kind()), kind);
        }
    }

    #[test]
    fn a_bad_line_changes_nothing() {
        // The last line decides whether the first is applied.
        for bad in [
            "deny 02\ndeny 03\ndeny 4",
            "+deny 02\n-deny 01\n+deny 4",
            "\n\n",
            "",
        ] {
            let rules = edit(&["deny 01"]);
            assert!(rules.is_ok_and(|mut rules| {
                apply(bad, &mut rules) == Err(Failure::Parse)
                    && lists_as(rules.rules(), "deny 01\n")
            }));
        }
    }

    /// 4097 rules, one a line.
    static TOO_MANY: [u8; 4097 * 8] = {
        let line = b"deny 48\n";
        let mut all = [0; 4097 * 8];
        let mut at = 0;
        while at < all.len() {
            all[at] = line[at % 8];
            at += 1;
        }
        all
    };

    #[test]
    fn a_text_of_4096_rules() {
        let mut rules = RuleVec::new();
        let change = Change::parse(&TOO_MANY[8..]);
        assert!(change.is_ok_and(|change| change.apply(&mut rules, Time::ZERO).is_ok()));
        assert_eq!(rules.rules().len(), MAX_RULES);

        let text = core::str::from_utf8(&TOO_MANY).unwrap_or_default();
        assert_eq!(apply(text, &mut rules), Err(Failure::TooMany(4097)));
    }

    #[test]
    fn rules_of_a_text() {
        for (text, len) in [
            ("\n", 0),
            ("deny 01\n# x\ndeny 02", 2),
            ("+deny 01\n-deny 02", 2),
        ] {
            let change = Change::parse(text.as_bytes());
            assert!(change.is_ok_and(|change| change.rules().count() == len));
        }
    }
}
