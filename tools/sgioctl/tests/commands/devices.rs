// SPDX-License-Identifier: GPL-2.0

//! What the program tells of devices, and what it asks the kernel to change on them.

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
    }
    // Paths that differ are named apart.
    tree.write("/sys/bus/scsi/devices/6:0:0:0/sgio_filter/complain", "1\n");
    golden("policy-differs.toml", &policy("mpatha"));
}

#[test]
fn guards_are_set() {
    let tree = Tree::usual();
    tree.output(&["set", "sr0", "report-luns", "own"], 0);
    assert_eq!(
        tree.transaction().unwrap(),
        "device 1:0:0:0 id=4\nreport_luns own\n"
    );
    tree.output(&["set", "sr0", "pr-exclusive", "on"], 0);
    assert_eq!(
        tree.transaction().unwrap(),
        "device 1:0:0:0 id=4\npr_exclusive 1\n"
    );
    tree.output(&["set", "sr0", "filter-sg", "on"], 0);
    assert_eq!(
        tree.transaction().unwrap(),
        "device 1:0:0:0 id=4\nfilter_sg 1\n"
    );
    for wrong in [
        ["report-luns", "on"],
        ["unpriv", "own"],
        ["complain", "reset"],
        // There is no owner while it is off.
        ["pr-exclusive", "reset"],
    ] {
        tree.output(&["set", "sr0", wrong[0], wrong[1]], 2);
    }

    let knob = "/sys/bus/scsi/devices/1:0:0:0/sgio_filter/pr_exclusive";
    let nexus = "nexus 1:0:0\nlu -\npr_exclusive 1\ndevice 1:0:0:0\n";
    tree.write(knob, "1\n");
    tree.write("/sys/bus/scsi/devices/1:0:0:0/sgio_filter/nexus", nexus);
    tree.write(
        "/sys/bus/scsi/devices/1:0:0:0/sgio_filter/pr_owner",
        "12 /vm1\n",
    );
    assert!(tree.output(&["show", "sr0"], 0).contains("/vm1"));
    let said = tree.output(&["set", "sr0", "pr-exclusive", "reset"], 0);
    assert_eq!(
        said,
        "sr0 (1:0:0:0): /vm1 does not own the I_T nexus any more\n"
    );
    assert_eq!(std::fs::read_to_string(tree.path(knob)).unwrap(), "reset\n");
}

#[test]
fn filter_sg_is_set_for_all_devices() {
    let tree = Tree::usual();
    let knob = "/sys/kernel/sgio_filter/filter_sg";
    let reads = || std::fs::read_to_string(tree.path(knob)).unwrap();
    let set = |words: &[&str]| tree.output(&[&["set", "all"], words].concat(), 0);
    assert!(set(&["filter-sg", "on", "--dry-run"]).contains("off -> on"));
    assert_eq!(reads(), "0\n");
    assert_eq!(
        set(&["filter-sg", "on"]),
        "all devices: filter_sg off -> on\n"
    );
    assert_eq!(reads(), "1\n");
    assert_eq!(
        set(&["filter-sg", "on"]),
        "all devices: nothing to change\n"
    );
    assert!(tree
        .output(&["show", "sda"], 0)
        .contains("on, for all devices"));
    assert!(set(&["filter-sg", "off", "--json"]).contains("\"changed\": true"));
    assert_eq!(reads(), "0\n");
    assert!(tree
        .error(&["set", "all", "unpriv", "on"])
        .contains("for filter-sg alone"));

    // The same by files: what no file says is left as it is, a device's own ends with its block.
    let policy = "/etc/sgio-filter/policy.d/10.toml";
    let own = "/sys/bus/scsi/devices/1:0:0:0/sgio_filter/filter_sg";
    tree.write(own, "1\n");
    assert!(tree
        .output(&["show", "sr0", "--policy"], 0)
        .contains("\nfilter_sg = true\n"));
    tree.write(policy, "[all]\nfilter_sg = true\n");
    let diff = tree.output(&["diff"], 1);
    assert!(
        diff.starts_with("all devices\n    filter_sg: 0 -> 1\n"),
        "{diff}"
    );
    assert!(
        diff.contains("1:0:0:0 (cdrom)") && diff.contains("filter_sg: 1 -> 0"),
        "{diff}"
    );
    assert!(!tree
        .output(&["diff", "--device", "sr0"], 1)
        .contains("all devices"));
    let text = tree.output(&["apply", "--dry-run"], 0);
    assert!(
        text.starts_with("# filter_sg 1 for all devices\nclass "),
        "{text}"
    );
    assert_eq!(reads(), "0\n");
    tree.output(&["apply", "--device", "sr0"], 0);
    assert_eq!(reads(), "0\n");
    tree.output(&["apply"], 0);
    assert_eq!(reads(), "1\n");
    tree.write(
        policy,
        "[[device]]\nmatch = { class = \"cdrom\" }\nfilter_sg = true\n",
    );
    tree.output(&["apply"], 0);
    let text = tree.transaction().unwrap();
    assert_eq!(
        (reads().as_str(), text.matches("filter_sg 1\n").count()),
        ("1\n", 1)
    );
    tree.write(policy, "[all]\nfilter_sg = false\n");
    tree.output(&["apply"], 0);
    assert_eq!(reads(), "0\n");
    tree.write(
        "/etc/sgio-filter/policy.d/20.toml",
        "[all]\nfilter_sg = true\n",
    );
    assert!(tree
        .error(&["apply"])
        .contains("20.toml:2:13: filter_sg of all devices again"));
}

#[test]
fn switches_are_set_on_all_paths_at_once() {
    let tree = Tree::usual();
    golden(
        "set-map.json",
        &tree.output(&["set", "mpatha", "unpriv", "on", "--json"], 0),
    );
    assert_eq!(
        tree.transaction().unwrap(),
        "device 6:0:0:0 id=17\nunpriv_sgio 1\ndevice 10:0:0:0 id=18\nunpriv_sgio 1\n"
    );
    tree.output(&["complain", "sr0", "on"], 0);
    assert_eq!(
        tree.transaction().unwrap(),
        "device 1:0:0:0 id=4\ncomplain 1\n"
    );
}

#[test]
fn what_is_as_wanted_is_left_alone() {
    let tree = Tree::usual();
    let text = tree.output(&["set", "sdc", "unpriv", "off"], 0);
    assert_eq!(text, "sdc (0:0:0:0): nothing to change\n");
    tree.output(&["reset", "sdc"], 0);
    tree.output(&["set", "sda", "unpriv", "on", "--dry-run"], 0);
    assert_eq!(tree.transaction(), None);
    // Only the path that is not.
    tree.write(
        "/sys/bus/scsi/devices/6:0:0:0/sgio_filter/unpriv_sgio",
        "1\n",
    );
    tree.output(&["set", "mpatha", "unpriv", "on"], 0);
    assert_eq!(
        tree.transaction().unwrap(),
        "device 10:0:0:0 id=18\nunpriv_sgio 1\n"
    );
}

#[test]
fn a_reset_takes_everything_back() {
    let tree = Tree::usual();
    tree.write("/sys/bus/scsi/devices/1:0:0:0/sgio_filter/complain", "1\n");
    golden("reset.txt", &tree.output(&["reset", "sr0"], 0));
    assert_eq!(
        tree.transaction().unwrap(),
        "device 1:0:0:0 id=4\nunpriv_sgio 0\ncomplain 0\nreport_luns passthrough\n\
         pr_exclusive 0\nfilter_sg 0\nrules\n\n"
    );
}

#[test]
fn a_policy_in_json_is_the_same_text() {
    let tree = Tree::usual();
    let answer = tree.json(&["show", "sdc", "--policy"], 0);
    let policy = tree.output(&["show", "sdc", "--policy"], 0);
    assert_eq!(answer["policy"], policy.as_str());
}

#[test]
fn a_device_without_filter_is_not_changed() {
    let tree = Tree::usual();
    let error = tree.error(&["reset", "8:0:0:0"]);
    assert!(error.contains("has no filter"), "{error}");
}

#[test]
fn rules_come_in_front() {
    let tree = Tree::usual();
    tree.output(&["allow", "sda", "compare-and-write", "5e", "--read"], 0);
    assert_eq!(
        tree.transaction().unwrap(),
        "device 6:0:0:0 id=17\nrules\n+allow r 89\n"
    );
    tree.output(&["deny", "sr0", "c0-ff"], 0);
    assert_eq!(
        tree.transaction().unwrap(),
        "device 1:0:0:0 id=4\nrules\n+deny c0-ff\n"
    );
}

#[test]
fn the_kernel_ends_what_is_allowed_for_a_while() {
    let tree = Tree::usual();
    let text = tree.output(&["allow", "sda", "89", "--write", "--for", "10m"], 0);
    assert!(text.contains("+ allow w 89 (ends in 10 min)"), "{text}");
    assert_eq!(
        tree.transaction().unwrap(),
        "device 6:0:0:0 id=17\nrules\n+allow w 89 for=600\n"
    );
    // For good already; and for longer than wanted.
    let text = tree.output(&["allow", "sda", "5e", "--read", "--for", "10m"], 0);
    assert!(text.contains("without a time limit"), "{text}");
    assert_eq!(tree.transaction(), None);
    let rules = "/sys/bus/scsi/devices/6:0:0:0/sgio_filter/rules";
    tree.write(rules, "allow w 89 for=574\ndeny 48\n");
    let text = tree.output(&["allow", "sda", "89", "--write", "--for", "5m"], 0);
    assert!(text.contains("in force already, for 9 min 34 s"), "{text}");
    assert_eq!(tree.transaction(), None);
    tree.output(&["allow", "sda", "89", "--write"], 0);
    let text = tree.transaction().unwrap();
    assert!(text.ends_with("rules\n+allow w 89\n"), "{text}");
    // Who looks is told how long.
    let text = tree.output(&["show", "sda"], 0);
    assert!(text.contains("ends in 9 min 34 s"), "{text}");
    let text = tree.output(&["list", "sda"], 0);
    assert!(text.contains("2 (1 ends in 9 min 34 s)"), "{text}");
    let policy = tree.output(&["show", "sda", "--policy"], 0);
    assert!(policy.contains("rules = \"\"\"\ndeny 48"), "{policy}");
    assert!(
        policy.contains("# Not here, since it ends by itself: allow w 89"),
        "{policy}"
    );
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
