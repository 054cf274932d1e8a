// SPDX-License-Identifier: GPL-2.0

//! Devices by their nexus, and by the spellings of other programs: in lists, selectors and lint.

use crate::{
    common::{Spec, Tree},
    guests::two_guests,
};
use std::fs;

/// The tree with two iSCSI sessions to one LUN, an FC vport and a SAS disk.
fn nexuses() -> Tree {
    let tree = two_guests();
    tree.write("/sys/class/fc_host/host7/port_name", "0x2101001b32a90001\n");
    tree.write(
        "/sys/class/fc_transport/target7:0:0/port_name",
        "0x50060e8000000001\n",
    );
    tree.link("/dev/tape/by-id/scsi-3500-nst", "../../nst0");
    tree.link(
        "/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn-lun-0",
        "../../sdb",
    );
    tree.device(&Spec {
        hctl: "9:0:0:0",
        through: "pci0000:00/0000:00:07.0/host9/port-9:0/end_device-9:0/target9:0:0",
        class: 0,
        vendor: "ACME    ",
        model: "SAS             ",
        wwid: Some("naa.5000c5"),
        nodes: &["block/sdd", "scsi_generic/sg6", "bsg/9:0:0:0"],
        filter: Some((9, "")),
    });
    tree.write(
        "/sys/class/sas_device/end_device-9:0/sas_address",
        "0x5000c50000000001\n",
    );
    tree.write(
        "/sys/class/sas_phy/phy-9:0/sas_address",
        "0x500605b000000001\n",
    );
    tree.write(
        "/sys/class/sas_phy/phy-9:0:0/sas_address",
        "0x500605b0ffffffff\n",
    );
    tree
}

#[test]
fn sessions_to_one_lun_are_told_apart() {
    let tree = nexuses();
    let list = tree.json(&["list"], 0);
    let of = |hctl: &str| {
        let mut devices = list["devices"].as_array().unwrap().iter();
        devices
            .find(|device| device["hctl"] == hctl)
            .unwrap()
            .clone()
    };
    assert_eq!(of("6:0:0:0")["wwid"], of("10:0:0:0")["wwid"]);
    assert_eq!(of("6:0:0:0")["initiator"], "iqn.2003-01.org.example:web");
    assert_eq!(of("10:0:0:0")["interface"], "db");
    assert_eq!(of("7:0:0:0")["initiator"], "0x2101001b32a90001");
    assert_eq!(of("9:0:0:0")["initiator"], "0x500605b000000001");
    assert_eq!(of("9:0:0:0")["target"], "0x5000c50000000001");
    assert_eq!(of("0:0:0:0").get("initiator"), None);
}

/// The devices that a selector means: those whose rules a policy with it would replace.
fn meant(tree: &Tree, selector: &str) -> Vec<String> {
    let policy = tree.path("/policy.toml");
    let text = format!("[[device]]\nmatch = {{ {selector} }}\nrules = \"allow r 03\"\n");
    fs::write(&policy, text).unwrap();
    let list = tree.json(&["list"], 0);
    let mut found = Vec::new();
    for device in list["devices"].as_array().unwrap() {
        let hctl = device["hctl"].as_str().unwrap();
        let policy = policy.to_str().unwrap();
        if device["filter"].is_null() {
            continue;
        }
        let text = tree.output(&["apply", "--dry-run", "--device", hctl, policy], 0);
        if text.contains("allow r 03") {
            found.push(hctl.to_owned());
        }
    }
    found
}

#[test]
fn selectors_by_nexus_and_by_other_spellings() {
    let tree = nexuses();
    for (selector, expected) in [
        (
            "initiator = \"iqn.2003-01.org.example:web\"",
            &["6:0:0:0"][..],
        ),
        ("initiator = \"iqn.2003-01.org.example:DB\"", &["10:0:0:0"]),
        ("interface = \"db\"", &["10:0:0:0"]),
        (
            "target = \"iqn.2003-01.org.example:san\"",
            &["6:0:0:0", "10:0:0:0"],
        ),
        (
            "target = \"iqn.2003-01.org.example:san\", interface = \"web\"",
            &["6:0:0:0"],
        ),
        (
            "initiator = \"21:01:00:1b:32:a9:00:01\"",
            &["7:0:0:0", "7:0:0:1"],
        ),
        ("initiator = \"500605B000000001\"", &["9:0:0:0"]),
        ("target = \"0x5000c50000000001\"", &["9:0:0:0"]),
        ("transport = \"SATA\"", &["0:0:0:0"]),
        ("by_id = \"/dev/tape/by-id/scsi-3500-nst\"", &["7:0:0:0"]),
        ("by_path = \"ip-10.0.0.1:3260-*-lun-0\"", &["10:0:0:0"]),
        ("initiator = \"iqn.2003-01.org.example:nobody\"", &[]),
    ] {
        let mut found = meant(&tree, selector);
        let mut expected: Vec<String> = expected.iter().map(|hctl| (*hctl).to_owned()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{selector}");
    }
}

/// As soon as there is a map, udev's links to the logical unit lead to the map.
#[test]
fn a_link_to_a_map_means_its_paths() {
    let tree = Tree::usual();
    tree.link("/dev/disk/by-id/wwn-0x600140512345678", "../../dm-0");
    tree.link("/dev/disk/by-id/dm-name-mpatha", "../../dm-0");
    let mut found = meant(&tree, "by_id = \"wwn-0x600140512345678\"");
    found.sort();
    assert_eq!(found, ["10:0:0:0", "6:0:0:0"]);
    assert!(meant(&tree, "by_id = \"wwn-0x600140599999999\"").is_empty());
}

/// One WWID by iSCSI and by SAS.
#[test]
fn a_unit_on_two_transports_is_told() {
    let tree = Tree::usual();
    tree.device(&Spec {
        hctl: "4:0:0:0",
        through: "pci0000:00/host4/port-4:0/end_device-4:0/target4:0:0",
        class: 0,
        vendor: "ACME    ",
        model: "LUN             ",
        wwid: Some("naa.600140512345678"),
        nodes: &["block/sdq"],
        filter: Some((44, "")),
    });
    for (selector, told) in [
        ("wwid = \"naa.600140512345678\"", true),
        ("wwid = \"naa.600140512345678\", transport = \"sas\"", false),
    ] {
        let policy = format!("[[device]]\nmatch = {{ {selector} }}\nrules = \"deny 48\"\n");
        tree.write("/x.toml", &policy);
        let path = tree.path("/x.toml");
        let output = tree.run(&["lint", path.to_str().unwrap()]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            text.contains("is reached by iscsi and sas"),
            told,
            "{selector}: {text}"
        );
    }
}

#[test]
fn devices_without_names_are_told_of() {
    let tree = Tree::usual();
    let text = tree.output(&["show", "sr0"], 0);
    assert!(
        text.contains("1:0:0, to a logical unit without a WWID"),
        "{text}"
    );
    // A map that dmsetup made has a name and no UUID.
    tree.write("/sys/block/dm-5/dm/name", "scratch\n");
    tree.write("/sys/block/dm-5/dm/uuid", "\n");
    for name in ["dm-5", "/dev/dm-5", "scratch"] {
        let error = tree.error(&["show", name]);
        assert!(
            error.contains("(scratch) is no multipath map"),
            "{name}: {error}"
        );
    }
}

/// What lint says of a selector, the places left out.
fn linted(keys: &str) -> (i32, String) {
    let tree = Tree::usual();
    let policy = format!("[[device]]\nmatch = {{ {keys} }}\nrules = \"deny 48\"\n");
    tree.write("/etc/sgio-filter/policy.d/10.toml", &policy);
    let output = tree.run(&["lint"]);
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text)
}

#[test]
fn a_selector_that_matches_nothing_for_its_spelling_is_a_warning() {
    for (keys, fix) in [
        ("transport = \"fibre-channel\"", "use one of fc, iscsi"),
        ("wwid = \"naa.6001.*\"", "write wwid = \"naa.6001*\""),
        ("vendor = \"acme\"", "write vendor = \"ACME\""),
        ("vendor = \"acme*\"", "as in \"ACME\""),
        ("model = \"Spinner_2000\"", "write model = \"SPINNER 2000\""),
        (
            "by_id = \"ata-spinner_*\"",
            "as in \"ata-SPINNER_2000_S1234\"",
        ),
        (
            "by_id = \"ata-SPINNER.*\"",
            "write by_id = \"ata-SPINNER*\"",
        ),
        ("multipath = \"MPATHA\"", "write multipath = \"mpatha\""),
        (
            "serial = \"SPINNER_2000_S1234\"",
            "write serial = \"S1234\"",
        ),
        (
            "model = \"ATA SPINNER 2000\"",
            "write vendor = \"ATA\", model = \"SPINNER 2000\"",
        ),
        (
            "wwid = \"t10.ATA SPINNER 2000 S1234\"",
            "write wwid = \"t10.ATA     SPINNER 2000  ",
        ),
    ] {
        let (status, text) = linted(keys);
        assert!(
            status == 1 && text.contains("warning") && text.contains(fix),
            "{keys}: {text}"
        );
    }
    for fine in [
        "transport = \"fibre\"",
        "transport = \"sas\"",
        "vendor = \"LATER\"",
        "wwid = \"t10.*\"",
        "wwid = \"naa.6002*\"",
        "vendor = \"ACME\", class = \"zbc\"",
    ] {
        assert_eq!(linted(fine).0, 0, "{fine}: {}", linted(fine).1);
    }
}
