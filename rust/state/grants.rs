// SPDX-License-Identifier: GPL-2.0

//! Grants on a device: rules for one holder, which is a cgroup and all below it.
//!
//! A holder is known by the id of its cgroup, which no other has since boot. So a grant needs no reference: when the
//! cgroup is gone, no task is in it, and nobody has that id any more. Design: `Documentation/design/grants.md`

use crate::{
    kernel::cgroup::Cgroup,
    policy::{
        allowed_by_grant,
        ByteSet,
        Cdb,
        FastTable,
        Time,
        MAX_GRANTS, //
    },
    state::{
        holder_index::HolderIndex,
        rules::CompiledRules, //
    }, //
};
use core::cmp::Ordering;
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Rules on a device for one holder.
pub(crate) struct Grant {
    /// The id of its cgroup.
    pub(crate) holder: u64,
    /// Who made it: a name for people and managers.
    pub(crate) name: KVec<u8>,
    /// When it was made.
    pub(crate) since: Time,
    /// When it ends, if it does by itself.
    pub(crate) deadline: Option<Time>,
    /// Its rules.
    rules: Arc<CompiledRules>,
    /// What of them needs no search.
    answers: KBox<FastTable>,
}

impl Grant {
    /// A grant of `rules`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(
        holder: u64,
        name: KVec<u8>,
        since: Time,
        deadline: Option<Time>,
        rules: Arc<CompiledRules>,
    ) -> Result<Self> {
        let mut answers = KBox::new(FastTable::unknown(), GFP_KERNEL)?;
        answers.fill(&rules.view());
        Ok(Self {
            holder,
            name,
            since,
            deadline,
            rules,
            answers,
        })
    }

    /// Its rules.
    pub(crate) fn rules(&self) -> &CompiledRules {
        &self.rules
    }

    fn key(&self) -> (u64, &[u8]) {
        (self.holder, &self.name)
    }

    /// The seconds that are left, rounded up, if it ends by itself.
    pub(crate) fn seconds_left(&self, now: Time) -> Option<u64> {
        let left = self.deadline?.as_nanos().saturating_sub(now.as_nanos());
        Some(left.div_ceil(1_000_000_000))
    }

    /// Whether it is past its deadline, or its holder is gone.
    pub(crate) fn has_ended(&self, now: Time) -> bool {
        !self.applies(|| now) || Cgroup::is_surely_gone(self.holder)
    }

    /// Whether it applies, which it does before its deadline.
    pub(crate) fn applies(&self, now: impl FnOnce() -> Time) -> bool {
        self.deadline.is_none_or(|deadline| now() < deadline)
    }
}

/// The grants on a device. What is published does not change.
pub(crate) struct Grants {
    /// By holder, then by name.
    list: KVVec<Arc<Grant>>,
    /// Where those of a holder begin in it.
    holders: HolderIndex,
    /// The opcodes that a rule of one of them mentions.
    mentioned: ByteSet,
}

/// A rule of a grant that allows a command.
#[derive(Clone, Copy)]
pub(crate) struct Granted<'a> {
    /// The grant's rules.
    pub(crate) rules: &'a CompiledRules,
    /// The id of the holder's cgroup.
    pub(crate) holder: u64,
    /// The number of the rule.
    pub(crate) rule: u16,
}

impl Grants {
    /// All grants, by holder and name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.list.iter().map(|grant| &**grant)
    }

    /// The opcodes that a rule of one of them mentions.
    pub(crate) fn mentioned(&self) -> &ByteSet {
        &self.mentioned
    }

    /// Whether what one of them holds can be freed.
    pub(crate) fn any_has_ended(&self, now: Time) -> bool {
        self.iter().any(|grant| grant.has_ended(now))
    }

    /// The first rule that allows the command to a sender of these cgroups, by their ids, from below.
    pub(crate) fn allowing<'a>(
        &'a self,
        sender: impl Iterator<Item = u64>,
        cdb: &Cdb<'_>,
        open_for_write: bool,
        now: impl Fn() -> Time,
    ) -> Option<Granted<'a>> {
        for holder in sender {
            for grant in self.held_by(holder) {
                if !grant.applies(&now) {
                    continue;
                }
                let rules = grant.rules.view();
                if let Some(rule) = allowed_by_grant(&rules, cdb, open_for_write, &now) {
                    return Some(Granted {
                        rules: &grant.rules,
                        holder,
                        rule,
                    });
                }
            }
        }
        None
    }

    /// The same for all commands of an opcode: nothing if none allows it, or where that depends on the other bytes or the time.
    #[inline]
    pub(crate) fn allowing_opcode<'a>(
        &'a self,
        sender: impl Iterator<Item = u64>,
        opcode: u8,
        open_for_write: bool,
    ) -> Option<Granted<'a>> {
        for holder in sender {
            for grant in self.held_by(holder) {
                let answer = grant.answers.get(opcode);
                if answer.is_unmentioned() {
                    continue;
                }
                if !answer.is_known() || grant.deadline.is_some() {
                    return None;
                }
                if answer.is_allowed(open_for_write) {
                    return Some(Granted {
                        rules: &grant.rules,
                        holder,
                        rule: answer.rule(),
                    });
                }
            }
        }
        None
    }

    #[inline]
    fn held_by(&self, holder: u64) -> impl Iterator<Item = &Grant> {
        let first = self.holders.first(holder).unwrap_or(self.list.len());
        let behind = self.list.get(first..).unwrap_or_default();
        let held = behind
            .iter()
            .take_while(move |grant| grant.holder == holder);
        held.map(|grant| &**grant)
    }
}

/// Grants while they are changed.
pub(crate) struct GrantVec(KVVec<Arc<Grant>>);

impl GrantVec {
    /// Those of `old` that have not ended.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn living(old: Option<&Grants>, now: Time) -> Result<Self> {
        let old = old.map_or(&[][..], |grants| &grants.list);
        let mut list = KVVec::with_capacity(old.len(), GFP_KERNEL)?;
        for grant in old {
            if !grant.has_ended(now) {
                list.push(grant.clone(), GFP_KERNEL)?;
            }
        }
        Ok(Self(list))
    }

    /// Puts a grant in, in the place of one with the same holder and name.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there are too many, `ENOMEM`.
    pub(crate) fn put(&mut self, grant: Grant) -> Result {
        let found = self.0.binary_search_by(|old| old.key().cmp(&grant.key()));
        let grant = Arc::new(grant, GFP_KERNEL)?;
        match found {
            Ok(at) => {
                if let Some(place) = self.0.get_mut(at) {
                    *place = grant;
                }
            }
            Err(at) => {
                if self.0.len() >= MAX_GRANTS {
                    return Err(ENOSPC);
                }
                self.0.push(grant, GFP_KERNEL)?;
                if let Some(behind) = self.0.get_mut(at..) {
                    behind.rotate_right(1);
                }
            }
        }
        Ok(())
    }

    /// Takes out the grants of a holder: that with the name, or all.
    pub(crate) fn revoke(&mut self, holder: u64, name: Option<&[u8]>) {
        self.0.retain(|grant| {
            grant.holder != holder
                || name.is_some_and(|name| grant.name[..].cmp(name) != Ordering::Equal)
        });
    }

    /// Takes out all.
    pub(crate) fn revoke_all(&mut self) {
        self.0.clear();
    }

    /// The grants to publish, `None` if there is none.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn finish(self) -> Result<Option<Arc<Grants>>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut mentioned = ByteSet::EMPTY;
        for grant in &self.0 {
            for listed in grant.rules.view().rules() {
                mentioned = mentioned.union(listed.rule().opcodes());
            }
        }
        let holders = HolderIndex::new(self.0.iter().map(|grant| grant.holder))?;
        let grants = Grants {
            list: self.0,
            holders,
            mentioned,
        };
        Ok(Some(Arc::new(grants, GFP_KERNEL)?))
    }
}

#[kunit_tests(sgio_filter_grants)]
mod tests {
    use super::*;
    use crate::{
        policy::{
            Access,
            Action,
            Lifetime,
            ListedRule,
            Rule,
            RuleStore, //
        },
        state::rules::{
            now,
            RuleVec, //
        },
    };

    /// An id that no cgroup has.
    const NOBODY: u64 = u64::MAX;

    /// A grant of opcodes to readers; it ends after some seconds, of which none have passed.
    fn grant(holder: u64, name: &[u8], opcodes: &[u8], seconds: Option<u32>) -> Result<Grant> {
        let mut rules = RuleVec::new();
        for opcode in opcodes {
            let mut set = ByteSet::EMPTY;
            set.insert(*opcode);
            let rule = Rule::new(Action::Allow(Access::Read), set).ok_or(EINVAL)?;
            rules.push(ListedRule::permanent(rule))?;
        }
        let mut copy = KVec::new();
        copy.extend_from_slice(name, GFP_KERNEL)?;
        let lifetime = seconds.map(|seconds| Lifetime::from_secs(seconds).ok_or(EINVAL));
        let now = now();
        let deadline = lifetime.transpose()?.map(|lifetime| now.after(lifetime));
        Grant::new(holder, copy, now, deadline, CompiledRules::compile(rules)?)
    }

    /// Who gives an opcode to a sender, and by which rule.
    fn giver(grants: &Grants, sender: &[u64], opcode: u8) -> Result<Option<(u64, u16)>> {
        let bytes = [opcode, 0, 0, 0, 0, 0];
        let cdb = Cdb::new(&bytes).ok_or(EINVAL)?;
        let granted = grants.allowing(sender.iter().copied(), &cdb, false, now);
        let granted = granted.map(|granted| (granted.holder, granted.rule));
        // Without fields and deadlines, the opcode alone says the same.
        let by_opcode = grants.allowing_opcode(sender.iter().copied(), opcode, false);
        assert_eq!(by_opcode.map(|by| (by.holder, by.rule)), granted);
        Ok(granted)
    }

    #[test]
    fn asks_the_nearest_cgroup_first_and_each_by_name() -> Result {
        let mut list = GrantVec::living(None, now())?;
        // Not in order: the list is.
        list.put(grant(9, b"b", &[0x12, 0xc0], None)?)?;
        list.put(grant(3, b"", &[0xc1, 0xc0], None)?)?;
        list.put(grant(9, b"a", &[0xc2], None)?)?;
        let grants = list.finish()?.ok_or(EINVAL)?;
        assert_eq!(giver(&grants, &[7, 9, 3], 0xc0)?, Some((9, 1)));
        assert_eq!(giver(&grants, &[3, 9], 0xc0)?, Some((3, 1)));
        assert_eq!(giver(&grants, &[9, 3], 0xc1)?, Some((3, 0)));
        assert_eq!(giver(&grants, &[9], 0xc2)?, Some((9, 0)));
        for (sender, opcode) in [
            (&[9][..], 0xc1),
            (&[], 0xc0),
            (&[8, 10], 0xc0),
            (&[9], 0xc3),
        ] {
            assert_eq!(giver(&grants, sender, opcode)?, None);
        }
        for opcode in [0x12, 0xc0, 0xc1, 0xc2] {
            assert!(grants.mentioned().contains(opcode));
        }
        assert!(!grants.mentioned().contains(0xc3));
        Ok(())
    }

    #[test]
    fn the_same_holder_and_name_is_the_same_grant() -> Result {
        let mut list = GrantVec::living(None, now())?;
        list.put(grant(9, b"a", &[0xc0], None)?)?;
        list.put(grant(9, b"b", &[0xc1], None)?)?;
        list.put(grant(9, b"a", &[0xc2], None)?)?;
        let grants = list.finish()?.ok_or(EINVAL)?;
        assert_eq!(grants.iter().count(), 2);
        assert_eq!(giver(&grants, &[9], 0xc0)?, None);
        assert_eq!(giver(&grants, &[9], 0xc2)?, Some((9, 0)));
        Ok(())
    }

    #[test]
    fn a_revocation_takes_what_it_names() -> Result {
        let list = || -> Result<GrantVec> {
            let mut list = GrantVec::living(None, now())?;
            for (holder, name) in [(9, &b"a"[..]), (9, b"b"), (8, b"a")] {
                list.put(grant(holder, name, &[0xc0], None)?)?;
            }
            Ok(list)
        };
        let left = |mut list: GrantVec, revoke: fn(&mut GrantVec)| -> Result<usize> {
            revoke(&mut list);
            Ok(list.finish()?.map_or(0, |grants| grants.iter().count()))
        };
        assert_eq!(left(list()?, |list| list.revoke(9, Some(b"a")))?, 2);
        assert_eq!(left(list()?, |list| list.revoke(9, Some(b"")))?, 3);
        assert_eq!(left(list()?, |list| list.revoke(9, None))?, 1);
        assert_eq!(left(list()?, |list| list.revoke(7, None))?, 3);
        assert_eq!(left(list()?, GrantVec::revoke_all)?, 0);
        Ok(())
    }

    #[test]
    fn no_more_than_there_may_be() -> Result {
        let mut list = GrantVec::living(None, now())?;
        for holder in 1..=MAX_GRANTS as u64 {
            list.put(grant(holder, b"", &[], None)?)?;
        }
        assert_eq!(list.put(grant(NOBODY, b"", &[], None)?), Err(ENOSPC));
        // In the place of another there is room.
        list.put(grant(1, b"", &[0xc0], None)?)?;
        Ok(())
    }

    #[test]
    fn what_is_past_its_deadline_gives_nothing() -> Result {
        let mut list = GrantVec::living(None, now())?;
        list.put(grant(9, b"", &[0xc0], Some(60))?)?;
        let grants = list.finish()?.ok_or(EINVAL)?;
        let bytes = [0xc0, 0, 0, 0, 0, 0];
        let cdb = Cdb::new(&bytes).ok_or(EINVAL)?;
        let later = now().after(Lifetime::from_secs(60).ok_or(EINVAL)?);
        let given = |at: Time| {
            let granted = grants.allowing([9].into_iter(), &cdb, false, || at);
            granted.is_some()
        };
        assert!(given(now()) && !given(later));
        // The opcode alone does not say it.
        assert!(grants
            .allowing_opcode([9].into_iter(), 0xc0, false)
            .is_none());
        assert!(grants.any_has_ended(later));
        Ok(())
    }

    #[test]
    fn ends_with_its_holder() -> Result {
        let mut list = GrantVec::living(None, now())?;
        list.put(grant(NOBODY, b"", &[0xc0], None)?)?;
        let grants = list.finish()?.ok_or(EINVAL)?;
        assert!(grants.any_has_ended(now()));
        assert!(GrantVec::living(Some(&*grants), now())?.finish()?.is_none());
        Ok(())
    }
}
