// SPDX-License-Identifier: GPL-2.0

//! The decision on a command in full: which rules, which owner of a nexus, which capability, who is told.
//!
//! The policy comes first and the capability last: what the policy allows never asks for
//! `CAP_SYS_RAWIO`, so that no security module logs a denial that means nothing.

use super::{
    command::Command,
    fast_path::{
        self,
        filters_sg, //
    },
    log::{
        self,
        Subject, //
    },
    outcome::Outcome,
    verdict::Verdict, //
};
use crate::{
    kernel::{
        capability::Capability,
        scsi::{
            cmd_allowed::{
                Addressed,
                RequestCdb,
                SgCdb,
                CDB_BUFFER, //
            },
            pr_ops::PrCommand,
            sg_sender::Sender, //
        },
        sync::rcu_sched, //
    },
    policy::{
        self,
        Decision,
        PERSISTENT_RESERVE_OUT, //
    },
    state::{
        device::DeviceState,
        nexus::Admission,
        stats::Stats,
        State, //
    },
};
use kernel::sync::{
    atomic::Relaxed,
    rcu, //
};

/// The decision in full.
#[cold]
#[inline(never)]
pub(super) fn decide(cdb: RequestCdb<'_>, open_for_write: bool, resched: bool) -> bool {
    if resched {
        rcu_sched::resched();
    }
    decide_in_full(cdb, open_for_write, None)
}

/// `privileged`: whether the sender has the capability, if it was asked already.
#[inline(always)]
fn decide_in_full(cdb: RequestCdb<'_>, open_for_write: bool, privileged: Option<bool>) -> bool {
    let guard = rcu::read_lock();
    let Some(state) = State::current(&guard) else {
        // Not while the hook is armed.
        return privileged.unwrap_or_else(|| Capability::SYS_RAWIO.current_has());
    };
    let addressed = cdb.addressed();
    let known = state.devices.get(addressed.queue().key(), &guard);
    let device = known.map(|known| &*known.device);
    let command = Command {
        cdb: &as_sent(&addressed, device),
        known: CDB_BUFFER,
        open_for_write,
        privileged,
    };
    match device {
        Some(device) => for_device(state, device, &command, &guard),
        None => for_class(state, &addressed, &command, &guard),
    }
}

/// The CDB as the device gets it, which is what is judged. (The fast path does not look: its answers are for an opcode,
/// whatever is behind.)
fn as_sent(addressed: &Addressed<'_>, device: Option<&DeviceState>) -> [u8; CDB_BUFFER] {
    device
        .map_or_else(|| addressed.lun_in_cdb(), |device| device.lun_in_cdb)
        .sent(addressed.cdb())
}

/// The decision on an SG_IO of sg whose file is not open for both reading and writing.
#[cold]
pub(super) fn decide_from_sg(cdb: &SgCdb, open_for_write: bool) -> bool {
    let guard = rcu::read_lock();
    let Some(state) = State::current(&guard) else {
        // Not while the hook is armed.
        return Capability::SYS_RAWIO.current_has();
    };
    let mut command = Command {
        cdb: &cdb.cdb,
        known: cdb.known,
        open_for_write,
        privileged: None,
    };
    let known = cdb.sender(&guard).and_then(|sender| {
        let known = state.devices.get(sender.queue()?.key(), &guard)?;
        sender.is_for(known.device.scsi).then_some(known)
    });
    match known {
        Some(known) => {
            let device = &*known.device;
            let sent = device.lun_in_cdb.sent(&cdb.cdb);
            command.cdb = &sent;
            let verdict = verdict_on(state, device, &command, &guard);
            if !filters_sg(state, device) {
                return answer(state, device, &command, &verdict);
            }
            // What is let through is asked about again when it is executed, and counted and told then.
            if verdict.decision.is_allowed() {
                return true;
            }
            if command.is_privileged() || verdict.complains() {
                return true;
            }
            verdict.count();
            let subject = Subject::of(device);
            conclude(
                state,
                &subject,
                Some(device),
                &command,
                &verdict,
                Outcome::Refused,
            )
        }
        // It could be any device, and might be one that must not get it.
        None => not_allowed(state, &Subject::UNKNOWN, None, &command, &Verdict::NONE),
    }
}

/// Whether a decision leaves a persistent reservation by the block layer to the kernel's own check: what no rule
/// denies, and no other owner.
fn is_left_to_the_kernel(decision: Decision) -> bool {
    !matches!(decision, Decision::Denied(..) | Decision::NotOwner)
}

/// The decision on a persistent reservation that comes by the block layer.
pub(super) fn decide_on_reservation(pr: &PrCommand) -> bool {
    let guard = rcu::read_lock();
    let Some(state) = State::ready(&guard) else {
        // The module comes or goes: the kernel's own answer.
        return true;
    };
    let addressed = pr.addressed();
    let device = state.devices.get(addressed.queue().key(), &guard);
    let device = device.map(|known| &*known.device);
    let command = Command {
        cdb: &as_sent(&addressed, device),
        known: pr.known,
        open_for_write: pr.out,
        privileged: None,
    };
    let subject = device.map_or_else(|| Subject::addressed(&addressed), Subject::of);
    let Some(cdb) = policy::Cdb::from_buffer(command.cdb, command.known) else {
        return not_allowed(state, &subject, device, &command, &Verdict::NONE);
    };
    let verdict = match device {
        None => Verdict::for_class(state, subject.class, &cdb, pr.out, &guard),
        Some(device) => {
            let verdict = Verdict::on(state, device, &cdb, pr.out, &guard);
            if pr.out {
                with_owner(
                    state,
                    device,
                    verdict,
                    &cdb,
                    pr.out,
                    is_left_to_the_kernel,
                    &guard,
                )
            } else {
                verdict
            }
        }
    };
    verdict.count();
    if is_left_to_the_kernel(verdict.decision) {
        return allowed(stats_of(state, device), &subject, &command, &verdict);
    }
    not_allowed(state, &subject, device, &command, &verdict)
}

/// The decision on a request of sg that is about to be executed, where that is filtered.
pub(super) fn decide_on_sg_request(cdb: RequestCdb<'_>, sender: Option<Sender>) -> bool {
    let guard = rcu::read_lock();
    let Some(state) = State::ready(&guard) else {
        // The module comes or goes: the kernel's own answer.
        return true;
    };
    let addressed = cdb.addressed();
    let known = state.devices.get(addressed.queue().key(), &guard);
    let device = known.map(|known| &*known.device);
    let command = Command {
        cdb: &as_sent(&addressed, device),
        known: CDB_BUFFER,
        // Other files are open for both, or it came by write(2).
        open_for_write: sender.is_none_or(Sender::is_open_for_write),
        privileged: None,
    };
    match device {
        Some(device) if !filters_sg(state, device) => true,
        Some(device) => for_device(state, device, &command, &guard),
        None if !state.filter_sg.load(Relaxed) => true,
        None => for_class(state, &addressed, &command, &guard),
    }
}

/// Asks for the capability behind the fast path. LSM hooks may take locks, so `capable()` runs outside of the RCU-sched
/// section; where locks sleep (`CONFIG_PREEMPT_RT`), it runs as an RCU reader, for which unloading waits (see
/// [`CmdAllowed`](crate::kernel::scsi::cmd_allowed::CmdAllowed)).
#[inline(always)]
fn ask(resched: bool) -> bool {
    if resched {
        rcu_sched::resched();
    }
    let asking = cfg!(CONFIG_PREEMPT_RT).then(rcu::read_lock);
    let privileged = Capability::SYS_RAWIO.current_has();
    drop(asking);
    privileged
}

/// The tail of a refusal on the fast path.
#[cold]
#[inline(never)]
pub(super) fn by_capability(cdb: RequestCdb<'_>, resched: bool) -> bool {
    let privileged = ask(resched);
    let reader = rcu_sched::read_lock();
    if let Some(state) = State::current(&reader) {
        let known = state.devices.get(cdb.addressed().queue().key(), &reader);
        // The device may have gone in between.
        let stats = stats_of(state, known.map(|known| &*known.device));
        Outcome::of_not_allowed(privileged, false).count(stats);
    }
    privileged
}

/// The same while refusals are audited. Most have no record: what has the capability is no refusal, and what is past the rate
/// limit is only counted. For those the tables have said all that is needed; the others are decided on in full.
#[cold]
#[inline(never)]
pub(super) fn by_capability_audited(
    cdb: RequestCdb<'_>,
    open_for_write: bool,
    resched: bool,
) -> bool {
    let privileged = ask(resched);
    if fast_path::conclude_without_record(cdb, open_for_write, privileged) {
        return privileged;
    }
    decide_in_full(cdb, open_for_write, Some(privileged))
}

fn for_device(
    state: &State,
    device: &DeviceState,
    command: &Command<'_>,
    guard: &rcu::Guard,
) -> bool {
    let verdict = verdict_on(state, device, command, guard);
    answer(state, device, command, &verdict)
}

/// The verdict, of which nothing is counted yet.
fn verdict_on<'a>(
    state: &'a State,
    device: &'a DeviceState,
    command: &Command<'_>,
    guard: &'a rcu::Guard,
) -> Verdict<'a> {
    // There is always something known.
    let Some(cdb) = policy::Cdb::from_buffer(command.cdb, command.known) else {
        return Verdict::NONE;
    };
    let verdict = Verdict::on(state, device, &cdb, command.open_for_write, guard);
    if cdb.opcode() != PERSISTENT_RESERVE_OUT {
        return verdict;
    }
    with_owner(
        state,
        device,
        verdict,
        &cdb,
        command.open_for_write,
        Decision::is_allowed,
        guard,
    )
}

/// Counts a verdict, asks for the capability if it needs one, and tells who wants to know.
fn answer(
    state: &State,
    device: &DeviceState,
    command: &Command<'_>,
    verdict: &Verdict<'_>,
) -> bool {
    let subject = Subject::of(device);
    verdict.count();
    if verdict.decision.is_allowed() {
        return allowed(&device.stats, &subject, command, verdict);
    }
    not_allowed(state, &subject, Some(device), command, verdict)
}

/// The verdict on a PERSISTENT RESERVE OUT when it is known who sends it. `passes` tells whether a decision lets the
/// command through, so that the owner matters.
#[cold]
fn with_owner<'a>(
    state: &'a State,
    device: &'a DeviceState,
    mut verdict: Verdict<'a>,
    cdb: &policy::Cdb<'_>,
    open_for_write: bool,
    passes: fn(Decision) -> bool,
    guard: &'a rcu::Guard,
) -> Verdict<'a> {
    for _ in 0..8 {
        if !passes(verdict.decision) {
            return verdict;
        }
        match device.nexus.admit(verdict.exclusive, verdict.holder, guard) {
            Admission::Admitted => return verdict,
            Admission::NotOwner => break,
            Admission::Changed => verdict = Verdict::on(state, device, cdb, open_for_write, guard),
        }
    }
    verdict.decision = Decision::NotOwner;
    verdict
}

/// Where commands to a device are counted. What is not for a known device is counted apart.
fn stats_of<'a>(state: &'a State, device: Option<&'a DeviceState>) -> &'a Stats {
    device.map_or(&state.without_device, |device| &device.stats)
}

/// Lets a command through that is allowed, and counts it.
#[inline(always)]
fn allowed(stats: &Stats, subject: &Subject, command: &Command<'_>, verdict: &Verdict<'_>) -> bool {
    Outcome::Allowed.count(stats);
    log::decided(subject, command, verdict, Outcome::Allowed);
    true
}

/// Asks for the capability, without which a command that is not allowed is refused, or complained about.
#[cold]
fn not_allowed(
    state: &State,
    subject: &Subject,
    device: Option<&DeviceState>,
    command: &Command<'_>,
    verdict: &Verdict<'_>,
) -> bool {
    let outcome = Outcome::of_not_allowed(command.is_privileged(), verdict.complains());
    conclude(state, subject, device, command, verdict, outcome)
}

/// Counts the outcome of a command that is not allowed, and tells who wants to know.
#[cold]
fn conclude(
    state: &State,
    subject: &Subject,
    device: Option<&DeviceState>,
    command: &Command<'_>,
    verdict: &Verdict<'_>,
    outcome: Outcome,
) -> bool {
    let limits = device.map_or(&state.log_limits, |device| &*device.log_limits);
    outcome.count(stats_of(state, device));
    match outcome {
        Outcome::Complained => log::complain(&limits.complaints, subject, command),
        Outcome::Refused => log::refused(&limits.refusals, subject, command, verdict),
        _ => {}
    }
    log::decided(subject, command, verdict, outcome);
    outcome.lets_through()
}

/// A device that is not in the map: it is being added, so that it has no rules of its own yet; or removed, so that no
/// command of a user reaches it any more; or replaced by another logical unit, which has none of its rules; or there was no
/// memory to add it, so that it has none at all.
#[cold]
fn for_class(
    state: &State,
    addressed: &Addressed<'_>,
    command: &Command<'_>,
    guard: &rcu::Guard,
) -> bool {
    let subject = Subject::addressed(addressed);
    let Some(cdb) = policy::Cdb::new(command.cdb) else {
        return not_allowed(state, &subject, None, command, &Verdict::NONE);
    };
    let verdict = Verdict::for_class(state, subject.class, &cdb, command.open_for_write, guard);
    verdict.count();
    if verdict.decision.is_allowed() {
        return allowed(&state.without_device, &subject, command, &verdict);
    }
    not_allowed(state, &subject, None, command, &verdict)
}
