// SPDX-License-Identifier: GPL-2.0

//! `sgioctl check`: would a command be allowed, and why.

mod advice;
mod reason;
mod subject;
mod verdict;

use crate::{
    context::Context,
    device::Hctl,
    hex::{self, hex},
    holder::{self, Holder},
    kernel::{self, Whose},
    names::{self, Decoded},
    output,
    policyfile::compare,
    running,
    verdict::Policy,
};
use advice::Advice;
use anyhow::{bail, Context as _, Result};
use serde::Serialize;
use sgio_policy::policy::{Class, STOCK};
use std::process::ExitCode;
use subject::{cdbs, subjects, Subject};
use verdict::{verdict, Verdict};

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  sgioctl check sda 5f 00 00 00 00 00 00 00 18 00     what is in force on a device
  sgioctl check /dev/sda unmap compare-and-write      commands by name
  sgioctl check --kernel 6:0:0:0 --write '5e 00'      asks the running kernel itself
  sgioctl check sda persistent-reserve-out --as --unit backup.service
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
    #[command(flatten)]
    of: subject::Args,

    /// Ask about a file that is open for reading only.
    #[arg(long)]
    read: bool,

    /// Ask about a file that is open for writing.
    #[arg(long)]
    write: bool,

    /// Let the running kernel decide (needs root).
    #[arg(long)]
    kernel: bool,

    /// Let the running kernel decide as for a sender in this holder of grants (needs root).
    #[arg(long = "as", conflicts_with_all = ["class", "policy"])]
    as_holder: bool,

    #[command(flatten)]
    holder: holder::Args,

    /// The device, unless --class is given; then CDBs in hex, or names of commands.
    #[arg(value_name = "[DEV] CDB", required = true)]
    words: Vec<String>,
}

impl Args {
    /// The kinds of open files that are asked about: open for writing or not.
    fn opens(&self) -> &'static [bool] {
        match (self.read, self.write) {
            (true, false) => &[false],
            (false, true) => &[true],
            _ => &[false, true],
        }
    }
}

#[derive(Serialize)]
struct Checked {
    device: Option<Hctl>,
    class: &'static str,
    cdb: String,
    /// What was taken for the bytes that were not given.
    assumed: Option<String>,
    command: Decoded,
    complain: bool,
    verdicts: Vec<Verdict>,
    /// What the kernel's own list has, which is in force where the module is not loaded.
    kernel_list: compare::Answer,
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
    let asker = match (args.holder.is_given(), args.as_holder) {
        (_, true) => Some(args.holder.holder(&context.root)?),
        (true, false) => bail!("write --as in front of the holder whose answer is asked for"),
        (false, false) => None,
    };
    let kernel = args.kernel || asker.is_some();
    let (subjects, words) = subjects(context, &args.of, kernel, &args.words)?;
    let mut checks = Vec::new();
    for subject in &subjects {
        for cdb in cdbs(words, subject.policy.class)? {
            checks.push(match &asker {
                Some(holder) => check_as(context, holder, subject, &cdb, &args)?,
                None => check(subject, &cdb, &args)?,
            });
        }
    }
    let verdicts = || checks.iter().flat_map(|checked| &checked.verdicts);
    let answer = Answer {
        allowed: verdicts().all(|verdict| verdict.allowed),
        decided_by: if kernel { "kernel" } else { "sgioctl" },
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
    let command = names::decode(cdb, policy.class);
    let mut verdicts = Vec::new();
    for write in args.opens() {
        let decision = if args.kernel {
            let whose = device.map_or(Whose::Class(policy.class), Whose::Device);
            kernel::check(whose, cdb, *write, None)?.0
        } else {
            policy.decide(cdb, *write)?
        };
        verdicts.push(verdict(policy, &command, decision, *write));
    }
    let advice = advice::of(subject, cdb, &command, args.opens(), &verdicts)?;
    checked(subject, cdb, command, verdicts, advice)
}

/// The same for a sender in a holder of grants. What it lacks is not to be opened to everybody: nothing is proposed.
fn check_as(
    context: &Context,
    holder: &Holder,
    subject: &Subject,
    cdb: &[u8],
    args: &Args,
) -> Result<Checked> {
    let Subject { device, policy } = subject;
    let command = names::decode(cdb, policy.class);
    let hctl = device.context("--as asks about a device")?;
    let mut verdicts = Vec::new();
    for write in args.opens() {
        let (decision, by) = kernel::check(Whose::Device(hctl), cdb, *write, Some(holder.id))?;
        let mut verdict = verdict(policy, &command, decision, *write);
        if let (Some(by), Some(rule)) = (by, verdict.rule) {
            granted(context, hctl, by, rule, &mut verdict)?;
        }
        verdicts.push(verdict);
    }
    checked(subject, cdb, command, verdicts, Advice::default())
}

fn checked(
    subject: &Subject,
    cdb: &[u8],
    command: Decoded,
    verdicts: Vec<Verdict>,
    advice: Advice,
) -> Result<Checked> {
    let class = subject.policy.class;
    // The same list for all classes.
    let without = Policy::of_class(class, Some(STOCK))?;
    Ok(Checked {
        device: subject.device,
        class: class.name(),
        cdb: hex(cdb),
        assumed: assumed(cdb, &command, class),
        command,
        complain: subject.policy.complain,
        verdicts,
        kernel_list: compare::answer(&without, &hex::padded(cdb)),
        advice,
    })
}

/// Adds whose grant it was that decided, and by which rule.
fn granted(
    context: &Context,
    hctl: Hctl,
    holder: u64,
    rule: u16,
    verdict: &mut Verdict,
) -> Result<()> {
    let grants = running::grants(&context.root, hctl)?.unwrap_or_default();
    let held: Vec<_> = grants
        .iter()
        .filter(|grant| grant.cgroup == holder)
        .collect();
    if let Some(grant) = held.first() {
        verdict.why = format!("{} to {}", verdict.why, grant.path);
    }
    // Of several grants of one holder, the kernel does not say which it was.
    if let [grant] = held[..] {
        verdict.rule_text = grant
            .rules
            .get(usize::from(rule))
            .map(|rule| rule.rule.clone());
    }
    Ok(())
}

/// What was taken for the bytes that were not given. An answer for one service action is none for the others.
fn assumed(cdb: &[u8], command: &Decoded, class: Class) -> Option<String> {
    let zeros = hex::assumed(cdb)?;
    let selects = match cdb {
        [opcode] => names::has_actions(*opcode, class),
        _ => false,
    };
    Some(match &command.name {
        Some(name) if selects => {
            format!("{zeros}, which is {name}; another service action may have another answer")
        }
        _ => zeros,
    })
}

/// What a process without CAP_SYS_RAWIO gets where no filter is.
fn of_kernel(answer: compare::Answer) -> &'static str {
    match answer {
        compare::Answer::AnyOpen => "allowed to any open",
        compare::Answer::WriteOpen => "allowed to files open for writing only",
        compare::Answer::Refused => "refused",
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
    if let Some(assumed) = &checked.assumed {
        text += &format!("  assumed:    {assumed}\n");
    }
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
    text += &format!("  kernel's own list: {}\n", of_kernel(checked.kernel_list));
    text + &checked.advice.text()
}

#[cfg(test)]
mod tests;
