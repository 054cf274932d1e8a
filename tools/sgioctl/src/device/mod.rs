// SPDX-License-Identifier: GPL-2.0

//! The SCSI devices of the host, as sysfs tells of them.

mod class;
mod find;
mod links;
mod multipath;
pub mod nexus;
mod other;
mod scan;
mod transport;
pub mod wwid;

use serde::{Serialize, Serializer};
use sgio_policy::policy::Class;

pub use self::{
    class::class_meant,
    find::find,
    multipath::maps,
    other::of_multipath,
    scan::{find_by_kernel_name, scan},
};
pub use sgio_policy::policy::Hctl;

/// A dm-multipath map that a disk is a path of.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Multipath {
    /// `mpatha`, or whatever the map is called (`dm/name`).
    pub name: String,
    /// `dm-0`.
    pub node: String,
    /// The map's WWID: `dm/uuid` without `mpath-`.
    pub wwid: String,
}

/// One SCSI device.
#[derive(Clone, Serialize, Debug)]
pub struct Device {
    /// Its address.
    pub hctl: Hctl,
    /// The device object that all of this is about: the `id` that its filter had before anything else was
    /// read. A change that names it is refused if another device has the address by then.
    #[serde(skip)]
    pub id: Option<u64>,
    /// Its peripheral device type.
    #[serde(serialize_with = "class_name")]
    pub class: Class,
    /// INQUIRY vendor, blanks at both ends removed.
    pub vendor: String,
    /// INQUIRY product.
    pub model: String,
    /// INQUIRY revision.
    pub revision: String,
    /// The kernel's `wwid` file: `naa.5000...`, `t10.ATA ...`, `eui....`; none if it reports none.
    pub wwid: Option<String>,
    /// Unit serial number (VPD page 80h), blanks at both ends removed.
    pub serial: Option<String>,
    /// How it is attached: `fc`, `iscsi`, `sas`, `ata`, `usb`, `virtio`, `tcm_loop`, `scsi_debug`,
    /// ...: the transport, or else the host's driver.
    pub transport: String,
    /// Node names, without `/dev/`: `sda`, `sr0`, `st0`, `sch0`, `sg3`, `bsg/6:0:0:0`; only those there.
    pub nodes: Vec<String>,
    /// Of a disk or CD: its name in `/sys/block`.
    pub block: Option<String>,
    /// Links in `/dev/disk/by-id` and `/dev/tape/by-id` (names only) to its nodes.
    pub by_id: Vec<String>,
    /// The same in `by-path`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_path: Vec<String>,
    /// Initiator and target.
    #[serde(flatten)]
    pub ports: nexus::Ports,
    /// The multipath map it is a path of.
    pub multipath: Option<Multipath>,
    /// What could not be read, so that it is not known: names of the fields above.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<&'static str>,
}

/// Serializes a class by name.
pub fn class_name<S: Serializer>(class: &Class, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(class.name())
}

impl Device {
    /// The name that people use: of the block device, or else of the first node, or the address.
    pub fn name(&self) -> String {
        self.block
            .clone()
            .or_else(|| self.nodes.first().cloned())
            .unwrap_or_else(|| self.hctl.to_string())
    }

    /// The name with the address: `sda (6:0:0:0)`.
    pub fn full_name(&self) -> String {
        let (name, address) = (self.name(), self.hctl.to_string());
        if name == address {
            address
        } else {
            format!("{name} ({address})")
        }
    }
}
