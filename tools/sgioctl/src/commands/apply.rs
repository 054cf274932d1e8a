// SPDX-License-Identifier: GPL-2.0

//! `sgioctl apply`.

use crate::{
    cli::Context,
    device::{self, Device, Hctl},
    kernel,
    policyfile::{load, transaction, Maps, Policies, Selector},
    root::Root,
};
use anyhow::{bail, Context as _, Error, Result};
use serde::Serialize;
use std::{fs, io, path::PathBuf, process::ExitCode};

/// How often it is tried when devices come and go meanwhile.
const TRIES: usize = 5;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
All files are read and checked first: if anything in any of them is wrong, nothing is changed. \
Devices and classes that no file names get their defaults.

Examples:
  sgioctl apply                         all of /etc/sgio-filter/policy.d
  sgioctl apply --dry-run cluster.toml  print the transaction, change nothing
  sgioctl apply --device sdc            only this device, as udev does it")]
pub struct Args {
    /// Files, or directories of *.toml files [default: /etc/sgio-filter/policy.d].
    #[arg(value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,

    /// Print the transaction and change nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Change this device only (any name of it; a multipath map means all paths).
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    applied: bool,
    devices: Vec<AppliedDevice>,
    transaction: String,
}

#[derive(Serialize)]
struct AppliedDevice {
    device: Hctl,
    /// Where the block that has the say stands; none: the defaults.
    block: Option<String>,
    rules: usize,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let root = &context.root;
    let policies = load(root, &args.paths).context("nothing was changed")?;
    let mut answer;
    let mut tries = 0;
    loop {
        answer = prepare(root, &policies, args.device.as_deref())?;
        if args.dry_run {
            break;
        }
        tries += 1;
        match transact(root, &answer.transaction) {
            Ok(()) => {
                answer.applied = true;
                break;
            }
            // A device has gone, or another one has its address. Look again at what is there.
            Err(error) if tries < TRIES && device_changed(&error) => {}
            Err(error) => return Err(error).context("nothing was changed"),
        }
    }
    context.output.answer("apply", &answer, || {
        if args.dry_run {
            print!("{}", answer.transaction);
        } else {
            let own = answer.devices.iter().filter(|d| d.block.is_some()).count();
            println!(
                "{} devices set, {own} of them by a policy",
                answer.devices.len()
            );
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The devices that were asked for, and the multipath maps.
fn look(root: &Root, policies: &Policies, only: Option<&str>) -> Result<(Vec<Device>, Maps)> {
    let Some(name) = only else {
        let all = device::scan(root)?;
        let maps = Maps::of(&all);
        return Ok((all, maps));
    };
    // The way of udev, for one device after the other: only what is needed is read.
    let uses = |key: fn(&Selector) -> bool| policies.blocks.iter().any(|b| key(&b.selector));
    let links = uses(|selector| selector.by_id.is_some());
    let devices = match device::find_by_kernel_name(root, name, links)? {
        Some(devices) => devices,
        None => device::find(root, name)?,
    };
    let maps = if uses(|selector| selector.multipath.is_some()) {
        device::maps(root)?.iter().collect()
    } else {
        Maps::default()
    };
    Ok((devices, maps))
}

/// Looks at the devices and makes the transaction.
fn prepare(root: &Root, policies: &Policies, only: Option<&str>) -> Result<Answer> {
    let (devices, maps) = look(root, policies, only)?;
    let chosen: Vec<&Device> = devices.iter().collect();
    let mut answer = Answer {
        applied: false,
        devices: Vec::new(),
        transaction: String::new(),
    };
    if only.is_none() {
        answer.transaction = transaction::classes(policies);
    }
    let resolved = policies
        .resolve_some(&chosen, &maps)
        .context("nothing was changed")?;
    for state in resolved {
        let hctl = state.device.hctl;
        // A device that the module does not know has just come, and udev will tell of it, or
        // has just gone.
        let Some(id) = id(root, hctl)? else {
            if only.is_some() {
                bail!("{hctl} is not known to the module: is sgio_filter loaded?");
            }
            continue;
        };
        answer.transaction += &transaction::device(&state, Some(id));
        answer.devices.push(AppliedDevice {
            device: hctl,
            block: state
                .block
                .and_then(|number| policies.blocks.get(number))
                .map(|block| block.place.to_string()),
            rules: state.entries.len(),
        });
    }
    Ok(answer)
}

/// Identifies the device object at an address.
fn id(root: &Root, hctl: Hctl) -> Result<Option<u64>> {
    let path = format!("/sys/bus/scsi/devices/{hctl}/sgio_filter/id");
    match root.read(&path)? {
        None => Ok(None),
        Some(text) => Ok(Some(text.parse().context(path)?)),
    }
}

/// One write: all of it or nothing.
fn transact(root: &Root, text: &str) -> Result<()> {
    if root.is_live() {
        return kernel::transact(text);
    }
    let path = root.path("/dev/sgio_filter");
    fs::write(&path, text).with_context(|| path.display().to_string())
}

/// Tells whether a transaction failed because a device is not there any more (ENODEV) or not the
/// same any more (ESTALE).
fn device_changed(error: &Error) -> bool {
    use rustix::io::Errno;
    let changed = [Errno::NODEV, Errno::STALE];
    error.chain().any(|cause| {
        let errno = cause.downcast_ref::<Errno>().copied().or_else(|| {
            let code = cause.downcast_ref::<io::Error>()?.raw_os_error()?;
            Some(Errno::from_raw_os_error(code))
        });
        errno.is_some_and(|errno| changed.contains(&errno))
    })
}

#[cfg(test)]
mod tests {
    use super::device_changed;
    use anyhow::Error;
    use rustix::io::Errno;

    #[test]
    fn which_errors_are_tried_again() {
        for (errno, expected) in [
            (Errno::NODEV, true),
            (Errno::STALE, true),
            (Errno::INVAL, false),
            (Errno::PERM, false),
        ] {
            assert_eq!(device_changed(&Error::new(errno).context("x")), expected);
            let io = std::io::Error::from_raw_os_error(errno.raw_os_error());
            assert_eq!(device_changed(&Error::new(io).context("x")), expected);
        }
        assert!(!device_changed(&Error::msg("no such device")));
    }
}
