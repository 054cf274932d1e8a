// SPDX-License-Identifier: GPL-2.0

//! `sgioctl lint`.

use crate::{
    context::Context,
    device,
    holders::Finder,
    output::{self, printable},
    policyfile::{
        lint::{lint, lint_grants, Remark, Severity, NAMES},
        load, DEFAULT_DIRECTORY,
    },
};
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Nothing is changed, and the module need not be loaded. Exit status: 0 if there is nothing but notes, 1 \
if there are errors or warnings, 2 if it could not be done.

Examples:
  sgioctl lint                      all of /etc/sgio-filter/policy.d
  sgioctl --json lint new.toml
  generate-policy | sgioctl lint -  from standard input")]
pub struct Args {
    /// Files, or directories of *.toml files; - is standard input [default: /etc/sgio-filter/policy.d].
    #[arg(value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Answer {
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<Remark>,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    // What cannot be looked at is not a policy with a mistake.
    let default = vec![context.root.path(DEFAULT_DIRECTORY)];
    let paths = if args.paths.is_empty() {
        &default
    } else {
        &args.paths
    };
    for path in paths.iter().filter(|path| *path != Path::new("-")) {
        fs::metadata(path).with_context(|| path.display().to_string())?;
    }
    let findings = match load(&context.root, &args.paths) {
        Ok(policies) => {
            let devices = device::scan(&context.root);
            if let Err(error) = &devices {
                output::note(&format!("not checked against devices: {error:#}"));
            }
            let devices = devices.ok();
            let present = Finder::new(&context.root).present(&policies);
            if let Err(error) = &present {
                output::note(&format!("not checked against holders: {error:#}"));
            }
            let mut findings = lint(&policies, devices.as_deref(), NAMES);
            let present = present.ok();
            let of_grants = lint_grants(&policies, devices.as_deref(), present.as_ref(), NAMES);
            findings.extend(of_grants);
            findings.sort();
            findings.dedup();
            findings
        }
        Err(faults) => faults.0.into_iter().map(Remark::from).collect(),
    };
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let answer = Answer {
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notes: count(Severity::Note),
        findings,
    };
    context.output.answer("lint", &answer, || {
        let mut text = String::new();
        for finding in &answer.findings {
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let (place, message, fix) = (&finding.place, &finding.message, &finding.fix);
            text += &printable(&format!("{place}: {severity}: {message}; {fix}"));
            text.push('\n');
        }
        output::print(&text)
    })?;
    let found = answer.errors + answer.warnings > 0;
    Ok(ExitCode::from(u8::from(found)))
}
