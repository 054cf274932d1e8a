// SPDX-License-Identifier: GPL-2.0

//! `sgioctl allow`.

use crate::{
    cli::Context,
    grant::{
        self,
        later::{self, Granted, Timer},
        rules::{self, Keep},
        Plan, Target,
    },
    names, output,
};
use anyhow::Result;
use sgio_policy::policy::{Access, Rule};
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
// Both words may be missing with --take-back only, which is not for people.
#[command(override_usage = "sgioctl allow [OPTIONS] <DEV> <COMMAND>...")]
#[command(after_help = "\
The rules go in front of those of the device; one that decides already is not added again.
Without --read and --write, a command that changes something needs a file open for writing, and
any other any open.

With --for, the rules are taken back when the time is over, whatever becomes of this shell: by a
transient timer of systemd, or where there is none by a process in the background. Only rules
that were added are taken back, and only from the same device object. Time in which the machine
is suspended does not count. The rules do not survive a reboot, a replug or unloading the module.

Examples:
  sgioctl allow sdb persistent-reserve-in persistent-reserve-out
  sgioctl allow mpatha compare-and-write --for 10m
  sgioctl allow 6:0:0:0 5e --read
  sgioctl allow sdb '5f [1]&1f=00-04,06' --write --dry-run")]
pub struct Args {
    /// H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map.
    #[arg(value_name = "DEV", required_unless_present = "take_back")]
    device: Option<String>,

    /// A command by name, by opcode, or as in a rule.
    #[arg(value_name = "COMMAND", required_unless_present = "take_back")]
    commands: Vec<String>,

    /// With any open.
    #[arg(long, conflicts_with = "write")]
    read: bool,

    /// Only with a file that is open for writing.
    #[arg(long)]
    write: bool,

    /// Take it back after this time: 90s, 10m, 2h, 1d.
    #[arg(long = "for", value_name = "TIME", value_parser = later::duration)]
    time: Option<u64>,

    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,

    /// For what --for starts: take back what was granted, in so many seconds.
    #[arg(
        long,
        hide = true,
        value_name = "SECONDS",
        conflicts_with_all = ["device", "commands", "read", "write", "time", "dry_run"],
        requires = "granted"
    )]
    take_back: Option<u64>,

    /// A rule granted: 'H:C:T:L ID RULE'.
    #[arg(long, hide = true, value_name = "GRANT", requires = "take_back")]
    granted: Vec<Granted>,
}

impl Args {
    fn access(&self, command: &str, target: &Target) -> Result<Access> {
        match (self.read, self.write) {
            (true, _) => Ok(Access::Read),
            (_, true) => Ok(Access::Write),
            _ => names::default_access(command, target.device.class),
        }
    }

    fn wanted(&self, target: &Target) -> Result<Vec<Rule>> {
        let mut wanted = Vec::new();
        for command in &self.commands {
            let access = self.access(command, target)?;
            wanted.extend(names::rules(command, target.device.class, Some(access))?);
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
    if let Some(seconds) = args.take_back {
        later::take_back(context, seconds, &args.granted)?;
        return Ok(ExitCode::SUCCESS);
    }

    let mut plan = Plan::new(args.dry_run).taken_back_in(args.time);
    let keep = match args.time {
        Some(_) => Keep::Both,
        None => Keep::Move,
    };
    let mut granted = Vec::new();
    for target in grant::targets(context, args.device.as_deref().unwrap_or_default())? {
        if target.running.unpriv_sgio {
            output::note(&format!(
                "note: unpriv_sgio is on for {}: everything is allowed there as it is",
                target.device.full_name()
            ));
        }
        let wanted = args.wanted(&target)?;
        for rule in rules::plan(&mut plan, &target, &wanted, keep)? {
            granted.push(Granted {
                hctl: target.device.hctl,
                id: target.running.id,
                rule,
            });
        }
    }

    let timer = match args.time {
        Some(seconds) if !args.dry_run && !plan.is_empty() => {
            Some(Timer::start(context, seconds, &granted)?)
        }
        _ => None,
    };
    if let Err(error) = plan.put_in_force(context) {
        if let Some(timer) = timer {
            timer.cancel();
        }
        return Err(error);
    }
    plan.report(context, "allow")?;
    Ok(ExitCode::SUCCESS)
}
