// SPDX-License-Identifier: GPL-2.0

//! Reads the devices from sysfs.

use super::{
    links::{links_to, Links},
    multipath, nexus,
    transport::transport,
    Device, Hctl,
};
use crate::{
    parallel,
    root::{trimmed, Root},
};
use anyhow::{Context as _, Result};
use sgio_policy::policy::Class;
use std::io;

/// The directory of the SCSI devices; hosts and targets stand in it too.
pub(super) const DEVICES: &str = "/sys/bus/scsi/devices";

/// The directories below a device that name its nodes. Those of tapes have a name for each mode.
const NODES: [&str; 5] = ["block", "scsi_tape", "scsi_changer", "scsi_generic", "bsg"];

/// All SCSI devices, by address.
///
/// # Errors
///
/// A sysfs that cannot be read.
pub fn scan(root: &Root) -> Result<Vec<Device>> {
    let links = Links::all(root)?;
    let names = root.names(DEVICES)?;
    let addresses: Vec<Hctl> = names.iter().filter_map(|name| name.parse().ok()).collect();
    let mut devices = Vec::new();
    for device in parallel::map(&addresses, |hctl| one(root, *hctl, &links)) {
        devices.extend(device?);
    }
    devices.sort_by_key(|device| device.hctl);
    Ok(devices)
}

/// The devices that one of the kernel's own names means (`6:0:0:0`, `sda`, `dm-0`), without a look at any other
/// device: what udev calls for each device must not read all of them. `None` if the name is of another kind, or
/// nothing is called so. `links`: with [`Device::by_id`], for which all links are read.
///
/// # Errors
///
/// A sysfs that cannot be read.
pub fn find_by_kernel_name(root: &Root, name: &str, links: bool) -> Result<Option<Vec<Device>>> {
    let links = match links {
        true => Links::all(root)?,
        false => Links::default(),
    };
    let mut devices = Vec::new();
    for hctl in addresses(root, name)? {
        devices.extend(one(root, hctl, &links)?);
    }
    devices.sort_by_key(|device| device.hctl);
    Ok((!devices.is_empty()).then_some(devices))
}

/// The addresses behind an address, a disk, or a multipath map.
fn addresses(root: &Root, name: &str) -> Result<Vec<Hctl>> {
    if let Ok(hctl) = name.parse() {
        return Ok(vec![hctl]);
    }
    if name.is_empty() || name.contains('/') {
        return Ok(Vec::new());
    }
    let of_disk = |disk: &str| -> Option<Hctl> {
        let device = root.link(format!("/sys/block/{disk}/device"))?;
        device.file_name()?.to_str()?.parse().ok()
    };
    if let Some(hctl) = of_disk(name) {
        return Ok(vec![hctl]);
    }
    let uuid = root.attribute(format!("/sys/block/{name}/dm/uuid"));
    if !uuid.is_some_and(|uuid| uuid.starts_with("mpath-")) {
        return Ok(Vec::new());
    }
    let paths = root.names(format!("/sys/block/{name}/slaves"))?;
    // A path that is no SCSI disk has no policy here.
    Ok(paths.iter().filter_map(|path| of_disk(path)).collect())
}

/// `None` if the device has gone since its name was read.
fn one(root: &Root, hctl: Hctl, links: &Links) -> Result<Option<Device>> {
    let path = format!("{DEVICES}/{hctl}");
    let Some(directory) = root.directory(&path) else {
        return Ok(None);
    };
    let mut unknown = Vec::new();
    // The first of all: what is read behind it is of this device, or of one with another id.
    let id = directory.look("sgio_filter/id");
    let id = known(id, "id", &mut unknown).and_then(|id| id.parse().ok());
    let class = directory
        .look("type")
        .with_context(|| format!("{path}/type"))?;
    let Some(class) = class else {
        return Ok(None);
    };
    let class = class.parse().map_or(Class::UNKNOWN, Class::from_type);

    let (mut nodes, mut block) = (Vec::new(), None);
    for kind in NODES {
        let mut names = directory.names(kind)?;
        if kind == "block" {
            block = names.first().cloned();
        }
        // st0 before nst0, st0a and the other modes of the same tape.
        names.sort_by_key(String::len);
        for name in names {
            nodes.push(match kind {
                "bsg" => format!("bsg/{name}"),
                _ => name,
            });
        }
    }
    let multipath = match &block {
        Some(block) => multipath::of_disk(root, &directory, &format!("block/{block}"))?,
        None => None,
    };
    let mut by_id = links_to(&links.by_id, &nodes);
    if let Some(map) = &multipath {
        // As soon as there is a map, udev's links to the unit lead there, and not to one of its paths.
        let to_map = links_to(&links.by_id, &[map.node.clone()]);
        by_id.extend(to_map.into_iter().filter(|name| !name.starts_with("dm-")));
    }
    let mut text = |file: &str, name| known(directory.look(file), name, &mut unknown);
    let (vendor, model, revision) = (
        text("vendor", "vendor"),
        text("model", "model"),
        text("rev", "revision"),
    );
    let wwid = text("wwid", "wwid");
    let page = known(directory.bytes("vpd_pg80"), "serial", &mut unknown);
    // The directories of `/sys/devices` that the device is reached through.
    let through = root.link(&path).unwrap_or_default();
    let ports = nexus::of(root, hctl, &through).unwrap_or_else(|_| {
        unknown.push("ports");
        nexus::Ports::default()
    });
    let transport = known(transport(root, hctl, &through), "transport", &mut unknown);
    Ok(Some(Device {
        hctl,
        id,
        class,
        vendor: vendor.unwrap_or_default(),
        model: model.unwrap_or_default(),
        revision: revision.unwrap_or_default(),
        wwid,
        serial: page.and_then(|page| serial(&page)),
        transport: transport.unwrap_or_else(|| "unknown".to_owned()),
        by_id,
        by_path: links_to(&links.by_path, &nodes),
        ports,
        nodes,
        block,
        multipath,
        unknown,
    }))
}

/// What was read; what could not be read is noted by its name.
fn known<T>(
    read: io::Result<Option<T>>,
    name: &'static str,
    unknown: &mut Vec<&'static str>,
) -> Option<T> {
    read.unwrap_or_else(|_| {
        unknown.push(name);
        None
    })
}

/// The unit serial number in VPD page 80h: 4 bytes of header (SPC-5 "Unit Serial Number VPD
/// page"), then text.
fn serial(page: &[u8]) -> Option<String> {
    let [_, 0x80, high, low, text @ ..] = page else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    trimmed(text.get(..length).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::serial;

    #[test]
    fn the_serial_number_is_the_text_behind_the_header() {
        assert_eq!(
            serial(b"\x00\x80\x00\x08  S1234 ").as_deref(),
            Some("S1234")
        );
        // No more than the header says, and no more than is there.
        assert_eq!(serial(b"\x00\x80\x00\x02abcd").as_deref(), Some("ab"));
        assert_eq!(serial(b"\x00\x80\x00\x09abcd").as_deref(), Some("abcd"));
        for none in [
            &b""[..],
            b"\x00\x80\x00",
            b"\x00\x83\x00\x01a",
            b"\x00\x80\x00\x02  ",
        ] {
            assert_eq!(serial(none), None);
        }
    }
}
