// SPDX-License-Identifier: GPL-2.0

//! The short way to the answer for most commands of most senders: allowed, by a rule without fields.
//!
//! It says yes, or nothing: whatever is not plain is for the decision in [`hook`](crate::hook), which
//! begins anew. What it says must be what is decided there, on the same rules of one moment, and
//! counted alike. There is no call in it, no loop and no lock.

use crate::{
    kernel_ext::{
        scsi::cmd_allowed::Cdb,
        sync::{
            load::Load,
            rcu_sched, //
        },
        trace, //
    },
    state::State, //
};

/// Whether the command is surely allowed. If so, it has been counted.
#[inline(always)]
pub(crate) fn allows(cdb: Cdb<'_>, open_for_write: bool) -> bool {
    try_allow(cdb, open_for_write).is_some()
}

#[inline(always)]
fn try_allow(cdb: Cdb<'_>, open_for_write: bool) -> Option<()> {
    let opcode = cdb.opcode();
    let addressed = cdb.addressed()?;
    let reader = rcu_sched::read_lock();
    let state = State::current(&reader)?;
    let device = &*state.devices.get(addressed.queue.key(), &reader)?.device;

    let (unpriv, filter, quick) = state.changing.try_read(|| {
        let unpriv = device.unpriv_sgio.load_acquire();
        if let Some(own) = device.rules.read(&reader) {
            let quick = own.look(opcode);
            if !quick.is_silent() {
                return Some((unpriv, own, quick));
            }
        }
        let class = state.class_rules(device.class).read(&reader)?;
        Some((unpriv, class, class.look(opcode)))
    })??;
    // With `unpriv_sgio` no rule decides.
    if unpriv || !quick.is_allowed(open_for_write) {
        return None;
    }
    // Somebody wants to be told.
    if trace::decision_is_wanted() {
        return None;
    }

    filter.hit(quick.rule());
    device.stats.allowed.inc();
    Some(())
}
