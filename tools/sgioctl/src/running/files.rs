// SPDX-License-Identifier: GPL-2.0

//! How the files of the module are read.

use crate::root::{Directory, Root};
use anyhow::{bail, Context as _, Result};
use std::io;

/// The directories of all devices, in which the module has one of its own.
pub(super) const DEVICES: &str = "/sys/bus/scsi/devices";

/// What is in a file of root's alone; none for others. Everything else of a device can be shown to everybody.
pub(super) fn private(root: &Root, path: &str) -> Result<Option<String>> {
    match root.read(path) {
        Err(error)
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied) =>
        {
            Ok(None)
        }
        text => text,
    }
}

/// The file `rules`, without the empty line that says that there are none. A list longer than a
/// page comes in pieces, between which it may have changed: it is read until it stays the same.
pub(super) fn rules(files: &Directory, directory: &str) -> Result<String> {
    const PAGE: usize = 4096;
    let read = || -> Result<String> {
        let text = files.read("rules")?;
        text.with_context(|| format!("{directory}/rules is missing"))
    };
    let mut text = read()?;
    if text.len() >= PAGE {
        for _ in 0..10 {
            let again = read()?;
            if again == text {
                break;
            }
            text = again;
        }
    }
    Ok(text.trim().to_owned())
}

pub(super) fn flag(text: &str) -> Result<bool> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => bail!("'{text}' is neither 0 nor 1"),
    }
}

#[cfg(test)]
mod tests {
    use super::flag;

    #[test]
    fn a_switch_is_0_or_1() {
        assert!(flag("1").unwrap());
        assert!(!flag("0").unwrap());
        assert!(flag("2").is_err());
        assert!(flag("").is_err());
    }
}
