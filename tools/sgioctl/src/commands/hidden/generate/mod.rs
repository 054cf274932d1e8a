// SPDX-License-Identifier: GPL-2.0

//! `sgioctl generate`: what `make install` puts beside the binary.

mod complete;
mod man;

use crate::context::Context;
use anyhow::{Context as _, Result};
use clap::{Command, ValueEnum};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The pages that are not about the command line.
const PAGES: [(&str, &str); 2] = [
    (
        "sgio-policy.5",
        include_str!("../../../../man/sgio-policy.5"),
    ),
    (
        "sgio_filter.4",
        include_str!("../../../../man/sgio_filter.4"),
    ),
];

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to generate.
    pub what: What,
    /// The directory to put it in; it is made if it is not there.
    pub directory: PathBuf,
}

/// What can be generated.
#[derive(Clone, Copy, ValueEnum, Debug)]
pub enum What {
    /// sgioctl(8), a page for each of its commands, sgio-policy(5), sgio_filter(4).
    Man,
    /// Completions for bash, zsh and fish.
    Completions,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let directory = &args.directory;
    let result = match args.what {
        What::Man => manual(directory, (context.command_line)()),
        What::Completions => completions(directory, &(context.command_line)()),
    };
    result.with_context(|| directory.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn manual(directory: &Path, mut command: Command) -> Result<()> {
    fs::create_dir_all(directory)?;
    // Global options become known to the subcommands.
    command.build();
    fs::write(directory.join("sgioctl.8"), man::page(&command, None))?;
    for sub in command.get_subcommands().filter(|sub| man::is_shown(sub)) {
        let name = sub.get_name();
        let path = directory.join(format!("sgioctl-{name}.8"));
        fs::write(path, man::page(sub, Some(name)))?;
    }
    for (name, text) in PAGES {
        fs::write(directory.join(name), text)?;
    }
    Ok(())
}

fn completions(directory: &Path, command: &Command) -> Result<()> {
    fs::create_dir_all(directory)?;
    for (name, text) in complete::all(command) {
        fs::write(directory.join(name), text)?;
    }
    Ok(())
}
