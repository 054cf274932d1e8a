// SPDX-License-Identifier: GPL-2.0

//! `sgioctl learn`: recorded refusals to rules, for an administrator to review.

mod propose;
mod record;
mod senders;

use crate::{
    context::Context,
    device::Hctl,
    monitor::event::{self, Line},
    output,
};
use anyhow::{Context as _, Result};
use propose::{proposals, DeviceRules, Options};
use record::{parse, Record};
use senders::Chosen;
use serde::Serialize;
use std::{
    fs::File,
    io::{stdin, BufRead, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  sgioctl monitor --json > log &                      record; and while the workload runs:
  sgioctl complain 6:0:0:0 on
  sgioctl learn log                                   what it would need
  sgioctl learn --device 6:0:0:0 --add log > my.rules for the file 'rules' of the device
  sgioctl learn --uid 107 --cgroup /machine.slice log what one guest would need
  sgioctl learn --allow-destructive /sys/kernel/tracing/trace

The proposal is for review: each rule is one command, with the bytes that were sent where they select what it does. What
destroys data stays a comment unless --allow-destructive; what is unknown stays one in any case. Without --device the rules of several
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

    /// Only what was sent to this device (repeatable).
    #[arg(long, value_name = "H:C:T:L")]
    device: Vec<Hctl>,

    /// Only what processes of this uid sent (repeatable).
    #[arg(long, value_name = "UID")]
    uid: Vec<u32>,

    /// Only what processes in this cgroup, or below it, sent (repeatable).
    #[arg(long, value_name = "PATH|ID")]
    cgroup: Vec<String>,

    /// JSON lines of "sgioctl monitor --json", or text of the tracepoint sgio_filter:decision; - or nothing is standard input.
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
    let mut log = Log::default();
    let stdin_only = [PathBuf::from("-")];
    let files = match args.files.as_slice() {
        [] => &stdin_only[..],
        files => files,
    };
    for file in files {
        let reader: Box<dyn BufRead> = if file == Path::new("-") {
            Box::new(stdin().lock())
        } else {
            let opened = File::open(file).with_context(|| file.display().to_string())?;
            Box::new(BufReader::new(opened))
        };
        log.read(reader)
            .with_context(|| file.display().to_string())?;
    }
    let Log {
        mut records,
        skipped,
        lost,
    } = log;
    if !args.device.is_empty() {
        records.retain(|record: &Record| args.device.contains(&record.device));
    }
    let chosen = Chosen {
        uids: args.uid,
        cgroups: args.cgroup,
    };
    records.retain(|record| chosen.has(record));

    let options = Options {
        destructive: args.allow_destructive,
        privileged: args.privileged,
    };
    let answer = Answer {
        records: records.len(),
        skipped,
        lost,
        devices: proposals(&records, options),
    };
    if skipped > 0 {
        output::note(&format!("{skipped} lines are no records and were skipped"));
    }
    if lost > 0 {
        output::note(&format!("{lost} decisions were lost: they came too fast"));
    }
    context.output.answer("learn", &answer, || {
        output::print(&propose::text(&answer.devices, args.add))
    })?;
    let refused = |device: &DeviceRules| !device.not_proposed.is_empty();
    let all = !answer.devices.iter().any(refused) && skipped == 0 && lost == 0;
    Ok(ExitCode::from(u8::from(!all)))
}

/// What has been read.
#[derive(Default)]
struct Log {
    records: Vec<Record>,
    /// Lines that are no records.
    skipped: usize,
    lost: u64,
}

impl Log {
    /// Reads to the end.
    fn read(&mut self, mut reader: impl BufRead) -> Result<()> {
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            // The names of processes are any bytes.
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            if let Some(record) = parse(text) {
                self.records.push(record);
            } else if let Line::Lost(count) = event::parse(text) {
                self.lost += count;
            } else if !event::says_nothing(text) {
                self.skipped += 1;
            }
            line.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
