// SPDX-License-Identifier: GPL-2.0

//! `sgioctl grant`.

use crate::{
    change::{
        self,
        rules::{edits, InForce},
        Plan, Target,
    },
    context::Context,
    hex, holder,
    holder::Holder,
    names,
    policyfile::load_profiles,
    running, time,
};
use anyhow::{anyhow, ensure, Result};
use sgio_policy::policy::{Access, Rule};
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
A grant gives the rules to one cgroup (version 2) and all below it, and to nobody else who can open the device. It ends by
itself with the last process of that cgroup, with the device, and with --for. A 'deny' of the device's own rules holds
against it.

Granted again to the same holder under the same --name, rules are added to those that are there, as 'sgioctl allow'
does: what decides already is left alone, no time is made shorter. Without --read and --write, a command that changes
something needs a file open for writing, and any other any open.

Examples:
  sgioctl grant sdb persistent-reserve-in persistent-reserve-out --unit backup.service
  sgioctl grant sdb --profile disk-guest-pr --cgroup /machine.slice/db.scope --for 2h
  sgioctl grant mpatha 5e --pid 4711

In a unit file:
  ExecStartPre=+/usr/sbin/sgioctl grant sdb --profile smart-ro --self")]
pub struct Args {
    /// H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map.
    #[arg(value_name = "DEV")]
    device: String,

    /// A command by name, by opcode, by the CDB that was sent, or as in a rule.
    #[arg(value_name = "COMMAND", required_unless_present = "profile")]
    commands: Vec<String>,

    /// All that a profile gives.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,

    #[command(flatten)]
    holder: holder::Args,

    /// With any open.
    #[arg(long, conflicts_with = "write")]
    read: bool,

    /// Only with a file that is open for writing.
    #[arg(long)]
    write: bool,

    /// It ends by itself after this time: 90s, 10m, 2h, 1d.
    #[arg(long = "for", value_name = "TIME", value_parser = time::duration)]
    time: Option<u64>,

    /// A name for it: who has different names does not take away what the other has granted.
    #[arg(long, value_name = "TEXT", value_parser = own_name, default_value = "")]
    name: String,

    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

/// The name of a grant, as the kernel takes it.
pub(super) fn name(text: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:@/+\\".contains(c);
    ensure!(
        text.len() <= 64 && text.chars().all(plain),
        "'{text}': a name is up to 64 of A-Z a-z 0-9 - _ . : @ / + \\"
    );
    Ok(text.to_owned())
}

/// The same, but that of the grants which policy files give: 'sgioctl apply' takes those away that are in no file.
fn own_name(text: &str) -> Result<String> {
    ensure!(
        text != running::OF_POLICY,
        "'{text}' is the name of what policy files grant: use another one"
    );
    name(text)
}

impl Args {
    fn access(&self, command: &str, target: &Target) -> Result<Access> {
        match (self.read, self.write) {
            (true, _) => Ok(Access::Read),
            (_, true) => Ok(Access::Write),
            _ => names::default_access(command, target.device.class),
        }
    }

    /// What is granted, the foremost first.
    fn wanted(&self, context: &Context, target: &Target) -> Result<Vec<Rule>> {
        let class = target.device.class;
        let mut wanted = Vec::new();
        if !self.commands.is_empty() {
            for command in &hex::items(&self.commands)? {
                let access = self.access(command, target)?;
                wanted.extend(names::rules(command, class, Some(access))?);
            }
        }
        if let Some(name) = &self.profile {
            let profiles = load_profiles(&context.root)?;
            wanted.extend(
                profiles
                    .rules_for(name, class)
                    .map_err(|message| anyhow!("{message}"))?,
            );
        }
        Ok(wanted)
    }
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let holder = args.holder.holder(&context.root)?;
    let mut plan = Plan::new(context, args.dry_run).taken_back_in(args.time);
    for target in change::targets(context, &args.device)? {
        let wanted = args.wanted(context, &target)?;
        let before = held(context, &target, &holder, &args.name)?;
        let edits = edits(before, &wanted, args.time);
        if edits.lines.is_empty() {
            plan.report_only(&target, edits.words);
            continue;
        }
        let mut words = vec![format!("to {}", holder.path)];
        words.extend(edits.words);
        plan.add(&target, words, &section(&holder, &args.name, &edits.list));
    }
    plan.carry_out(context, "grant")
}

/// What the holder has on a device under that name.
fn held(context: &Context, target: &Target, holder: &Holder, name: &str) -> Result<Vec<InForce>> {
    let grants = running::grants(&context.root, target.device.hctl)?.unwrap_or_default();
    let mut list = Vec::new();
    for grant in grants
        .iter()
        .filter(|grant| grant.cgroup == holder.id && grant.name == name)
    {
        for rule in &grant.rules {
            // Whichever ends first.
            let left = [grant.seconds_left, rule.seconds_left];
            let left = left.into_iter().flatten().min();
            let rules = change::rules::parse(&rule.rule)?;
            list.extend(rules.into_iter().map(|rule| (rule, left)));
        }
    }
    Ok(list)
}

/// The lines behind that of the device.
pub(super) fn section(holder: &Holder, name: &str, list: &[InForce]) -> String {
    let mut text = format!("grant cgroup={}", holder.id);
    if !name.is_empty() {
        text += &format!(" name={name}");
    }
    text.push('\n');
    for (rule, left) in list {
        let time = left.map_or(String::new(), |left| format!(" for={}", left.max(1)));
        text += &format!("{rule}{time}\n");
    }
    text
}
