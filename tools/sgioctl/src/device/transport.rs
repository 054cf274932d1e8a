// SPDX-License-Identifier: GPL-2.0

//! How devices are attached.

use super::Hctl;
use crate::root::Root;
use std::{io, path::Path};

/// How the device is attached. The directories of `/sys/devices` that it is reached through tell it; the
/// nearest that is known counts (a SATA disk behind a SAS expander is reached by SAS).
pub(super) fn transport(root: &Root, hctl: Hctl, through: &Path) -> io::Result<Option<String>> {
    let mut parts = through.iter().rev();
    let known = parts.find_map(|part| transport_of(&part.to_string_lossy()));
    if let Some(known) = known {
        return Ok(Some(known.to_owned()));
    }
    let driver = root.look(format!("/sys/class/scsi_host/host{}/proc_name", hctl.host))?;
    Ok(match driver.as_deref() {
        // What the kernel prints for a driver without that name.
        None | Some("(null)" | "<NULL>") => None,
        Some("tcm_loopback") => Some("tcm_loop".to_owned()),
        Some(driver) => Some(driver.to_owned()),
    })
}

/// The transport that a directory of `/sys/devices` stands for.
fn transport_of(part: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 6] = [
        ("session", "iscsi"),
        ("rport-", "fc"),
        ("end_device-", "sas"),
        ("ata", "ata"),
        ("usb", "usb"),
        ("virtio", "virtio"),
    ];
    KNOWN.iter().find_map(|(prefix, transport)| {
        let rest = part.strip_prefix(prefix)?;
        rest.starts_with(|c: char| c.is_ascii_digit())
            .then_some(*transport)
    })
}

#[cfg(test)]
mod tests {
    use super::transport_of;

    #[test]
    fn transports_are_told_by_whole_names() {
        assert_eq!(transport_of("session12"), Some("iscsi"));
        assert_eq!(transport_of("rport-7:0-3"), Some("fc"));
        assert_eq!(transport_of("ata1"), Some("ata"));
        for none in ["atacama", "usb", "sessions", "host6", "virtio"] {
            assert_eq!(transport_of(none), None);
        }
    }
}
