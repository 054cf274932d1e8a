// SPDX-License-Identifier: GPL-2.0

//! What is in force on a device or class: rules, what needs no search among them, and grants. Published as one.

use super::{
    grants::{
        Granted,
        Grants, //
    },
    rules::{
        CompiledRules,
        RuleVec, //
    }, //
};
use crate::{
    kernel::sync::rcu::RcuArc,
    policy::{
        FastAnswer,
        FastTable,
        Filter,
        Time, //
    }, //
};
use kernel::{
    prelude::*,
    sync::{
        Arc,
        UniqueArc, //
    }, //
};

/// Rules in force. What is published here never changes.
pub(crate) type Rules = RcuArc<CompiledFilter>;

/// Rules, prepared for decisions. They do not change any more, except that they end.
pub(crate) struct CompiledFilter {
    rules: CompiledRules,
    /// What needs no search.
    fast_table: FastTable,
    /// What besides these rules is given, to some senders: with the rules of a device.
    grants: Option<Arc<Grants>>,
}

impl CompiledFilter {
    /// Prepares `rules` for decisions.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn compile(rules: RuleVec) -> Result<Arc<Self>> {
        Self::compile_with(rules, None)
    }

    /// Prepares the rules and the grants of a device for decisions.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn compile_with(rules: RuleVec, grants: Option<Arc<Grants>>) -> Result<Arc<Self>> {
        Self::compile_counting_from(rules, grants, KVVec::new())
    }

    /// The same rules, with the hits they had, and other grants: none if there is neither. What is counted in `old` after
    /// this call is not carried over.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn regranted(
        old: Option<&Self>,
        grants: Option<Arc<Grants>>,
    ) -> Result<Option<Arc<Self>>> {
        let rules = old.map_or(&[][..], |old| old.view().rules());
        if rules.is_empty() && grants.is_none() {
            return Ok(None);
        }
        let hits = old.map_or(Ok(KVVec::new()), |old| old.rules.all_hits())?;
        Self::compile_counting_from(RuleVec::copy_of(rules)?, grants, hits).map(Some)
    }

    fn compile_counting_from(
        rules: RuleVec,
        grants: Option<Arc<Grants>>,
        hits_before: KVVec<u64>,
    ) -> Result<Arc<Self>> {
        let without_index = CompiledRules::without_index(rules, hits_before)?;
        let mut filter = UniqueArc::init(
            init!(Self {
                rules <- without_index,
                fast_table: FastTable::unknown(),
                grants,
            }),
            GFP_KERNEL,
        )?;
        let Self {
            rules,
            fast_table,
            grants,
        } = &mut *filter;
        rules.fill_index()?;
        fast_table.fill(&rules.view());
        if let Some(grants) = grants {
            fast_table.leave_to_grants(grants.mentioned());
        }
        Ok(filter.into())
    }

    /// The rules.
    #[inline]
    pub(crate) fn rules(&self) -> &CompiledRules {
        &self.rules
    }

    /// The filter to ask.
    #[inline]
    pub(crate) fn view(&self) -> Filter<'_> {
        self.rules.view()
    }

    /// What is said of an opcode without a search.
    #[inline(always)]
    pub(crate) fn fast_answer(&self, opcode: u8) -> FastAnswer {
        self.fast_table.get(opcode)
    }

    /// Lets [`Self::fast_answer`] know which rules on an opcode have ended.
    #[cold]
    pub(crate) fn update(&self, opcode: u8, now: Time) {
        if self.grants_on(opcode).is_none() {
            self.fast_table.update(&self.view(), opcode, now);
        }
    }

    /// The grants, if one of them mentions an opcode.
    #[inline]
    pub(crate) fn grants_on(&self, opcode: u8) -> Option<&Grants> {
        let grants = self.grants.as_ref()?;
        grants.mentioned().contains(opcode).then_some(grants)
    }

    /// The first rule of a grant that allows an opcode to a sender of these cgroups, by their ids, from below, if that can be
    /// said by the opcode alone. Nothing where the rules may deny it.
    #[inline]
    pub(crate) fn granted_opcode<'a>(
        &'a self,
        sender: impl Iterator<Item = u64>,
        opcode: u8,
        open_for_write: bool,
    ) -> Option<Granted<'a>> {
        let grants = self.grants.as_ref()?;
        if !self.fast_answer(opcode).is_left_to_grants() {
            return None;
        }
        grants.allowing_opcode(sender, opcode, open_for_write)
    }

    /// The grants.
    pub(crate) fn grants(&self) -> Option<&Arc<Grants>> {
        self.grants.as_ref()
    }

    /// Counts a decision by a rule.
    #[inline(always)]
    pub(crate) fn hit(&self, rule: u16) {
        self.rules.hit(rule);
    }

    /// How often a rule decided.
    pub(crate) fn hits(&self, rule: usize) -> u64 {
        self.rules.hits(rule)
    }
}

#[kunit_tests(sgio_filter_filter)]
mod tests {
    use super::*;
    use crate::{
        policy::{
            Access,
            Action,
            ByteSet,
            Lifetime,
            ListedRule,
            Rule,
            RuleStore,
            TextRule, //
        }, //
    };

    fn rule(opcode: u8) -> Result<ListedRule> {
        let mut opcodes = ByteSet::EMPTY;
        opcodes.insert(opcode);
        let rule = Rule::new(Action::Allow(Access::Read), opcodes);
        Ok(ListedRule::permanent(rule.ok_or(EINVAL)?))
    }

    fn list(opcodes: &[u8]) -> Result<RuleVec> {
        let mut list = RuleVec::new();
        for opcode in opcodes {
            list.push(rule(*opcode)?)?;
        }
        Ok(list)
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
    fn keeps_its_hits_when_grants_change() -> Result {
        let filter = CompiledFilter::compile(list(&[0x12, 0xff])?)?;
        filter.hit(1);
        let filter = CompiledFilter::regranted(Some(&filter), None)?.ok_or(EINVAL)?;
        filter.hit(1);
        filter.hit(0);
        let filter = CompiledFilter::regranted(Some(&filter), None)?.ok_or(EINVAL)?;
        assert_eq!([0, 1].map(|rule| filter.hits(rule)), [1, 2]);
        assert!(CompiledFilter::regranted(None, None)?.is_none());
        Ok(())
    }
}
