// SPDX-License-Identifier: GPL-2.0

//! One logical unit through a session for each guest: nothing that is meant for the one is given to the other.

use crate::common::Tree;
use std::fs;

const HOLDERS: [&str; 2] = [
    "/sys/bus/scsi/devices/6:0:0:0/block/sda/holders",
    "/sys/bus/scsi/devices/10:0:0:0/block/sdb/holders",
];

/// The tree with two iSCSI sessions to one LUN, which multipathd has joined.
pub(super) fn two_guests() -> Tree {
    let tree = Tree::usual();
    for (session, guest) in [("session1", "web"), ("session2", "db")] {
        let session = format!("/sys/class/iscsi_session/{session}");
        for (file, text) in [
            ("initiatorname", format!("iqn.2003-01.org.example:{guest}")),
            ("ifacename", guest.to_owned()),
            ("targetname", "iqn.2003-01.org.example:san".to_owned()),
        ] {
            tree.write(&format!("{session}/{file}"), &format!("{text}\n"));
        }
    }
    tree
}

/// The same as it should be: no map has the disks.
fn apart() -> Tree {
    let tree = two_guests();
    for holders in HOLDERS {
        fs::remove_dir_all(tree.path(holders)).unwrap();
    }
    tree
}

fn rules(tree: &Tree, hctl: &str, text: &str) {
    tree.write(
        &format!("/sys/bus/scsi/devices/{hctl}/sgio_filter/rules"),
        text,
    );
}

/// What `apply` of a text gives to each of the two.
fn given(tree: &Tree, policy: &str) -> [bool; 2] {
    tree.write("/shown.toml", policy);
    let path = tree.path("/shown.toml");
    ["6:0:0:0", "10:0:0:0"].map(|hctl| {
        let arguments = [
            "apply",
            "--dry-run",
            "--device",
            hctl,
            path.to_str().unwrap(),
        ];
        tree.output(&arguments, 0).contains("allow w 5f")
    })
}

fn warnings(tree: &Tree, policy: &str) -> String {
    tree.write("/shown.toml", policy);
    let path = tree.path("/shown.toml");
    let output = tree.run(&["lint", path.to_str().unwrap()]);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_shown_policy_gives_nothing_to_the_other_guest() {
    let tree = apart();
    // With the same rules, too: they are another guest's.
    for other in ["\n", "allow r 5e\nallow w 5f [1]&1f=00-04,06\n"] {
        rules(&tree, "10:0:0:0", other);
        let shown = tree.output(&["show", "sda", "--policy"], 0);
        assert!(
            shown.contains("initiator = \"iqn.2003-01.org.example:web\""),
            "{shown}"
        );
        assert!(
            shown.contains("target = \"iqn.2003-01.org.example:san\""),
            "{shown}"
        );
        assert!(!shown.contains("hctl"), "{shown}");
        assert_eq!(given(&tree, &shown), [true, false], "{shown}");
        let found = warnings(&tree, &shown);
        assert!(!found.contains("warning"), "{found}");
    }
    // All that have the WWID are asked for, and are each a guest's.
    let shown = tree.output(&["show", "naa.600140512345678", "--policy"], 0);
    assert_eq!(shown.matches("[[device]]").count(), 2, "{shown}");
    assert_eq!(shown.matches("initiator = ").count(), 2, "{shown}");
    // Who cannot be told apart has but an address.
    let name = "iqn.2003-01.org.example:web\n";
    tree.write("/sys/class/iscsi_session/session2/initiatorname", name);
    tree.write("/sys/class/iscsi_session/session2/ifacename", "web\n");
    let shown = tree.output(&["show", "sda", "--policy"], 0);
    assert!(
        shown.contains("hctl = \"6:0:0:0\"") && shown.contains("others have its WWID too"),
        "{shown}"
    );
    assert_eq!(given(&tree, &shown), [true, false], "{shown}");
}

#[test]
fn the_paths_of_a_map_are_one_disk_unless_they_differ() {
    let tree = two_guests();
    for name in ["sda", "mpatha"] {
        let shown = tree.output(&["show", name, "--policy"], 0);
        assert_eq!(given(&tree, &shown), [true, true], "{name}: {shown}");
    }
    rules(&tree, "10:0:0:0", "\n");
    for name in ["sda", "mpatha"] {
        let shown = tree.output(&["show", name, "--policy"], 0);
        assert_eq!(given(&tree, &shown), [true, false], "{name}: {shown}");
    }
}

#[test]
fn lint_tells_that_a_wwid_is_that_of_two_guests() {
    let wwid = "wwid = \"naa.600140512345678\"";
    let told = |tree: &Tree, keys: &str| {
        let policy = format!("[[device]]\nmatch = {{ {keys} }}\nprofile = \"disk-guest-pr\"\n");
        let found = warnings(tree, &policy);
        let line = found
            .lines()
            .find(|line| line.contains("is reached by the initiators"));
        line.map(str::to_owned)
    };
    let tree = apart();
    for keys in [
        wwid,
        "wwid = \"3600140512345678\"",
        "wwid = \"naa.6*\", class = \"disk\"",
    ] {
        let line = told(&tree, keys).unwrap_or_else(|| panic!("{keys}"));
        assert!(
            line.contains("example:web") && line.contains("example:db"),
            "{line}"
        );
        assert!(line.contains("initiators.md"), "{line}");
        assert_eq!(line.contains("warning"), !keys.contains('*'), "{line}");
    }
    for fine in [
        "initiator = \"iqn.2003-01.org.example:web\"",
        "interface = \"db\"",
        "hctl = \"6:0:0:0\"",
    ] {
        assert_eq!(told(&tree, &format!("{wwid}, {fine}")), None, "{fine}");
    }
    // What multipathd has joined is one disk.
    assert_eq!(told(&two_guests(), wwid), None);
}

#[test]
fn the_doctor_does_not_undo_what_each_guest_has() {
    let multipath = |tree: &Tree| {
        let text = tree.output(&["doctor"], 1);
        let from = text
            .find("the paths of mpatha")
            .unwrap_or_else(|| panic!("{text}"));
        text[from..].lines().take(3).collect::<Vec<_>>().join(" ")
    };
    let tree = two_guests();
    rules(&tree, "10:0:0:0", "\n");
    let text = multipath(&tree);
    assert!(
        text.contains("initiators.md") && text.contains("example:web"),
        "{text}"
    );
    assert!(!text.contains("sgioctl reset"), "{text}");
    // Two paths of one initiator are one disk.
    let name = "iqn.2003-01.org.example:web\n";
    tree.write("/sys/class/iscsi_session/session2/initiatorname", name);
    let text = multipath(&tree);
    assert!(text.contains("sgioctl reset mpatha"), "{text}");
}

#[test]
fn how_a_device_is_reached_is_shown() {
    let tree = two_guests();
    tree.link(
        "/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn-lun-0",
        "../../sda",
    );
    let text = tree.output(&["show", "sda"], 0);
    for (name, value) in [
        ("initiator", "iqn.2003-01.org.example:web"),
        ("interface", "web"),
        ("target", "iqn.2003-01.org.example:san"),
        ("by-path", "ip-10.0.0.1:3260-iscsi-iqn-lun-0"),
    ] {
        let row = |line: &str| line.split_whitespace().eq([name, value]);
        assert!(text.lines().any(row), "{name}: {text}");
    }
}
