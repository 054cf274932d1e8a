// SPDX-License-Identifier: GPL-2.0

//! The decision on most commands of most senders: what a rule without fields says, or the absence of
//! any rule.
//!
//! It answers what a table answers, or nothing: the [slow path](super::slow_path) begins anew. Both
//! come to the same verdict, by the same rules of one moment, and count alike. For what is allowed there
//! is no loop in it and no lock, and on x86-64 no call.

use super::outcome::Outcome;
use crate::{
    kernel::{
        audit,
        scsi::{
            cmd_allowed::RequestCdb,
            sg_request::SgFastDecision, //
        },
        sync::{
            load::Load,
            rcu_sched, //
        },
        trace, //
    },
    policy::FastAnswer,
    state::{
        device::DeviceState,
        filter::CompiledFilter,
        State, //
    },
};
use core::hint::black_box;

/// What the tables answer. `resched`: the task is to be preempted, which has been put off.
pub(super) enum FastDecision {
    /// Allowed, and counted.
    Allowed { resched: bool },
    /// Not allowed without `CAP_SYS_RAWIO`; the rule is counted, the outcome is not.
    NotAllowed { resched: bool },
    /// The same, where refusals are audited; nothing is counted.
    NotAllowedAudited { resched: bool },
    /// For grants to say; nothing is counted.
    Granted { resched: bool },
    /// Not for the tables to say; nothing is counted.
    Unknown { resched: bool },
}

/// Looks the command up in the tables.
#[inline(always)]
pub(super) fn decide(cdb: RequestCdb<'_>, open_for_write: bool) -> FastDecision {
    let addressed = cdb.addressed();
    let reader = rcu_sched::read_lock();
    if let Some(found) = State::current(&reader).and_then(|state| {
        let device = &*state.devices.get(addressed.queue().key(), &reader)?.device;
        look_up(state, device, addressed.cdb()[0], &reader)
    }) {
        if found.answer.is_allowed(open_for_write) {
            found.filter.hit(found.answer.rule());
            Outcome::Allowed.count(&found.device.stats);
            return FastDecision::Allowed {
                resched: reader.end(),
            };
        }
        if found.answer.is_known() {
            if audit::is_enabled() {
                return FastDecision::NotAllowedAudited {
                    resched: reader.end(),
                };
            }
            found.count_rule();
            return FastDecision::NotAllowed {
                resched: reader.end(),
            };
        }
        if found.answer.is_left_to_grants() {
            return FastDecision::Granted {
                resched: reader.end(),
            };
        }
    }
    FastDecision::Unknown {
        resched: reader.end(),
    }
}

/// Counts a command that is not allowed without the capability, if there is nothing to write down about it: the sender has the
/// capability, or the device's limit of audit records is used up. Returns whether that was so, as the tables are now;
/// otherwise nothing is counted.
#[inline(always)]
pub(super) fn conclude_without_record(
    cdb: RequestCdb<'_>,
    open_for_write: bool,
    privileged: bool,
) -> bool {
    let addressed = cdb.addressed();
    let reader = rcu_sched::read_lock();
    let found = State::current(&reader).and_then(|state| {
        let device = &*state.devices.get(addressed.queue().key(), &reader)?.device;
        look_up(state, device, addressed.cdb()[0], &reader)
    });
    let Some(found) = found.filter(|found| {
        found.answer.is_known()
            && !found.answer.is_allowed(open_for_write)
            && (privileged || found.device.log_limits.refusals.suppress_if_used_up())
    }) else {
        return false;
    };
    found.count_rule();
    Outcome::of_not_allowed(privileged, false).count(&found.device.stats);
    true
}

/// Looks up a command that sg is about to execute, however its file is open. It is allowed here if the device's sg is not
/// filtered, or if a reader may send it; then it is counted.
#[inline(always)]
pub(super) fn decide_on_sg_request(cdb: RequestCdb<'_>) -> SgFastDecision {
    let addressed = cdb.addressed();
    let reader = rcu_sched::read_lock();
    let allowed = State::current(&reader).is_some_and(|state| {
        let known = state.devices.get(addressed.queue().key(), &reader);
        let Some(device) = known.map(|known| &*known.device) else {
            return false;
        };
        if !filters_sg(state, device) {
            return true;
        }
        let allowed = look_up(state, device, addressed.cdb()[0], &reader)
            .filter(|found| found.answer.is_allowed(false));
        if let Some(found) = &allowed {
            found.filter.hit(found.answer.rule());
            Outcome::Allowed.count(&found.device.stats);
        }
        allowed.is_some()
    });
    SgFastDecision {
        allowed,
        resched: reader.end(),
    }
}

/// Whether `/dev/sgN` of `device` is filtered however it is open. Not read as of one moment with the rules: it is a
/// switch of its own (see `filter_sg` in Documentation/ABI/testing/dev-sgio_filter).
#[inline(always)]
pub(super) fn filters_sg(state: &State, device: &DeviceState) -> bool {
    device.filters_sg() || state.filter_sg.load_once()
}

/// Lets the scheduler run, and allows.
#[cold]
#[inline(never)]
pub(super) fn allowed_after_resched() -> bool {
    rcu_sched::resched();
    // Hides the constant from the optimiser; otherwise the tail call is lost.
    black_box(true)
}

/// What the tables say about an opcode, and whose they are.
struct Found<'a> {
    device: &'a DeviceState,
    filter: &'a CompiledFilter,
    answer: FastAnswer,
}

/// Nothing if not rules alone decide, or if every decision is traced.
#[inline(always)]
fn look_up<'a>(
    state: &'a State,
    device: &'a DeviceState,
    opcode: u8,
    reader: &'a rcu_sched::Guard,
) -> Option<Found<'a>> {
    let (filter, answer) = state.changing.try_read(|| {
        if device.modes.any() {
            return None;
        }
        if let Some(own) = device.rules.read(reader) {
            let answer = own.fast_answer(opcode);
            if !answer.is_unmentioned() {
                return Some((own, answer));
            }
        }
        let class = state.class_rules(device.class).read(reader)?;
        Some((class, class.fast_answer(opcode)))
    })??;
    if trace::decision_is_wanted() {
        return None;
    }
    Some(Found {
        device,
        filter,
        answer,
    })
}

impl Found<'_> {
    /// Counts the rule by which a command is not allowed, if there is one.
    #[inline(always)]
    fn count_rule(&self) {
        if !self.answer.is_unmentioned() {
            self.filter.hit(self.answer.rule());
        }
    }
}
