// SPDX-License-Identifier: GPL-2.0

//! `sgioctl monitor`.

use crate::{
    context::Context,
    device::{self, Hctl},
    input::Lines,
    monitor::{
        cgroup::Cgroups,
        event::{self, Event, Line},
        instance::{self, Instance},
        report::{Report, RuleCache},
    },
    names, output, time,
};
use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Without --all: what is refused, and what is let through because of 'complain'. With --json, one
object a line. Times are those of the kernel's monotonic clock. It needs root, and makes an
instance of tracefs that it removes at its end (Ctrl-C).

Examples:
  sgioctl monitor
  sgioctl monitor --device mpatha --all
  sgioctl monitor --json --for 10m > refused.json
  sgioctl monitor --count 1             wait for the next refusal
  sgioctl monitor --input trace.txt     read a trace that was saved before

With --input, lines that are neither decisions nor comments (of other events, or damaged) are counted, and the exit
status is 1.")]
pub struct Args {
    /// What is allowed, too.
    #[arg(long)]
    all: bool,

    /// Only on this device: H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map.
    #[arg(long, value_name = "DEV")]
    device: Vec<String>,

    /// End after so many decisions.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// End after this time: 90s, 10m, 2h, 1d.
    #[arg(long = "for", value_name = "TIME", value_parser = time::duration)]
    time: Option<u64>,

    /// Read a text that tracefs gave before ('-': standard input), instead of the kernel.
    #[arg(long, value_name = "FILE", conflicts_with = "time")]
    input: Option<PathBuf>,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let mut devices = Vec::new();
    for name in &args.device {
        let found = device::find(&context.root, name)?;
        devices.extend(found.iter().map(|device| device.hctl));
    }
    let mut printer = Printer {
        context,
        all: args.all,
        left: args.count,
        cgroups: Cgroups::new(&context.root),
        rules: RuleCache::default(),
        devices,
        unread: 0,
    };
    let done = match &args.input {
        Some(path) => saved(path, &mut printer),
        None => live(context, args.time, &mut printer),
    };
    match done {
        // Nobody reads on.
        Err(e) if broken_pipe(&e) => Ok(ExitCode::SUCCESS),
        Err(e) => Err(e),
        Ok(()) => Ok(ExitCode::from(u8::from(printer.unread > 0))),
    }
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

fn live(context: &Context, time: Option<u64>, printer: &mut Printer<'_>) -> Result<()> {
    const PATIENCE: Duration = Duration::from_millis(200);
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("signals")?;
    }
    let end = time.and_then(|time| Instant::now().checked_add(Duration::from_secs(time)));
    let filter = instance::filter(printer.all, &printer.devices);
    let mut instance = Instance::new(&context.root, filter.as_deref())?;
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let patience = left.map_or(PATIENCE, |left| left.min(PATIENCE));
        for line in instance.lines(patience)? {
            if !printer.line(&line)? {
                return Ok(());
            }
        }
        if stop.load(Ordering::Relaxed) || left.is_some_and(|left| left.is_zero()) {
            return Ok(());
        }
    }
}

fn saved(path: &Path, printer: &mut Printer<'_>) -> Result<()> {
    let name = || path.display().to_string();
    let mut lines = Lines::open(path).with_context(name)?;
    while let Some(line) = lines.next_line().with_context(name)? {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if event::parse(text) == Line::Other && !event::says_nothing(text) {
            printer.unread += 1;
        } else if !printer.line(text)? {
            break;
        }
    }
    if printer.unread > 0 {
        output::note(&format!("{} lines are no decisions", printer.unread));
    }
    Ok(())
}

struct Printer<'a> {
    context: &'a Context,
    all: bool,
    devices: Vec<Hctl>,
    /// How many more.
    left: Option<u64>,
    cgroups: Cgroups,
    rules: RuleCache,
    /// How many lines of a text that was saved are neither decisions nor comments.
    unread: u64,
}

impl Printer<'_> {
    /// Prints a line of the trace, if it is wanted; `false`: that was the last.
    fn line(&mut self, line: &str) -> Result<bool> {
        match event::parse(line) {
            Line::Decision(event) if self.wants(&event) => self.print(&event)?,
            Line::Lost(count) => {
                output::note(&format!("{count} decisions were lost: they came too fast"));
                return Ok(true);
            }
            _ => return Ok(true),
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        Ok(self.left != Some(0))
    }

    /// The kernel has chosen by the same conditions, but not in a trace that was saved.
    fn wants(&self, event: &Event) -> bool {
        (self.all || matches!(event.outcome.as_str(), "refused" | "complained"))
            && (self.devices.is_empty() || self.devices.contains(&event.hctl))
    }

    fn print(&mut self, event: &Event) -> Result<()> {
        let command = names::decode(&event.cdb, event.class);
        let report = Report::new(
            event,
            command.name,
            self.cgroups.path(event.cgroup),
            self.rules.text(&self.context.root, event),
        )
        .with_fields(command.fields)
        .held_by(self.cgroups.path(event.holder));
        self.context.output.line("monitor", &report, || {
            Ok(output::emit(&format!("{}\n", report.text(event)))?)
        })
    }
}
