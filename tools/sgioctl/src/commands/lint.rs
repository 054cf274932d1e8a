// SPDX-License-Identifier: GPL-2.0

//! `sgioctl lint`.

use crate::{
    cli::Context,
    device,
    policyfile::{
        lint::{lint, Finding, Severity, NAMES},
        load,
    },
};
use anyhow::Result;
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode};

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Nothing is changed, and the module need not be loaded. Exit status: 0 if there is nothing but notes, 1 \
if there are errors or warnings, 2 if it could not be done.

Examples:
  sgioctl lint /etc/sgio-filter/policy.d
  sgioctl --json lint new.toml")]
pub struct Args {
    /// A file, or a directory of *.toml files.
    #[arg(value_name = "FILE|DIR")]
    pub path: PathBuf,
}

#[derive(Serialize)]
struct Answer {
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<Finding>,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let findings = match load(&context.root, &[args.path]) {
        Ok(policies) => {
            let devices = device::scan(&context.root);
            if let Err(error) = &devices {
                eprintln!("sgioctl: not checked against devices: {error:#}");
            }
            lint(&policies, devices.ok().as_deref(), NAMES)
        }
        Err(faults) => faults.0.into_iter().map(Finding::from).collect(),
    };
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let answer = Answer {
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notes: count(Severity::Note),
        findings,
    };
    context.output.answer("lint", &answer, || {
        for finding in &answer.findings {
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let (place, message, fix) = (&finding.place, &finding.message, &finding.fix);
            println!("{place}: {severity}: {message}; {fix}");
        }
        Ok(())
    })?;
    let found = answer.errors + answer.warnings > 0;
    Ok(ExitCode::from(u8::from(found)))
}
