// SPDX-License-Identifier: GPL-2.0

//! `sgioctl apply --holder`: what the hooks of managers call when a holder has appeared.

use super::{
    grants::Granting,
    in_force::put_in_force,
    kernel_log::{kernel_log, log},
    prepared::{add_grants, of_misfit, Answer, Prepared},
};
use crate::{
    applied,
    context::Context,
    device,
    holders::Finder,
    output,
    policyfile::{load, HolderName, Maps, Pattern, Policies},
    root::Root,
};
use anyhow::{anyhow, ensure, Context as _, Result};
use std::{path::PathBuf, process::ExitCode};

/// How it is done.
pub(super) struct How<'a> {
    pub(super) paths: &'a [PathBuf],
    /// Once for each holder and device object; messages to the kernel log.
    pub(super) event: bool,
    pub(super) dry_run: bool,
}

pub(super) fn run(context: &Context, how: &How<'_>, holder: &str) -> Result<ExitCode> {
    let root = &context.root;
    let done = apply(context, how, holder);
    if let (Err(error), true) = (&done, how.event) {
        // The error itself goes to standard error, which nobody may look at.
        kernel_log(
            root,
            &format!("{holder}: no grant was put in force: {error:#}"),
        );
    }
    done.map(|()| ExitCode::SUCCESS)
}

fn apply(context: &Context, how: &How<'_>, text: &str) -> Result<()> {
    let root = &context.root;
    let name = name_of(text)?;
    let _lock = (!how.dry_run).then(|| applied::lock(root));
    let policies = load(root, how.paths).context("nothing was changed")?;
    let prepare = || prepare(root, &policies, &name, how.event);
    let prepared = match how.dry_run {
        true => prepare()?,
        false => put_in_force(root, prepare)?,
    };
    for misfit in prepared.misfits.iter().map(of_misfit) {
        match how.event {
            true if !applied::is_news(root, &misfit) => {}
            true => log(root, &misfit),
            false => output::note(&format!("note: {misfit}")),
        }
    }
    let answer = Answer {
        applied: !how.dry_run,
        devices: prepared.devices,
        transaction: prepared.transaction,
    };
    let reported = context.output.answer("apply", &answer, || {
        if how.dry_run {
            return output::print(&answer.transaction);
        }
        let count: usize = answer.devices.iter().map(|device| device.grants).sum();
        let devices = answer.devices.len();
        output::print(&format!(
            "{name}: {count} grants changed on {devices} devices\n"
        ))
    });
    output::reported(reported, !how.dry_run)
}

/// `libvirt=db-1`: the name means itself, whatever is in it.
fn name_of(text: &str) -> Result<HolderName> {
    let (kind, name) = text
        .split_once('=')
        .with_context(|| format!("'{text}': write KIND=NAME, as libvirt=db-1"))?;
    HolderName::new(kind, Pattern::literal(name))
        .map_err(|(message, fix)| anyhow!("{message}; {fix}"))
}

fn prepare(
    root: &Root,
    policies: &Policies,
    name: &HolderName,
    by_event: bool,
) -> Result<Prepared> {
    let mut finder = Finder::new(root);
    let holders = finder.find(name)?;
    ensure!(
        !holders.is_empty(),
        "there is no {name} now: nothing was changed"
    );
    let present = finder.present(policies)?.only(&holders);
    let mut prepared = Prepared::default();
    if by_event && present.all().next().is_none() {
        return Ok(prepared);
    }
    let devices = device::scan(root)?;
    let maps = Maps::of(&devices);
    let granting = Granting {
        root,
        policies,
        present: &present,
        maps: &maps,
    };
    for device in &devices {
        // One that the module does not know yet gets its grants with its policy.
        let Some(id) = device.id else { continue };
        let edits = match by_event {
            true => granting.by_event(device, id)?,
            false => granting.by_hand(device, id, Some(&holders))?,
        };
        add_grants(&mut prepared, edits, device.hctl, id);
    }
    Ok(prepared)
}
