// SPDX-License-Identifier: GPL-2.0

//! `sgioctl complain`.

use crate::{
    change::{self, OnOff},
    context::Context,
};
use anyhow::Result;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
While it is on, the device is open to everybody who can open its nodes: switch it off again.
'sgioctl monitor' shows what would have been refused, 'sgioctl learn' makes rules of it.

Examples:
  sgioctl complain mpatha on
  sgioctl complain mpatha off")]
pub struct Args {
    /// H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map.
    #[arg(value_name = "DEV")]
    device: String,

    /// On or off.
    value: OnOff,

    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let on = args.value == OnOff::On;
    change::switch(
        context,
        "complain",
        &args.device,
        "complain",
        on,
        args.dry_run,
    )
}
