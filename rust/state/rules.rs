// SPDX-License-Identifier: GPL-2.0

//! The memory that rules live in: lists that can be edited, and compiled filters, which do not change.

use crate::{
    kernel::{
        percpu::Counters,
        sync::rcu::RcuArc, //
    },
    policy::{
        self,
        Filter,
        Quick,
        QuickTable,
        Rule,
        RuleStore,
        Start, //
    }, //
};
use kernel::{
    prelude::*,
    sync::{
        Arc,
        UniqueArc, //
    },
};

/// Rules in force. What is published here never changes.
pub(crate) type Rules = RcuArc<CompiledFilter>;

/// A list of rules while it is being made.
pub(crate) struct RuleVec(KVVec<Rule>);

impl RuleVec {
    /// An empty list.
    pub(crate) const fn new() -> Self {
        Self(KVVec::new())
    }

    /// A copy of `rules`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn copy_of(rules: &[Rule]) -> Result<Self> {
        let mut copy = KVVec::with_capacity(rules.len(), GFP_KERNEL)?;
        copy.extend_from_slice(rules, GFP_KERNEL)?;
        Ok(Self(copy))
    }
}

impl RuleStore for RuleVec {
    type Error = Error;

    fn rules(&self) -> &[Rule] {
        &self.0
    }

    fn push(&mut self, rule: Rule) -> Result {
        Ok(self.0.push(rule, GFP_KERNEL)?)
    }

    fn insert_front(&mut self, rule: Rule) -> Result {
        self.push(rule)?;
        self.0.rotate_right(1);
        Ok(())
    }

    fn remove(&mut self, index: usize) {
        // An index behind the end removes nothing.
        let _ = self.0.remove(index);
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// A list of rules with its index. It does not change any more.
pub(crate) struct CompiledFilter {
    rules: KVVec<Rule>,
    entries: KVVec<u16>,
    start: Start,
    /// What needs no search.
    quick: QuickTable,
    /// How often each rule decided. Per CPU: this is the path of all guest I/O.
    hits: Counters,
}

impl CompiledFilter {
    /// Prepares `rules` for decisions.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn compile(rules: RuleVec) -> Result<Arc<Self>> {
        let rules = rules.0;
        let entries = KVVec::from_elem(0, policy::index_len(&rules), GFP_KERNEL)?;
        let hits = Counters::new(rules.len())?;
        // In place: the index alone is 1 KiB.
        let mut filter = UniqueArc::init(
            init!(Self {
                rules,
                entries,
                start <- pin_init::init_zeroed(),
                quick: QuickTable::EMPTY,
                hits,
            }),
            GFP_KERNEL,
        )?;
        let Self {
            rules,
            entries,
            start,
            quick,
            hits: _,
        } = &mut *filter;
        policy::fill_index(rules, start, entries).map_err(|_| EINVAL)?;
        quick.fill(rules);
        Ok(filter.into())
    }

    /// The filter to ask.
    #[inline]
    pub(crate) fn view(&self) -> Filter<'_> {
        Filter::new(&self.rules, &self.start, &self.entries)
    }

    /// What is said of an opcode without a search.
    #[inline(always)]
    pub(crate) fn look(&self, opcode: u8) -> Quick {
        self.quick.look(opcode)
    }

    /// Counts a decision by a rule.
    #[inline(always)]
    pub(crate) fn hit(&self, rule: u16) {
        self.hits.inc(rule.into());
    }

    /// How often a rule decided.
    pub(crate) fn hits(&self, rule: usize) -> u64 {
        self.hits.sum(rule)
    }
}

#[kunit_tests(sgio_filter_filter)]
mod tests {
    use super::*;
    use crate::policy::{
        Access,
        ByteSet,
        Cdb,
        Verdict, //
    };

    fn rule(opcode: u8) -> Result<Rule> {
        let mut opcodes = ByteSet::EMPTY;
        opcodes.insert(opcode);
        Rule::new(Verdict::Allow(Access::Read), opcodes).ok_or(EINVAL)
    }

    fn list(opcodes: &[u8]) -> Result<RuleVec> {
        let mut list = RuleVec::new();
        for opcode in opcodes {
            list.push(rule(*opcode)?)?;
        }
        Ok(list)
    }

    #[test]
    fn list_keeps_its_order() -> Result {
        let mut l = list(&[1, 2, 3])?;
        l.insert_front(rule(4)?)?;
        assert!(l.rules() == list(&[4, 1, 2, 3])?.rules());
        l.remove(1);
        assert!(l.rules() == list(&[4, 2, 3])?.rules());
        l.remove(3);
        assert!(l.rules() == list(&[4, 2, 3])?.rules());
        l.clear();
        assert!(l.rules().is_empty());
        Ok(())
    }

    #[test]
    fn copies_are_equal() -> Result {
        let l = list(&[1, 2, 3])?;
        assert!(RuleVec::copy_of(l.rules())?.rules() == l.rules());
        assert!(RuleVec::copy_of(&[])?.rules().is_empty());
        Ok(())
    }

    #[test]
    fn finds_rules_by_opcode() -> Result {
        let filter = CompiledFilter::compile(list(&[0x12, 0xff, 0x12])?)?;
        let number = |opcode| {
            let cdb = [opcode; 6];
            let cdb = Cdb::new(&cdb)?;
            filter.view().first_match(&cdb).map(|(number, _)| number)
        };
        assert_eq!(number(0x12), Some(0));
        assert_eq!(number(0xff), Some(1));
        assert_eq!(number(0x00), None);
        Ok(())
    }

    #[test]
    fn counts_per_rule() -> Result {
        let filter = CompiledFilter::compile(list(&[0x12, 0xff])?)?;
        for rule in [1, 1, 0, 2] {
            filter.hit(rule);
        }
        assert_eq!([0, 1, 2].map(|rule| filter.hits(rule)), [1, 2, 0]);
        Ok(())
    }

    #[test]
    fn empty_filter_matches_nothing() -> Result {
        let filter = CompiledFilter::compile(RuleVec::new())?;
        assert!(filter.view().rules().is_empty());
        Ok(())
    }
}
