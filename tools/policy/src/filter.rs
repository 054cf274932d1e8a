// SPDX-License-Identifier: GPL-2.0

//! Memory for the policy: what the kernel module has under the same names, on [`Vec`].

use crate::policy::{
    fill_index,
    index_len,
    Filter,
    IndexError,
    ListedRule,
    RuleStore,
    Start,
    EMPTY_START, //
};
use std::{
    convert::Infallible,
    sync::Arc, //
};

/// A list of rules.
#[derive(Clone, Default)]
pub struct RuleVec(Vec<ListedRule>);

impl RuleVec {
    /// Returns the list without rules.
    pub const fn new() -> RuleVec {
        RuleVec(Vec::new())
    }
}

impl RuleStore for RuleVec {
    type Error = Infallible;

    fn rules(&self) -> &[ListedRule] {
        &self.0
    }

    fn push(&mut self, rule: ListedRule) -> Result<(), Infallible> {
        self.0.push(rule);
        Ok(())
    }

    fn insert_front(&mut self, rule: ListedRule) -> Result<(), Infallible> {
        self.0.insert(0, rule);
        Ok(())
    }

    fn remove(&mut self, index: usize) {
        self.0.remove(index);
    }

    fn retain(&mut self, keep: impl FnMut(&ListedRule) -> bool) {
        self.0.retain(keep);
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// A list of rules with its index, shared as in the kernel.
pub struct CompiledFilter {
    rules: RuleVec,
    start: Start,
    entries: Vec<u16>,
}

impl CompiledFilter {
    /// Indexes the rules.
    ///
    /// # Errors
    ///
    /// [`IndexError`] if there are more than [`MAX_RULES`](crate::policy::MAX_RULES).
    pub fn compile(rules: RuleVec) -> Result<Arc<CompiledFilter>, IndexError> {
        let mut start = EMPTY_START;
        let mut entries = vec![0; index_len(rules.rules())];
        fill_index(rules.rules(), &mut start, &mut entries)?;
        Ok(Arc::new(CompiledFilter {
            rules,
            start,
            entries,
        }))
    }

    /// Returns the filter to look commands up in.
    pub fn view(&self) -> Filter<'_> {
        Filter::new(self.rules.rules(), &self.start, &self.entries)
    }
}
