// SPDX-License-Identifier: GPL-2.0

//! Which devices a block is about.

use super::{spelling, At, Place};
use crate::device::{nexus::Ports, wwid, Device, Hctl, Multipath};
use sgio_policy::policy::Class;
use std::collections::BTreeSet;

/// A text in which `*` stands for any characters, or none; or one that means itself alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    text: String,
    literal: bool,
}

impl Pattern {
    /// A text in which `*` stands for any characters.
    pub fn new(text: impl Into<String>) -> Pattern {
        Pattern {
            text: text.into(),
            literal: false,
        }
    }

    /// A text that means itself, to the letter.
    pub fn literal(text: impl Into<String>) -> Pattern {
        Pattern {
            text: text.into(),
            literal: true,
        }
    }

    /// The text as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Tells whether it means itself, to the letter.
    pub fn is_literal(&self) -> bool {
        self.literal
    }

    /// Tells whether it has a `*` that stands for other characters.
    pub fn is_glob(&self) -> bool {
        !self.literal && self.text.contains('*')
    }

    /// Tells whether `text` is meant.
    pub fn matches(&self, text: &str) -> bool {
        if self.literal {
            return self.text == text;
        }
        let mut parts = self.text.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        // Taking each part where it comes first leaves the most for those behind it.
        for part in parts {
            let Some(at) = rest.find(part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

/// `match`: what is given must all hold.
#[derive(Clone, Debug)]
pub struct Selector {
    /// Where it stands.
    pub place: Place,
    /// Each text means itself, to the letter.
    pub exact: bool,
    /// World wide identifier of the logical unit.
    pub wwid: Option<At<Pattern>>,
    /// Unit serial number.
    pub serial: Option<At<String>>,
    /// INQUIRY vendor.
    pub vendor: Option<At<Pattern>>,
    /// INQUIRY product.
    pub model: Option<At<Pattern>>,
    /// Class.
    pub class: Option<At<Class>>,
    /// Address.
    pub hctl: Option<At<Hctl>>,
    /// Transport, or driver.
    pub transport: Option<At<String>>,
    /// Name of a link in `/dev/disk/by-id` or `/dev/tape/by-id`.
    pub by_id: Option<At<Pattern>>,
    /// Name of a link in `/dev/disk/by-path` or `/dev/tape/by-path`.
    pub by_path: Option<At<Pattern>>,
    /// Who the initiator is: an iSCSI name, the port name of an FC host or vport, the address of a SAS host.
    pub initiator: Option<At<String>>,
    /// The interface of open-iscsi that the session is bound to.
    pub interface: Option<At<String>>,
    /// Who the target is: an iSCSI name, a port name of FC, a SAS address.
    pub target: Option<At<String>>,
    /// Name or WWID of a multipath map.
    pub multipath: Option<At<String>>,
}

/// The multipath maps there are: name and WWID.
#[derive(Clone, Default, Debug)]
pub struct Maps(BTreeSet<(String, String)>);

impl Maps {
    /// The maps that the devices are paths of.
    pub fn of(devices: &[Device]) -> Maps {
        let maps = devices
            .iter()
            .filter_map(|device| device.multipath.as_ref());
        maps.collect()
    }
}

impl<'a> FromIterator<&'a Multipath> for Maps {
    fn from_iter<I: IntoIterator<Item = &'a Multipath>>(maps: I) -> Maps {
        let maps = maps.into_iter();
        Maps(
            maps.map(|map| (map.name.clone(), map.wwid.to_ascii_lowercase()))
                .collect(),
        )
    }
}

/// A WWID as multipath and udev's scsi_id write it: `naa.6000...` is `36000...` there.
pub(super) fn as_scsi_id(wwid: &str) -> String {
    let words: Vec<&str> = wwid.split_whitespace().collect();
    let wwid = words.join("_");
    for (prefix, digit) in [("naa.", '3'), ("eui.", '2'), ("t10.", '1'), ("iqn.", '8')] {
        if let Some(rest) = wwid.strip_prefix(prefix) {
            return format!("{digit}{rest}").to_ascii_lowercase();
        }
    }
    wwid.to_ascii_lowercase()
}

/// Tells whether a WWID is meant: in either spelling and case, unless the pattern is literal. A device
/// chooses what it reports, so that another spelling of one WWID may be the WWID of another device.
fn is_wwid(pattern: &Pattern, wwid: &str) -> bool {
    if pattern.literal {
        return pattern.matches(wwid);
    }
    let pattern = Pattern::new(pattern.text.to_ascii_lowercase());
    pattern.matches(&wwid.to_ascii_lowercase()) || pattern.matches(&as_scsi_id(wwid))
}

impl Selector {
    /// Tells whether a device is meant.
    pub fn matches(&self, device: &Device, maps: &Maps) -> bool {
        fn holds<T>(key: &Option<At<T>>, test: impl FnOnce(&T) -> bool) -> bool {
            key.as_ref().is_none_or(|key| test(&key.value))
        }
        holds(&self.wwid, |pattern| {
            device
                .wwid
                .as_deref()
                .is_some_and(|wwid| is_wwid(pattern, wwid))
        }) && holds(&self.serial, |serial| {
            device
                .serial
                .as_deref()
                .is_some_and(|own| match self.exact {
                    true => own == serial,
                    false => spelling::same_serial(own, serial),
                })
        }) && holds(&self.vendor, |vendor| vendor.matches(&device.vendor))
            && holds(&self.model, |model| {
                model.matches(&device.model)
                    || !self.exact && model.matches(&spelling::with_underscores(&device.model))
            })
            && holds(&self.class, |class| *class == device.class)
            && holds(&self.hctl, |hctl| *hctl == device.hctl)
            && holds(&self.transport, |transport| match self.exact {
                true => *transport == device.transport,
                false => spelling::transport(transport) == device.transport,
            })
            && holds(&self.by_id, |by_id| {
                device.by_id.iter().any(|name| by_id.matches(name))
            })
            && holds(&self.by_path, |by_path| {
                device.by_path.iter().any(|name| by_path.matches(name))
            })
            && holds(&self.initiator, |name| {
                self.is_port(device.ports.initiator.as_deref(), name)
            })
            && holds(&self.interface, |name| {
                device.ports.interface.as_ref() == Some(name)
            })
            && holds(&self.target, |name| {
                self.is_port(device.ports.target.as_deref(), name)
            })
            && holds(&self.multipath, |map| {
                is_path(device, map, maps, self.exact)
            })
    }

    fn is_port(&self, port: Option<&str>, name: &str) -> bool {
        port.is_some_and(|port| match self.exact {
            true => port == name,
            false => Ports::same(port, name),
        })
    }

    /// Tells whether it can only mean one logical unit, whose class is then not in doubt.
    pub fn is_one_unit(&self) -> bool {
        let exact = |key: &Option<At<Pattern>>| key.as_ref().is_some_and(|p| !p.value.is_glob());
        exact(&self.wwid)
            || exact(&self.by_id)
            || self.serial.is_some()
            || self.hctl.is_some()
            || self.multipath.is_some()
    }
}

/// Tells whether this is a WWID as multipath and scsi_id write it: the type of the designator, and hex digits; or, of
/// vendors' own designators, a longer text.
fn is_scsi_id(id: &str) -> bool {
    let mut characters = id.chars();
    let designator = characters.next().is_some_and(|c| c.is_ascii_digit());
    let hex = characters.all(|c| c.is_ascii_hexdigit());
    designator && ((hex && id.len() >= 17) || id.starts_with(['0', '1', '8']) && id.len() >= 10)
}

/// Tells whether a device is a path of the map of that name or WWID.
///
/// A path that has just appeared is not in the map yet, but has the WWID of it.
fn is_path(device: &Device, map: &str, maps: &Maps, exact: bool) -> bool {
    let meant = match exact {
        true => map.to_owned(),
        false => as_scsi_id(map),
    };
    // The WWID of a map is what its device answers, which may be the name of another map.
    let is_wwid = wwid::is_wwid(map);
    let own = |name: &str, wwid: &str| {
        name == map || is_wwid && (wwid == meant || !exact && wwid.to_ascii_lowercase() == meant)
    };
    let id = device.wwid.as_deref().map(as_scsi_id);
    device
        .multipath
        .as_ref()
        .is_some_and(|m| own(&m.name, &m.wwid))
        // A device chooses its WWID, so that one that is the name of a map means nothing.
        || (is_scsi_id(&meant) && id.as_ref() == Some(&meant))
        || maps
            .0
            .iter()
            .any(|(name, wwid)| own(name, wwid) && id.as_ref() == Some(wwid))
}

#[cfg(test)]
mod tests {
    use super::{as_scsi_id, is_scsi_id, is_wwid, Pattern};

    #[test]
    fn what_is_no_name_of_a_map() {
        for id in [
            "36001405a1b2c3d4e5f60718293a4b5c6",
            "35000c500a1b2c3d4",
            "1ATA_WDC_WD40",
        ] {
            assert!(is_scsi_id(id), "{id}");
        }
        for id in ["mpatha", "sda", "", "3", "db-1", "36001405"] {
            assert!(!is_scsi_id(id), "{id}");
        }
    }

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "abc", true),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("abc", "ab", false),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("ab*bc", "abc", false),
            ("a*b*c", "axbxbxc", true),
            ("a*b*c", "axc", false),
            ("*b*", "abc", true),
            ("**", "x", true),
            ("a?c", "abc", false),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(text),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn a_literal_means_itself_alone() {
        for (text, other, expected) in [
            ("*", "*", true),
            ("*", "naa.6", false),
            ("naa.6*", "naa.6001", false),
            ("naa.6a", "NAA.6A", false),
            ("36a", "naa.6a", false),
        ] {
            assert_eq!(is_wwid(&Pattern::literal(text), other), expected, "{text}");
            assert!(!Pattern::literal(text).is_glob());
        }
        assert!(is_wwid(&Pattern::new("36A"), "naa.6a"));
    }

    #[test]
    fn wwids() {
        for (wwid, id) in [
            ("naa.600A", "3600a"),
            ("eui.0025", "20025"),
            ("t10.ATA     QEMU  1", "1ata_qemu_1"),
            ("iqn.2001-05.com.example:lun7", "82001-05.com.example:lun7"),
            ("3600A", "3600a"),
        ] {
            assert_eq!(as_scsi_id(wwid), id);
        }
    }
}
