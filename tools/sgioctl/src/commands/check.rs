// SPDX-License-Identifier: GPL-2.0

//! `sgioctl check`: would a command be allowed, and why.

mod advice;
mod reason;
mod subject;

use crate::{
    commands::explain::parse_class,
    context::Context,
    device::Hctl,
    hex::hex,
    kernel::{self, Whose},
    names::{self, Decoded},
    output,
    verdict::Policy,
};
use advice::Advice;
use anyhow::Result;
use serde::Serialize;
use sgio_policy::policy::{Class, Decision};
use std::{path::PathBuf, process::ExitCode};
use subject::{cdbs, subjects, Subject};

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  sgioctl check sda 5f 00 00 00 00 00 00 00 18 00     what is in force on a device
  sgioctl check /dev/sda unmap compare-and-write      commands by name
  sgioctl check --kernel 6:0:0:0 --write '5e 00'      asks the running kernel itself
  sgioctl check --class disk 48 03                    the built-in table; no device, no module
  sgioctl check --class cdrom --table stock 48
  sgioctl check --policy new.toml sda unmap            what a policy file would make of it
  sgioctl check --class disk --device-rules my.rules --read persistent-reserve-in:read-keys

Arguments of two hex digits that stand together are one CDB; so is each argument of more digits, what another program
printed with 'cdb:' in it, and each name.

Without --read and --write both answers are given. Exit status: 0 if everything asked about is allowed with every
open asked about (so without --read and --write: with a read-only one), 1 if something is refused, 2 if it could not be
told. What complain lets through counts as refused.")]
pub struct Args {
    /// Ask about a class instead of a device.
    #[arg(long, value_name = "CLASS", value_parser = parse_class)]
    class: Option<Class>,

    /// The built-in table of the class: strict or stock.
    #[arg(long, value_name = "TABLE", value_parser = ["strict", "stock"], requires = "class", conflicts_with = "kernel")]
    table: Option<String>,

    /// Rules of the class, as its file "rules" takes them, instead of the table.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["table", "kernel"])]
    class_rules: Option<PathBuf>,

    /// A policy file, or a directory of them, in the place of what is in force.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["table", "class_rules", "device_rules", "kernel"])]
    policy: Option<PathBuf>,

    /// Rules of the device, as its file "rules" takes them, instead of its own.
    #[arg(long, value_name = "FILE", conflicts_with = "kernel")]
    device_rules: Option<PathBuf>,

    /// Ask about a file that is open for reading only.
    #[arg(long)]
    read: bool,

    /// Ask about a file that is open for writing.
    #[arg(long)]
    write: bool,

    /// Let the running kernel decide (needs root).
    #[arg(long)]
    kernel: bool,

    /// The device, unless --class is given; then CDBs in hex, or names of commands.
    #[arg(value_name = "[DEV] CDB", required = true)]
    words: Vec<String>,
}

/// The answer to one CDB through one kind of open file.
#[derive(Clone, Serialize, Debug)]
pub(crate) struct Verdict {
    open: &'static str,
    allowed: bool,
    decision: &'static str,
    layer: Option<&'static str>,
    /// Counted from 0 in its layer.
    rule: Option<u16>,
    rule_text: Option<String>,
    why: String,
}

#[derive(Serialize)]
struct Checked {
    device: Option<Hctl>,
    class: &'static str,
    cdb: String,
    command: Decoded,
    complain: bool,
    verdicts: Vec<Verdict>,
    #[serde(flatten)]
    advice: Advice,
}

#[derive(Serialize)]
struct Answer {
    allowed: bool,
    /// Who decided: this program, or the running kernel.
    decided_by: &'static str,
    checks: Vec<Checked>,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let (subjects, words) = subjects(context, &args)?;
    let mut checks = Vec::new();
    for subject in &subjects {
        for cdb in cdbs(words, subject.policy.class)? {
            checks.push(check(subject, &cdb, &args)?);
        }
    }
    let verdicts = || checks.iter().flat_map(|checked| &checked.verdicts);
    let answer = Answer {
        allowed: verdicts().all(|verdict| verdict.allowed),
        decided_by: if args.kernel { "kernel" } else { "sgioctl" },
        checks,
    };
    context.output.answer("check", &answer, || {
        let texts: String = answer.checks.iter().map(text).collect();
        output::print(&texts)
    })?;
    Ok(ExitCode::from(u8::from(!answer.allowed)))
}

fn check(subject: &Subject, cdb: &[u8], args: &Args) -> Result<Checked> {
    let Subject { device, policy } = subject;
    let class = policy.class;
    let command = names::decode(cdb, class);
    let opens: &[bool] = match (args.read, args.write) {
        (true, false) => &[false],
        (false, true) => &[true],
        _ => &[false, true],
    };

    let mut verdicts = Vec::new();
    for write in opens {
        let decision = if args.kernel {
            let whose = device.map_or(Whose::Class(class), Whose::Device);
            kernel::check(whose, cdb, *write)?
        } else {
            policy.decide(cdb, *write)?
        };
        verdicts.push(verdict(policy, &command, decision, *write));
    }
    let advice = advice::of(subject, cdb, &command, opens, &verdicts)?;
    Ok(Checked {
        device: *device,
        class: class.name(),
        cdb: hex(cdb),
        command,
        complain: policy.complain,
        verdicts,
        advice,
    })
}

fn verdict(policy: &Policy, command: &Decoded, decision: Decision, write: bool) -> Verdict {
    let place = decision.rule();
    let rule_text = policy.rule(decision);
    Verdict {
        open: if write { "w" } else { "r" },
        allowed: decision.is_allowed(),
        decision: decision.reason().name(),
        layer: place.map(|(layer, _)| layer.name()),
        rule: place.map(|(_, number)| number),
        why: reason::why(policy, command, decision, rule_text.as_deref()),
        rule_text,
    }
}

fn text(checked: &Checked) -> String {
    let command = &checked.command;
    let device = checked.device.map(|device| format!("{device} "));
    let mut text = format!(
        "{}{}: {}\n",
        device.unwrap_or_default(),
        checked.class,
        checked.cdb
    );
    text += &match (&command.name, &command.title) {
        (Some(name), Some(title)) => format!("  command:    {name} ({title})\n"),
        _ => "  command:    unknown on this class\n".to_owned(),
    };
    for (field, value) in &command.fields {
        text += &format!("    {field}: {value}\n");
    }
    for verdict in &checked.verdicts {
        let open = match verdict.open {
            "r" => "read-only: ",
            _ => "read-write:",
        };
        let answer = match (verdict.allowed, checked.complain) {
            (true, _) => "allowed",
            (false, false) => "refused",
            (false, true) => "refused, but complain lets it through",
        };
        text += &format!("  {open} {answer}: {}\n", verdict.why);
    }
    text + &checked.advice.text()
}

#[cfg(test)]
mod tests;
