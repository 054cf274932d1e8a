// SPDX-License-Identifier: GPL-2.0

//! `sgioctl learn`: recorded refusals to rules, for an administrator to review.

mod propose;
mod record;
mod senders;
mod text;

use crate::{
    context::Context,
    device::{self, Hctl},
    input::Lines,
    monitor::event::{self, Line},
    output,
    root::Root,
};
use anyhow::{anyhow, Context as _, Result};
use propose::{DeviceRules, Options, Sent};
use record::parse;
use senders::Chosen;
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode};

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  sgioctl monitor --json > log &                      record; and while the workload runs:
  sgioctl complain 6:0:0:0 on
  sgioctl learn log                                   what it would need
  sgioctl learn --device 6:0:0:0 --add log > my.rules for the file 'rules' of the device
  sgioctl learn --uid 107 --cgroup /machine.slice log what one guest would need
  sgioctl learn --holder /machine.slice/db.scope log  the grants that it would need
  sgioctl learn --allow-destructive /sys/kernel/tracing/trace

The proposal is for review: each rule is one command, with the bytes that were sent where they select what it does. What
destroys data, or changes firmware, settings, or what others have reserved (PREEMPT, CLEAR), stays a comment unless
--allow-destructive; what is unknown stays one in any case. Without --device the rules of several
devices stand one after the other, under their addresses. Exit status: 0 rules are proposed (or nothing was refused), 1
something was refused that no rule is proposed for, lines are no records, or decisions were lost; 2 the records cannot be read.")]
pub struct Args {
    /// Propose rules for destructive commands too. Unknown ones stay comments.
    #[arg(long)]
    allow_destructive: bool,

    /// Learn from what processes with CAP_SYS_RAWIO sent beyond the rules, too.
    #[arg(long)]
    privileged: bool,

    /// Print rules with a + in front: they are added to those of the device, not put in their place.
    #[arg(long)]
    add: bool,

    /// Only what was sent to this device (repeatable): H:C:T:L, or a name that it has on this host now.
    #[arg(long, value_name = "DEV")]
    device: Vec<String>,

    /// Only what processes of this uid sent (repeatable).
    #[arg(long, value_name = "UID|USER")]
    uid: Vec<String>,

    /// Only what processes in this cgroup, or below it, sent (repeatable).
    #[arg(long, value_name = "PATH|ID")]
    cgroup: Vec<String>,

    /// What the virtual machine or service of this cgroup would need, as commands that grant it.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["cgroup", "add"])]
    holder: Option<String>,

    /// Lines of "sgioctl monitor" (of --json, which know more), or of the tracepoint sgio_filter:decision, as the kernel, trace-cmd and perf print them; - or nothing is standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Answer {
    records: usize,
    /// Lines that are no records.
    skipped: usize,
    /// Decisions that came too fast to be recorded.
    lost: u64,
    devices: Vec<DeviceRules>,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let mut devices: Vec<Hctl> = Vec::new();
    for name in &args.device {
        // Records may be of another host, and of devices that have gone.
        match name.parse() {
            Ok(address) => devices.push(address),
            Err(_) => devices.extend(
                device::find(&context.root, name)?
                    .iter()
                    .map(|device| device.hctl),
            ),
        }
    }
    let chosen = Chosen {
        devices,
        uids: args
            .uid
            .iter()
            .map(|user| uid(&context.root, user))
            .collect::<Result<_>>()?,
        cgroups: args.holder.iter().cloned().chain(args.cgroup).collect(),
    };
    let mut sent = Sent::new(Options {
        destructive: args.allow_destructive,
        privileged: args.privileged,
    });
    let mut unread = Unread::default();
    let stdin_only = [PathBuf::from("-")];
    let files = match args.files.as_slice() {
        [] => &stdin_only[..],
        files => files,
    };
    for file in files {
        let mut read = || read(Lines::open(file)?, &chosen, &mut sent, &mut unread);
        read().with_context(|| file.display().to_string())?;
    }
    let Unread {
        skipped,
        lost,
        of_others,
        complaints,
    } = unread;
    let records = sent.records();
    let answer = Answer {
        records,
        skipped,
        lost,
        devices: sent.proposals(),
    };
    if records == 0 && of_others > 0 {
        output::note(&format!(
            "none of the {of_others} records is of what --device, --uid, --cgroup and --holder choose"
        ));
    }
    if complaints > 0 {
        output::note(&format!(
            "{complaints} lines are of the kernel's log, which has neither class nor reason: record with \
             'sgioctl monitor --json'"
        ));
    }
    if skipped > 0 {
        output::note(&format!("{skipped} lines are no records and were skipped"));
    }
    if lost > 0 {
        output::note(&format!("{lost} decisions were lost: they came too fast"));
    }
    context.output.answer("learn", &answer, || {
        output::print(&match &args.holder {
            Some(holder) => propose::grants(&answer.devices, holder),
            None => propose::text(&answer.devices, args.add),
        })
    })?;
    let refused = |device: &DeviceRules| !device.not_proposed.is_empty();
    let all = !answer.devices.iter().any(refused) && skipped == 0 && lost == 0;
    Ok(ExitCode::from(u8::from(!all)))
}

/// The number of a user, by that or by the name in `/etc/passwd`.
fn uid(root: &Root, user: &str) -> Result<u32> {
    if let Ok(uid) = user.parse() {
        return Ok(uid);
    }
    let users = root.read("/etc/passwd")?.unwrap_or_default();
    let number = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(user)).then_some(fields.nth(1)?.parse().ok()?)
    });
    number.ok_or_else(|| {
        anyhow!("there is no user '{user}' in /etc/passwd: give the number, as 'id -u {user}' prints it")
    })
}

/// What is in a log and is no record.
#[derive(Default)]
struct Unread {
    /// Lines that are no records.
    skipped: usize,
    /// Decisions that came too fast to be recorded.
    lost: u64,
    /// Records of devices and senders that were not chosen.
    of_others: usize,
    /// Lines of the kernel's log about `complain`: the skipped ones among them.
    complaints: usize,
}

/// Adds up all records.
fn read(mut lines: Lines<'_>, chosen: &Chosen, sent: &mut Sent, unread: &mut Unread) -> Result<()> {
    while let Some(line) = lines.next_line()? {
        // The names of processes are any bytes.
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if let Some(record) = parse(text).or_else(|| text::parse(text)) {
            if chosen.has(&record) {
                sent.add(&record)?;
            } else {
                unread.of_others += 1;
            }
        } else if let Line::Lost(count) = event::parse(text) {
            unread.lost += count;
        } else if text::is_complaint(text) {
            unread.complaints += 1;
            unread.skipped += 1;
        } else if !event::says_nothing(text) {
            unread.skipped += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
