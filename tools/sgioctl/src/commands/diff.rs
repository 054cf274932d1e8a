// SPDX-License-Identifier: GPL-2.0

//! `sgioctl diff`.

use crate::{
    cli::Context,
    device::{self, Device, Hctl},
    policyfile::{compare, load, planned, Maps, Policies, Resolved},
    verdict::Policy,
};
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode};

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Exit status: 0 if the policy would change no verdict, 1 if it would, 2 on errors.

Examples:
  sgioctl diff /etc/sgio-filter/policy.d
  sgioctl diff new.toml sdc mpatha")]
pub struct Args {
    /// A file, or a directory of *.toml files.
    #[arg(value_name = "FILE|DIR")]
    pub path: PathBuf,

    /// Only these devices.
    #[arg(value_name = "DEVICE")]
    pub devices: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    differs: bool,
    devices: Vec<DeviceDiff>,
}

#[derive(Serialize)]
struct DeviceDiff {
    device: Hctl,
    class: &'static str,
    /// Where the block that has the say stands; none: the defaults.
    block: Option<String>,
    unpriv_sgio: Option<Switch>,
    complain: Option<Switch>,
    report_luns: Option<Words>,
    pr_exclusive: Option<Switch>,
    changes: Vec<compare::Change>,
}

#[derive(Serialize)]
struct Switch {
    before: bool,
    after: bool,
}

#[derive(Serialize)]
struct Words {
    before: &'static str,
    after: &'static str,
}

impl DeviceDiff {
    fn differs(&self) -> bool {
        let switches = [&self.unpriv_sgio, &self.complain, &self.pr_exclusive];
        switches.into_iter().any(Option::is_some)
            || self.report_luns.is_some()
            || !self.changes.is_empty()
    }
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let root = &context.root;
    let policies = load(root, &[args.path])?;
    let all = device::scan(root)?;
    let mut chosen: Vec<&Device> = all.iter().collect();
    if !args.devices.is_empty() {
        let mut wanted = Vec::new();
        for name in &args.devices {
            wanted.extend(device::find(root, name)?.into_iter().map(|d| d.hctl));
        }
        chosen.retain(|device| wanted.contains(&device.hctl));
    }
    let mut answer = Answer {
        differs: false,
        devices: Vec::new(),
    };
    for state in policies.resolve_some(&chosen, &Maps::of(&all))? {
        let before = Policy::running(root, state.device)
            .with_context(|| format!("what is in force on {}", state.device.hctl))?;
        let after = planned(root, &policies, &state)?;
        let diff = difference(&policies, &state, &before, &after);
        answer.differs |= diff.differs();
        answer.devices.push(diff);
    }
    context.output.answer("diff", &answer, || {
        for diff in answer.devices.iter().filter(|diff| diff.differs()) {
            let block = diff.block.as_deref().unwrap_or("no block, the defaults");
            println!("{} ({}): {block}", diff.device, diff.class);
            for (name, switch) in [
                ("unpriv_sgio", &diff.unpriv_sgio),
                ("complain", &diff.complain),
                ("pr_exclusive", &diff.pr_exclusive),
            ] {
                if let Some(Switch { before, after }) = switch {
                    println!("    {name}: {} -> {}", u8::from(*before), u8::from(*after));
                }
            }
            if let Some(Words { before, after }) = diff.report_luns {
                println!("    report_luns: {before} -> {after}");
            }
            for change in &diff.changes {
                let names = match change.names.as_str() {
                    "" => String::new(),
                    names => format!("  # {names}"),
                };
                let (before, after) = (change.before, change.after);
                println!("    {}: {before} -> {after}{names}", change.commands);
            }
        }
        Ok(())
    })?;
    Ok(ExitCode::from(u8::from(answer.differs)))
}

fn difference(
    policies: &Policies,
    state: &Resolved<'_>,
    before: &Policy,
    after: &Policy,
) -> DeviceDiff {
    let switch = |before, after| (before != after).then_some(Switch { before, after });
    let block = state.block.and_then(|number| policies.blocks.get(number));
    DeviceDiff {
        device: state.device.hctl,
        class: state.device.class.name(),
        block: block.map(|block| block.place.to_string()),
        unpriv_sgio: switch(before.unpriv_sgio, after.unpriv_sgio),
        complain: switch(before.complain, after.complain),
        report_luns: (before.report_luns != after.report_luns).then(|| Words {
            before: before.report_luns.name(),
            after: after.report_luns.name(),
        }),
        pr_exclusive: switch(before.pr_exclusive, after.pr_exclusive),
        changes: compare::changes(before, after, state.device.class),
    }
}
