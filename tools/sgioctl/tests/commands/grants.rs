// SPDX-License-Identifier: GPL-2.0

//! Grants from the command line: to whom, what the kernel gets, and what is said.

use crate::common::Tree;
use std::{fs, os::unix::fs::MetadataExt as _};

const SCOPE: &str = "/machine.slice/db.scope";
const GRANTS: &str = "/sys/bus/scsi/devices/0:0:0:0/sgio_filter/grants";

/// The usual devices, and two cgroups; with the id of that of the virtual machine.
fn tree() -> (Tree, u64) {
    let tree = Tree::usual();
    tree.directory(&format!("/sys/fs/cgroup{SCOPE}/libvirt/vcpu0"));
    tree.directory("/sys/fs/cgroup/system.slice/backup.service");
    tree.write("/proc/812/cgroup", &format!("0::{SCOPE}/libvirt/vcpu0\n"));
    let devices = tree.path("/sys/bus/scsi/devices");
    for device in fs::read_dir(devices).unwrap() {
        let filter = device.unwrap().path().join("sgio_filter");
        if filter.is_dir() {
            fs::write(filter.join("grants"), "").unwrap();
        }
    }
    let id = fs::metadata(tree.path(&format!("/sys/fs/cgroup{SCOPE}")))
        .unwrap()
        .ino();
    (tree, id)
}

#[test]
fn a_grant_is_one_transaction() {
    let (tree, id) = tree();
    let said = tree.output(
        &[
            "grant",
            "sdc",
            "persistent-reserve-in",
            "5f",
            "--write",
            "--cgroup",
            SCOPE,
        ],
        0,
    );
    assert!(said.contains(&format!("to {SCOPE}")), "{said}");
    assert!(
        said.contains("+ allow w 5e") && said.contains("+ allow w 5f"),
        "{said}"
    );
    let expected = format!("device 0:0:0:0 id=3\ngrant cgroup={id}\nallow w 5e\nallow w 5f\n");
    assert_eq!(tree.transaction().unwrap(), expected);

    // The process stands for its unit, a map for its paths.
    tree.output(
        &[
            "grant", "mpatha", "5e", "--read", "--pid", "812", "--for", "10m", "--name", "x:1",
        ],
        0,
    );
    let section =
        |device| format!("device {device}\ngrant cgroup={id} name=x:1\nallow r 5e for=600\n");
    assert_eq!(
        tree.transaction().unwrap(),
        section("6:0:0:0 id=17") + &section("10:0:0:0 id=18")
    );
    tree.output(
        &["grant", "sdc", "5e", "--read", "--pid", "812", "--dry-run"],
        0,
    );
    assert_eq!(tree.transaction(), None);
}

#[test]
fn what_is_granted_already_is_kept() {
    let (tree, id) = tree();
    tree.write(
        GRANTS,
        &format!(
            "grant cgroup={id} since=5 path={SCOPE}\n{:>20} allow r 5e\n{:>20} allow r 12 for=60\n\
             grant cgroup={id} name=other since=5 path={SCOPE}\n{:>20} allow w 48\n",
            7, 0, 0
        ),
    );
    let grant = |words: &[&str]| {
        let words = [&["grant", "sdc"], words, &["--cgroup", SCOPE]].concat();
        (tree.output(&words, 0), tree.transaction())
    };
    let (said, transaction) = grant(&["5e", "--read"]);
    assert!(
        transaction.is_none() && said.contains("nothing to change"),
        "{said}"
    );
    // What ends is given for longer, and the rest comes along; the grant of another name is another's.
    let (said, transaction) = grant(&["12", "--read", "--for", "5m"]);
    assert!(said.contains("ends in 5 min instead of 1 min"), "{said}");
    assert_eq!(
        transaction.unwrap(),
        format!("device 0:0:0:0 id=3\ngrant cgroup={id}\nallow r 12 for=300\nallow r 5e\n")
    );
    let (_, transaction) = grant(&["12", "--read", "--for", "5s"]);
    assert!(transaction.is_none(), "no time is made shorter");
}

#[test]
fn a_profile_is_granted_whole() {
    let (tree, id) = tree();
    let arguments = [
        "grant",
        "sdc",
        "--profile",
        "disk-guest-pr",
        "--cgroup",
        SCOPE,
    ];
    tree.output(&arguments, 0);
    let transaction = tree.transaction().unwrap();
    assert!(transaction.starts_with(&format!("device 0:0:0:0 id=3\ngrant cgroup={id}\n")));
    let shown = tree.json(&["profiles", "disk-guest-pr", "--class", "disk"], 0);
    let rules: Vec<&str> = shown["profiles"][0]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["rule"].as_str().unwrap())
        .collect();
    assert_eq!(transaction.lines().skip(2).collect::<Vec<_>>(), rules);
    // One for another class is not.
    let error = tree.error(&[
        "grant",
        "sdc",
        "--profile",
        "optical-rip",
        "--cgroup",
        SCOPE,
    ]);
    assert!(error.contains("optical-rip"), "{error}");
}

#[test]
fn what_cannot_be_granted_changes_nothing() {
    let (tree, _) = tree();
    for (arguments, message) in [
        (&["5e"][..], "whose grant?"),
        (&["5e", "--cgroup", "/"], "the root cgroup holds no grant"),
        (
            &["5e", "--cgroup", "/nobody.scope"],
            "there is no cgroup /nobody.scope",
        ),
        (&["5e", "--cgroup", "/a/../b"], "without '..'"),
        (&["5e", "--pid", "1"], "there is no process 1"),
        (&["5e", "--cgroup", SCOPE, "--self"], "cannot be used with"),
        (
            &["5e", "--cgroup", SCOPE, "--name", "a b"],
            "a name is up to 64",
        ),
        (&["--cgroup", SCOPE], "required"),
        (&["5f", "06", "--cgroup", SCOPE], "two ways"),
    ] {
        let arguments = [&["grant", "sdc"], arguments].concat();
        let error = tree.error(&arguments);
        assert!(error.contains(message), "{arguments:?}: {error}");
        assert_eq!(tree.transaction(), None);
    }
}

#[test]
fn grants_are_listed_and_taken_back() {
    let (tree, id) = tree();
    assert_eq!(tree.output(&["grants"], 0), "no grants\n");
    assert_eq!(
        tree.output(&["grants", "sdc"], 0),
        "sdc (0:0:0:0): no grants\n"
    );
    tree.write(
        GRANTS,
        &format!(
            "grant cgroup={id} name=x for=61 since=0 path={SCOPE}\n{:>20} allow r 5e\n\
             grant cgroup={id} since=0 path={SCOPE}\n{:>20} allow w 48 for=9\n\
             grant cgroup=99 since=0 path=/\\x1b]odd\n{:>20} deny 48\n",
            7, 0, 0
        ),
    );
    let text = tree.output(&["grants"], 0);
    assert!(text.starts_with("sdc (0:0:0:0)\n"), "{text}");
    assert!(text.contains(&format!("{SCOPE}: name x, for ")), "{text}");
    assert!(
        text.contains("so far, ends in 1 min 1 s\n           7  allow r 5e\n"),
        "{text}"
    );
    assert!(text.contains("allow w 48  # ends in 9 s"), "{text}");
    let json = tree.json(&["grants", "sdc"], 0);
    let first = &json["devices"][0]["grants"][0];
    assert_eq!(first["cgroup"], id);
    assert_eq!(first["rules"][0]["hits"], 7);

    let revoke = |arguments: &[&str]| {
        let arguments = [&["revoke", "sdc"], arguments].concat();
        (tree.output(&arguments, 0), tree.transaction())
    };
    let (said, transaction) = revoke(&["--cgroup", SCOPE]);
    assert!(
        said.contains("- allow r 5e") && !said.contains("deny"),
        "{said}"
    );
    let header = "device 0:0:0:0 id=3\n";
    assert_eq!(
        transaction.unwrap(),
        format!("{header}revoke cgroup={id}\n")
    );
    let (_, transaction) = revoke(&["--cgroup", SCOPE, "--name", "x"]);
    assert_eq!(
        transaction.unwrap(),
        format!("{header}revoke cgroup={id} name=x\n")
    );
    let (said, transaction) = revoke(&["--all"]);
    assert!(said.contains("- deny 48"), "{said}");
    assert_eq!(transaction.unwrap(), format!("{header}revoke all\n"));
    let (_, transaction) = revoke(&["--cgroup", "/system.slice/backup.service"]);
    assert_eq!(transaction, None);
    for arguments in [
        &["revoke", "sdc"][..],
        &["revoke", "sdc", "--all", "--cgroup", SCOPE],
        &["revoke", "sdc", "--cgroup", SCOPE, "--name", ""],
    ] {
        tree.error(arguments);
    }
}

#[test]
fn a_holder_is_named_where_it_is_asked_for() {
    let (tree, _) = tree();
    for arguments in [
        &["check", "sdc", "5e", "--cgroup", SCOPE][..],
        &["check", "--class", "disk", "5e", "--as", "--cgroup", SCOPE],
        &["check", "sdc", "5e", "--as"],
    ] {
        tree.error(arguments);
    }
}
