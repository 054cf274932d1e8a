// SPDX-License-Identifier: GPL-2.0

//! Which devices a name means.

use super::{
    other::{block_device, of_multipath},
    scan::scan,
    wwid, Device, Hctl,
};
use crate::root::Root;
use anyhow::{bail, Context as _, Result};
use std::path::{Component, Path, PathBuf};

/// How many symbolic links are followed, as in the kernel.
const MAX_LINKS: usize = 40;

/// The devices that `name` means: `6:0:0:0`, `sda`, `/dev/sda`, `/dev/disk/by-id/...`, `/dev/sg3`,
/// a WWID, or a multipath map (`mpatha`, `/dev/mapper/mpatha`, `dm-0`: all its paths).
///
/// # Errors
///
/// No such device, with what was looked for.
pub fn find(root: &Root, name: &str) -> Result<Vec<Device>> {
    let devices = scan(root).with_context(|| format!("looking for {name}"))?;
    among(root, devices, name)
}

/// Each kind of name is looked for before the next, from what the kernel gives to what a device chooses itself: a
/// device must not get what is meant for another one by calling itself so.
fn among(root: &Root, devices: Vec<Device>, name: &str) -> Result<Vec<Device>> {
    let node = node_name(root, name);
    let of_kind = |is_meant: &dyn Fn(&Device) -> bool| -> Option<Vec<Device>> {
        let found: Vec<Device> = devices.iter().filter(|d| is_meant(d)).cloned().collect();
        (!found.is_empty()).then_some(found)
    };
    // lsscsi prints addresses in brackets.
    let plain = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let address: Option<Hctl> = plain.unwrap_or(name).parse().ok();
    if let Some(found) = of_kind(&|device| has_kernel_name(device, address, &node)) {
        return Ok(found);
    }
    if address.is_some() {
        bail!("there is no SCSI device at {name}; 'sgioctl list' shows all");
    }
    if let Some(disk) = disk_of_partition(root, &devices, &node) {
        bail!(
            "{name} is a partition, and the kernel refuses SG_IO on partitions: name the whole \
             disk, {disk}"
        );
    }
    if let Some(found) = of_kind(&|device| is_path_of(device, &node)) {
        return Ok(found);
    }
    if let Some((map, uuid)) = device_mapper(root, &node)? {
        match uuid.split_once("-mpath-") {
            Some((part, _)) if part.starts_with("part") => bail!(
                "{name} is a partition of a multipath map, and SG_IO on partitions is refused: \
                 name the whole map"
            ),
            _ if uuid.starts_with("mpath-") => {
                bail!("the multipath map {map} has no path that is a SCSI device")
            }
            _ => bail!("{name} ({map}) is no multipath map: name the SCSI disks below it"),
        }
    }
    if let Some(what) = block_device(root, &node) {
        bail!("{name} is {what}, and no SCSI device: no rule applies to it");
    }
    if let Some(line) = of_multipath(name) {
        bail!("'{name}' is a line of multipath -ll: give {line}");
    }
    let has_link = |device: &Device| device.by_id.iter().any(|link| link == name);
    if let Some(found) = of_kind(&has_link) {
        return Ok(found);
    }
    if wwid::is_wwid(name) {
        if let Some(found) = of_kind(&|device| has_wwid(device, name)) {
            return Ok(found);
        }
    }
    if let Some(wwid) = meant(&devices, name) {
        bail!("no SCSI device is called {name}; did you mean {wwid}?");
    }
    bail!(
        "no SCSI device is called {name} (looked for an address H:C:T:L, a node, a link in \
         /dev/disk/by-id, a WWID and a multipath map); 'sgioctl list' shows all"
    );
}

/// Tells whether the kernel calls the device so, or the map that it is a path of.
fn has_kernel_name(device: &Device, address: Option<Hctl>, node: &str) -> bool {
    address == Some(device.hctl)
        || device.nodes.iter().any(|own| own == node)
        || device
            .multipath
            .as_ref()
            .is_some_and(|map| map.node == node)
}

/// Tells whether the device is a path of the map of that name.
fn is_path_of(device: &Device, node: &str) -> bool {
    let name = node.strip_prefix("mapper/").unwrap_or(node);
    device
        .multipath
        .as_ref()
        .is_some_and(|map| map.name == name)
}

/// The WWID that is meant by a number as lsblk, udev or a label on a drive has it, or by a serial number.
fn meant(devices: &[Device], name: &str) -> Option<String> {
    let plain = |text: &str| text.to_ascii_lowercase().replace([':', '-', ' ', '_'], "");
    let lower = plain(name);
    let number = ["wwn0x", "naa.", "0x", "scsi3", "3"]
        .iter()
        .find_map(|start| lower.strip_prefix(start))
        .unwrap_or(&lower);
    // Shorter ones may be anything.
    if number.len() < 5 {
        return None;
    }
    let is_meant = |device: &&Device| {
        let wwid = device.wwid.as_deref().map(plain);
        let digits = wwid.as_deref().and_then(|wwid| wwid.split_once('.'));
        digits.is_some_and(|(_, digits)| digits == number || digits == lower)
            || device.serial.as_deref().map(plain).as_deref() == Some(lower.as_str())
    };
    let device = devices.iter().find(is_meant)?;
    Some(
        device
            .wwid
            .clone()
            .unwrap_or_else(|| device.hctl.to_string()),
    )
}

fn has_wwid(device: &Device, name: &str) -> bool {
    let map = device.multipath.as_ref().map(|map| &map.wwid);
    let mut ids = device.wwid.iter().chain(map);
    ids.any(|id| same_id(id, name))
}

/// WWIDs are compared without regard to case and to how many blanks there are: T10 ones are padded.
fn same_id(one: &str, other: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        text.split_whitespace()
            .map(str::to_ascii_lowercase)
            .collect()
    };
    words(one) == words(other)
}

/// The name below `/dev` of what `name` leads to; links are followed.
fn node_name(root: &Root, name: &str) -> String {
    if !name.starts_with('/') {
        return name.to_owned();
    }
    let mut path = plain(Path::new(name));
    for _ in 0..MAX_LINKS {
        let Some(target) = root.link(&path) else {
            break;
        };
        let parent = path.parent().unwrap_or(Path::new("/"));
        path = plain(&parent.join(target));
    }
    let below = path.strip_prefix("/dev").unwrap_or(&path);
    below.to_string_lossy().into_owned()
}

/// The path without `.` and `..`. In `/dev`, no directory is a link that would make `..` mean
/// something else.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => (),
            _ => plain.push(part),
        }
    }
    plain
}

fn disk_of_partition(root: &Root, devices: &[Device], node: &str) -> Option<String> {
    if node.is_empty() || node.contains('/') {
        return None;
    }
    devices
        .iter()
        .filter_map(|device| device.block.clone())
        .find(|disk| {
            root.path(format!("/sys/block/{disk}/{node}/partition"))
                .exists()
        })
}

/// Name and UUID of a device-mapper device.
fn device_mapper(root: &Root, node: &str) -> Result<Option<(String, String)>> {
    let wanted = node.strip_prefix("mapper/").unwrap_or(node);
    for dm in root.names("/sys/block")? {
        let attribute = |name: &str| root.attribute(format!("/sys/block/{dm}/dm/{name}"));
        // dmsetup makes devices without a UUID; each has a name.
        let Some(name) = attribute("name").or_else(|| attribute("uuid")) else {
            continue;
        };
        let uuid = attribute("uuid").unwrap_or_default();
        if dm == wanted || name == wanted {
            return Ok(Some((name, uuid)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wwids_are_equal_whatever_their_blanks_and_case() {
        assert!(same_id(
            "t10.ATA     QEMU HARDDISK   QM1",
            "t10.ata QEMU HARDDISK QM1"
        ));
        assert!(!same_id("naa.5000c500", "naa.5000c501"));
        assert!(!same_id("naa.5000c500", "5000c500"));
    }

    #[test]
    fn paths_are_read_as_they_stand() {
        assert_eq!(
            plain(Path::new("/dev/disk/by-id/../../sda")),
            Path::new("/dev/sda")
        );
        assert_eq!(plain(Path::new("/dev/./sda")), Path::new("/dev/sda"));
    }
}
