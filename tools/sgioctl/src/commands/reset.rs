// SPDX-License-Identifier: GPL-2.0

//! `sgioctl reset`.

use crate::{
    context::Context,
    grant::{self, Plan},
    output,
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

const BODY: &str = "unpriv_sgio 0\ncomplain 0\nreport_luns passthrough\npr_exclusive 0\nrules\n\n";

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let mut plan = Plan::new(args.dry_run);
    for target in grant::targets(context, &args.device)? {
        let running = &target.running;
        let mut changes = Vec::new();
        for (switch, on) in [
            ("unpriv_sgio", running.unpriv_sgio),
            ("complain", running.complain),
            ("pr_exclusive", running.pr_exclusive),
        ] {
            if on {
                changes.push(format!("{switch} on -> {}", output::on_off(false)));
            }
        }
        if running.report_luns == ReportLuns::Own {
            changes.push("report_luns own -> passthrough".to_owned());
        }
        changes.extend(running.rules.lines().map(|rule| format!("- {rule}")));
        plan.add(&target, changes, BODY);
    }
    plan.carry_out(context, "reset")
}
