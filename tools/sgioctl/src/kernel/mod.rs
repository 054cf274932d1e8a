// SPDX-License-Identifier: GPL-2.0

//! `/dev/sgio_filter`: transactions and questions to the running kernel.
//!
//! ABI: `Documentation/ABI/testing/dev-sgio_filter`

mod ioctl;
pub mod sg_io;

use crate::{device::Hctl, root::Root};
use anyhow::{anyhow, bail, Context as _, Error, Result};
use rustix::{
    fs::{open, Mode, OFlags},
    io::Errno,
};
use sgio_policy::{
    policy::{Class, Decision, MAX_CDB},
    uapi,
};
use std::{error, fmt, fs::File, io::Write as _, os::fd::OwnedFd};

const NODE: &str = "/dev/sgio_filter";

/// Whom a question is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// A device, with its own rules.
    Device(Hctl),
    /// Any device of a class, without rules of its own.
    Class(Class),
}

/// What the running kernel would answer to a sender without `CAP_SYS_RAWIO`, one in the cgroup with that id, or one that
/// holds no grant; nothing is sent. With the id of the cgroup that holds the grant which decides, if one does.
///
/// # Errors
///
/// No module, no permission, no such device or cgroup, a CDB of 0 or more than 32 bytes.
pub fn check(
    whose: Whose,
    cdb: &[u8],
    open_for_write: bool,
    cgroup: Option<u64>,
) -> Result<(Decision, Option<u64>)> {
    let mut question = question(whose, cdb, open_for_write)?;
    if let Some(cgroup) = cgroup {
        question.flags |= uapi::AS_CGROUP;
        question.cgroup = cgroup;
    }
    let node = node()?;
    ioctl::check(&node, &mut question)
        .map_err(|errno| match (errno, whose) {
            (Errno::NODEV, Whose::Device(hctl)) => anyhow!("there is no device {hctl}"),
            (Errno::NOENT, _) => anyhow!("the cgroup has been removed"),
            (Errno::NOTTY, _) => anyhow!("the module does not know the question"),
            _ => anyhow!("{errno}"),
        })
        .context(NODE)?;
    let holder = Some(question.holder).filter(|holder| *holder != 0);
    Ok((answer(&question)?, holder))
}

/// The longest transaction that the kernel takes.
pub const MAX_TRANSACTION: usize = 16 << 20;

/// Puts a transaction in force, all of it or nothing: one write(2) to `/dev/sgio_filter`. In a tree of files
/// that takes the place of the running system, it becomes the file that stands for the kernel's.
///
/// # Errors
///
/// What the ABI lists, in words.
pub fn transact(root: &Root, text: &str) -> Result<()> {
    transact_all(root, &[text]).map_err(|stopped| stopped.reason)
}

/// Where a series of transactions has ended.
#[derive(Debug)]
pub struct Stopped {
    /// So many are in force.
    pub done: usize,
    /// Why the next one is not.
    pub reason: Error,
}

/// Puts transactions in force one after the other, each all or nothing, up to the first that fails.
///
/// # Errors
///
/// As of [`transact`], and how many were put in force before.
pub fn transact_all(root: &Root, texts: &[&str]) -> Result<(), Stopped> {
    for (done, text) in texts.iter().enumerate() {
        send(root, text, done > 0).map_err(|reason| Stopped { done, reason })?;
    }
    Ok(())
}

fn send(root: &Root, text: &str, follows: bool) -> Result<()> {
    if !root.is_live() {
        if text.len() > MAX_TRANSACTION {
            return Err(failed(Errno::TOOBIG)).context(NODE);
        }
        let path = root.path(NODE);
        let mut options = File::options();
        options.write(true).create(true);
        let options = options.append(follows).truncate(!follows);
        let written = options
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        return written.with_context(|| path.display().to_string());
    }
    let node = node()?;
    let written = rustix::io::retry_on_intr(|| rustix::io::write(&node, text.as_bytes()))
        .map_err(failed)
        .context(NODE)?;
    if written != text.len() {
        // One write is one transaction: the rest must not follow as another.
        bail!("{NODE}: took {written} of {} bytes", text.len());
    }
    Ok(())
}

fn node() -> Result<OwnedFd> {
    open(NODE, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| match errno {
            Errno::NOENT | Errno::NXIO | Errno::NODEV => {
                anyhow!("not there: the module sgio_filter is not loaded")
            }
            Errno::ACCESS | Errno::PERM => {
                anyhow!("no permission: this needs root with CAP_SYS_RAWIO")
            }
            _ => anyhow!("{errno}"),
        })
        .context(NODE)
}

/// A transaction that the kernel did not take.
#[derive(Debug)]
struct Failed {
    errno: Errno,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&words(self.errno))
    }
}

impl error::Error for Failed {}

/// The error of a transaction that the kernel did not take.
fn failed(errno: Errno) -> Error {
    Error::new(Failed { errno })
}

/// Tells whether a transaction was refused because a device is not there any more (ENODEV), or not the
/// same any more (ESTALE): a second look shows what is there now.
pub fn device_changed(error: &Error) -> bool {
    let failed = error.downcast_ref::<Failed>();
    failed.is_some_and(|failed| matches!(failed.errno, Errno::NODEV | Errno::STALE))
}

/// Tells whether a transaction failed because the cgroup that a grant is to has gone.
pub fn holder_gone(error: &Error) -> bool {
    let failed = error.downcast_ref::<Failed>();
    failed.is_some_and(|failed| failed.errno == Errno::NOENT)
}

/// What the errors of a transaction mean.
fn words(errno: Errno) -> String {
    let log = "the kernel log says where";
    match errno {
        Errno::PERM => "CAP_SYS_RAWIO is missing; nothing has changed".into(),
        Errno::INVAL => format!("the text is wrong ({log}); nothing has changed"),
        Errno::TOOBIG => "more than 16 MiB; nothing has changed".into(),
        Errno::NODEV => format!("a device is not there ({log}); nothing has changed"),
        Errno::STALE => format!(
            "another device is at the address of one that was meant ({log}); nothing has changed"
        ),
        Errno::NOENT => format!(
            "a rule to be removed, or the cgroup that a grant is to, is not there ({log}); nothing has changed"
        ),
        Errno::NOSPC => {
            format!(
                "more than 4096 rules on one device or class, or in a grant, or more than 4096 grants on one device \
                 ({log}); nothing has changed"
            )
        }
        Errno::OPNOTSUPP => {
            "a setting cannot be kept: pr_exclusive and grants tell senders apart by cgroups of version 2, and there \
             may be none but the root; filter_sg needs a driver sg that can be hooked (the kernel log and \
             /sys/kernel/sgio_filter/entry_points say which); nothing has changed"
                .into()
        }
        Errno::BUSY => {
            "another user of ftrace has a function that a setting needs (see \
             /sys/kernel/sgio_filter/entry_points and enabled_functions of tracefs); nothing has changed"
                .into()
        }
        Errno::NOMEM => "the kernel is out of memory; nothing has changed".into(),
        _ => errno.to_string(),
    }
}

fn question(whose: Whose, cdb: &[u8], open_for_write: bool) -> Result<ioctl::Check> {
    let mut check = ioctl::Check {
        size: u32::try_from(size_of::<ioctl::Check>())?,
        flags: if open_for_write { uapi::WRITE } else { 0 },
        cdb_len: u32::try_from(cdb.len())?,
        ..ioctl::Check::default()
    };
    match check.cdb.get_mut(..cdb.len()) {
        Some(start) if !cdb.is_empty() => start.copy_from_slice(cdb),
        _ => bail!("a CDB has 1 to {MAX_CDB} bytes, not {}", cdb.len()),
    }
    match whose {
        Whose::Device(hctl) => {
            (check.host, check.channel) = (hctl.host, hctl.channel);
            (check.target, check.lun) = (hctl.target, hctl.lun);
        }
        Whose::Class(class) => {
            check.flags |= uapi::BY_CLASS;
            check.class = u32::from(class.type_code());
        }
    }
    Ok(check)
}

fn answer(check: &ioctl::Check) -> Result<Decision> {
    let (decision, layer, rule) = (check.decision, check.layer, check.rule);
    Decision::from_codes(decision, layer, rule)
        .ok_or_else(|| anyhow!("{NODE}: answers with {decision}, layer {layer}, rule {rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sgio_policy::policy::Layer;

    #[test]
    fn questions() {
        let hctl = "6:1:2:281474976710657".parse().unwrap();
        let check = question(Whose::Device(hctl), &[0x5e, 1], true).unwrap();
        assert_eq!((check.size, check.flags, check.cdb_len), (104, 1, 2));
        assert_eq!((check.host, check.channel, check.target), (6, 1, 2));
        assert_eq!((check.lun, check.class), (281_474_976_710_657, 0));
        assert_eq!(check.cdb[..3], [0x5e, 1, 0]);

        let check = question(Whose::Class(Class::ZBC), &[0; 32], false).unwrap();
        assert_eq!((check.flags, check.class, check.cdb_len), (2, 0x14, 32));
        assert!(question(Whose::Class(Class::ZBC), &[], false).is_err());
        assert!(question(Whose::Class(Class::ZBC), &[0; 33], false).is_err());
    }

    #[test]
    fn answers() {
        let ask = |decision, layer, rule| {
            answer(&ioctl::Check {
                decision,
                layer,
                rule,
                ..ioctl::Check::default()
            })
            .ok()
        };
        assert_eq!(ask(0, 0, 0), Some(Decision::NoRule));
        assert_eq!(ask(1, 0, 0), Some(Decision::Unpriv));
        assert_eq!(ask(2, 1, 3), Some(Decision::Allowed(Layer::Device, 3)));
        assert_eq!(ask(3, 2, 4095), Some(Decision::Denied(Layer::Class, 4095)));
        assert_eq!(
            ask(4, 2, 0),
            Some(Decision::NeedsWriteOpen(Layer::Class, 0))
        );
        assert_eq!(ask(2, 0, 0), None);
        assert_eq!(ask(2, 4, 0), None);
        assert_eq!(ask(2, 3, 5), Some(Decision::Allowed(Layer::Grant, 5)));
        assert_eq!(ask(2, 1, 65536), None);
        assert_eq!(ask(5, 0, 0), Some(Decision::OwnLuns));
        assert_eq!(ask(6, 0, 0), Some(Decision::NotOwner));
        assert_eq!(ask(7, 0, 0), None);
    }

    #[test]
    fn a_device_that_changed_is_told_from_other_errors() {
        for (errno, expected) in [
            (Errno::NODEV, true),
            (Errno::STALE, true),
            (Errno::INVAL, false),
            (Errno::PERM, false),
        ] {
            // As transact() returns it, and with what callers add.
            let error = failed(errno).context(NODE).context("nothing was changed");
            assert_eq!(device_changed(&error), expected);
            assert!(format!("{error:#}").ends_with(&words(errno)), "{error:#}");
        }
        assert!(!device_changed(&Error::msg("no such device")));
    }

    #[test]
    fn the_limit_is_that_of_the_module() {
        let module = include_str!("../../../../rust/knobs/control_device.rs");
        assert!(module.contains("const MAX_TRANSACTION: usize = 16 << 20;"));
        assert_eq!(MAX_TRANSACTION, 16 << 20);
    }

    #[test]
    fn every_listed_error_has_words() {
        for errno in [
            Errno::PERM,
            Errno::INVAL,
            Errno::TOOBIG,
            Errno::NODEV,
            Errno::STALE,
            Errno::NOENT,
            Errno::NOSPC,
            Errno::OPNOTSUPP,
            Errno::BUSY,
            Errno::NOMEM,
        ] {
            assert!(words(errno).contains("nothing has changed"), "{errno}");
        }
    }
}
