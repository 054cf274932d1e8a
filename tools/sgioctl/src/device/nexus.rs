// SPDX-License-Identifier: GPL-2.0

//! Who the initiator and the target of a device are, as its transport names them.
//!
//! References: the kernel's scsi_transport_iscsi, scsi_transport_fc and scsi_transport_sas, which make the files.

use super::Hctl;
use crate::root::Root;
use serde::Serialize;
use std::{
    io,
    path::{Path, PathBuf},
};

/// The names of both ports of an I_T nexus. Two sessions to one logical unit differ in them, when its WWID is the same.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Debug)]
pub struct Ports {
    /// iSCSI: the initiator name of the session; FC: the port name of the host, which a vport (NPIV) has of its own; SAS: the
    /// address of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator: Option<String>,
    /// iSCSI: the interface of open-iscsi that the session is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// iSCSI: the target name; FC: the port name of the remote port; SAS: the address of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Ports {
    /// Tells whether a name is meant, in whatever spelling of the transport.
    pub fn same(one: &str, other: &str) -> bool {
        plain(one) == plain(other)
    }
}

/// A name as it is compared: WWNs without `0x` and colons, iSCSI names in lower case (RFC 3722).
pub fn plain(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    let digits = lower.strip_prefix("0x").unwrap_or(&lower).replace(':', "");
    let wwn = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if wwn {
        digits
    } else {
        lower
    }
}

/// The ports of a device, which is reached `through` these directories of `/sys/devices`.
///
/// # Errors
///
/// A file that could not be read, so that nothing is known of the ports.
pub(super) fn of(root: &Root, hctl: Hctl, through: &Path) -> io::Result<Ports> {
    let part = |prefix: &str| {
        let mut parts = through
            .iter()
            .map(|part| part.to_string_lossy().into_owned());
        parts.find(|part| {
            let number = part.strip_prefix(prefix);
            number.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    };
    // What the kernel prints where nobody set it.
    let set = |value: &String| !value.is_empty() && value != "(null)" && value != "<NULL>";
    let read = |file: String| root.look(file).map(|value| value.filter(set));

    if let Some(session) = part("session") {
        let session = format!("/sys/class/iscsi_session/{session}");
        return Ok(Ports {
            initiator: read(format!("{session}/initiatorname"))?,
            interface: read(format!("{session}/ifacename"))?,
            target: read(format!("{session}/targetname"))?,
        });
    }
    let Hctl {
        host,
        channel,
        target,
        ..
    } = hctl;
    if part("rport-").is_some() {
        return Ok(Ports {
            initiator: read(format!("/sys/class/fc_host/host{host}/port_name"))?,
            interface: None,
            target: read(format!(
                "/sys/class/fc_transport/target{host}:{channel}:{target}/port_name"
            ))?,
        });
    }
    if let Some(end) = part("end_device-") {
        return Ok(Ports {
            initiator: sas_host(root, host)?,
            interface: None,
            target: read(format!("/sys/class/sas_device/{end}/sas_address"))?,
        });
    }
    Ok(Ports::default())
}

/// The address of a SAS host: that of its phys, which all have the same one.
fn sas_host(root: &Root, host: u32) -> io::Result<Option<String>> {
    let class = "/sys/class/sas_phy";
    let own = format!("phy-{host}:");
    let phys = root.names(class).map_err(io::Error::other)?;
    // A phy of an expander is called phy-H:E:N.
    let mut phys = phys.iter().filter(|phy| {
        let number = phy.strip_prefix(&own);
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    match phys.next() {
        Some(phy) => root.look(PathBuf::from(format!("{class}/{phy}/sas_address"))),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::Ports;

    #[test]
    fn names_are_compared_in_any_spelling() {
        for (one, other, expected) in [
            ("0x2101001b32a90001", "21:01:00:1b:32:a9:00:01", true),
            ("2101001B32A90001", "0x2101001b32a90001", true),
            (
                "iqn.2003-01.org.example:Web",
                "iqn.2003-01.org.example:web",
                true,
            ),
            (
                "iqn.2003-01.org.example:web",
                "iqn.2003-01.org.example:db",
                false,
            ),
            ("0x2101001b32a90001", "0x2101001b32a90002", false),
            ("abcd", "ab:cd", false),
        ] {
            assert_eq!(Ports::same(one, other), expected, "{one} {other}");
        }
    }
}
