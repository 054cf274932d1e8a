// SPDX-License-Identifier: GPL-2.0

//! A whole text of rules, and what it does to a list of them.
//!
//! First everything is checked ([`Change::parse`]), then it is applied ([`Change::apply`]) to a
//! copy that the caller publishes, or throws away when applying fails. Memory is the caller's.

use super::{
    parse,
    ParseError,
    ParseErrorKind,
    Rule, //
};
use core::fmt::{
    Display,
    Formatter, //
};

/// How many rules a list may have.
pub const MAX_RULES: usize = 4096;

/// What the prefix of a line does with its rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edit {
    /// `+`: put it in front of the list, so that it wins.
    Insert,
    /// `-`: take the first equal rule out of the list.
    Remove,
}

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
#[derive(Clone, Copy)]
pub struct Change<'a> {
    text: &'a [u8],
    kind: ChangeKind,
}

/// A list of rules that a [`Change`] can be applied to: in the kernel and outside, memory is
/// got in different ways, and getting it may fail.
pub trait RuleStore {
    /// Why a rule could not be stored.
    type Error;

    /// Returns the rules in their order.
    fn rules(&self) -> &[Rule];

    /// Puts a rule behind the last.
    fn push(&mut self, rule: Rule) -> Result<(), Self::Error>;

    /// Puts a rule before the first.
    fn insert_front(&mut self, rule: Rule) -> Result<(), Self::Error>;

    /// Takes the rule at `index` out. Only called with an index of [`rules`](Self::rules).
    fn remove(&mut self, index: usize);

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
    /// The text is bad (`-EINVAL`). Only [`load`](super::load) can say so; a [`Change`] has been
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

impl<'a> Change<'a> {
    /// The reset.
    pub(super) const RESET: Change<'static> = Change {
        text: b"\n",
        kind: ChangeKind::Reset,
    };

    /// Checks a whole text and says what it is.
    ///
    /// One rule is one line. Blank lines and lines with only a comment are skipped, as long as
    /// there is a rule. Exactly one empty line (`"\n"`) is a reset; a text without a byte or with
    /// nothing but comments is an error, so that nothing is lost by accident. The newline of the
    /// last line may be missing.
    ///
    /// # Errors
    ///
    /// The first error of the text. A text that mixes lines with and without prefix is blamed
    /// on the first line that differs from the lines before it.
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
    pub fn rules(&self) -> impl Iterator<Item = Rule> + 'a {
        Lines::new(self.text).filter_map(|item| item.ok().map(|(_, line)| line.rule))
    }

    /// Changes `store`, which holds the rules to change, as the text says.
    ///
    /// [`ChangeKind::Reset`] empties the list: for a device that is the default, for a class the
    /// caller fills in its table.
    ///
    /// # Errors
    ///
    /// After an error the store is half changed and good for nothing: throw it away.
    pub fn apply<S: RuleStore>(&self, store: &mut S) -> Result<(), ApplyError<S::Error>> {
        if self.kind != ChangeKind::Edit {
            store.clear();
        }
        append(self.text, store)
    }
}

/// Applies the lines of `text` to `store` as it is; a line without prefix goes behind the last.
pub(super) fn append<S: RuleStore>(text: &[u8], store: &mut S) -> Result<(), ApplyError<S::Error>> {
    for item in Lines::new(text) {
        let (at, line) = item.map_err(ApplyError::Invalid)?;
        if line.edit == Some(Edit::Remove) {
            let index = store.rules().iter().position(|rule| *rule == line.rule);
            store.remove(index.ok_or(ApplyError::NotFound { line: at })?);
        } else if store.rules().len() >= MAX_RULES {
            return Err(ApplyError::TooMany { line: at });
        } else if line.edit == Some(Edit::Insert) {
            store.insert_front(line.rule).map_err(ApplyError::Store)?;
        } else {
            store.push(line.rule).map_err(ApplyError::Store)?;
        }
    }
    Ok(())
}

/// The lines of a text that have a rule, with their numbers; ends behind the first error.
struct Lines<'a> {
    rest: Option<&'a [u8]>,
    number: u32,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8]) -> Lines<'a> {
        Lines {
            rest: Some(text),
            number: 0,
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<(u32, parse::Line), ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut parts = self.rest?.splitn(2, |byte| *byte == b'\n');
            let text = parts.next().unwrap_or_default();
            self.rest = parts.next();
            self.number = self.number.saturating_add(1);
            match parse::line(text) {
                Ok(None) => (),
                Ok(Some(line)) => return Some(Ok((self.number, line))),
                Err((at, kind)) => {
                    self.rest = None;
                    return Some(Err(ParseError {
                        line: self.number,
                        column: column(at),
                        kind,
                    }));
                }
            }
        }
    }
}

/// Returns the column, counted from 1, of an index into a line.
fn column(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_change))]
mod tests {
    use super::super::{
        testing::{
            apply,
            lists_as,
            rule,
            Failure,
            RuleVec, //
        },
        Change,
        ChangeKind,
        RuleStore,
        MAX_RULES, //
    };

    /// Applies texts one after the other; the first failure ends it.
    fn edit(texts: &[&str]) -> Result<RuleVec, Failure> {
        let mut rules = RuleVec::new();
        for text in texts {
            apply(text, &mut rules)?;
        }
        Ok(rules)
    }

    /// A list of so many times the same rule.
    fn full(len: usize) -> Option<RuleVec> {
        let rule = rule("deny 48")?;
        let mut rules = RuleVec::new();
        for _ in 0..len {
            rules.push(rule).ok()?;
        }
        Some(rules)
    }

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
        assert!(change.is_ok_and(|change| change.apply(&mut rules).is_ok()));
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
