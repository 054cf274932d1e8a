// SPDX-License-Identifier: GPL-2.0

//! `sgioctl deny`.

use crate::{
    change::{self, rules, Plan},
    context::Context,
    hex, names, output,
};
use anyhow::Result;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
The rules go in front of those of the device. They bind everybody without CAP_SYS_RAWIO.

A CDB denies all that has the bytes which name the command: opcode, service action, mode. A byte that is not given may be
anything. An ATA command is denied with any protocol, in each CDB that carries it. What is left open is said.

Examples:
  sgioctl deny sdb write-buffer
  sgioctl deny mpatha persistent-reserve-out:clear persistent-reserve-out:preempt
  sgioctl deny 6:0:0:0 c0-ff
  sgioctl deny sdb '5f [1]&1f=03'")]
pub struct Args {
    /// H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map.
    #[arg(value_name = "DEV")]
    device: String,

    /// A command by name, by opcode, by the CDB that was sent, or as in a rule.
    #[arg(required = true, value_name = "COMMAND")]
    commands: Vec<String>,

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
    let commands = hex::items(&args.commands)?;
    let mut plan = Plan::new(context, args.dry_run);
    for target in change::targets(context, &args.device)? {
        let (mut wanted, mut written) = (Vec::new(), Vec::new());
        for command in &commands {
            let class = target.device.class;
            let rules = names::rules(command, class, None);
            let rules = rules.map_err(|error| names::one_name(error, &args.commands, class))?;
            // Of a name or a CDB there is one for each CDB that carries the command.
            if let [rule] = rules.as_slice() {
                written.push(*rule);
            }
            wanted.extend(rules);
            if let Some(open) = names::left_open_by_denied(command, class) {
                output::note(&format!("note: {command}: {open}"));
            }
        }
        let others = names::also_carried_by(&written, &wanted, target.device.class);
        if !others.is_empty() {
            output::note(&format!(
                "note: the same ATA commands are left as they were in other CDBs: {}",
                others.join("; ")
            ));
        }
        if target.running.settings.unpriv_sgio {
            output::note(&format!(
                "note: unpriv_sgio is on for {}: no rule is asked there",
                target.device.full_name()
            ));
        }
        rules::plan(&mut plan, &target, &wanted, None)?;
    }
    plan.carry_out(context, "deny")
}
