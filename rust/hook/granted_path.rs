// SPDX-License-Identifier: GPL-2.0

//! The decision on a command of a holder whose grant says by the opcode alone that it is allowed.
//!
//! As the [fast path](super::fast_path), which sends here what it leaves to grants, it allows what a table allows, or says
//! nothing: the [slow path](super::slow_path) begins anew.

use super::{
    outcome::Outcome,
    slow_path, //
};
use crate::{
    kernel::{
        cgroup::Lineage,
        scsi::cmd_allowed::RequestCdb,
        sync::rcu_sched,
        trace, //
    },
    state::{
        device::DeviceState,
        grants::Granted,
        State, //
    },
};

/// Allows what a grant of the sender allows, and decides in full on all else.
#[cold]
#[inline(never)]
pub(super) fn decide(cdb: RequestCdb<'_>, open_for_write: bool, resched: bool) -> bool {
    if !resched && is_granted(cdb, open_for_write) {
        return true;
    }
    slow_path::decide(cdb, open_for_write, resched)
}

/// Whether a grant allows the command by its opcode; then it is counted.
#[inline(always)]
fn is_granted(cdb: RequestCdb<'_>, open_for_write: bool) -> bool {
    let addressed = cdb.addressed();
    let reader = rcu_sched::read_lock();
    let found = State::current(&reader).and_then(|state| {
        let device = &*state.devices.get(addressed.queue().key(), &reader)?.device;
        let opcode = addressed.cdb()[0];
        let granted = look_up(state, device, opcode, open_for_write, &reader)?;
        Some((device, granted))
    });
    let Some((device, granted)) = found else {
        return false;
    };
    granted.rules.hit(granted.rule);
    Outcome::Allowed.count(&device.stats);
    true
}

/// Nothing if not rules and grants alone decide, or if every decision is traced.
#[inline(always)]
fn look_up<'a>(
    state: &'a State,
    device: &'a DeviceState,
    opcode: u8,
    open_for_write: bool,
    reader: &'a rcu_sched::Guard,
) -> Option<Granted<'a>> {
    let granted = state.changing.try_read(|| {
        if device.modes.any() {
            return None;
        }
        let sender = Lineage::of_current(reader);
        let filter = device.rules.read(reader)?;
        filter.granted_opcode(sender, opcode, open_for_write)
    })??;
    (!trace::decision_is_wanted()).then_some(granted)
}
