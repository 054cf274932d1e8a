// SPDX-License-Identifier: GPL-2.0

//! `sgioctl set`.

use crate::{
    cli::Context,
    grant::{self, OnOff},
};
use anyhow::Result;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
unpriv on lets everybody who can open the device, for reading only included, send everything:
firmware downloads and SANITIZE too. A rule ('sgioctl allow') is nearly always the better answer.

Examples:
  sgioctl set sdb unpriv on         the switch unpriv_sgio of one disk
  sgioctl set mpatha unpriv off     of all paths of a multipath map
  sgioctl set 6:0:0:0 complain on   the same as 'sgioctl complain 6:0:0:0 on'")]
pub struct Args {
    /// H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map.
    #[arg(value_name = "DEV")]
    device: String,

    /// The switch.
    switch: Switch,

    /// What it is set to.
    value: OnOff,

    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Switch {
    /// Everything is allowed to everybody who can open the device.
    #[value(alias = "unpriv_sgio")]
    Unpriv,
    /// What would be refused is let through and reported.
    Complain,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let switch = match args.switch {
        Switch::Unpriv => "unpriv_sgio",
        Switch::Complain => "complain",
    };
    let on = args.value == OnOff::On;
    grant::switch(context, "set", &args.device, switch, on, args.dry_run)
}
