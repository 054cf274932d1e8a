// SPDX-License-Identifier: GPL-2.0

//! `sgioctl apply`.

mod event;

use crate::{
    applied::{self, Classes, Record},
    context::Context,
    device::{self, Device, Hctl},
    kernel, output,
    policyfile::{load, transaction, Maps, Policies, Resolved, Selector},
    root::Root,
};
use anyhow::{bail, Context as _, Result};
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode, thread, time::Duration};

/// How often it is tried when devices come and go meanwhile, and the pause between.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
All files are read and checked first: if anything in any of them is wrong, nothing is changed. \
Devices and classes that no file names get their defaults: rules made by hand go, those of \
'allow --for' too.

With --event, as udev calls it: a device object gets its policy once, when it has its defaults; what \
somebody else has set stays, and what was edited in a file since is left to 'sgioctl apply'. Messages \
go to the kernel log.

Examples:
  sgioctl apply                         all of /etc/sgio-filter/policy.d
  sgioctl apply --dry-run cluster.toml  print the transaction, change nothing
  sgioctl apply --device sdc            only this device
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

    /// Do it once for each device object, and leave alone what somebody else has set.
    #[arg(long)]
    pub event: bool,
}

#[derive(Serialize)]
struct Answer {
    applied: bool,
    devices: Vec<AppliedDevice>,
    transaction: String,
}

#[derive(Serialize)]
struct AppliedDevice {
    device: Hctl,
    /// Where the block that has the say stands; none: the defaults.
    block: Option<String>,
    rules: usize,
}

/// What is to be done, and what is to be remembered of it.
#[derive(Default)]
struct Prepared {
    devices: Vec<AppliedDevice>,
    transaction: String,
    records: Vec<(Hctl, Record)>,
    classes: Option<Classes>,
    /// Devices that keep what somebody else has set.
    left: Vec<Hctl>,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    if args.event {
        return event::run(context, &args);
    }
    let root = &context.root;
    let policies = load(root, &args.paths).context("nothing was changed")?;
    for warning in &policies.warnings {
        output::note(&warning.to_string());
    }
    if policies.blocks.is_empty() && policies.classes.is_empty() {
        output::note("note: no file has a policy: all devices and classes get their defaults");
    }
    let prepared = if args.dry_run {
        prepare(root, &policies, args.device.as_deref())?
    } else {
        let lock = applied::lock(root);
        let prepared = put_in_force(root, || prepare(root, &policies, args.device.as_deref()))?;
        drop(lock);
        prepared
    };
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
        output::print(&format!("{count} devices set, {own} of them by a policy\n"))
    });
    match args.dry_run {
        true => reported?,
        false => reported.map_err(output::unreported)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Does what `prepare` says, which looks again if a device went or came meanwhile, and remembers it.
fn put_in_force(root: &Root, prepare: impl Fn() -> Result<Prepared>) -> Result<Prepared> {
    let mut tries = 1;
    let prepared = loop {
        let prepared = prepare()?;
        if prepared.transaction.is_empty() {
            break prepared;
        }
        match kernel::transact(root, &prepared.transaction) {
            Ok(()) => break prepared,
            // A device has gone, or another one has its address.
            Err(error) if tries < TRIES && kernel::device_changed(&error) => {
                tries += 1;
                thread::sleep(PAUSE);
            }
            Err(error) => {
                let tries = format!("nothing was changed ({tries} tries)");
                return Err(error).context(if tries.contains("(1 ") {
                    "nothing was changed".to_owned()
                } else {
                    tries
                });
            }
        }
    };
    if tries > 1 {
        output::note(&format!(
            "devices came or went meanwhile: done at try {tries}"
        ));
    }
    // What cannot be remembered counts as set by somebody else: an event leaves it alone.
    let remembered = prepared
        .records
        .iter()
        .map(|(hctl, record)| record.write(root, *hctl))
        .chain(prepared.classes.iter().map(|classes| classes.write(root)));
    if let Some(Err(error)) = remembered.into_iter().find(Result::is_err) {
        output::note(&format!(
            "in force, but not remembered for later events: {error:#}"
        ));
    }
    Ok(prepared)
}

/// The devices that were asked for, and the multipath maps.
fn look(root: &Root, policies: &Policies, only: Option<&str>) -> Result<(Vec<Device>, Maps)> {
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
    policies.blocks.iter().any(|block| key(&block.selector))
}

/// Looks at the devices and makes the transaction.
fn prepare(root: &Root, policies: &Policies, only: Option<&str>) -> Result<Prepared> {
    let (devices, maps) = look(root, policies, only)?;
    let chosen: Vec<&Device> = devices.iter().collect();
    let mut prepared = Prepared::default();
    if only.is_none() {
        prepared.transaction = transaction::classes(policies);
        prepared.classes = Classes::now(root);
    }
    let resolved = policies
        .resolve_some(&chosen, &maps)
        .context("nothing was changed")?;
    for state in resolved {
        let hctl = state.device.hctl;
        // A device that the module does not know has just come, and udev will tell of it, or
        // has just gone.
        let Some(id) = state.device.id else {
            if only.is_some() {
                bail!("{hctl} is not known to the module: is sgio_filter loaded?");
            }
            continue;
        };
        add(&mut prepared, policies, &state, id);
    }
    Ok(prepared)
}

/// Adds a device that is to be set.
fn add(prepared: &mut Prepared, policies: &Policies, state: &Resolved<'_>, id: u64) {
    let hctl = state.device.hctl;
    prepared.transaction += &transaction::device(state, Some(id));
    prepared.devices.push(AppliedDevice {
        device: hctl,
        block: block(policies, state),
        rules: state.entries.len(),
    });
    prepared.records.push((
        hctl,
        Record {
            id,
            files: policies.digest(),
            block: block(policies, state),
            state: Some(applied::wanted(
                state.unpriv_sgio,
                state.complain,
                state.report_luns.name(),
                state.pr_exclusive,
                &state.rules(),
            )),
            later: later(policies),
        },
    ));
}

/// Where the block that has the say stands.
fn block(policies: &Policies, state: &Resolved<'_>) -> Option<String> {
    let block = policies.blocks.get(state.block?)?;
    Some(block.place.to_string())
}

/// Tells whether another block may have the say when a link or a map has come.
fn later(policies: &Policies) -> bool {
    uses(policies, |selector| {
        selector.by_id.is_some() || selector.by_path.is_some() || selector.multipath.is_some()
    })
}
