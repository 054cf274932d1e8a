// SPDX-License-Identifier: GPL-2.0

//! The short way to the answer for most commands of most senders: what a rule without fields says, or
//! the absence of any rule.
//!
//! It answers what is plain, or nothing: the rest is for the decision in [`hook`](crate::hook), which
//! begins anew. What it says must be what is decided there, on the same rules of one moment, and
//! counted alike. To what is allowed there is no call in it, no loop and no lock.

use crate::{
    device::{
        count,
        Device, //
    },
    filter::CompiledFilter,
    kernel_ext::{
        audit,
        capability::Capability,
        scsi::cmd_allowed::{
            Addressed,
            Cdb, //
        },
        sync::{
            rcu_sched, //
        },
        trace, //
    },
    policy::Quick,
    state::State, //
};
use core::hint::black_box;
use kernel::sync::rcu;

/// The answer, and then it is counted; or that of `whole`.
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
    if let Some(plain) = look_up(&addressed, &reader) {
        if plain.quick.is_allowed(open_for_write) {
            plain.filter.hit(plain.quick.rule());
            plain.device.stats.allowed.inc();
            if reader.end() {
                return allowed_after_resched();
            }
            return true;
        }
        if plain.needs_capability() {
            if reader.end() {
                return by_capability_after_resched(cdb);
            }
            return by_capability(cdb);
        }
    }
    if reader.end() {
        return whole_after_resched(cdb, open_for_write, whole);
    }
    whole(cdb, open_for_write)
}

// These are called last, by a jump: so the short way needs no stack.

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

#[cold]
#[inline(never)]
fn by_capability_after_resched(cdb: Cdb<'_>) -> bool {
    rcu_sched::resched();
    by_capability(cdb)
}

/// What the rules do not allow. A security module may take locks, which is not for a reader with
/// preemption off. But where locks sleep, it is readers that unloading waits for (see `CmdAllowed`).
#[cold]
#[inline(never)]
fn by_capability(cdb: Cdb<'_>) -> bool {
    let asking = cfg!(CONFIG_PREEMPT_RT).then(rcu::read_lock);
    let privileged = Capability::SYS_RAWIO.current_has();
    drop(asking);
    let reader = rcu_sched::read_lock();
    // A device that has gone meanwhile has no counters any more.
    if let Some(device) = cdb
        .addressed()
        .and_then(|to| device(&to, State::current(&reader)?, &reader))
    {
        let stats = &device.stats;
        count(if privileged {
            &stats.privileged
        } else {
            &stats.refused
        });
    }
    privileged
}

#[inline(always)]
fn device<'a>(
    addressed: &Addressed<'_>,
    state: &'a State,
    reader: &'a rcu_sched::Guard,
) -> Option<&'a Device> {
    Some(&*state.devices.get(addressed.queue.key(), reader)?.device)
}

/// What the tables say, for a device.
struct Plain<'a> {
    device: &'a Device,
    filter: &'a CompiledFilter,
    quick: Quick,
}

/// Nothing, if there is no device or no rules, or if not rules alone decide, or if somebody wants to
/// be told each decision.
#[inline(always)]
fn look_up<'a>(addressed: &Addressed<'_>, reader: &'a rcu_sched::Guard) -> Option<Plain<'a>> {
    let opcode = addressed.cdb[0];
    let state = State::current(reader)?;
    let device = device(addressed, state, reader)?;

    let (filter, quick) = state.changing.try_read(|| {
        if device.modes.any() {
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
    if trace::decision_is_wanted() {
        return None;
    }
    Some(Plain {
        device,
        filter,
        quick,
    })
}

impl Plain<'_> {
    /// Whether it is plain that what is not allowed needs the capability, and no refusal is to be
    /// told. Then it counts the rule.
    #[inline(always)]
    fn needs_capability(&self) -> bool {
        if !self.quick.is_known() || audit::is_enabled() {
            return false;
        }
        if !self.quick.is_silent() {
            self.filter.hit(self.quick.rule());
        }
        true
    }
}
