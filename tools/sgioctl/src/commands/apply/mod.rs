// SPDX-License-Identifier: GPL-2.0

//! `sgioctl apply`.

mod event;
mod grants;
mod holder;
mod in_force;
mod kernel_log;
mod prepared;
mod wait;

use crate::{applied, context::Context, output, policyfile::load};
use anyhow::{Context as _, Result};
use in_force::put_in_force;
use prepared::{losing_timed, of_misfit, prepare, say_of_timed, Answer};
use std::{cell::Cell, path::PathBuf, process::ExitCode};

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
All files are read and checked first: if anything in any of them is wrong, nothing is changed. \
Devices and classes that no file names get their defaults: rules made by hand go, those of \
'allow --for' too. What is longer than one transaction can be (16 MiB, thousands of devices with long \
lists) goes in parts, the classes first and each device whole. Each part is all or nothing; one that \
fails ends it, and the message says how much is in force.

With --event, as udev calls it: a device object gets its policy once, when it has its defaults; what \
was set by hand stays, and what was edited in a file since is left to 'sgioctl apply'. Messages \
go to the kernel log.

With --holder, as the hooks of libvirt and Proxmox call it: the holder gets on each device what the [[grant]] \
blocks give it. With --event too, it gets that once, and what was revoked by hand stays revoked.

Examples:
  sgioctl apply                         all of /etc/sgio-filter/policy.d
  sgioctl apply --dry-run cluster.toml  print the transaction, change nothing
  sgioctl apply --device sdc            only this device
  sgioctl apply --holder libvirt=db-1   the grants of this virtual machine
  generate-policy | sgioctl apply -     from standard input")]
pub struct Args {
    /// Files, or directories of *.toml files; - is standard input [default: /etc/sgio-filter/policy.d].
    #[arg(value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,

    /// Print the transaction and change nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Change this device only (any name of it; a multipath map means all paths).
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,

    /// Only the grants of this holder: libvirt=DOMAIN, proxmox=VMID, unit=NAME or cgroup=PATH; nothing else is changed.
    #[arg(long, value_name = "KIND=NAME", conflicts_with = "device")]
    pub holder: Option<String>,

    /// Do it once for each device object, and leave alone what was set by hand.
    #[arg(long)]
    pub event: bool,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    if let Some(holder) = &args.holder {
        let how = holder::How {
            paths: &args.paths,
            event: args.event,
            dry_run: args.dry_run,
        };
        return holder::run(context, &how, holder);
    }
    if args.event {
        return event::run(context, &args.paths, args.device.as_deref(), args.dry_run);
    }
    let root = &context.root;
    if !args.dry_run {
        applied::forget_news(root);
    }
    let policies = load(root, &args.paths).context("nothing was changed")?;
    for warning in &policies.warnings {
        output::note(&warning.to_string());
    }
    let silent = policies.blocks.is_empty()
        && policies.classes.is_empty()
        && policies.grants.is_empty()
        && policies.filter_sg.is_none();
    if silent {
        output::note(&match &args.device {
            Some(device) => format!("note: no file has a policy: {device} gets its defaults"),
            None => {
                "note: no file has a policy: all devices and classes get their defaults".to_owned()
            }
        });
    }
    let prepared = if args.dry_run {
        prepare(root, &policies, args.device.as_deref())?
    } else {
        let lock = applied::lock(root);
        let timed = Cell::new(Vec::new());
        let prepared = put_in_force(root, || {
            let prepared = prepare(root, &policies, args.device.as_deref())?;
            timed.set(losing_timed(root, &prepared.devices));
            Ok(prepared)
        })?;
        drop(lock);
        say_of_timed(&timed.into_inner());
        prepared
    };
    for notice in &prepared.notices {
        output::note(&format!("note: {notice}"));
    }
    for misfit in &prepared.misfits {
        output::note(&format!("note: {}", of_misfit(misfit)));
    }
    let answer = Answer {
        applied: !args.dry_run,
        devices: prepared.devices,
        transaction: prepared.transaction,
    };
    let reported = context.output.answer("apply", &answer, || {
        if args.dry_run {
            return output::print(&answer.transaction);
        }
        let own = answer.devices.iter().filter(|d| d.block.is_some()).count();
        let count = answer.devices.len();
        let grants: usize = answer.devices.iter().map(|d| d.grants).sum();
        let grants = match grants {
            0 => String::new(),
            1 => ", 1 grant changed".to_owned(),
            more => format!(", {more} grants changed"),
        };
        output::print(&format!(
            "{count} devices set, {own} of them by a policy{grants}\n"
        ))
    });
    output::reported(reported, !args.dry_run)?;
    Ok(ExitCode::SUCCESS)
}
