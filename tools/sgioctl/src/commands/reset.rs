// SPDX-License-Identifier: GPL-2.0

//! `sgioctl reset`.

use crate::{
    change::{self, Plan},
    context::Context,
    output,
    settings::Settings,
};
use anyhow::Result;
use sgio_policy::policy::ReportLuns;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
The device's own rules go, all its settings are switched off; the rules of its class stay as they
are. A policy file that was in force is not changed: it comes back when it is applied.

Examples:
  sgioctl reset sdb
  sgioctl reset mpatha --dry-run")]
pub struct Args {
    /// H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map.
    #[arg(value_name = "DEV")]
    device: String,

    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let mut plan = Plan::new(context, args.dry_run);
    let body = format!("{}rules\n\n", Settings::DEFAULT.lines());
    for target in change::targets(context, &args.device)? {
        let running = &target.running;
        let mut changes = Vec::new();
        for (switch, on) in running.settings.switches() {
            if on {
                changes.push(format!("{switch} on -> {}", output::on_off(false)));
            }
        }
        if running.settings.report_luns == ReportLuns::Own {
            changes.push("report_luns own -> passthrough".to_owned());
        }
        changes.extend(running.rules.lines().map(|rule| format!("- {rule}")));
        plan.add(&target, changes, &body);
    }
    plan.carry_out(context, "reset")
}
