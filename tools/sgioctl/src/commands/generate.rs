// SPDX-License-Identifier: GPL-2.0

//! `sgioctl generate`: what `make install` puts beside the binary.

use crate::cli::{Cli, Context};
use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _, ValueEnum};
use clap_complete::{generate_to, Shell};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The pages that are not about the command line.
const PAGES: [(&str, &str); 2] = [
    ("sgio-policy.5", include_str!("../../man/sgio-policy.5")),
    ("sgio_filter.4", include_str!("../../man/sgio_filter.4")),
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
pub fn run(_: &Context, args: Args) -> Result<ExitCode> {
    let directory = &args.directory;
    let result = match args.what {
        What::Man => man(directory),
        What::Completions => completions(directory),
    };
    result.with_context(|| directory.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn man(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    let mut command = Cli::command();
    // Global options become known to the subcommands.
    command.build();
    page(&command, "sgioctl", directory)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        if sub.get_name() != "help" {
            page(sub, &format!("sgioctl-{}", sub.get_name()), directory)?;
        }
    }
    for (name, text) in PAGES {
        fs::write(directory.join(name), text)?;
    }
    Ok(())
}

fn page(command: &Command, name: &str, directory: &Path) -> Result<()> {
    let named = command.clone().display_name(name.to_owned());
    let mut text = Vec::new();
    clap_mangen::Man::new(named)
        .title(name.to_uppercase())
        .section("8")
        .source(concat!("sgioctl ", env!("CARGO_PKG_VERSION")))
        .manual("sgio-filter")
        .render(&mut text)?;
    fs::write(directory.join(format!("{name}.8")), text)?;
    Ok(())
}

fn completions(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut Cli::command(), "sgioctl", directory)?;
    }
    Ok(())
}
