// SPDX-License-Identifier: GPL-2.0

//! `sgioctl revoke`.

use super::grant::name;
use crate::{
    change::{self, Plan},
    context::Context,
    holder, running,
};
use anyhow::{ensure, Result};
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
When it returns, no command is allowed by what was revoked any more. What the rules of the device and of its class
allow is not touched.

Examples:
  sgioctl revoke sdb --unit backup.service
  sgioctl revoke mpatha --all --dry-run")]
pub struct Args {
    /// H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map.
    #[arg(value_name = "DEV")]
    device: String,

    #[command(flatten)]
    holder: holder::Args,

    /// Every grant on the device, of all holders and under all names.
    #[arg(long, conflicts_with_all = ["holder", "name"])]
    all: bool,

    /// Only the one that was granted under this name; without it, all that the holder has.
    #[arg(long, value_name = "TEXT", value_parser = given_name)]
    name: Option<String>,

    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

/// A name that is there.
fn given_name(text: &str) -> Result<String> {
    ensure!(
        !text.is_empty(),
        "a name is not empty: without --name, all that the holder has is revoked"
    );
    name(text)
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let holder = match args.all {
        true => None,
        false => Some(args.holder.holder(&context.root)?),
    };
    let mut plan = Plan::new(context, args.dry_run);
    for target in change::targets(context, &args.device)? {
        let grants = running::grants(&context.root, target.device.hctl)?.unwrap_or_default();
        let goes = |grant: &&running::Grant| {
            let holds = holder
                .as_ref()
                .is_none_or(|holder| holder.id == grant.cgroup);
            holds && args.name.as_ref().is_none_or(|name| *name == grant.name)
        };
        let mut changes = Vec::new();
        let mut body = String::new();
        for grant in grants.iter().filter(goes) {
            changes.push(format!("from {}", grant.path));
            changes.extend(grant.rules.iter().map(|rule| format!("- {}", rule.rule)));
        }
        if !changes.is_empty() {
            body = match (&holder, &args.name) {
                (None, _) => "revoke all\n".to_owned(),
                (Some(holder), None) => format!("revoke cgroup={}\n", holder.id),
                (Some(holder), Some(name)) => format!("revoke cgroup={} name={name}\n", holder.id),
            };
        }
        plan.add(&target, changes, &body);
    }
    plan.carry_out(context, "revoke")
}
