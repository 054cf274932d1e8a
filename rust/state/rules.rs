// SPDX-License-Identifier: GPL-2.0

//! The memory that rules live in: lists that can be edited, and lists with an index, which do not change.

use crate::{
    kernel::percpu::Counters,
    policy::{
        self,
        Filter,
        ListedRule,
        RuleStore,
        Start,
        Time, //
    }, //
};
use kernel::{
    prelude::*,
    sync::{
        Arc,
        UniqueArc, //
    },
    time::{
        BootTime,
        ClockSource, //
    }, //
};

/// The time on the clock that the rules' deadlines are on: `CLOCK_BOOTTIME`, which does not go back and
/// does not stop while the machine sleeps.
#[cold]
pub(crate) fn now() -> Time {
    // The kernel's time is not negative.
    Time::from_nanos(BootTime::ktime_get().unsigned_abs())
}

/// A list of rules while it is being made.
pub(crate) struct RuleVec(KVVec<ListedRule>);

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
    pub(crate) fn copy_of(rules: &[ListedRule]) -> Result<Self> {
        let mut copy = KVVec::with_capacity(rules.len(), GFP_KERNEL)?;
        copy.extend_from_slice(rules, GFP_KERNEL)?;
        Ok(Self(copy))
    }
}

impl RuleStore for RuleVec {
    type Error = Error;

    fn rules(&self) -> &[ListedRule] {
        &self.0
    }

    fn push(&mut self, rule: ListedRule) -> Result {
        Ok(self.0.push(rule, GFP_KERNEL)?)
    }

    fn insert_front(&mut self, rule: ListedRule) -> Result {
        self.push(rule)?;
        self.0.rotate_right(1);
        Ok(())
    }

    fn remove(&mut self, index: usize) {
        // An index behind the end removes nothing.
        let _ = self.0.remove(index);
    }

    fn retain(&mut self, mut keep: impl FnMut(&ListedRule) -> bool) {
        self.0.retain(|rule| keep(rule));
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// A list of rules with its index. It does not change any more, except that rules end.
pub(crate) struct CompiledRules {
    rules: KVVec<ListedRule>,
    entries: KVVec<u16>,
    start: Start,
    /// One of the rules ends.
    ends: bool,
    /// How often each rule decided. Per CPU: this is the path of all guest I/O.
    hits: Counters,
    /// How often each had decided in the list with the same rules that this one replaces, if it does.
    hits_before: KVVec<u64>,
}

impl CompiledRules {
    /// Prepares `rules` for decisions.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn compile(rules: RuleVec) -> Result<Arc<Self>> {
        let without_index = Self::without_index(rules, KVVec::new())?;
        let mut compiled = UniqueArc::init(without_index, GFP_KERNEL)?;
        compiled.fill_index()?;
        Ok(compiled.into())
    }

    /// What [`Self::fill_index`] makes whole. In place: the index alone is 1 KiB.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn without_index(
        rules: RuleVec,
        hits_before: KVVec<u64>,
    ) -> Result<impl Init<Self>> {
        let rules = rules.0;
        let entries = KVVec::from_elem(0, policy::index_len(&rules), GFP_KERNEL)?;
        let hits = Counters::new(rules.len())?;
        let ends = rules.iter().any(ListedRule::is_timed);
        Ok(init!(Self {
            rules,
            entries,
            start <- pin_init::init_zeroed(),
            ends,
            hits,
            hits_before,
        }))
    }

    /// To be called once.
    ///
    /// # Errors
    ///
    /// None: the index has room for the rules.
    pub(super) fn fill_index(&mut self) -> Result {
        policy::fill_index(&self.rules, &mut self.start, &mut self.entries).map_err(|_| EINVAL)
    }

    /// The filter to ask.
    #[inline]
    pub(crate) fn view(&self) -> Filter<'_> {
        Filter::new(&self.rules, &self.start, &self.entries)
    }

    /// The number of a rule in the list as it is printed now.
    pub(crate) fn line(&self, rule: u16) -> u16 {
        match self.ends {
            true => self.view().number_at(rule, now()),
            false => rule,
        }
    }

    /// Counts a decision by a rule.
    #[inline(always)]
    pub(crate) fn hit(&self, rule: u16) {
        self.hits.inc(rule.into());
    }

    /// How often a rule decided.
    pub(crate) fn hits(&self, rule: usize) -> u64 {
        let before = self.hits_before.get(rule).copied().unwrap_or(0);
        before + self.hits.sum(rule)
    }

    /// How often each rule decided, for the list with the same rules that replaces this one.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn all_hits(&self) -> Result<KVVec<u64>> {
        let mut all = KVVec::with_capacity(self.rules.len(), GFP_KERNEL)?;
        for (number, _) in self.rules.iter().enumerate() {
            all.push(self.hits(number), GFP_KERNEL)?;
        }
        Ok(all)
    }
}

#[kunit_tests(sgio_filter_rules)]
mod tests {
    use super::*;
    use crate::policy::{
        Access,
        Action, //
        ByteSet,
        Cdb,
        Rule,
    };

    fn rule(opcode: u8) -> Result<ListedRule> {
        let mut opcodes = ByteSet::EMPTY;
        opcodes.insert(opcode);
        let rule = Rule::new(Action::Allow(Access::Read), opcodes);
        Ok(ListedRule::permanent(rule.ok_or(EINVAL)?))
    }

    /// Whether two lists have the same rules.
    fn same(one: &RuleVec, other: &[u8]) -> Result<bool> {
        let other = list(other)?;
        let rules = one.rules().iter().map(ListedRule::rule);
        Ok(rules.eq(other.rules().iter().map(ListedRule::rule)))
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
        assert!(same(&l, &[4, 1, 2, 3])?);
        l.remove(1);
        assert!(same(&l, &[4, 2, 3])?);
        l.remove(3);
        assert!(same(&l, &[4, 2, 3])?);
        l.retain(|listed| !listed.rule().opcodes().contains(2));
        assert!(same(&l, &[4, 3])?);
        l.clear();
        assert!(l.rules().is_empty());
        Ok(())
    }

    #[test]
    fn copies_are_equal() -> Result {
        let l = list(&[1, 2, 3])?;
        assert!(same(&RuleVec::copy_of(l.rules())?, &[1, 2, 3])?);
        assert!(RuleVec::copy_of(&[])?.rules().is_empty());
        Ok(())
    }

    #[test]
    fn finds_rules_by_opcode() -> Result {
        let filter = CompiledRules::compile(list(&[0x12, 0xff, 0x12])?)?;
        let number = |opcode| {
            let cdb = [opcode; 6];
            let cdb = Cdb::new(&cdb)?;
            filter
                .view()
                .first_match(&cdb, now)
                .map(|(number, _)| number)
        };
        assert_eq!(number(0x12), Some(0));
        assert_eq!(number(0xff), Some(1));
        assert_eq!(number(0x00), None);
        Ok(())
    }

    #[test]
    fn the_clock_runs() {
        let first = now();
        let second = now();
        assert!(first > Time::ZERO && second >= first);
    }

    #[test]
    fn counts_per_rule() -> Result {
        let filter = CompiledRules::compile(list(&[0x12, 0xff])?)?;
        for rule in [1, 1, 0, 2] {
            filter.hit(rule);
        }
        assert_eq!([0, 1, 2].map(|rule| filter.hits(rule)), [1, 2, 0]);
        Ok(())
    }

    #[test]
    fn empty_filter_matches_nothing() -> Result {
        let filter = CompiledRules::compile(RuleVec::new())?;
        assert!(filter.view().rules().is_empty());
        Ok(())
    }
}
