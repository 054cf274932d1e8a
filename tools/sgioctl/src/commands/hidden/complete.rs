// SPDX-License-Identifier: GPL-2.0

//! `sgioctl complete`: what the completions of the shells propose.

use crate::{context::Context, device, names, output, policyfile::load_profiles};
use anyhow::Result;
use clap::ValueEnum;
use sgio_policy::policy::Class;
use std::{collections::BTreeSet, process::ExitCode};

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What is to be listed.
    what: What,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum What {
    /// Names of devices.
    Devices,
    /// Names of commands.
    Commands,
    /// Names of classes.
    Classes,
    /// Names of profiles.
    Profiles,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let root = &context.root;
    let mut found: BTreeSet<String> = BTreeSet::new();
    match args.what {
        What::Devices => {
            for device in device::scan(root)? {
                found.insert(device.hctl.to_string());
                found.extend(device.nodes.iter().cloned());
                found.extend(device.multipath.map(|map| map.name));
            }
        }
        What::Commands => Class::ALL
            .into_iter()
            .for_each(|class| found.extend(names::all(class))),
        What::Classes => found.extend(Class::ALL.into_iter().map(|class| class.name().to_owned())),
        What::Profiles => {
            let profiles = load_profiles(root)?;
            found.extend(profiles.iter().map(|(name, _)| name.to_owned()));
        }
    }
    // The name of a map is not ours, and a shell gets this.
    let plain = |name: &&String| {
        let letter = |b: u8| b.is_ascii_alphanumeric() || b"._:+-/".contains(&b);
        name.bytes().all(letter) && !name.starts_with('-')
    };
    let names: Vec<&str> = found.iter().filter(plain).map(String::as_str).collect();
    output::print(&output::lines(&names))?;
    Ok(ExitCode::SUCCESS)
}
