// SPDX-License-Identifier: GPL-2.0

//! The memory that rules live in: lists that can be edited, and compiled filters, which do not change.

use crate::{
    kernel::{
        percpu::Counters,
        sync::rcu::RcuArc, //
    },
    policy::{
        self,
        FastAnswer,
        FastTable,
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

/// Rules in force. What is published here never changes.
pub(crate) type Rules = RcuArc<CompiledFilter>;

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
pub(crate) struct CompiledFilter {
    rules: KVVec<ListedRule>,
    entries: KVVec<u16>,
    start: Start,
    /// What needs no search.
    fast_table: FastTable,
    /// One of the rules ends.
    ends: bool,
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
        let ends = rules.iter().any(ListedRule::is_timed);
        // In place: the index alone is 1 KiB.
        let mut filter = UniqueArc::init(
            init!(Self {
                rules,
                entries,
                start <- pin_init::init_zeroed(),
                fast_table: FastTable::unknown(),
                ends,
                hits,
            }),
            GFP_KERNEL,
        )?;
        let Self {
            rules,
            entries,
            start,
            fast_table,
            ends: _,
            hits: _,
        } = &mut *filter;
        policy::fill_index(rules, start, entries).map_err(|_| EINVAL)?;
        fast_table.fill(&Filter::new(rules, start, entries));
        Ok(filter.into())
    }

    /// The filter to ask.
    #[inline]
    pub(crate) fn view(&self) -> Filter<'_> {
        Filter::new(&self.rules, &self.start, &self.entries)
    }

    /// What is said of an opcode without a search.
    #[inline(always)]
    pub(crate) fn fast_answer(&self, opcode: u8) -> FastAnswer {
        self.fast_table.get(opcode)
    }

    /// Lets [`Self::fast_answer`] know which rules on an opcode have ended.
    #[cold]
    pub(crate) fn update(&self, opcode: u8, now: Time) {
        self.fast_table.update(&self.view(), opcode, now);
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
        self.hits.sum(rule)
    }
}

#[kunit_tests(sgio_filter_filter)]
mod tests {
    use super::*;
    use crate::policy::{
        Access,
        Action, //
        ByteSet,
        Cdb,
        Lifetime,
        Rule,
        TextRule,
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
        let filter = CompiledFilter::compile(list(&[0x12, 0xff, 0x12])?)?;
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
    fn forgets_what_has_ended() -> Result {
        let text = TextRule {
            rule: *rule(0x12)?.rule(),
            lifetime: Lifetime::from_secs(1),
        };
        let mut rules = list(&[0x13])?;
        rules.insert_front(ListedRule::new(text, Time::ZERO))?;
        let filter = CompiledFilter::compile(rules)?;
        assert!(!filter.fast_answer(0x12).is_unmentioned() && !filter.fast_answer(0x12).is_known());
        filter.update(0x12, Time::ZERO);
        assert!(!filter.fast_answer(0x12).is_unmentioned());
        filter.update(0x12, Time::from_nanos(1_000_000_000));
        assert!(filter.fast_answer(0x12).is_unmentioned());
        assert!(filter.fast_answer(0x13).is_allowed(false));
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
