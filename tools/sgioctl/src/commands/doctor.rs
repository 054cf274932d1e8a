// SPDX-License-Identifier: GPL-2.0

//! `sgioctl doctor`.

use crate::{
    context::Context,
    doctor::{Facts, Finding, Found, Level},
    output::{self, printable},
};
use anyhow::Result;
use serde::Serialize;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Looks, and changes nothing. Be root, or much cannot be seen. The exit status is 1 if there is a
problem.

That the hook decides is proven by a probe of each device (256 at most): a process without any
privilege asks to send one command that only reads, on which the kernel's own list would answer
otherwise, through /dev/bsg/H:C:T:L open for reading. Its buffer is not there, which ends it behind
the permission check: nothing is sent to the device. The answer must be the one that the filter
gives by its own word, and the filter must have counted it. A probe is counted and reported as any
other decision (comm=sgioctl). A device that is offline or asleep is left alone.

Not seen by the filter, whatever is found here: /dev/sgN open for writing unless filter_sg is on
(all that is sent by write(2), and by SG_IO if it is open for reading too), SG_IO on /dev/st* (needs
CAP_SYS_RAWIO), the kernel's own ioctls (eject, HDIO_*, and IOC_PR_* unless pr_exclusive or a rule
denies it), vhost-scsi, user-space iSCSI, VFIO, NVMe.

Examples:
  sgioctl doctor
  sgioctl doctor --all                processes of root too
  sgioctl doctor --no-probe           look at files only
  sgioctl doctor --json | jq '.findings[] | select(.level == \"problem\")'")]
pub struct Args {
    /// Tell of processes of root with CAP_SYS_RAWIO too.
    #[arg(long)]
    all: bool,

    /// Do not ask the kernel as an unprivileged process.
    #[arg(long)]
    no_probe: bool,
}

#[derive(Serialize)]
struct Answer {
    problems: usize,
    #[serde(flatten)]
    found: Found,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let found = Facts::gather(&context.root, args.all, !args.no_probe)?.check()?;
    let answer = Answer {
        problems: count(&found.findings),
        found,
    };
    context.output.answer("doctor", &answer, || {
        output::print(&text(&answer.found.findings))
    })?;
    Ok(ExitCode::from(u8::from(answer.problems > 0)))
}

fn count(findings: &[Finding]) -> usize {
    let is_problem = |finding: &&Finding| finding.level == Level::Problem;
    findings.iter().filter(is_problem).count()
}

fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let level = match finding.level {
            Level::Ok => "ok     ",
            Level::Note => "note   ",
            Level::Problem => "PROBLEM",
        };
        text.push_str(&format!("{level}  {}\n", printable(&finding.text)));
        if let Some(advice) = &finding.advice {
            text.push_str(&format!("           -> {}\n", printable(advice)));
        }
    }
    text
}
