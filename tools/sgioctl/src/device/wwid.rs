// SPDX-License-Identifier: GPL-2.0

//! What a text must look like to be taken for the WWID of a logical unit.
//!
//! The kernel's `wwid` is what scsi_vpd_lun_id() makes of VPD page 83h: `naa.`, `eui.` and `t10.` of its own, or the
//! device's SCSI name string to the letter (SPC-5 "SCSI name string designator format": `naa.`, `eui.` or `iqn.`, the
//! last of RFC 3720). A device can put anything into it. So what has none of these beginnings is never looked for among
//! the WWIDs.

/// How the WWIDs of the kernel begin.
pub const PREFIXES: [&str; 4] = ["naa.", "eui.", "t10.", "iqn."];

/// A WWID as the kernel has it, of the digits of a WWN as udev and lsblk print it: by how many there are, and by the
/// first, which is the type of an NAA designator (SPC-5 "NAA designator format"). None if there is no such WWN.
pub fn of_number(digits: &str) -> Option<String> {
    let lower = digits.to_ascii_lowercase();
    let hex = lower.bytes().all(|byte| byte.is_ascii_hexdigit());
    let prefix = match (lower.len(), lower.chars().next()) {
        (16, Some('2' | '3' | '5')) | (32, Some('6')) => "naa.",
        // The first half of one.
        (16, Some('6')) => return None,
        (16 | 24 | 32, _) => "eui.",
        _ => return None,
    };
    hex.then(|| format!("{prefix}{lower}"))
}

/// The shortest that multipath and scsi_id write without a prefix: a digit and 15 more.
const SHORTEST: usize = 16;

/// Tells whether a name can be meant as a WWID: by its prefix, whose case does not count; or as multipath and scsi_id
/// write it, a digit for the kind of designator and the designator. No path, no address, no name of a node.
pub fn is_wwid(name: &str) -> bool {
    let start = name.get(..4).unwrap_or_default();
    PREFIXES
        .iter()
        .any(|prefix| start.eq_ignore_ascii_case(prefix))
        || is_scsi_id(name)
}

fn is_scsi_id(name: &str) -> bool {
    let address = name.bytes().all(|b| b.is_ascii_digit() || b == b':') && name.contains(':');
    name.starts_with(['0', '1', '2', '3', '8'])
        && name.len() >= SHORTEST
        && !name.contains('/')
        && !address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_prefix_of_its_kind() {
        for (digits, wwid) in [
            ("5000c50084ab1234", Some("naa.5000c50084ab1234")),
            ("0014EE0000000001", Some("eui.0014ee0000000001")),
            (
                "600140512345678901234567890abcde",
                Some("naa.600140512345678901234567890abcde"),
            ),
            (
                "0025385a81b0dbf40025385a81b0dbf4",
                Some("eui.0025385a81b0dbf40025385a81b0dbf4"),
            ),
            ("6001405123456789", None),
            ("5000c50084ab123", None),
            ("", None),
            ("5000c50084ab12xx", None),
        ] {
            assert_eq!(of_number(digits).as_deref(), wwid, "{digits}");
        }
    }

    #[test]
    fn what_can_be_meant_as_a_wwid() {
        for name in [
            "naa.600140512345678",
            "NAA.6001405",
            "eui.0025385a81b0dbf4",
            "t10.ATA     QEMU HARDDISK   QM1",
            "t10.ACME a/b",
            "iqn.2001-05.com.example:lun7",
            "3600140512345678",
            "36001405a1b2c3d4e5f60718293a4b5c6",
            "1ATA_WDC_WD40EFRX-68N32N0_WD-1",
        ] {
            assert!(is_wwid(name), "{name}");
        }
        for name in [
            "",
            "sda",
            "mpatha",
            "/dev/disk/by-id/scsi-3600140512345678",
            "/dev/mapper/vg0-root",
            "mapper/vg0-root-of-the-host",
            "6:0:0:4611686018427387904",
            "1:0:0:4611686018427387904",
            "8:0000000:0000000:0000000",
            "0/dev/disk/by-id/wwn-0x5000",
            "vg0-root-of-the-host",
            "a.b",
            "é.é",
        ] {
            assert!(!is_wwid(name), "{name}");
        }
    }
}
