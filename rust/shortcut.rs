// SPDX-License-Identifier: GPL-2.0

//! The short way to the answer for most commands of most senders: allowed, by a rule without fields.
//!
//! It says yes, or nothing: whatever is not plain is for the decision in [`hook`](crate::hook), which
//! begins anew. What it says must be what is decided there, on the same rules of one moment, and
//! counted alike. There is no call in it, no loop and no lock.

use crate::{
    kernel_ext::{
        scsi::cmd_allowed::{
            Addressed,
            Cdb, //
        },
        sync::{
            load::Load,
            rcu_sched, //
        },
        trace, //
    },
    state::State, //
};
use core::hint::black_box;

/// The answer: surely allowed, and then counted; or that of `whole`.
#[inline(always)]
pub(crate) fn or_whole(
    cdb: Cdb<'_>,
    open_for_write: bool,
    whole: fn(Cdb<'_>, bool) -> bool,
) -> bool {
    let Some(addressed) = cdb.addressed() else {
        return whole(cdb, open_for_write);
    };
    let reader = rcu_sched::read_lock();
    if try_allow(&addressed, open_for_write, &reader).is_some() {
        if reader.end() {
            return allowed_after_resched();
        }
        return true;
    }
    if reader.end() {
        return whole_after_resched(cdb, open_for_write, whole);
    }
    whole(cdb, open_for_write)
}

// These two are called last, by a jump: so the short way needs no stack.

#[cold]
#[inline(never)]
fn allowed_after_resched() -> bool {
    rcu_sched::resched();
    // That it is always the same must not be known to the caller, or there is no jump.
    black_box(true)
}

#[cold]
#[inline(never)]
fn whole_after_resched(
    cdb: Cdb<'_>,
    open_for_write: bool,
    whole: fn(Cdb<'_>, bool) -> bool,
) -> bool {
    rcu_sched::resched();
    whole(cdb, open_for_write)
}

#[inline(always)]
fn try_allow(
    addressed: &Addressed<'_>,
    open_for_write: bool,
    reader: &rcu_sched::Guard,
) -> Option<()> {
    let opcode = addressed.cdb[0];
    let state = State::current(reader)?;
    let device = &*state.devices.get(addressed.queue.key(), reader)?.device;

    let (filter, quick) = state.changing.try_read(|| {
        // Then no rule decides.
        if device.unpriv_sgio.load_acquire() {
            return None;
        }
        if let Some(own) = device.rules.read(reader) {
            let quick = own.look(opcode);
            if !quick.is_silent() {
                return Some((own, quick));
            }
        }
        let class = state.class_rules(device.class).read(reader)?;
        Some((class, class.look(opcode)))
    })??;
    // Or somebody wants to be told.
    if !quick.is_allowed(open_for_write) || trace::decision_is_wanted() {
        return None;
    }

    filter.hit(quick.rule());
    device.stats.allowed.inc();
    Some(())
}
