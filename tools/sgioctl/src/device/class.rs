// SPDX-License-Identifier: GPL-2.0

//! Classes as other programs and people call them.

use sgio_policy::policy::Class;

/// What others call a class: lsblk, lsscsi, sg_inq, the standards, people.
const OTHERS: [(&str, &[&str]); 9] = [
    ("disk", &["hdd", "ssd", "direct-access", "sd", "block"]),
    ("tape", &["st", "streamer", "sequential-access", "lto"]),
    (
        "cdrom",
        &[
            "rom",
            "cd",
            "dvd",
            "cd/dvd",
            "cd-rom",
            "cd/dvd-rom",
            "bd",
            "sr",
        ],
    ),
    (
        "changer",
        &[
            "mediumx",
            "medium-changer",
            "autoloader",
            "library",
            "ch",
            "sch",
        ],
    ),
    ("optical", &["mo", "optical-memory", "optical-disk"]),
    ("raid", &["storage", "storage-array", "array"]),
    ("enclosure", &["enclosu", "ses", "enclosure-services"]),
    ("zbc", &["smr", "host-managed", "zoned"]),
    ("processor", &["process"]),
];

/// The name of the class that is meant by another one, or by the number of the peripheral device type.
pub fn class_meant(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    if let Some(class) = Class::from_name(&lower) {
        return Some(class.name());
    }
    let plain = lower.replace([' ', '_'], "-");
    let other = OTHERS
        .iter()
        .find(|(_, names)| names.iter().any(|name| *name == plain));
    if let Some((name, _)) = other {
        return Class::from_name(name).map(Class::name);
    }
    let digits = lower.strip_prefix("0x").unwrap_or(&lower);
    let code = u8::from_str_radix(digits, 16).ok();
    let code = code.filter(|code| *code < 0x20 && digits.len() <= 2);
    code.map(|code| Class::from_type(code).name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_that_of_a_class() {
        for (name, others) in OTHERS {
            assert!(Class::from_name(name).is_some(), "{name}");
            for other in others {
                assert_eq!(class_meant(other), Some(name), "{other}");
            }
        }
        for (given, meant) in [
            ("Disk", Some("disk")),
            ("CD/DVD", Some("cdrom")),
            ("Medium Changer", Some("changer")),
            ("5", Some("cdrom")),
            ("0x08", Some("changer")),
            ("00", Some("disk")),
            ("cdrm", None),
            ("20", None),
            ("", None),
        ] {
            assert_eq!(class_meant(given), meant, "{given}");
        }
    }
}
