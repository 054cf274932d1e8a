// SPDX-License-Identifier: GPL-2.0

//! `sgioctl doctor`.

use crate::{
    cli::Context,
    doctor::{Facts, Finding, Level},
    output,
};
use anyhow::Result;
use serde::Serialize;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Looks, and changes and sends nothing. Be root, or much cannot be seen. The exit status is 1 if
there is a problem.

Not seen by the filter, whatever is found here: /dev/sgN open for reading and writing, SG_IO on
/dev/st* (needs CAP_SYS_RAWIO), the kernel's own ioctls (eject, HDIO_*, IOC_PR_*), vhost-scsi,
user-space iSCSI, VFIO, NVMe.

Examples:
  sgioctl doctor
  sgioctl doctor --all                processes of root too
  sgioctl doctor --json | jq '.findings[] | select(.level == \"problem\")'")]
pub struct Args {
    /// Tell of processes of root with CAP_SYS_RAWIO too.
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
struct Answer {
    problems: usize,
    findings: Vec<Finding>,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let findings = Facts::gather(&context.root, args.all)?.findings()?;
    let answer = Answer {
        problems: count(&findings),
        findings,
    };
    context
        .output
        .answer("doctor", &answer, || output::print(&text(&answer.findings)))?;
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
        text.push_str(&format!("{level}  {}\n", finding.text));
        if let Some(advice) = &finding.advice {
            text.push_str(&format!("           -> {advice}\n"));
        }
    }
    text
}
