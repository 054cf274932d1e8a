// SPDX-License-Identifier: GPL-2.0

//! `sgioctl allow`.

use crate::{
    change::{self, rules, Plan, Target},
    context::Context,
    hex, names, output, time,
    verdict::Policy,
};
use anyhow::Result;
use sgio_policy::policy::{Access, Action, Rule};
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
The rules go in front of those of the device; one that decides already is not added again.
Without --read and --write, a command that changes something needs a file open for writing, and
any other any open.

With --for, the kernel ends the rules when the time is over: no process and no timer is needed. A
rule that is there for good stays so, and no time is made shorter: what ends later anyway is left as
it is. The same without --for makes a rule stay that would have ended. 'sgioctl show' tells how long
each has still to go. The rules do not survive a reboot, a replug or unloading the module.

Examples:
  sgioctl allow sdb persistent-reserve-in persistent-reserve-out
  sgioctl allow mpatha compare-and-write --for 10m
  sgioctl allow 6:0:0:0 5e --read
  sgioctl allow sdb 5f 06 00 00 00 00 00 00 18 00
  sgioctl allow sdb '5f [1]&1f=00-04,06' --write --dry-run

A CDB gives the narrowest rule that allows it. Bytes that may be a CDB or opcodes are an error: 'cdb:5f 06' is the one,
op:5f,06 the other.")]
pub struct Args {
    /// H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map.
    #[arg(value_name = "DEV")]
    device: String,

    /// A command by name, by opcode, by the CDB that was sent, or as in a rule.
    #[arg(value_name = "COMMAND", required = true)]
    commands: Vec<String>,

    /// With any open.
    #[arg(long, conflicts_with = "write")]
    read: bool,

    /// Only with a file that is open for writing.
    #[arg(long)]
    write: bool,

    /// It ends by itself after this time: 90s, 10m, 2h, 1d.
    #[arg(long = "for", value_name = "TIME", value_parser = time::duration)]
    time: Option<u64>,

    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    fn wanted(&self, target: &Target) -> Result<Vec<Rule>> {
        let mut wanted = Vec::new();
        for command in &hex::items(&self.commands)? {
            let class = target.device.class;
            if let Some(open) = names::left_open_by(command, class) {
                output::note(&format!("note: {command}: {open}"));
            }
            let rules = match (self.read, self.write) {
                (true, _) => names::rules(command, class, Some(Access::Read)),
                (_, true) => names::rules(command, class, Some(Access::Write)),
                _ => names::by_default(command, class),
            };
            wanted.extend(rules.map_err(|error| names::one_name(error, &self.commands, class))?);
        }
        Ok(wanted)
    }
}

/// What readers may send now and no more with the rules in front, in words: a rule for writers decides on all that it
/// matches.
fn lost_to_readers(context: &Context, target: &Target, wanted: &[Rule]) -> Vec<String> {
    // Where it is not known what is in force, nothing can be said.
    let Ok(policy) = Policy::running(&context.root, &target.device) else {
        return Vec::new();
    };
    let Ok(with) = policy.with_rules_in_front(wanted) else {
        return Vec::new();
    };
    let may = |policy: &Policy, cdb: &[u8]| {
        policy
            .decide(cdb, false)
            .is_ok_and(|decision| decision.is_allowed())
    };
    let for_writers = |rule: &&Rule| rule.action() == Action::Allow(Access::Write);
    let said = wanted.iter().filter(for_writers).filter_map(|rule| {
        let lost = names::within(rule, target.device.class).into_iter();
        let mut lost: Vec<&str> = lost
            .filter(|(_, cdb)| may(&policy, cdb) && !may(&with, cdb))
            .map(|(name, _)| name)
            .collect();
        lost.dedup();
        let all = lost.join(" ");
        (!lost.is_empty()).then(|| {
            format!(
                "note: '{rule}' stands in front of what readers of {} may send now, and takes it from them: {}; behind this, \
                 'sgioctl allow {} --read {all}' gives it back",
                target.device.hctl,
                lost.join(", "),
                target.device.hctl
            )
        })
    });
    said.collect()
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let mut plan = Plan::new(context, args.dry_run).taken_back_in(args.time);
    for target in change::targets(context, &args.device)? {
        if target.running.settings.unpriv_sgio {
            output::note(&format!(
                "note: unpriv_sgio is on for {}: everything is allowed there as it is",
                target.device.full_name()
            ));
        }
        let wanted = args.wanted(&target)?;
        for lost in lost_to_readers(context, &target, &wanted) {
            output::note(&lost);
        }
        rules::plan(&mut plan, &target, &wanted, args.time)?;
    }
    plan.carry_out(context, "allow")
}
