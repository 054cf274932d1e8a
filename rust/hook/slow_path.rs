// SPDX-License-Identifier: GPL-2.0

//! The decision on a command in full: which rules, which owner of a nexus, which capability, who is told.
//!
//! The policy comes first and the capability last: what the policy allows never asks for
//! `CAP_SYS_RAWIO`, so that no security module logs a denial that means nothing.

use super::{
    log,
    outcome::Outcome,
    verdict::Verdict, //
};
use crate::{
    kernel::{
        capability::Capability,
        scsi::cmd_allowed::{
            Addressed,
            Cdb, //
        },
        sync::rcu_sched, //
    },
    policy::{
        self,
        Class,
        Decision,
        PERSISTENT_RESERVE_OUT,
        REPORT_LUNS, //
    },
    state::{
        device::Device,
        nexus::Admission,
        State, //
    },
};
use kernel::sync::rcu;

/// The decision in full.
#[cold]
#[inline(never)]
pub(super) fn decide(cdb: Cdb<'_>, open_for_write: bool, resched: bool) -> bool {
    if resched {
        rcu_sched::resched();
    }
    let guard = rcu::read_lock();
    match State::current(&guard) {
        Some(state) => cmd_allowed(state, cdb, open_for_write, &guard),
        // Not while the hook is armed.
        None => Capability::SYS_RAWIO.current_has(),
    }
}

/// The tail of a refusal on the fast path. LSM hooks may take locks, so `capable()` runs outside of the RCU-sched
/// section; where locks sleep (`CONFIG_PREEMPT_RT`), it runs as an RCU reader, for which unloading waits (see
/// [`CmdAllowed`](crate::kernel::scsi::cmd_allowed::CmdAllowed)).
#[cold]
#[inline(never)]
pub(super) fn by_capability(cdb: Cdb<'_>, resched: bool) -> bool {
    if resched {
        rcu_sched::resched();
    }
    let asking = cfg!(CONFIG_PREEMPT_RT).then(rcu::read_lock);
    let privileged = Capability::SYS_RAWIO.current_has();
    drop(asking);
    let reader = rcu_sched::read_lock();
    // A device that has gone in between has no counters any more.
    if let Some(known) = cdb.addressed().and_then(|addressed| {
        State::current(&reader)?
            .devices
            .get(addressed.queue.key(), &reader)
    }) {
        Outcome::not_allowed(&known.device.stats, privileged, false);
    }
    privileged
}

#[inline]
fn cmd_allowed(state: &State, cdb: Cdb<'_>, open_for_write: bool, guard: &rcu::Guard) -> bool {
    let Some(addressed) = cdb.addressed() else {
        cdb.note_unaddressed();
        return from_sg(state, cdb, open_for_write, guard);
    };
    match state.devices.get(addressed.queue.key(), guard) {
        Some(known) => for_device(state, &known.device, &addressed, open_for_write, guard),
        None => for_unknown(state, &addressed, open_for_write, guard),
    }
}

#[inline]
fn for_device(
    state: &State,
    device: &Device,
    addressed: &Addressed<'_>,
    open_for_write: bool,
    guard: &rcu::Guard,
) -> bool {
    // There is always something known.
    let Some(cdb) = policy::Cdb::from_buffer(addressed.cdb, addressed.known) else {
        return Capability::SYS_RAWIO.current_has();
    };
    let mut verdict = state.verdict_on(device, &cdb, open_for_write, guard);
    if cdb.opcode() == PERSISTENT_RESERVE_OUT {
        verdict = with_owner(state, device, verdict, &cdb, open_for_write, guard);
    }
    verdict.count();
    if verdict.decision.is_allowed() {
        device.stats.allowed.inc();
        log::decided(
            device,
            addressed.cdb,
            open_for_write,
            &verdict,
            Outcome::Allowed,
        );
        return true;
    }
    not_allowed(state, device, addressed, open_for_write, &verdict)
}

/// What is ruled on a PERSISTENT RESERVE OUT when it is known who sends it.
#[cold]
fn with_owner<'a>(
    state: &'a State,
    device: &'a Device,
    mut verdict: Verdict<'a>,
    cdb: &policy::Cdb<'_>,
    open_for_write: bool,
    guard: &'a rcu::Guard,
) -> Verdict<'a> {
    for _ in 0..8 {
        if !verdict.decision.is_allowed() {
            return verdict;
        }
        match device.nexus.admit(verdict.exclusive, guard) {
            Admission::Admitted => return verdict,
            Admission::NotOwner => break,
            Admission::Changed => verdict = state.verdict_on(device, cdb, open_for_write, guard),
        }
    }
    verdict.decision = Decision::NotOwner;
    verdict
}

/// The capability, and what is done without it.
#[cold]
fn not_allowed(
    state: &State,
    device: &Device,
    addressed: &Addressed<'_>,
    open_for_write: bool,
    verdict: &Verdict<'_>,
) -> bool {
    let outcome = Outcome::not_allowed(
        &device.stats,
        Capability::SYS_RAWIO.current_has(),
        verdict.complain && verdict.decision != Decision::OwnLuns,
    );
    match outcome {
        Outcome::Complained => log::complain(state, device, addressed.cdb, open_for_write),
        Outcome::Refused => log::refused(state, device, addressed.cdb, open_for_write, verdict),
        _ => {}
    }
    log::decided(device, addressed.cdb, open_for_write, verdict, outcome);
    outcome.lets_through()
}

/// A device that is not in the map: it is just being added, so that it has no rules of its own yet,
/// or just being removed, so that no command of a user reaches it any more.
#[cold]
fn for_unknown(
    state: &State,
    addressed: &Addressed<'_>,
    open_for_write: bool,
    guard: &rcu::Guard,
) -> bool {
    let class = Class::from_type(addressed.peripheral_device_type());
    let allowed = policy::Cdb::new(addressed.cdb).is_some_and(|cdb| {
        let verdict = state.verdict_for_class(class, &cdb, open_for_write, guard);
        verdict.decision.is_allowed()
    });
    allowed || Capability::SYS_RAWIO.current_has()
}

/// sg, on a file that is not open for both reading and writing.
#[cold]
fn from_sg(state: &State, cdb: Cdb<'_>, open_for_write: bool, guard: &rcu::Guard) -> bool {
    let from = cdb.by_sg();
    let known = from.call.and_then(|call| {
        let known = state.devices.get(call.queue().key(), guard)?;
        call.is_for(known.device.scsi).then_some((call, known))
    });
    let Some((call, known)) = known else {
        return as_stock(state, cdb.opcode(), open_for_write);
    };
    let addressed = Addressed {
        queue: call.queue(),
        cdb: &from.cdb,
        known: from.known,
    };
    for_device(state, &known.device, &addressed, open_for_write, guard)
}

/// The kernel's own answer, where the device cannot be told.
#[cold]
fn as_stock(state: &State, opcode: u8, open_for_write: bool) -> bool {
    // It may be for a device that must not get it.
    let hidden = opcode == REPORT_LUNS && Device::any_has_own_luns();
    (state.stock.allows(opcode, open_for_write) && !hidden) || Capability::SYS_RAWIO.current_has()
}
