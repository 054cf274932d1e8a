// SPDX-License-Identifier: GPL-2.0

//! What is to be done to put policy files in force: the transaction, and what is to be remembered of it.

use super::grants::{to_come, GrantEdits, Granting};
use crate::{
    applied::{self, Applied, Classes, Given},
    device::{self, Device, Hctl},
    holders::Finder,
    output, parallel,
    policyfile::{self, transaction, Fault, Maps, Policies, Resolved, Selector},
    root::Root,
    running,
};
use anyhow::{bail, Context as _, Result};
use serde::Serialize;

/// A device that was set.
#[derive(Serialize)]
pub(super) struct AppliedDevice {
    pub(super) device: Hctl,
    /// Where the block that decides stands; none: the defaults.
    pub(super) block: Option<String>,
    pub(super) rules: usize,
    /// How many grants were made, replaced or revoked.
    pub(super) grants: usize,
}

/// The answer of the command.
#[derive(Serialize)]
pub(super) struct Answer {
    pub(super) applied: bool,
    pub(super) devices: Vec<AppliedDevice>,
    pub(super) transaction: String,
}

/// What is to be done, and what is to be remembered of it.
#[derive(Default)]
pub(super) struct Prepared {
    pub(super) devices: Vec<AppliedDevice>,
    pub(super) transaction: String,
    pub(super) records: Vec<(Hctl, Applied)>,
    /// The grants that were given.
    pub(super) given: Vec<(Hctl, Given)>,
    pub(super) classes: Option<Classes>,
    /// `filter_sg` of all devices, where it is to be changed.
    pub(super) filter_sg: Option<bool>,
    /// What an event has seen in force on the devices that it sets.
    pub(super) seen: Vec<(Hctl, String)>,
    /// Devices that keep what was set by hand.
    pub(super) left: Vec<Hctl>,
    /// What has no effect, in a line each.
    pub(super) notices: Vec<String>,
    /// What is wrong with single devices: they get what their block denies, and nothing else of it.
    pub(super) misfits: Vec<Fault>,
}

/// The devices that have rules that end by themselves, which go now, and how many.
pub(super) fn losing_timed(root: &Root, devices: &[AppliedDevice]) -> Vec<(Hctl, usize)> {
    let counts = parallel::map(devices, |device| running::timed(root, device.device));
    let devices = devices.iter().map(|device| device.device);
    devices
        .zip(counts)
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// What is said of a device that its block is not for.
pub(super) fn of_misfit(fault: &Fault) -> String {
    format!("{fault}; it gets what the block denies, and nothing else of it")
}

pub(super) fn say_of_timed(losing: &[(Hctl, usize)]) {
    if losing.is_empty() {
        return;
    }
    let names: Vec<String> = losing.iter().map(|(hctl, _)| hctl.to_string()).collect();
    let count: usize = losing.iter().map(|(_, count)| count).sum();
    output::note(&format!(
        "note: {count} rules of 'allow --for' have gone before their time, on {}",
        few(&names)
    ));
}

/// The devices that were asked for, and the multipath maps.
pub(super) fn look(
    root: &Root,
    policies: &Policies,
    only: Option<&str>,
    by_event: bool,
) -> Result<(Vec<Device>, Maps)> {
    let Some(name) = only else {
        let all = device::scan(root)?;
        let maps = Maps::of(&all);
        return Ok((all, maps));
    };
    // The way of udev, for one device after the other: only what is needed is read.
    let links = uses(policies, |selector| {
        selector.by_id.is_some() || selector.by_path.is_some()
    });
    let devices = match device::find_by_kernel_name(root, name, links)? {
        Some(devices) => devices,
        // A device chooses its WWID, and with it what find() takes for its name: udev has a name of the kernel.
        None if by_event => bail!("the kernel has no SCSI device or map of that name"),
        None => device::find(root, name)?,
    };
    let maps = if uses(policies, |selector| selector.multipath.is_some()) {
        device::maps(root)?.iter().collect()
    } else {
        Maps::default()
    };
    Ok((devices, maps))
}

/// Tells whether a block selects by that key.
fn uses(policies: &Policies, key: fn(&Selector) -> bool) -> bool {
    policies.selectors().any(key)
}

/// Looks at the devices and makes the transaction.
pub(super) fn prepare(root: &Root, policies: &Policies, only: Option<&str>) -> Result<Prepared> {
    let (devices, maps) = look(root, policies, only, false)?;
    let present = Finder::new(root).present(policies)?;
    let chosen: Vec<&Device> = devices.iter().collect();
    let mut prepared = Prepared::default();
    if only.is_none() {
        prepared.filter_sg = filter_sg(root, policies)?;
        if let Some(on) = prepared.filter_sg {
            // A comment: it is a file of its own, and no transaction has words for it.
            prepared.transaction = format!("# filter_sg {} for all devices\n", u8::from(on));
        }
        prepared.transaction += &transaction::classes(policies);
        prepared.classes = Classes::now(root);
    }
    let (resolved, misfits) = policies
        .resolve_apart(&chosen, &maps)
        .context("nothing was changed")?;
    prepared.misfits = misfits;
    prepared.notices = notices(policies, &devices);
    for state in resolved {
        let hctl = state.device.hctl;
        // A device that the module does not know has just come, and udev will tell of it, or
        // has just gone.
        if state.device.unknown.contains(&"id") {
            bail!("{hctl}: its id could not be read: nothing was changed");
        }
        let Some(id) = state.device.id else {
            if only.is_some() {
                bail!("{hctl} is not known to the module: is sgio_filter loaded?");
            }
            continue;
        };
        add(&mut prepared, policies, &state, id);
        let on = Granting {
            root,
            policies,
            present: &present,
            maps: &maps,
        };
        let edits = on.by_hand(state.device, id, None)?;
        add_grants(&mut prepared, edits, hctl, id);
    }
    prepared.notices.extend(to_come(policies, &present));
    Ok(prepared)
}

/// What of the policies has no effect: blocks that can never match, and devices that no policy reaches.
pub(super) fn notices(policies: &Policies, devices: &[Device]) -> Vec<String> {
    let mut notices = Vec::new();
    let never = policyfile::never_matching(policies);
    if !never.is_empty() {
        let places: Vec<String> = never.iter().map(ToString::to_string).collect();
        notices.push(format!(
            "{} that no device can match ('sgioctl lint' tells why): {}",
            counted(never.len(), "block"),
            few(&places)
        ));
    }
    let unreached = |device: &&Device| device.id.is_none() && !device.unknown.contains(&"id");
    let unreached: Vec<String> = devices
        .iter()
        .filter(unreached)
        .map(|device| device.hctl.to_string())
        .collect();
    if !unreached.is_empty() {
        notices.push(format!(
            "{} without a filter, where no policy is in force: {}",
            counted(unreached.len(), "device"),
            few(&unreached)
        ));
    }
    notices
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// The first of many.
fn few(names: &[String]) -> String {
    const MAX_NAMES: usize = 8;
    let mut text = names[..names.len().min(MAX_NAMES)].join(", ");
    if names.len() > MAX_NAMES {
        text += &format!(", {} more", names.len() - MAX_NAMES);
    }
    text
}

/// What `[all]` changes; none: nothing, or no file says it.
pub(super) fn filter_sg(root: &Root, policies: &Policies) -> Result<Option<bool>> {
    let Some(wanted) = &policies.filter_sg else {
        return Ok(None);
    };
    match running::filter_sg(root)? {
        Some(now) => Ok((now != wanted.value).then_some(wanted.value)),
        None => bail!(
            "{}: the module sgio_filter is not loaded, or has no filter_sg",
            wanted.place
        ),
    }
}

/// Adds a device that is to be set.
pub(super) fn add(prepared: &mut Prepared, policies: &Policies, state: &Resolved<'_>, id: u64) {
    let hctl = state.device.hctl;
    prepared.transaction += &transaction::device(state, Some(id));
    prepared.devices.push(AppliedDevice {
        device: hctl,
        block: block(policies, state),
        rules: state.entries().len(),
        grants: 0,
    });
    prepared.records.push((
        hctl,
        Applied {
            id,
            files: policies.digest(),
            block: block(policies, state),
            state: Some(applied::wanted(&state.settings, state.rules())),
            later: later(policies),
        },
    ));
}

/// Adds what is to be done to the grants on a device: behind its section, if that is the last.
pub(super) fn add_grants(prepared: &mut Prepared, edits: GrantEdits, hctl: Hctl, id: u64) {
    prepared.misfits.extend(edits.faults);
    prepared
        .given
        .extend(edits.given.map(|given| (hctl, given)));
    if edits.lines.is_empty() {
        return;
    }
    match prepared.devices.last_mut() {
        Some(last) if last.device == hctl => last.grants = edits.count,
        _ => {
            prepared.transaction += &format!("device {hctl} id={id}\n");
            prepared.devices.push(AppliedDevice {
                device: hctl,
                block: None,
                rules: 0,
                grants: edits.count,
            });
        }
    }
    prepared.transaction += &edits.lines;
    prepared.transaction += "\n";
}

/// Where the block that decides stands.
pub(super) fn block(policies: &Policies, state: &Resolved<'_>) -> Option<String> {
    let block = policies.blocks.get(state.block?)?;
    Some(block.place.to_string())
}

/// Tells whether another block may decide when a link or a map has come.
pub(super) fn later(policies: &Policies) -> bool {
    uses(policies, |selector| {
        selector.by_id.is_some() || selector.by_path.is_some() || selector.multipath.is_some()
    })
}
