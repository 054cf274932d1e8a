// SPDX-License-Identifier: GPL-2.0

//! What the program asks the kernel to change on devices.

use crate::common::{golden, Tree};

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
