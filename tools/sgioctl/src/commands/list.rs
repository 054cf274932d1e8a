// SPDX-License-Identifier: GPL-2.0

//! `sgioctl list`.

use crate::{
    context::Context,
    device::{self, Device},
    output::{self, on_off, printable},
    running::{self, Running},
    time,
};
use anyhow::Result;
use serde::Serialize;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
RULES counts the device's own rules, REFUSED the commands refused since it appeared or the module
was loaded. A '-' means: there is none, or the module is not loaded.

Examples:
  sgioctl list
  sgioctl list sda sdb          only these
  sgioctl list mpatha           the paths of a multipath map
  sgioctl list --json | jq -r '.devices[] | select(.filter.complain) | .hctl'")]
pub struct Args {
    /// Only these: H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map.
    #[arg(value_name = "DEV")]
    devices: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    /// Whether the module is loaded.
    loaded: bool,
    devices: Vec<ListedDevice>,
}

#[derive(Serialize)]
struct ListedDevice {
    #[serde(flatten)]
    device: Device,
    /// `null`: the module does not know the device.
    filter: Option<Running>,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let root = &context.root;
    let mut devices = Vec::new();
    if args.devices.is_empty() {
        devices = device::scan(root)?;
    }
    for name in &args.devices {
        devices.extend(device::find(root, name)?);
    }
    let running = running::devices(root, &devices)?;
    let entries = devices.into_iter().zip(running);
    let answer = Answer {
        loaded: running::is_loaded(root),
        devices: entries
            .map(|(device, filter)| ListedDevice { device, filter })
            .collect(),
    };
    context.output.answer("list", &answer, || {
        if !answer.loaded {
            output::note("note: the module sgio_filter is not loaded");
        }
        output::print(&table(&answer.devices))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn table(entries: &[ListedDevice]) -> String {
    const HEAD: [&str; 12] = [
        "DEVICE",
        "ADDRESS",
        "CLASS",
        "VENDOR",
        "MODEL",
        "TRANSPORT",
        "MULTIPATH",
        "UNPRIV",
        "COMPLAIN",
        "RULES",
        "REFUSED",
        "WWID",
    ];
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    rows.extend(entries.iter().map(row));
    output::columns(&rows)
}

/// How many rules, and when the first of those ends that end by themselves.
fn rules(running: &Running) -> String {
    let count = running.rules.lines().count();
    let timed = &running.timed;
    match timed.iter().map(|timed| timed.seconds_left).min() {
        None => count.to_string(),
        Some(left) if timed.len() == 1 => format!("{count} (1 ends in {})", time::words(left)),
        Some(left) => format!(
            "{count} ({} end, from {} on)",
            timed.len(),
            time::words(left)
        ),
    }
}

fn row(entry: &ListedDevice) -> Vec<String> {
    let none = || "-".to_owned();
    let text = |text: &str| match text {
        "" => none(),
        text => printable(text),
    };
    let device = &entry.device;
    let filter = |of: fn(&Running) -> String| entry.filter.as_ref().map_or_else(none, of);
    vec![
        text(&device.name()),
        device.hctl.to_string(),
        device.class.name().to_owned(),
        text(&device.vendor),
        text(&device.model),
        text(&device.transport),
        device
            .multipath
            .as_ref()
            .map_or_else(none, |map| text(&map.name)),
        filter(|running| on_off(running.settings.unpriv_sgio).to_owned()),
        filter(|running| on_off(running.settings.complain).to_owned()),
        filter(rules),
        filter(|running| running.stats.refused.to_string()),
        match &device.wwid {
            None if device.unknown.contains(&"wwid") => "unknown".to_owned(),
            wwid => wwid.as_deref().map_or_else(none, text),
        },
    ]
}
