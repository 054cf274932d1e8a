// SPDX-License-Identifier: GPL-2.0

//! What the tests share. Only compiled with them.
//!
//! No assertion here: in the kernel only a test function itself can fail softly. A [`Rule`] has 240
//! bytes and the kernel's stack 16 KiB, so lists and indexes are on the heap: the one thing that differs
//! between the kernel and `cargo test`.

use super::super::{
    decide,
    fill_index,
    index_len,
    load,
    strict,
    ApplyError,
    Cdb,
    Change,
    Class,
    DevicePolicy,
    Filter,
    ListedRule,
    Rule,
    RuleStore,
    Start,
    TextRule,
    Time,
    EMPTY_START, //
};
use core::fmt::{
    Display,
    Error,
    Result,
    Write, //
};

/// Memory: `Vec` outside of the kernel.
#[cfg(test)]
mod memory {
    pub(super) type List<T> = Vec<T>;

    pub(super) fn push<T>(list: &mut List<T>, value: T) -> Result<(), ()> {
        list.push(value);
        Ok(())
    }
}

/// Memory: `KVVec` in the kernel.
#[cfg(not(test))]
mod memory {
    use kernel::prelude::*;

    pub(super) type List<T> = KVVec<T>;

    pub(super) fn push<T>(list: &mut List<T>, value: T) -> Result<(), ()> {
        list.push(value, GFP_KERNEL).map_err(|_| ())
    }
}

use memory::List;

/// A list of rules.
pub(in super::super) struct RuleVec(List<ListedRule>);

impl RuleVec {
    /// Returns the list without rules.
    pub(in super::super) const fn new() -> RuleVec {
        RuleVec(List::new())
    }
}

impl RuleStore for RuleVec {
    type Error = ();

    fn rules(&self) -> &[ListedRule] {
        &self.0
    }

    fn push(&mut self, rule: ListedRule) -> core::result::Result<(), ()> {
        memory::push(&mut self.0, rule)
    }

    fn insert_front(&mut self, rule: ListedRule) -> core::result::Result<(), ()> {
        self.push(rule)?;
        self.0.rotate_right(1);
        Ok(())
    }

    fn remove(&mut self, index: usize) {
        let _ = self.0.remove(index);
    }

    fn retain(&mut self, mut keep: impl FnMut(&ListedRule) -> bool) {
        self.0.retain(|rule| keep(rule));
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// A list of rules with its index.
pub(in super::super) struct Compiled {
    rules: RuleVec,
    start: List<Start>,
    entries: List<u16>,
}

impl Compiled {
    /// Returns the filter to ask.
    pub(in super::super) fn view(&self) -> Filter<'_> {
        let start = self.start.first().unwrap_or(&EMPTY_START);
        Filter::new(self.rules.rules(), start, &self.entries)
    }
}

/// Indexes a list.
pub(in super::super) fn compile_list(rules: RuleVec) -> Option<Compiled> {
    let mut start = List::new();
    memory::push(&mut start, EMPTY_START).ok()?;
    let mut entries = List::new();
    for _ in 0..index_len(rules.rules()) {
        memory::push(&mut entries, 0).ok()?;
    }
    fill_index(rules.rules(), start.first_mut()?, &mut entries).ok()?;
    Some(Compiled {
        rules,
        start,
        entries,
    })
}

/// The filter of a text.
pub(in super::super) fn compile(text: &str) -> Option<Compiled> {
    let mut rules = RuleVec::new();
    apply(text, &mut rules).ok()?;
    compile_list(rules)
}

/// The filter of a built-in `strict` table.
pub(in super::super) fn compile_strict(class: Class) -> Option<Compiled> {
    let mut rules = RuleVec::new();
    load(strict(class), &mut rules).ok()?;
    compile_list(rules)
}

/// The only rule of a text, which does not end.
pub(in super::super) fn rule(text: &str) -> Option<Rule> {
    text_rule(text)?.permanent()
}

/// The only rule of a text.
pub(in super::super) fn text_rule(text: &str) -> Option<TextRule> {
    let mut rules = Change::parse(text.as_bytes()).ok()?.rules();
    let rule = rules.next();
    match rules.next() {
        None => rule,
        Some(_) => None,
    }
}

/// Applies a text to a list, when the clock starts.
pub(in super::super) fn apply(
    text: &str,
    rules: &mut RuleVec,
) -> core::result::Result<(), Failure> {
    apply_at(text, rules, Time::ZERO)
}

/// Applies texts one after the other, beginning with an empty list; the first failure ends it.
pub(in super::super) fn edit(texts: &[&str]) -> core::result::Result<RuleVec, Failure> {
    let mut rules = RuleVec::new();
    for text in texts {
        apply(text, &mut rules)?;
    }
    Ok(rules)
}

/// Applies a text to a list at a time.
pub(in super::super) fn apply_at(
    text: &str,
    rules: &mut RuleVec,
    now: Time,
) -> core::result::Result<(), Failure> {
    let change = Change::parse(text.as_bytes()).map_err(|_| Failure::Parse)?;
    change.apply(rules, now).map_err(|error| match error {
        ApplyError::NotFound { line } => Failure::NotFound(line),
        ApplyError::TooMany { line } => Failure::TooMany(line),
        ApplyError::Store(()) => Failure::Store,
        ApplyError::Invalid(_) => Failure::Parse,
    })
}

/// [`ApplyError`] without the store's own error, so that it can be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Failure {
    Parse,
    NotFound(u32),
    TooMany(u32),
    Store,
}

/// What a filter, as the rules of a class, asks of a command.
pub(in super::super) fn answer(filter: Filter<'_>, cdb: &[u8]) -> Answer {
    let state = DevicePolicy {
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
pub(in super::super) enum Answer {
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
pub(in super::super) fn prints_as(value: &impl Display, text: &str) -> bool {
    let mut rest = Rest(text);
    write!(rest, "{value}").is_ok() && rest.0.is_empty()
}

/// Tells whether the rules of a list print as the lines of `text`, when the clock starts.
pub(in super::super) fn lists_as(rules: &[ListedRule], text: &str) -> bool {
    lists_as_at(rules, text, Time::ZERO)
}

/// Tells whether the rules of a list print as the lines of `text` at a time.
pub(in super::super) fn lists_as_at(rules: &[ListedRule], text: &str, now: Time) -> bool {
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
