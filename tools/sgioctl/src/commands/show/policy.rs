// SPDX-License-Identifier: GPL-2.0

//! What is in force, as a policy file.

use super::comment::comment;
use crate::{
    context::Context,
    device::{Device, Hctl},
    grant,
    output::{self, printable},
    running::{self, Running},
};
use anyhow::{bail, Result};
use serde::Serialize;
use std::process::ExitCode;

#[derive(Serialize)]
struct Policy {
    /// TOML.
    policy: String,
}

/// How a policy names a device.
#[derive(Clone, PartialEq, Eq)]
enum Selector {
    Wwid(String),
    /// With what is to be said of it.
    Address(Hctl, &'static str),
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
    let answer = Policy {
        policy: policy(&found),
    };
    context
        .output
        .answer("show", &answer, || output::print(&answer.policy))?;
    Ok(ExitCode::SUCCESS)
}

/// The policy of the devices: one entry for those of one WWID, unless they differ.
///
/// It means these devices and no other, whatever they say of themselves.
pub fn policy(found: &[(Device, Running)]) -> String {
    let same = |a: &Running, b: &Running| {
        // In which second two rules end is no difference.
        let ending = |of: &Running| of.timed.iter().map(|t| t.rule).collect::<Vec<_>>();
        a.settings == b.settings && a.rules == b.rules && ending(a) == ending(b)
    };
    let mut done: Vec<Selector> = Vec::new();
    let mut text = String::new();
    for (device, running) in found {
        let agree = |wwid: &String| {
            found
                .iter()
                .filter(|(other, _)| other.wwid.as_ref() == Some(wwid))
                .all(|(_, other)| same(running, other))
        };
        let selector = match (safe_wwid(device), &device.wwid) {
            (Some(_), Some(wwid)) if agree(wwid) => Selector::Wwid(wwid.clone()),
            (Some(_), _) => Selector::Address(device.hctl, "the paths to its WWID differ"),
            (None, Some(_)) => Selector::Address(device.hctl, "its WWID is no plain text"),
            (None, None) if device.unknown.contains(&"wwid") => {
                Selector::Address(device.hctl, "its WWID could not be read")
            }
            (None, None) => Selector::Address(device.hctl, "it reports no WWID"),
        };
        if done.contains(&selector) {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&entry(device, running, &selector));
        done.push(selector);
    }
    text
}

/// A text as a basic string of TOML, on one line whatever is in it.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .flat_map(|c| {
            let escape = matches!(c, '"' | '\\').then_some('\\');
            escape.into_iter().chain(Some(c))
        })
        .collect();
    format!("\"{escaped}\"")
}

fn entry(device: &Device, running: &Running, selector: &Selector) -> String {
    let selector = match selector {
        Selector::Wwid(wwid) => {
            format!("match = {{ wwid = {}, exact = true }}", quoted(wwid))
        }
        Selector::Address(hctl, why) => format!(
            "# By its address, since {why}: at the next boot it may be that of another device.\n\
             match = {{ hctl = \"{hctl}\" }}"
        ),
    };
    let settings = &running.settings;
    let mut rules = String::new();
    let mut ending = String::new();
    for (number, rule) in running.rules.lines().enumerate() {
        if running.seconds_left(number).is_some() {
            ending += &format!("# Not here, since it ends by itself: {rule}\n");
            continue;
        }
        rules.push_str(rule);
        match comment(rule, device.class).as_str() {
            "" => (),
            comment => rules.push_str(&format!("    # {comment}")),
        }
        rules.push('\n');
    }
    let rules = match rules.as_str() {
        "" => "\"\"".to_owned(),
        rules => format!("\"\"\"\n{rules}\"\"\""),
    };
    format!(
        "# {}: {} {}\n{ending}[[device]]\n{selector}\nunpriv_sgio = {}\ncomplain = {}\n\
         report_luns = \"{}\"\npr_exclusive = {}\nfilter_sg = {}\nrules = {rules}\n",
        printable(&device.full_name()),
        printable(&device.vendor),
        printable(&device.model),
        settings.unpriv_sgio,
        settings.complain,
        settings.report_luns.name(),
        settings.pr_exclusive,
        settings.filter_sg,
    )
}
