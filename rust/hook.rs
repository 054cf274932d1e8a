// SPDX-License-Identifier: GPL-2.0

//! The decision on a command that somebody is about to send.
//!
//! The policy comes first and the capability last: what the policy allows never asks for
//! `CAP_SYS_RAWIO`, so that no security module logs a denial that means nothing.

use crate::{
    device::{
        count,
        Device, //
    },
    events::{
        self,
        Outcome, //
    },
    kernel_ext::{
        capability::Capability,
        scsi::cmd_allowed::{
            Addressed,
            Cdb,
            CmdAllowed, //
        }, //
    },
    nexus::Admission,
    policy::{
        self,
        Class,
        Decision,
        PERSISTENT_RESERVE_OUT,
        REPORT_LUNS, //
    },
    ruling::Ruling,
    shortcut,
    state::State,
};
use kernel::sync::rcu;

/// Decides by the [`State`] that is in force.
pub(crate) struct Decider;

impl CmdAllowed for Decider {
    #[inline]
    fn cmd_allowed(cdb: Cdb<'_>, open_for_write: bool) -> bool {
        shortcut::or_whole(cdb, open_for_write, decide)
    }
}

/// The whole decision.
#[cold]
#[inline(never)]
fn decide(cdb: Cdb<'_>, open_for_write: bool) -> bool {
    let guard = rcu::read_lock();
    match State::current(&guard) {
        Some(state) => cmd_allowed(state, cdb, open_for_write, &guard),
        // Not while the hook is armed.
        None => Capability::SYS_RAWIO.current_has(),
    }
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
    let mut ruling = state.rule_on(device, &cdb, open_for_write, guard);
    if cdb.opcode() == PERSISTENT_RESERVE_OUT {
        ruling = with_owner(state, device, ruling, &cdb, open_for_write, guard);
    }
    ruling.count();
    if ruling.decision.is_allowed() {
        device.stats.allowed.inc();
        events::decided(
            device,
            addressed.cdb,
            open_for_write,
            &ruling,
            Outcome::Allowed,
        );
        return true;
    }
    not_allowed(state, device, addressed, open_for_write, &ruling)
}

/// What is ruled on a PERSISTENT RESERVE OUT when it is known who sends it.
#[cold]
fn with_owner<'a>(
    state: &'a State,
    device: &'a Device,
    mut ruling: Ruling<'a>,
    cdb: &policy::Cdb<'_>,
    open_for_write: bool,
    guard: &'a rcu::Guard,
) -> Ruling<'a> {
    for _ in 0..8 {
        if !ruling.decision.is_allowed() {
            return ruling;
        }
        match device.nexus.admit(ruling.exclusive, guard) {
            Admission::Admitted => return ruling,
            Admission::NotOwner => break,
            Admission::Changed => ruling = state.rule_on(device, cdb, open_for_write, guard),
        }
    }
    ruling.decision = Decision::NotOwner;
    ruling
}

/// The capability, and what is done without it.
#[cold]
fn not_allowed(
    state: &State,
    device: &Device,
    addressed: &Addressed<'_>,
    open_for_write: bool,
    ruling: &Ruling<'_>,
) -> bool {
    let outcome = if Capability::SYS_RAWIO.current_has() {
        count(&device.stats.privileged);
        Outcome::Privileged
    } else if ruling.complain && ruling.decision != Decision::OwnLuns {
        count(&device.stats.complained);
        events::complain(state, device, addressed.cdb, open_for_write);
        Outcome::Complained
    } else {
        count(&device.stats.refused);
        events::refused(state, device, addressed.cdb, open_for_write, ruling);
        Outcome::Refused
    };
    events::decided(device, addressed.cdb, open_for_write, ruling, outcome);
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
        let ruling = state.rule_on_class(class, &cdb, open_for_write, guard);
        ruling.decision.is_allowed()
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
