// SPDX-License-Identifier: GPL-2.0

//! What the policy in force says of a command: the policy's decision, on rules of one moment.

use crate::{
    kernel::{
        cgroup::{
            Cgroup,
            Lineage, //
        },
        uapi, //
    },
    policy::{
        self,
        decide_with_grants,
        Cdb,
        Class,
        Decision,
        Filter,
        Layer,
        Reason,
        MAX_CDB,
        PERSISTENT_RESERVE_OUT,
        REPORT_LUNS, //
    },
    state::device::{
        DeviceState,
        Mode, //
    },
    state::filter::CompiledFilter,
    state::rules::{
        now,
        CompiledRules, //
    },
    state::State, //
};
use kernel::sync::rcu;

/// What a device is set to, as far as it matters to the command.
#[derive(Default)]
struct Settings {
    unpriv: bool,
    complain: bool,
    own_luns: bool,
    exclusive: bool,
}

/// What the policy says of a command.
#[derive(Clone, Copy)]
pub(crate) struct Verdict<'a> {
    /// The answer to a process without capabilities.
    pub(crate) decision: Decision,
    /// The device lets refusals through.
    pub(crate) complain: bool,
    /// Its nexus has one owner at a time.
    pub(crate) exclusive: bool,
    /// Whose rule it was.
    by: Option<&'a CompiledRules>,
    /// The id of the cgroup that holds the grant which it is by.
    pub(crate) holder: Option<u64>,
}

/// Who sends, as far as grants matter.
#[derive(Clone, Copy)]
pub(crate) enum Asker<'a> {
    /// The current task.
    Current(&'a rcu::Guard),
    /// A task of this cgroup.
    Cgroup(&'a Cgroup),
    /// One that holds no grant.
    Nobody,
}

impl<'a> Asker<'a> {
    fn lineage(self) -> Lineage<'a> {
        match self {
            Self::Current(guard) => Lineage::of_current(guard),
            Self::Cgroup(cgroup) => Lineage::of(cgroup),
            Self::Nobody => Lineage::none(),
        }
    }
}

impl<'a> Verdict<'a> {
    /// No rule says anything.
    pub(super) const NONE: Self = Self {
        decision: Decision::NoRule,
        complain: false,
        exclusive: false,
        by: None,
        holder: None,
    };

    /// The verdict on a command to `device` from the current task.
    #[inline]
    pub(crate) fn on(
        state: &'a State,
        device: &'a DeviceState,
        cdb: &Cdb<'_>,
        open_for_write: bool,
        guard: &'a rcu::Guard,
    ) -> Self {
        let asker = Asker::Current(guard);
        Self::on_from(state, device, cdb, open_for_write, asker, guard)
    }

    /// The verdict on a command to `device` from another sender.
    #[inline]
    pub(crate) fn on_from(
        state: &'a State,
        device: &'a DeviceState,
        cdb: &Cdb<'_>,
        open_for_write: bool,
        asker: Asker<'_>,
        guard: &'a rcu::Guard,
    ) -> Self {
        if !device.is_that_of_lu() {
            return Self::for_class(state, device.class, cdb, open_for_write, guard);
        }
        state.changing.read(|| {
            Self::new(
                &Settings {
                    unpriv: device.modes.has(Mode::Unpriv),
                    complain: device.modes.has(Mode::Complain),
                    own_luns: cdb.opcode() == REPORT_LUNS && device.has_own_luns(),
                    exclusive: cdb.opcode() == PERSISTENT_RESERVE_OUT
                        && device.nexus.is_exclusive(),
                },
                device.rules.read(guard),
                state.class_rules(device.class).read(guard),
                cdb,
                open_for_write,
                asker,
            )
        })
    }

    /// The verdict on a command to a device of `class` without rules of its own.
    #[inline]
    pub(crate) fn for_class(
        state: &'a State,
        class: Class,
        cdb: &Cdb<'_>,
        open_for_write: bool,
        guard: &'a rcu::Guard,
    ) -> Self {
        let rules = state.class_rules(class).read(guard);
        let (settings, asker) = (Settings::default(), Asker::Nobody);
        Self::new(&settings, None, rules, cdb, open_for_write, asker)
    }

    #[inline]
    fn new(
        settings: &Settings,
        device: Option<&'a CompiledFilter>,
        class: Option<&'a CompiledFilter>,
        cdb: &Cdb<'_>,
        open_for_write: bool,
        asker: Asker<'_>,
    ) -> Self {
        // What no rule mentions needs no search.
        let mentions =
            |filter: &&CompiledFilter| !filter.fast_answer(cdb.opcode()).is_unmentioned();
        let (device, class) = (device.filter(mentions), class.filter(mentions));
        let rules = policy::DevicePolicy {
            unpriv: settings.unpriv,
            own_luns: settings.own_luns,
            device: device.map(CompiledFilter::view),
            class: class.map_or(Filter::EMPTY, CompiledFilter::view),
        };
        // Not called without a rule that ends. Then what has ended is forgotten, so that the fast path
        // need not come here for it any more.
        let clock = || {
            let now = now();
            for filter in [device, class].into_iter().flatten() {
                filter.update(cdb.opcode(), now);
            }
            now
        };
        let mut granted = None;
        let look_for_grant = || {
            let grants = device?.grants_on(cdb.opcode())?;
            granted = grants.allowing(asker.lineage(), cdb, open_for_write, clock);
            granted.map(|granted| granted.rule)
        };
        let decision = decide_with_grants(&rules, cdb, open_for_write, clock, look_for_grant);
        let by = match decision.rule() {
            None => None,
            Some((Layer::Device, _)) => device.map(CompiledFilter::rules),
            Some((Layer::Class, _)) => class.map(CompiledFilter::rules),
            Some((Layer::Grant, _)) => granted.map(|granted| granted.rules),
        };
        Self {
            decision,
            complain: settings.complain,
            exclusive: settings.exclusive,
            by,
            holder: granted.map(|granted| granted.holder),
        }
    }

    /// The decision in the codes of `rust/uapi/sgio_filter.h`: the reason, the layer, and the number of
    /// the rule in the list as it is printed now.
    pub(crate) fn codes(&self) -> (u8, u8, u16) {
        let reason = self.decision.reason() as u8;
        match self.decision.rule() {
            None => (reason, Layer::NONE, 0),
            Some((layer, rule)) => {
                let line = self.by.map_or(rule, |rules| rules.line(rule));
                (reason, layer as u8, line)
            }
        }
    }

    /// Whether what is not allowed is let through with a complaint.
    pub(crate) fn complains(&self) -> bool {
        self.complain && self.decision != Decision::OwnLuns
    }

    /// Counts that the rule decided.
    #[inline]
    pub(crate) fn count(&self) {
        if let (Some(rules), Some((_, rule))) = (self.by, self.decision.rule()) {
            rules.hit(rule);
        }
    }
}

// The policy's codes are those of the UAPI header.
const _: () = {
    assert!(Reason::NoRule as u32 == uapi::NO_RULE);
    assert!(Reason::Unpriv as u32 == uapi::UNPRIV);
    assert!(Reason::Allowed as u32 == uapi::ALLOWED);
    assert!(Reason::Denied as u32 == uapi::DENIED);
    assert!(Reason::NeedsWrite as u32 == uapi::NEEDS_WRITE);
    assert!(Reason::OwnLuns as u32 == uapi::OWN_LUNS);
    assert!(Reason::NotOwner as u32 == uapi::NOT_OWNER);
    assert!(Layer::NONE as u32 == uapi::LAYER_NONE);
    assert!(Layer::Device as u32 == uapi::LAYER_DEVICE);
    assert!(Layer::Class as u32 == uapi::LAYER_CLASS);
    assert!(Layer::Grant as u32 == uapi::LAYER_GRANT);
    assert!(MAX_CDB == uapi::CDB_MAX as usize);
};
