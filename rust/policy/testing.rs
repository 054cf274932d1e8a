// SPDX-License-Identifier: GPL-2.0

//! What the tests share. Only compiled with them.
//!
//! No assertion here: in the kernel only a test function itself can fail softly. And no `Vec`: the
//! crate around the policy lends its memory, on `KVVec` in the kernel and on `Vec` outside. A
//! [`Rule`] has 240 bytes and the kernel's stack 16 KiB, so rules are kept in there too.

pub(super) use crate::filter::RuleVec;

use super::{
    decide,
    load,
    strict,
    ApplyError,
    Cdb,
    Change,
    Class,
    Filter,
    ListedRule,
    Rule,
    State,
    TextRule,
    Time, //
};
use crate::filter::CompiledFilter;
use core::fmt::{
    Display,
    Error,
    Result,
    Write, //
};

/// A filter, shared as the crate around shares it.
#[cfg(test)]
pub(super) type Compiled = std::sync::Arc<CompiledFilter>;
#[cfg(not(test))]
pub(super) type Compiled = kernel::sync::Arc<CompiledFilter>;

/// Compiles a list, as the crate around does.
pub(super) fn compile_list(rules: RuleVec) -> Option<Compiled> {
    CompiledFilter::compile(rules).ok()
}

/// The filter of a text.
pub(super) fn compile(text: &str) -> Option<Compiled> {
    let mut rules = RuleVec::new();
    apply(text, &mut rules).ok()?;
    compile_list(rules)
}

/// The filter of a built-in `strict` table.
pub(super) fn compile_strict(class: Class) -> Option<Compiled> {
    let mut rules = RuleVec::new();
    load(strict(class), &mut rules).ok()?;
    compile_list(rules)
}

/// The only rule of a text, which does not end.
pub(super) fn rule(text: &str) -> Option<Rule> {
    text_rule(text)?.permanent()
}

/// The only rule of a text.
pub(super) fn text_rule(text: &str) -> Option<TextRule> {
    let mut rules = Change::parse(text.as_bytes()).ok()?.rules();
    let rule = rules.next();
    match rules.next() {
        None => rule,
        Some(_) => None,
    }
}

/// Applies a text to a list, when the clock starts.
pub(super) fn apply(text: &str, rules: &mut RuleVec) -> core::result::Result<(), Failure> {
    apply_at(text, rules, Time::ZERO)
}

/// Applies a text to a list at a time.
pub(super) fn apply_at(
    text: &str,
    rules: &mut RuleVec,
    now: Time,
) -> core::result::Result<(), Failure> {
    let change = Change::parse(text.as_bytes()).map_err(|_| Failure::Parse)?;
    change.apply(rules, now).map_err(|error| match error {
        ApplyError::NotFound { line } => Failure::NotFound(line),
        ApplyError::TooMany { line } => Failure::TooMany(line),
        ApplyError::Store(_) => Failure::Store,
        ApplyError::Invalid(_) => Failure::Parse,
    })
}

/// [`ApplyError`] without the store's own error, so that it can be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    Parse,
    NotFound(u32),
    TooMany(u32),
    Store,
}

/// What a filter, as the rules of a class, asks of a command.
pub(super) fn answer(filter: Filter<'_>, cdb: &[u8]) -> Answer {
    let state = State {
        unpriv: false,
        own_luns: false,
        device: None,
        class: filter,
    };
    let Some(cdb) = Cdb::new(cdb) else {
        return Answer::Absurd;
    };
    let [reader, writer] =
        [false, true].map(|write| decide(&state, &cdb, write, || Time::ZERO).is_allowed());
    match (reader, writer) {
        (true, true) => Answer::Any,
        (false, true) => Answer::Write,
        (false, false) => Answer::Refused,
        (true, false) => Answer::Absurd,
    }
}

/// What is asked of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// Any open will do.
    Any,
    /// A write open is needed.
    Write,
    /// No open will do.
    Refused,
    /// Allowed to readers and not to writers, or no command at all.
    Absurd,
}

/// Tells whether `value` prints as `text`, without memory for it.
pub(super) fn prints_as(value: &impl Display, text: &str) -> bool {
    let mut rest = Rest(text);
    write!(rest, "{value}").is_ok() && rest.0.is_empty()
}

/// Tells whether the rules of a list print as the lines of `text`, when the clock starts.
pub(super) fn lists_as(rules: &[ListedRule], text: &str) -> bool {
    lists_as_at(rules, text, Time::ZERO)
}

/// Tells whether the rules of a list print as the lines of `text` at a time.
pub(super) fn lists_as_at(rules: &[ListedRule], text: &str, now: Time) -> bool {
    let mut rest = Rest(text);
    rules
        .iter()
        .filter_map(|rule| rule.at(now))
        .all(|rule| writeln!(rest, "{rule}").is_ok())
        && rest.0.is_empty()
}

/// What is still expected to be written.
struct Rest<'a>(&'a str);

impl Write for Rest<'_> {
    fn write_str(&mut self, text: &str) -> Result {
        self.0 = self.0.strip_prefix(text).ok_or(Error)?;
        Ok(())
    }
}
