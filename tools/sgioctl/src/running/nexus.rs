// SPDX-License-Identifier: GPL-2.0

//! How a device is reached, and who may reserve it.

use super::files::{private, DEVICES};
use crate::{device::Hctl, root::Root};
use anyhow::{bail, Context as _, Result};
use serde::Serialize;

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

/// Lets the owner of a device's I_T nexus go, if the device object is still the one with that `id`.
///
/// # Errors
///
/// Another device has the address, or the kernel's reason; then nothing was done.
pub fn let_go(root: &Root, hctl: Hctl, id: u64) -> Result<()> {
    let gone = || {
        format!("{hctl}: the device has gone, or another one has its address: nothing was changed")
    };
    let path = format!("{DEVICES}/{hctl}/sgio_filter");
    // The directory is that of one device object, and goes with it.
    let files = root.directory(&path).with_context(gone)?;
    let now = files.read("id")?.with_context(gone)?;
    if now.trim().parse() != Ok(id) {
        bail!(gone());
    }
    let done = files.write("pr_exclusive", "reset\n");
    done.with_context(|| format!("{path}/pr_exclusive"))
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
    use std::{fs, path::Path};

    #[test]
    fn the_owner_of_another_device_is_not_let_go() {
        let top = std::env::temp_dir().join(format!("sgioctl-nexus-{}", std::process::id()));
        let root = Root::new(&top);
        let file = |name: &str| root.path(format!("{DEVICES}/6:0:0:0/sgio_filter/{name}"));
        let hctl = "6:0:0:0".parse().unwrap();
        assert!(let_go(&root, hctl, 17).is_err());
        fs::create_dir_all(file("id").parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(file("id"), "18\n").unwrap();
        fs::write(file("pr_exclusive"), "1\n").unwrap();
        let error = let_go(&root, hctl, 17).unwrap_err();
        assert!(error.to_string().contains("another one"), "{error}");
        assert_eq!(fs::read_to_string(file("pr_exclusive")).unwrap(), "1\n");
        let_go(&root, hctl, 18).unwrap();
        assert_eq!(fs::read_to_string(file("pr_exclusive")).unwrap(), "reset\n");
        fs::remove_dir_all(&top).unwrap();
    }

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
