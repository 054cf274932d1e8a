// SPDX-License-Identifier: GPL-2.0

//! The memory of grants that have ended is freed without anybody's help.
//!
//! A grant ends with its holder, or at its deadline, and nobody is told. So while there are grants, the devices that have some
//! are looked at now and then. Nothing depends on how soon: what has ended allows nothing.

use super::grants;
use crate::{
    kernel::{
        periodic::{
            Periodic,
            Work, //
        },
        sync::rcu::RcuArc, //
    },
    policy::Hctl,
    state::{
        device::DeviceState,
        filter::CompiledFilter,
        rules::now,
        State, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The work, while the module is loaded.
static WORK: RcuArc<Periodic<Sweep>> = RcuArc::none();

/// While this object lives, what has ended is freed.
pub(crate) struct Sweeper(());

impl Sweeper {
    /// Nothing is to be done before there is a grant.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let work = Arc::pin_init(Periodic::new(), GFP_KERNEL)?;
        drop(WORK.replace(Some(work)));
        Ok(Self(()))
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        // The last reference: one that starts the work is in an open file, which holds the module. It waits for the work.
        drop(WORK.replace(None));
    }
}

/// Has a device looked at, from now on until it has no grants. To be called before it gets them.
///
/// # Errors
///
/// `ENOMEM`, and `ENODEV` while the module is being unloaded.
pub(super) fn look_after(state: &State, device: &DeviceState) -> Result {
    let key = (device.hctl, device.id);
    let mut granted = state.granted.lock();
    if !granted.contains(&key) {
        granted.push(key, GFP_KERNEL)?;
    }
    drop(granted);
    WORK.get().ok_or(ENODEV)?.start();
    Ok(())
}

struct Sweep;

impl Work for Sweep {
    const PERIOD_MS: u32 = 10_000;

    fn run() -> bool {
        State::get().is_some_and(|state| sweep(&state))
    }
}

/// Frees the grants that have ended. Returns whether there are others.
fn sweep(state: &State) -> bool {
    let mut at = 0;
    loop {
        let Some((hctl, id)) = state.granted.lock().get(at).copied() else {
            break;
        };
        match still_has_grants(state, hctl, id) {
            // Without memory now, it is done the next time.
            Ok(true) | Err(_) => at += 1,
            Ok(false) => state.granted.lock().retain(|key| *key != (hctl, id)),
        }
    }
    !state.granted.lock().is_empty()
}

/// Frees those of one device.
///
/// # Errors
///
/// `ENOMEM`.
fn still_has_grants(state: &State, hctl: Hctl, id: u64) -> Result<bool> {
    let Some(device) = state.device_at(hctl) else {
        return Ok(false);
    };
    if device.id != id {
        return Ok(false);
    }
    let writers = state.writers.lock();
    let Some(filter) = device.rules.get() else {
        return Ok(false);
    };
    let Some(old) = filter.grants() else {
        return Ok(false);
    };
    if !old.any_has_ended(now()) {
        return Ok(true);
    }
    let grants = grants::living(Some(old))?;
    let some = grants.is_some();
    let new = CompiledFilter::regranted(Some(&filter), grants)?;
    let retired = device.rules.replace(new);
    drop(writers);
    drop(retired);
    Ok(some)
}
