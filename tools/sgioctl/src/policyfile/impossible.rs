// SPDX-License-Identifier: GPL-2.0

//! Selectors that match no device, whatever is plugged in.

use super::{spelling::transport, At, Block, Pattern, Place, Policies, Selector};
use crate::device::wwid::{self as device_wwid, PREFIXES};

/// Where the wrong spelling stands, what is wrong with it, and how to write it.
pub(super) type Impossible = (Place, String, String);

/// The names of transports, as `sgioctl list` shows them.
pub(super) const TRANSPORTS: [&str; 7] = ["fc", "iscsi", "sas", "ata", "usb", "virtio", "tcm_loop"];

/// The blocks that no device can match, whatever is plugged in: where they stand.
pub fn never_matching(policies: &Policies) -> Vec<&Place> {
    let never = |block: &&Block| !impossible(&block.selector).is_empty();
    let grants = policies.grants.iter().map(|grant| &grant.block);
    let blocks = policies.blocks.iter().chain(grants).filter(never);
    blocks.map(|block| &block.place).collect()
}

/// Spellings in a selector that no device can have, whatever is plugged in.
pub(super) fn impossible(selector: &Selector) -> Vec<Impossible> {
    let mut found: Vec<Impossible> = Vec::new();
    if let Some(key) = &selector.wwid {
        found.extend(wwid(key, selector.exact));
    }
    if let Some(key) = &selector.by_id {
        found.extend(by_id(key));
    }
    if let Some(key) = &selector.by_path {
        found.extend(by_path(key));
    }
    if let Some(At { value, place }) = &selector.transport {
        let name = transport(value);
        let driver = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if ["scsi", "nvme", "raid", "spi", "block"].contains(&name.as_str()) || !driver {
            let fix = format!(
                "use one of {}, or the driver's name of 'sgioctl list'",
                TRANSPORTS.join(", ")
            );
            found.push((
                place.clone(),
                format!("no SCSI device has the transport '{value}'"),
                fix,
            ));
        } else if selector.exact && name != *value {
            let message = format!(
                "no device can match: with exact = true, the transport '{value}' is no other than that"
            );
            let fix = format!("write transport = \"{name}\"");
            found.push((place.clone(), message, fix));
        }
    }
    // INQUIRY has so many bytes for them (SPC-5 "Standard INQUIRY data").
    for (key, name, most) in [
        (&selector.vendor, "vendor", 8),
        (&selector.model, "model", 16),
    ] {
        let Some(At { value, place }) = key else {
            continue;
        };
        let longest = text(value).split('*').map(str::len).max().unwrap_or(0);
        let length: usize = text(value).split('*').map(str::len).sum();
        if length > most || longest > most {
            let start: String = text(value).chars().take(most).collect();
            let start = start.trim_end();
            // A model's name is cut off there; a vendor's is a shorter one, which T10 assigns.
            let fix = match name {
                "vendor" => {
                    "write the vendor as 'sgioctl list' shows it (of a SATA disk, it is ATA), or leave it out and \
                     select by wwid, serial or model"
                        .to_owned()
                }
                _ => format!(
                    "write {name} = \"{start}\", if 'sgioctl list' shows it so: it is that of other products too, so \
                     add wwid or serial to mean one"
                ),
            };
            found.push((
                place.clone(),
                format!("no device can match: INQUIRY has {most} characters for the {name}, and this has {length}"),
                fix,
            ));
        }
    }
    if let Some(At { value, place }) = &selector.multipath {
        let number = value.strip_prefix("dm-").or(value.strip_prefix("/dev/dm-"));
        if number.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit())) {
            let message = format!("'{value}' is the kernel's name of a map, which changes");
            let fix = "give the map's name (mpatha) or its WWID, as 'multipath -l' shows them";
            found.push((place.clone(), message, fix.into()));
        }
        if let Some(names) = crate::device::of_multipath(value) {
            let message = format!("'{value}' is a line of multipath -ll");
            found.push((place.clone(), message, format!("give {names}")));
        }
        for link in ["dm-name-", "dm-uuid-mpath-", "mpath-"] {
            if let Some(map) = value.strip_prefix(link) {
                let message = format!("no map is called '{value}'");
                let fix = format!("write multipath = \"{map}\"");
                found.push((place.clone(), message, fix));
                break;
            }
        }
    }
    for (key, name) in [
        (&selector.initiator, "initiator"),
        (&selector.target, "target"),
    ] {
        let Some(At { value, place }) = key else {
            continue;
        };
        // Names of iSCSI are compared without regard to case, unless they are to be exact.
        let lower = match selector.exact {
            true => value.clone(),
            false => value.to_ascii_lowercase(),
        };
        let iscsi = ["iqn.", "eui.", "naa."]
            .iter()
            .any(|prefix| lower.starts_with(prefix));
        let plain = crate::device::nexus::plain(value);
        let wwn = plain.len() == 16 && plain.bytes().all(|byte| byte.is_ascii_hexdigit());
        if let Some((name_alone, _)) = value.split_once(',').filter(|_| iscsi) {
            found.push((
                place.clone(),
                format!("no iSCSI name has a comma: '{value}'"),
                format!("write {name} = \"{name_alone}\""),
            ));
        } else if !iscsi && !wwn {
            found.push((
                place.clone(),
                format!("'{value}' is no name of a port"),
                format!("give the {name} as an iSCSI name (iqn....) or as 16 hex digits (0x2101001b32a90001)"),
            ));
        }
    }
    found
}

/// How to write the digits of a WWN, which are not all of some WWIDs.
pub(super) fn of_wwn(digits: &str) -> String {
    match device_wwid::of_number(digits) {
        Some(wwid) => format!("write wwid = \"{wwid}\", or by_id = \"wwn-0x{digits}\""),
        // A pattern of it would mean other units of the same array too.
        None if digits.len() == 16 && digits.starts_with('6') => {
            "this is the first half of it: write the whole WWID, which 'sgioctl show DEV' tells"
                .into()
        }
        None => "no WWN has so many digits: write the WWID, which 'sgioctl show DEV' tells".into(),
    }
}

/// What is wrong with the digits of a WWID, of which each kind has as many as there are bytes (SPC-5 "Designation
/// descriptor formats").
fn digits_of(lower: &str) -> Option<String> {
    let (kind, digits) = [
        ("naa.", "naa."),
        ("eui.", "eui."),
        ("3", "naa."),
        ("2", "eui."),
    ]
    .into_iter()
    .find_map(|(start, kind)| Some((kind, lower.strip_prefix(start)?)))?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let wanted: &[usize] = match (kind, digits.chars().next()) {
        ("naa.", Some('2' | '3' | '5')) => &[16],
        ("naa.", Some('6')) => &[32],
        ("eui.", _) => &[16, 24, 32],
        _ => {
            let other = device_wwid::of_number(digits);
            let other = other.map_or("'sgioctl show DEV' tells it".to_owned(), |wwid| {
                format!("write wwid = \"{wwid}\"")
            });
            return Some(format!(
                "the first digit of a WWID naa. is 2, 3, 5 or 6: {other}"
            ));
        }
    };
    let list: Vec<String> = wanted.iter().map(usize::to_string).collect();
    (!wanted.contains(&digits.len())).then(|| {
        format!(
            "it has {} digits, and should have {}: write it as 'sgioctl show DEV' does",
            digits.len(),
            list.join(", or ")
        )
    })
}

fn text(pattern: &Pattern) -> &str {
    pattern.text()
}

/// `exact`: it is to the letter, and a device may report any letters behind the beginning that a WWID has.
fn wwid(key: &At<Pattern>, exact: bool) -> Option<Impossible> {
    let text = text(&key.value);
    let lower = text.to_ascii_lowercase();
    let never = |fix: String| {
        let message = format!("no device can match: no WWID begins like '{text}'");
        Some((key.place.clone(), message, fix))
    };
    let number = lower.strip_prefix("wwn-").unwrap_or(&lower);
    if let Some(digits) = number.strip_prefix("0x") {
        // lsblk and udev print a WWN; of those of type 6 the first half only, unless it is the long form.
        return never(of_wwn(digits));
    }
    if let Some(id) = lower.strip_prefix("scsi-") {
        return match id.starts_with(['1', '2', '3']) {
            true => never(format!("write wwid = \"{id}\", or by_id = \"{text}\"")),
            false => never(format!("write by_id = \"{text}\"")),
        };
    }
    for link in ["ata-", "usb-", "dm-uuid-mpath-", "lvm-pv-uuid-", "/dev/"] {
        if lower.starts_with(link) {
            return never(match lower.strip_prefix("dm-uuid-mpath-") {
                Some(id) => format!("write multipath = \"{id}\""),
                None => format!(
                    "write by_id = \"{}\"",
                    text.rsplit('/').next().unwrap_or(text)
                ),
            });
        }
    }
    let rest = lower.split_once('.').map_or("", |(_, rest)| rest);
    let starts = |forms: &[&str]| forms.iter().any(|start| lower.starts_with(start));
    if exact && starts(&PREFIXES) {
        return None;
    }
    // Of these, a dot is a character of the name.
    let named = starts(&["t10.", "iqn.", "1", "8"]);
    if starts(&["naa.", "eui."]) && rest.contains('.') || rest.contains(".*") && !named {
        let plain = rest.replace('.', "");
        let start = lower.split('.').next().unwrap_or_default();
        return never(format!(
            "write wwid = \"{start}.{plain}\": * alone stands for any characters"
        ));
    }
    if let Some(fix) = digits_of(&lower) {
        let message = format!("no device can match: '{text}' is no whole WWID");
        return Some((key.place.clone(), message, fix));
    }
    let digits = lower
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'*');
    for start in ["naa.", "eui."] {
        let Some(number) = lower.strip_prefix(start) else {
            continue;
        };
        let plain: String = number
            .trim_start_matches("0x")
            .chars()
            .filter(|c| c.is_ascii_hexdigit() || "*?[]".contains(*c))
            .collect();
        if plain != number && !number.contains('[') {
            return never(format!(
                "write wwid = \"{start}{plain}\": hex digits, and nothing between them"
            ));
        }
    }
    match starts(&PREFIXES) || starts(&["1", "2", "3", "8", "*"]) {
        true => None,
        false if digits => never(match device_wwid::of_number(&lower) {
            Some(wwid) => format!("write wwid = \"{wwid}\""),
            None => "write it as 'sgioctl show DEV' does: naa...., eui...., or as multipath does: 3...".into(),
        }),
        false => never("write it as 'sgioctl show' does: naa...., eui...., t10...., iqn...., or as multipath does: 3...".into()),
    }
}

fn by_id(key: &At<Pattern>) -> Option<Impossible> {
    let text = text(&key.value);
    let never = |fix: String| {
        let message = format!("no device can match: no link in by-id is called '{text}'");
        Some((key.place.clone(), message, fix))
    };
    if text.contains('/') {
        return never(
            "give the link's name: /dev/disk/by-id/... or /dev/tape/by-id/..., or by_path".into(),
        );
    }
    if text.starts_with("naa.") || text.starts_with("t10.") || text.starts_with("eui.") {
        return never(format!("write wwid = \"{text}\""));
    }
    if let Some(disk) = without_partition(text) {
        return never(format!("this is a partition; write by_id = \"{disk}\""));
    }
    if text.starts_with("nvme-") {
        return never(
            "this is an NVMe device: it takes no SCSI commands, and nothing filters it".into(),
        );
    }
    for map in ["dm-name-", "dm-uuid-mpath-"] {
        if let Some(map) = text.strip_prefix(map) {
            return never(format!("this is a map; write multipath = \"{map}\""));
        }
    }
    let digits = |text: &str| text.len() >= 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let number = text.strip_prefix("wwn-").unwrap_or(text);
    let number = number.strip_prefix("0x").unwrap_or(number);
    if digits(number) && text != format!("wwn-0x{number}") {
        return never(format!("write by_id = \"wwn-0x{number}\""));
    }
    // udev puts what kind of name it is in front.
    if !text.contains(['-', '*', '?', '[']) {
        return never(
            "give the name of a link in /dev/disk/by-id or /dev/tape/by-id, like wwn-0x... or ata-..."
                .into(),
        );
    }
    None
}

fn by_path(key: &At<Pattern>) -> Option<Impossible> {
    let text = text(&key.value);
    let never = |fix: String| {
        let message = format!("no device matches ever: no link in by-path is called '{text}'");
        Some((key.place.clone(), message, fix))
    };
    if text.contains('/') {
        return never("give the name of a link in /dev/disk/by-path or /dev/tape/by-path".into());
    }
    without_partition(text)
        .and_then(|disk| never(format!("this is a partition; write by_path = \"{disk}\"")))
}

/// The disk's link, of a partition's.
fn without_partition(link: &str) -> Option<&str> {
    let (disk, number) = link.rsplit_once("-part")?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(disk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policyfile;

    /// What lint is told of a selector: the fixes.
    fn fixes(text: &str) -> Vec<String> {
        let source = format!("[[device]]\nmatch = {{ {text} }}\nprofile = \"disk-guest\"\n");
        let profiles =
            policyfile::Profiles::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
        let policies = policyfile::parse("x.toml", &source, profiles);
        let policies = policies.unwrap_or_else(|faults| panic!("{faults}"));
        let selector = &policies.blocks[0].selector;
        impossible(selector)
            .into_iter()
            .map(|(_, _, fix)| fix)
            .collect()
    }

    #[test]
    fn what_can_never_match_is_told_with_the_spelling_that_can() {
        for (given, fix) in [
            ("wwid = \"5000c50084ab1234\"", "naa.5000c50084ab1234"),
            ("wwid = \"0014ee0000000001\"", "eui.0014ee0000000001"),
            ("wwid = \"600140512345678\"", "as 'sgioctl show DEV' does"),
            (
                "wwid = \"naa.600140512345678\"",
                "has 15 digits, and should have 32",
            ),
            ("wwid = \"naa.5000c50084ab123\"", "should have 16"),
            ("wwid = \"naa.0014ee0000000001\"", "eui.0014ee0000000001"),
            ("wwid = \"eui.0014ee000000001\"", "16, or 24, or 32"),
            ("wwid = \"35000c50084ab123\"", "should have 16"),
            (
                "wwid = \"scsi-3600140512345678\"",
                "wwid = \"3600140512345678\"",
            ),
            (
                "wwid = \"scsi-SATA_DISK_S1\"",
                "by_id = \"scsi-SATA_DISK_S1\"",
            ),
            (
                "wwid = \"ata-SPINNER_S1234\"",
                "by_id = \"ata-SPINNER_S1234\"",
            ),
            ("wwid = \"dm-uuid-mpath-3600\"", "multipath = \"3600\""),
            ("wwid = \"naa.6001.*\"", "wwid = \"naa.6001*\""),
            ("by_id = \"naa.600\"", "wwid = \"naa.600\""),
            ("by_id = \"/dev/disk/by-path/x\"", "by_path"),
            ("vendor = \"Western Digital\"", "as 'sgioctl list' shows it"),
            (
                "model = \"WDC WD40EFRX-68N32N0\"",
                "model = \"WDC WD40EFRX-68N\"",
            ),
            ("by_id = \"nvme-SAMSUNG_MZQL2_S1\"", "NVMe"),
            ("multipath = \"dm-0\"", "mpatha"),
            (
                "multipath = \"mpatha (360014051234) dm-0 LIO-ORG,disk\"",
                "the map, mpatha",
            ),
            (
                "exact = true, wwid = \"0x6001405123456789\"",
                "the whole WWID",
            ),
            (
                "model = \"Samsung SSD 870 EVO 1TB\"",
                "that of other products too",
            ),
            ("transport = \"nvme\"", "use one of fc, iscsi"),
            ("transport = \"SCSI\"", "use one of fc, iscsi"),
            ("initiator = \"web\"", "iSCSI name"),
            ("target = \"0x123\"", "16 hex digits"),
            ("exact = true, transport = \"SATA\"", "transport = \"ata\""),
        ] {
            let fixes = fixes(given);
            assert!(
                fixes.iter().any(|found| found.contains(fix)),
                "{given}: {fixes:?}"
            );
        }
        for fine in [
            "wwid = \"naa.600140512345678901234567890abcde\"",
            "wwid = \"3600140512345678901234567890abcde\"",
            "wwid = \"eui.0025385a81b0dbf4\"",
            "wwid = \"naa.6001405*\"",
            "exact = true, wwid = \"naa.6001\"",
            "wwid = \"*\"",
            "by_id = \"/dev/tape/by-id/scsi-3500-nst\"",
            "by_path = \"/dev/disk/by-path/pci-0000:00:1f.2-ata-1\"",
            "transport = \"SATA\"",
            "transport = \"virtio\"",
            "exact = true, transport = \"ata\"",
            "vendor = \"ATA\"",
            "model = \"WDC WD40EFRX-68N\"",
            "initiator = \"21:01:00:1b:32:a9:00:01\"",
            "target = \"iqn.2003-01.org.example:san\"",
            "target = \"IQN.2003-01.ORG.EXAMPLE:san\"",
        ] {
            assert!(fixes(fine).is_empty(), "{fine}");
        }
    }
}
