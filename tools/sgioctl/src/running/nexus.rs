// SPDX-License-Identifier: GPL-2.0

//! How a device is reached, and who may reserve it.

use super::files::{private, DEVICES};
use crate::{device::Hctl, root::Root};
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::fs;

/// The files `nexus` and `pr_owner`: how the device is reached, and who may reserve it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Debug)]
pub struct Nexus {
    /// Host, channel and target, as `6:0:0`.
    pub nexus: String,
    /// The name of the logical unit; none if it has none.
    pub lu: Option<String>,
    /// The path of the cgroup that owns the nexus while `pr_exclusive` is on, for those who may know.
    pub owner: Option<String>,
    /// The devices that are this logical unit through this nexus.
    pub devices: Vec<String>,
}

/// How a device is reached, and who shares that; `None` if the module does not know the device.
///
/// # Errors
///
/// A file that cannot be read.
pub fn nexus(root: &Root, hctl: Hctl) -> Result<Option<Nexus>> {
    let directory = format!("{DEVICES}/{hctl}/sgio_filter");
    let Some(text) = root.read(format!("{directory}/nexus"))? else {
        return Ok(None);
    };
    let owner = private(root, &format!("{directory}/pr_owner"))?;
    Ok(Some(Nexus {
        owner: owner.as_deref().and_then(parse_owner),
        ..parse_nexus(&text)
    }))
}

/// Lets the owner of a device's I_T nexus go.
///
/// # Errors
///
/// The kernel's reason.
pub fn let_go(root: &Root, hctl: Hctl) -> Result<()> {
    let path = root.path(format!("{DEVICES}/{hctl}/sgio_filter/pr_exclusive"));
    fs::write(&path, "reset\n").with_context(|| path.display().to_string())
}

/// The path behind the id, if there is an owner.
fn parse_owner(text: &str) -> Option<String> {
    text.split_once(' ').map(|(_, path)| path.to_owned())
}

/// Names that are not known are those of a later version.
fn parse_nexus(text: &str) -> Nexus {
    let mut nexus = Nexus::default();
    for (name, value) in text.lines().filter_map(|line| line.split_once(' ')) {
        match name {
            "nexus" => value.clone_into(&mut nexus.nexus),
            "lu" => nexus.lu = (value != "-").then(|| value.to_owned()),
            "device" => nexus.devices.push(value.to_owned()),
            _ => (),
        }
    }
    nexus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nexuses() {
        let text =
            "nexus 6:0:0\nlu naa.6001\npr_exclusive 1\ndevice 6:0:0:0\nlater 5\ndevice 6:0:0:1\n";
        let nexus = parse_nexus(text);
        assert_eq!(
            (nexus.nexus.as_str(), nexus.lu.as_deref()),
            ("6:0:0", Some("naa.6001"))
        );
        assert_eq!(
            parse_owner("4711 /machine.slice/a b").as_deref(),
            Some("/machine.slice/a b")
        );
        assert_eq!(parse_owner(""), None);
        assert_eq!(nexus.devices, ["6:0:0:0", "6:0:0:1"]);
        let nexus = parse_nexus("nexus 6:0:0\nlu -\npr_exclusive 0\ndevice 6:0:0:0\n");
        assert_eq!((nexus.lu, nexus.owner), (None, None));
    }
}
