// SPDX-License-Identifier: GPL-2.0

//! What is in force, as a policy file.

use super::comment::comment;
use crate::{
    context::Context,
    device::Device,
    grant, output,
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
}

/// The WWID of a device, if a file can name it by that. The device has chosen it: what sysfs cannot give
/// without loss, and what an editor may change, is no name.
fn safe_wwid(device: &Device) -> Option<&str> {
    let wwid = device.wwid.as_deref()?;
    let plain = wwid.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (plain && wwid.len() <= 255).then_some(wwid)
}

/// Prints it.
pub(super) fn show(context: &Context, devices: Vec<Device>) -> Result<ExitCode> {
    let mut found = Vec::new();
    for device in devices {
        let Some(running) = running::device(&context.root, device.hctl)? else {
            bail!("{}", grant::unknown(context, &device));
        };
        found.push((device, running));
    }
    let answer = Answer {
        policy: policy(&found)?,
    };
    context
        .output
        .answer("show", &answer, || output::print(&answer.policy))?;
    Ok(ExitCode::SUCCESS)
}

/// The policy of the devices: one entry for those of one WWID, unless they differ.
///
/// It means these devices and no other, whatever they say of themselves.
///
/// # Errors
///
/// As of [`policyfile::write()`].
pub fn policy(found: &[(Device, Running)]) -> Result<String> {
    let same = |a: &Running, b: &Running| {
        // In which second two rules end is no difference.
        let ending = |of: &Running| of.timed.iter().map(|t| t.rule).collect::<Vec<_>>();
        a.settings == b.settings && a.rules == b.rules && ending(a) == ending(b)
    };
    let mut blocks: Vec<NewBlock> = Vec::new();
    for (device, running) in found {
        let agree = |wwid: &String| {
            found
                .iter()
                .filter(|(other, _)| other.wwid.as_ref() == Some(wwid))
                .all(|(_, other)| same(running, other))
        };
        let unit = match (safe_wwid(device), &device.wwid) {
            (Some(_), Some(wwid)) if agree(wwid) => Unit::Wwid(wwid.clone()),
            (Some(_), _) => Unit::Address(device.hctl, "the paths to its WWID differ"),
            (None, Some(_)) => Unit::Address(device.hctl, "its WWID is no plain text"),
            (None, None) if device.unknown.contains(&"wwid") => {
                Unit::Address(device.hctl, "its WWID could not be read")
            }
            (None, None) => Unit::Address(device.hctl, "it reports no WWID"),
        };
        if blocks.iter().all(|block| block.unit != unit) {
            blocks.push(block(device, running, unit));
        }
    }
    policyfile::write(&blocks)
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
