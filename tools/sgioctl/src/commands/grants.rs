// SPDX-License-Identifier: GPL-2.0

//! `sgioctl grants`.

use crate::{
    context::Context,
    device::{self, Device, Hctl},
    output::{self, printable},
    running::{self, Grant},
    time,
};
use anyhow::{bail, Result};
use rustix::time::{clock_gettime, ClockId};
use serde::Serialize;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Of each grant: the holder, since when it has it and until when, then its rules, with how often each decided. Grants that have
ended are not shown. Needs root.

Examples:
  sgioctl grants
  sgioctl grants sdb --json")]
pub struct Args {
    /// H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map; all devices without it.
    #[arg(value_name = "DEV")]
    device: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    devices: Vec<OnDevice>,
}

#[derive(Serialize)]
struct OnDevice {
    hctl: Hctl,
    name: String,
    grants: Vec<Grant>,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let devices = match &args.device {
        Some(name) => device::find(&context.root, name)?,
        None => device::scan(&context.root)?,
    };
    let mut answer = Answer {
        devices: Vec::new(),
    };
    for device in &devices {
        let Some(grants) = running::grants(&context.root, device.hctl)? else {
            if running::device(&context.root, device.hctl)?.is_some() {
                bail!("only root may know who holds what");
            }
            continue;
        };
        if !grants.is_empty() || args.device.is_some() {
            answer.devices.push(on_device(device, grants));
        }
    }
    context.output.answer("grants", &answer, || {
        let now = u64::try_from(clock_gettime(ClockId::Boottime).tv_sec).unwrap_or(0);
        if answer.devices.is_empty() {
            return output::print(match running::is_loaded(&context.root) {
                true => "no grants\n",
                false => "no grants: the module sgio_filter is not loaded\n",
            });
        }
        let texts: String = answer.devices.iter().map(|on| text(on, now)).collect();
        output::print(&texts)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn on_device(device: &Device, grants: Vec<Grant>) -> OnDevice {
    OnDevice {
        hctl: device.hctl,
        name: device.name(),
        grants,
    }
}

fn text(on: &OnDevice, now: u64) -> String {
    let name = match on.hctl.to_string() {
        address if address == on.name => address,
        address => format!("{} ({address})", printable(&on.name)),
    };
    let mut text = format!(
        "{name}{}\n",
        if on.grants.is_empty() {
            ": no grants"
        } else {
            ""
        }
    );
    for grant in &on.grants {
        let mut facts = Vec::new();
        if !grant.name.is_empty() {
            facts.push(format!("name {}", grant.name));
        }
        facts.push(format!(
            "for {} so far",
            time::words(now.saturating_sub(grant.since))
        ));
        facts.extend(ends(grant.seconds_left));
        text += &format!(
            "  {}: {}\n",
            printable(&grant.path),
            printable(&facts.join(", "))
        );
        let rows: Vec<Vec<String>> = grant
            .rules
            .iter()
            .map(|rule| {
                let ends = ends(rule.seconds_left).map(|ends| format!("# {ends}"));
                vec![
                    format!("    {:>8}", rule.hits),
                    rule.rule.clone(),
                    ends.unwrap_or_default(),
                ]
            })
            .collect();
        text += &output::columns(&rows);
    }
    text
}

fn ends(left: Option<u64>) -> Option<String> {
    left.map(|left| format!("ends in {}", time::words(left)))
}
