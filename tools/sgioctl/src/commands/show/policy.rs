// SPDX-License-Identifier: GPL-2.0

//! What is in force, as a policy file.

use super::comment::comment;
use crate::{
    change,
    context::Context,
    device::{self, Device, Hctl},
    output,
    policyfile::{self, NewBlock, Unit},
    running::{self, Running},
};
use anyhow::{bail, Result};
use serde::Serialize;
use std::process::ExitCode;

#[derive(Serialize)]
struct Answer {
    /// TOML.
    policy: String,
    /// The devices that it names by their addresses, which may be those of others after the next boot.
    by_address: Vec<Hctl>,
}

/// A device that has the WWID of one that is shown, and what is in force on it, if that is known.
type Peer = (Device, Option<Running>);

/// The text, if a file can name a device by it. The device, or another administrator, has chosen it: what sysfs
/// cannot give without loss, and what an editor may change, is no name.
fn safe(text: &str) -> bool {
    text.len() <= 255 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Prints it.
pub(super) fn show(context: &Context, devices: Vec<Device>) -> Result<ExitCode> {
    let mut found = Vec::new();
    for device in devices {
        let Some(running) = running::device(&context.root, device.hctl)? else {
            bail!("{}", change::unknown(context, &device));
        };
        found.push((device, running));
    }
    let mut peers = Vec::new();
    for device in device::scan(&context.root)? {
        let same_wwid = |(own, _): &&(Device, Running)| own.wwid == device.wwid;
        if device.wwid.is_some() && found.iter().any(|own| same_wwid(&own)) {
            let running = running::device(&context.root, device.hctl)?;
            peers.push((device, running));
        }
    }
    let blocks = blocks(&found, &peers);
    let by_address = blocks.iter().filter_map(|block| match block.unit {
        Unit::Address(hctl, why) => Some((hctl, why)),
        Unit::Wwid(_) | Unit::Nexus(..) => None,
    });
    for (hctl, why) in by_address.clone() {
        output::note(&format!(
            "warning: {hctl} is named by its address, since {why}: at the next boot it may be that of another device"
        ));
    }
    for (device, _) in &found {
        let grants = running::grants(&context.root, device.hctl)?.unwrap_or_default();
        if let (count @ 1.., hctl) = (grants.len(), device.hctl) {
            output::note(&format!(
                "note: {hctl} has {count} grants, which end with their holders and are not in this policy: 'sgioctl grants \
                 {hctl}' tells whose, and [[grant]] in a policy file gives them again"
            ));
        }
    }
    let answer = Answer {
        policy: policyfile::write(&blocks)?,
        by_address: by_address.map(|(hctl, _)| hctl).collect(),
    };
    context
        .output
        .answer("show", &answer, || output::print(&answer.policy))?;
    Ok(ExitCode::SUCCESS)
}

/// The policy of devices that are all there are of their WWIDs: one entry for those of one WWID, unless they differ.
///
/// It means these devices and no other, whatever they say of themselves.
///
/// # Errors
///
/// As of [`policyfile::write()`].
pub fn policy(found: &[(Device, Running)]) -> Result<String> {
    let peers = found.iter().cloned();
    let peers: Vec<Peer> = peers.map(|(d, running)| (d, Some(running))).collect();
    policyfile::write(&blocks(found, &peers))
}

/// The blocks of such a policy, where others may have the WWID of one of the devices.
fn blocks(found: &[(Device, Running)], peers: &[Peer]) -> Vec<NewBlock> {
    let mut blocks: Vec<NewBlock> = Vec::new();
    for (device, running) in found {
        let unit = match &device.wwid {
            Some(wwid) if safe(wwid) => {
                let of_wwid = |peer: &&Peer| peer.0.wwid.as_ref() == Some(wwid);
                let peers: Vec<&Peer> = peers.iter().filter(of_wwid).collect();
                unit((device, running), wwid, found, &peers)
            }
            Some(_) => Unit::Address(device.hctl, "its WWID is no plain text"),
            None if device.unknown.contains(&"wwid") => {
                Unit::Address(device.hctl, "its WWID could not be read")
            }
            None => Unit::Address(device.hctl, "it reports no WWID"),
        };
        if blocks.iter().all(|block| block.unit != unit) {
            blocks.push(block(device, running, unit));
        }
    }
    blocks
}

/// How a device with that WWID is named: by that alone if all that have it are paths of one map, or are asked for and
/// have one initiator, and have the same policy. Else each may be the disk of a guest of its own.
fn unit(
    (device, running): (&Device, &Running),
    wwid: &str,
    found: &[(Device, Running)],
    peers: &[&Peer],
) -> Unit {
    let same = |a: &Running, b: &Running| {
        // In which second two rules end is no difference.
        let ending = |of: &Running| of.timed.iter().map(|t| t.rule).collect::<Vec<_>>();
        a.settings == b.settings && a.rules == b.rules && ending(a) == ending(b)
    };
    let agree = peers
        .iter()
        .all(|(_, other)| other.as_ref().is_some_and(|other| same(running, other)));
    let joined = device.multipath.is_some()
        && peers
            .iter()
            .all(|(other, _)| other.multipath == device.multipath);
    let meant = peers.iter().all(|(peer, _)| {
        found.iter().any(|(own, _)| own.hctl == peer.hctl)
            && peer.ports.initiator == device.ports.initiator
    });
    let alone = peers.iter().all(|(peer, _)| peer.hctl == device.hctl);
    if alone || agree && (joined || meant) {
        return Unit::Wwid(wwid.to_owned());
    }
    let ports = &device.ports;
    let names = [&ports.initiator, &ports.interface, &ports.target];
    let twins = peers.iter().filter(|(peer, _)| peer.ports == *ports);
    let named = ports.initiator.is_some() && names.into_iter().flatten().all(|name| safe(name));
    if named && twins.count() == 1 && !device.unknown.contains(&"ports") {
        return Unit::Nexus(wwid.to_owned(), ports.clone());
    }
    let why = match agree {
        true => "others have its WWID too",
        false => "the paths to its WWID differ",
    };
    Unit::Address(device.hctl, why)
}

fn block(device: &Device, running: &Running, unit: Unit) -> NewBlock {
    let product = format!("{} {}", device.vendor, device.model);
    let mut lines = vec![format!("{}: {product}", device.full_name())];
    let mut rules = String::new();
    for (number, rule) in running.rules.lines().enumerate() {
        if running.seconds_left(number).is_some() {
            lines.push(format!("Not here, since it ends by itself: {rule}"));
            continue;
        }
        rules.push_str(rule);
        match comment(rule, device.class).as_str() {
            "" => (),
            comment => rules.push_str(&format!("    # {comment}")),
        }
        rules.push('\n');
    }
    NewBlock {
        comment: lines,
        unit,
        settings: running.settings,
        rules,
    }
}
