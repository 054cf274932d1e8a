// SPDX-License-Identifier: GPL-2.0

//! Which devices `apply --device` sets, by the kernel's own names and by others.

mod common;

use common::Tree;

/// With what sysfs has of disks and maps, and a policy that selects in all ways.
fn tree() -> Tree {
    let tree = Tree::usual();
    for (disk, hctl) in [
        ("sda", "6:0:0:0"),
        ("sdb", "10:0:0:0"),
        ("sdc", "0:0:0:0"),
        ("sr0", "1:0:0:0"),
    ] {
        let target = format!("../../devices/somewhere/{hctl}");
        tree.link(&format!("/sys/block/{disk}/device"), &target);
    }
    tree.directory("/sys/block/dm-0/slaves/sda");
    tree.directory("/sys/block/dm-0/slaves/sdb");
    tree.write(
        "/etc/sgio-filter/policy.d/10.toml",
        "[[device]]\nmatch = { multipath = \"mpatha\" }\nrules = \"deny 01\"\n\
         [[device]]\nmatch = { by_id = \"ata-SPINNER_*\" }\nrules = \"deny 02\"\n\
         [[device]]\nmatch = { class = \"cdrom\" }\nrules = \"deny 03\"\n",
    );
    tree
}

#[test]
fn a_name_of_the_kernel_is_as_good_as_any() {
    let tree = tree();
    let apply = |name: &str| tree.output(&["apply", "--dry-run", "--device", name], 0);
    for (kernel, other, rule, count) in [
        ("6:0:0:0", "/dev/sda", "deny 01", 1),
        ("sda", "/dev/sg0", "deny 01", 1),
        ("sdc", "/dev/disk/by-id/wwn-0x5000c500", "deny 02", 1),
        ("sr0", "/dev/sg3", "deny 03", 1),
        ("dm-0", "/dev/mapper/mpatha", "deny 01", 2),
    ] {
        let text = apply(kernel);
        assert_eq!(text, apply(other), "{kernel}");
        assert_eq!(text.matches(rule).count(), count, "{kernel}: {text}");
    }
}

#[test]
fn a_path_that_comes_later_is_known_by_its_wwid() {
    let tree = tree();
    std::fs::remove_dir_all(tree.path("/sys/bus/scsi/devices/10:0:0:0/block/sdb/holders")).unwrap();
    let text = tree.output(&["apply", "--dry-run", "--device", "10:0:0:0"], 0);
    assert!(text.contains("deny 01"), "{text}");
}

#[test]
fn what_is_not_there_is_an_error() {
    let tree = tree();
    for name in ["99:0:0:0", "sdz", "dm-2", "nothing"] {
        tree.output(&["apply", "--dry-run", "--device", name], 2);
    }
}
