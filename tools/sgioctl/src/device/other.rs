// SPDX-License-Identifier: GPL-2.0

//! What people name that is no SCSI device: block devices of other kinds, and lines that multipath prints.

use super::{wwid, Hctl};
use crate::root::Root;

/// What a block device is that no SCSI command reaches by this filter.
pub(super) fn block_device(root: &Root, node: &str) -> Option<&'static str> {
    if node.is_empty() || node.contains('/') {
        return None;
    }
    let starts = |prefix: &str| {
        let rest = node.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    if starts("nvme") {
        return Some("an NVMe device");
    }
    let is_there = root.path(format!("/sys/class/block/{node}")).exists()
        || root.path(format!("/sys/block/{node}")).exists();
    is_there.then_some("a block device of another kind")
}

/// What to give in the place of a line of `multipath -ll`: `mpatha (3600...) dm-0 ACME,LUN`, `|- 6:0:0:0 sdb 8:16 active`.
pub fn of_multipath(line: &str) -> Option<String> {
    let words: Vec<&str> = line
        .split_whitespace()
        .skip_while(|word| word.chars().all(|c| "|`-+_\\".contains(c)))
        .collect();
    match words.as_slice() {
        [map, wwid, dm, ..] if wwid.starts_with('(') && dm.starts_with("dm-") => {
            let wwid = wwid.trim_matches(|c| "()".contains(c));
            Some(format!("the map, {map}, or its WWID, {wwid}"))
        }
        // Without names of its own, the map has its WWID for one.
        [wwid, dm, _, ..] if wwid::is_wwid(wwid) && dm.starts_with("dm-") => {
            Some(format!("the map, {wwid}"))
        }
        [address, disk, _, ..] if address.parse::<Hctl>().is_ok() => {
            Some(format!("the path, {address} or {disk}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_multipath_is_told_with_its_names() {
        for (line, part) in [
            (
                "mpatha (360014051234) dm-0 LIO-ORG,disk1",
                "mpatha, or its WWID, 360014051234",
            ),
            (
                "  |- 6:0:0:0 sdb 8:16 active ready running",
                "6:0:0:0 or sdb",
            ),
            ("`- 7:0:0:0 sdc 8:32 active ready running", "7:0:0:0 or sdc"),
            (
                "36001405a1b2c3d4e5f60718293a4b5c6 dm-0 LIO-ORG,disk1",
                "the map, 36001405",
            ),
        ] {
            let found = of_multipath(line);
            assert!(
                found.as_deref().is_some_and(|f| f.contains(part)),
                "{line}: {found:?}"
            );
        }
        for none in [
            "mpatha",
            "6:0:0:0",
            "sda",
            "t10.ATA     QEMU HARDDISK   QM1",
            "",
        ] {
            assert_eq!(of_multipath(none), None);
        }
    }
}
