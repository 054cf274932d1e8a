// SPDX-License-Identifier: GPL-2.0

//! What the program tells of devices.

use crate::common::{golden, Tree};

#[test]
fn devices_are_listed() {
    let tree = Tree::usual();
    golden("list.txt", &tree.output(&["list"], 0));
    golden("list.json", &tree.output(&["list", "--json"], 0));
}

#[test]
fn devices_are_listed_without_the_module() {
    let tree = Tree::usual();
    std::fs::remove_dir_all(tree.path("/sys/kernel/sgio_filter")).unwrap();
    std::fs::remove_dir_all(tree.path("/sys/bus/scsi/devices/0:0:0:0/sgio_filter")).unwrap();
    golden("list-no-module.txt", &tree.output(&["list", "sdc"], 0));
    let error = tree.error(&["set", "sdc", "unpriv", "on"]);
    assert!(error.contains("not loaded"), "{error}");
    assert_eq!(tree.transaction(), None);
}

#[test]
fn a_system_without_scsi_has_no_devices() {
    golden(
        "list-empty.json",
        &Tree::new().output(&["list", "--json"], 0),
    );
}

#[test]
fn names_mean_devices() {
    let tree = Tree::usual();
    let found = |name: &str| -> Vec<String> {
        let answer = tree.json(&["list", name], 0);
        let devices = answer["devices"].as_array().unwrap();
        let address = |device: &serde_json::Value| device["hctl"].as_str().unwrap().to_owned();
        devices.iter().map(address).collect()
    };
    for (name, devices) in [
        ("6:0:0:0", &["6:0:0:0"][..]),
        ("sda", &["6:0:0:0"]),
        ("/dev/sda", &["6:0:0:0"]),
        ("/dev/sg1", &["10:0:0:0"]),
        ("/dev/bsg/7:0:0:1", &["7:0:0:1"]),
        ("sr0", &["1:0:0:0"]),
        ("/dev/nst0", &["7:0:0:0"]),
        ("sch0", &["7:0:0:1"]),
        ("/dev/disk/by-id/ata-SPINNER_2000_S1234", &["0:0:0:0"]),
        ("wwn-0x5000c500", &["0:0:0:0"]),
        ("t10.ATA SPINNER 2000 S1234", &["0:0:0:0"]),
        ("naa.600140512345678", &["6:0:0:0", "10:0:0:0"]),
        ("3600140512345678", &["6:0:0:0", "10:0:0:0"]),
        ("mpatha", &["6:0:0:0", "10:0:0:0"]),
        ("/dev/mapper/mpatha", &["6:0:0:0", "10:0:0:0"]),
        ("/dev/dm-0", &["6:0:0:0", "10:0:0:0"]),
        // As lsscsi prints it.
        ("[6:0:0:0]", &["6:0:0:0"]),
    ] {
        assert_eq!(found(name), devices, "{name}");
    }
}

#[test]
fn what_is_no_device_is_told_apart() {
    let tree = Tree::usual();
    for (name, reason) in [
        ("sdz", "no SCSI device is called sdz"),
        ("9:0:0:0", "no SCSI device at 9:0:0:0"),
        ("", "no SCSI device"),
        ("/dev/sdc1", "name the whole disk, sdc"),
        (
            "/dev/disk/by-id/ata-SPINNER_2000_S1234-part1",
            "name the whole disk, sdc",
        ),
        ("mpatha-part1", "name the whole map"),
        ("vg-root", "no multipath map"),
    ] {
        let error = tree.error(&["show", name]);
        assert!(error.contains(reason), "{name}: {error}");
    }
}

/// A device chooses its WWID (SCSI name string, VPD page 83h), so it may read like anything.
#[test]
fn a_wwid_captures_no_name_of_another_kind() {
    let tree = Tree::usual();
    tree.link("/dev/disk/by-id/wwn-0x6001405aaaaaaaaa", "../../sdc");
    tree.link("/dev/mapper/vg-root-of-the-host", "../dm-3");
    tree.write("/sys/block/dm-3/dm/uuid", "LVM-abd\n");
    tree.write("/sys/block/dm-3/dm/name", "vg-root-of-the-host\n");
    tree.write("/sys/block/dm-4/dm/uuid", "LVM-abe\n");
    tree.write("/sys/block/dm-4/dm/name", "naa.vg-root\n");
    for name in [
        "/dev/disk/by-id/scsi-3600140512345678",
        "/dev/mapper/vg-root-of-the-host",
        "/dev/mapper/mpathb",
        "/dev/sdc1",
        "disk/by-id/scsi-3600140512345678",
        "mapper/vg-root-of-the-host",
        "vg-root-of-the-host",
        "naa.vg-root",
        "6:0:0:4611686018427387904",
        "00000006:0:0:00001",
        "4611686018427387904:0:0:0:0",
        "a-name-that-no-standard-gives",
        "sdz.example-of-a-node",
    ] {
        tree.write("/sys/bus/scsi/devices/8:0:0:0/wwid", &format!("{name}\n"));
        tree.error(&["list", name]);
        tree.error(&["allow", name, "--write", "compare-and-write"]);
        assert_eq!(tree.transaction(), None, "{name}");
    }
    // The link leads to another device; the one that calls itself so is not meant.
    let link = "/dev/disk/by-id/wwn-0x6001405aaaaaaaaa";
    for name in [link, "wwn-0x6001405aaaaaaaaa", "mpatha", "sdc"] {
        tree.write("/sys/bus/scsi/devices/8:0:0:0/wwid", &format!("{name}\n"));
        let found = tree.output(&["list", name], 0);
        assert!(!found.contains("8:0:0:0"), "{name}: {found}");
    }
    // Names of the forms that standards give are WWIDs still.
    for name in [
        "iqn.2001-05.com.example:lun7",
        "eui.0025385a81b0dbf4",
        "NAA.6001405AAAAAAAAA",
        "t10.ACME a/b 7",
        "20025385a81b0dbf4",
    ] {
        tree.write("/sys/bus/scsi/devices/8:0:0:0/wwid", &format!("{name}\n"));
        let found = tree.output(&["list", name], 0);
        assert!(found.contains("8:0:0:0"), "{name}: {found}");
    }
}

/// The alias of a map is chosen by an administrator, or by multipathd for what the device says.
#[test]
fn the_name_of_a_map_captures_no_node() {
    let tree = Tree::usual();
    tree.write("/sys/block/dm-0/dm/name", "sdc\n");
    let found = tree.output(&["list", "sdc"], 0);
    assert!(
        found.contains("0:0:0:0") && !found.contains("6:0:0:0"),
        "{found}"
    );
    tree.write("/sys/block/dm-0/dm/name", "sdc1\n");
    assert!(tree.error(&["list", "sdc1"]).contains("is a partition"));
    // A link that is called like a map: the map.
    tree.write("/sys/block/dm-0/dm/name", "ata-SPINNER_2000_S1234\n");
    let found = tree.output(&["list", "ata-SPINNER_2000_S1234"], 0);
    assert!(
        found.contains("6:0:0:0") && !found.contains("\n0:0:0:0"),
        "{found}"
    );
}

#[test]
fn a_device_is_shown() {
    let tree = Tree::usual();
    golden(
        "show-disk.json",
        &tree.output(&["show", "sda", "--json"], 0),
    );
    golden("show-map.txt", &tree.output(&["show", "mpatha"], 0));
    golden("show-ata.txt", &tree.output(&["show", "sdc"], 0));
    golden("show-enclosure.txt", &tree.output(&["show", "8:0:0:0"], 0));
}

/// What lint warns of in a policy.
fn warnings(tree: &Tree, policy: &str) -> String {
    tree.write("/shown.toml", policy);
    let path = tree.path("/shown.toml");
    let output = tree.run(&["lint", path.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    let warnings: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("warning"))
        .collect();
    warnings.join("\n")
}

/// Its address may be another device's after the next boot.
#[test]
fn a_policy_that_names_an_address_comes_with_a_warning() {
    let tree = Tree::usual();
    for (name, addresses) in [("sr0", &["1:0:0:0"][..]), ("sdc", &[])] {
        let output = tree.run(&["show", name, "--policy"]);
        let said = String::from_utf8(output.stderr).unwrap();
        let told = said.contains("is named by its address, since it reports no WWID");
        assert_eq!(told, !addresses.is_empty(), "{name}: {said}");
        let json = tree.json(&["show", name, "--policy"], 0);
        assert_eq!(json["by_address"], serde_json::json!(addresses), "{name}");
    }
}

#[test]
fn a_policy_is_shown_as_toml() {
    let tree = Tree::usual();
    let policy = |name: &str| tree.output(&["show", name, "--policy"], 0);
    for (name, file) in [
        ("mpatha", "policy-map.toml"),
        ("sdc", "policy-ata.toml"),
        ("sr0", "policy-no-wwid.toml"),
    ] {
        let text = policy(name);
        golden(file, &text);
        let read: toml::Table = text.parse().unwrap();
        let device = &read["device"].as_array().unwrap()[0];
        assert_eq!(device["unpriv_sgio"].as_bool(), Some(false));
        assert!(device["rules"].as_str().is_some());
        assert!(device["match"]
            .as_table()
            .is_some_and(|m| m.contains_key("hctl") || m["exact"] == true.into()));
        // What is in force is no mistake.
        assert_eq!(warnings(&tree, &text), "", "{text}");
    }
    // A device may report anything behind the beginning of a WWID.
    for wwid in ["naa.0x60.01", "iqn.2001-05.com.example:a.*", "eui.00:25"] {
        tree.write("/sys/bus/scsi/devices/0:0:0:0/wwid", &format!("{wwid}\n"));
        let text = policy("sdc");
        assert!(text.contains(wwid), "{text}");
        assert_eq!(warnings(&tree, &text), "", "{text}");
    }
    // Paths that differ are named apart.
    tree.write("/sys/bus/scsi/devices/6:0:0:0/sgio_filter/complain", "1\n");
    golden("policy-differs.toml", &policy("mpatha"));
}

#[test]
fn a_policy_in_json_is_the_same_text() {
    let tree = Tree::usual();
    let answer = tree.json(&["show", "sdc", "--policy"], 0);
    let policy = tree.output(&["show", "sdc", "--policy"], 0);
    assert_eq!(answer["policy"], policy.as_str());
}

#[test]
fn wrong_arguments_are_refused() {
    let tree = Tree::usual();
    for arguments in [
        &["set", "sda"][..],
        &["set", "sda", "unpriv", "maybe"],
        &["set", "sda", "rules", "on"],
        &["allow", "sda"],
        &["allow", "sda", "5e", "--read", "--write"],
        &["allow", "sda", "5e", "--for", "10"],
        &["allow", "sda", "5e", "--for", "367d"],
        &["deny", "sda"],
        &["monitor", "--count", "0"],
    ] {
        tree.error(arguments);
        assert_eq!(tree.transaction(), None);
    }
}

#[test]
fn every_command_has_examples() {
    for command in [
        "list", "show", "set", "allow", "deny", "reset", "complain", "monitor", "doctor",
    ] {
        let help = Tree::new().output(&[command, "--help"], 0);
        assert!(help.contains(&format!("\n  sgioctl {command}")), "{help}");
    }
}

#[test]
fn a_device_that_calls_itself_so_is_not_meant() {
    let tree = Tree::usual();
    let wwid = "/sys/bus/scsi/devices/0:0:0:0/wwid";
    for (name, meant) in [
        ("sda", &["6:0:0:0"][..]),
        ("sg0", &["6:0:0:0"]),
        ("dm-0", &["10:0:0:0", "6:0:0:0"]),
        ("mpatha", &["10:0:0:0", "6:0:0:0"]),
        // Nothing is called so but the device by itself.
        ("sdz", &[]),
        ("mpathz", &[]),
    ] {
        tree.write(wwid, &format!("{name}\n"));
        let output = tree.run(&["allow", name, "89", "--dry-run", "--json"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let status = if meant.is_empty() { 2 } else { 0 };
        assert_eq!(output.status.code(), Some(status), "{name}: {text}");
        let found: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("\"hctl\": \"")?.split('"').next())
            .collect();
        let mut found: Vec<&str> = found;
        found.sort_unstable();
        assert_eq!(found, meant, "{name}");
        // Nor by a block for the paths of a map of that name, whether there is one or not.
        let policy =
            format!("[[device]]\nmatch = {{ multipath = \"{name}\" }}\nallow = [\"w 89\"]\n");
        tree.write("/etc/sgio-filter/policy.d/10.toml", &policy);
        tree.output(&["apply", "--device", "0:0:0:0"], 0);
        let text = tree.transaction().unwrap();
        assert!(!text.contains("allow w 89"), "{name}: {text}");
    }
}
