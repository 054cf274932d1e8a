// SPDX-License-Identifier: GPL-2.0

//! `[[grant]]` blocks: which holders they mean, what `apply` makes of them, by hand, by events and by hooks.

use crate::common::Tree;
use std::{fs, os::unix::fs::MetadataExt as _};

const SCOPE: &str = "/machine.slice/machine-qemu\\x2d4\\x2ddb\\x2d1.scope";
const BACKUP: &str = "/system.slice/backup.service";
const FILE: &str = "/etc/sgio-filter/policy.d/10-grants.toml";
const DISK: &str = "device 0:0:0:0 id=3";

/// The usual devices without rules of their own, a domain of libvirt and a service.
fn tree(policy: &str) -> Tree {
    let tree = Tree::usual();
    for device in fs::read_dir(tree.path("/sys/bus/scsi/devices")).unwrap() {
        let filter = device.unwrap().path().join("sgio_filter");
        if filter.is_dir() {
            fs::write(filter.join("grants"), "").unwrap();
        }
    }
    tree.directory(&format!("/sys/fs/cgroup{SCOPE}/libvirt/emulator"));
    tree.directory(&format!("/sys/fs/cgroup{BACKUP}/backup2.service"));
    tree.write("/run/libvirt/qemu/db-1.pid", "812\n");
    tree.write(
        "/proc/812/cgroup",
        &format!("0::{SCOPE}/libvirt/emulator\n"),
    );
    tree.link("/sys/block/sdc/device", "../../devices/somewhere/0:0:0:0");
    tree.write(FILE, policy);
    tree
}

fn id(tree: &Tree, cgroup: &str) -> u64 {
    let path = tree.path(&format!("/sys/fs/cgroup{cgroup}"));
    fs::metadata(path).unwrap().ino()
}

/// The lines about grants of a transaction, with the devices that they are on.
fn grants(transaction: Option<String>) -> Vec<String> {
    let text = transaction.unwrap_or_default();
    let mut device = "";
    let mut found = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("device ") {
            (device, inside) = (line, false);
        } else if line.starts_with("class ") {
            inside = false;
        } else if line.starts_with("grant ") || line.starts_with("revoke ") {
            inside = true;
            found.push(format!("{device}: {line}"));
        } else if inside && !line.is_empty() {
            found.last_mut().unwrap().push_str(&format!("; {line}"));
        }
    }
    found
}

/// What `apply` with those arguments changes.
fn apply(tree: &Tree, arguments: &[&str]) -> Vec<String> {
    tree.output(&[&["apply"], arguments].concat(), 0);
    grants(tree.transaction())
}

fn block(to: &str, rest: &str) -> String {
    format!("[[grant]]\nto = {{ {to} }}\nmatch = {{ model = \"SPINNER*\" }}\n{rest}\n")
}

#[test]
fn holders_are_found_by_their_whole_names() {
    let tree = tree("");
    let (vm, backup) = (id(&tree, SCOPE), id(&tree, BACKUP));
    // Without machined, with characters that libvirt drops; a number that is another process's by now; a domain of another name
    // whose scope would do for a prefix.
    let plain = "/machine/qemu-9-Win2022nme.libvirt-qemu";
    tree.directory(&format!("/sys/fs/cgroup{plain}/libvirt"));
    tree.write("/run/libvirt/qemu/Win 2022 n\u{e4}me.pid", "813\n");
    tree.write(
        "/proc/813/cgroup",
        &format!("0::{plain}/libvirt/emulator\n"),
    );
    tree.write("/run/libvirt/qemu/stale.pid", "814\n");
    tree.write("/proc/814/cgroup", &format!("0::{BACKUP}\n"));
    tree.write("/run/libvirt/qemu/db.pid", "812\n");
    tree.directory("/sys/fs/cgroup/qemu.slice/101.scope");
    let (windows, proxmox) = (id(&tree, plain), id(&tree, "/qemu.slice/101.scope"));
    for (to, expected) in [
        ("libvirt = \"db-1\"", Some(vm)),
        ("libvirt = \"db-*\"", Some(vm)),
        ("libvirt = \"db\"", None),
        ("libvirt = \"db-\"", None),
        ("libvirt = \"db-11\"", None),
        ("libvirt = \"stale\"", None),
        ("libvirt = \"Win 2022 n\u{e4}me\"", Some(windows)),
        ("libvirt = \"Win2022nme\"", None),
        ("unit = \"backup.service\"", Some(backup)),
        ("unit = \"back*.service\"", Some(backup)),
        // Below a service, its user makes cgroups of any name.
        ("unit = \"backup2.service\"", None),
        ("unit = \"machine-qemu*.scope\"", Some(vm)),
        ("cgroup = \"/system.slice/backup.service\"", Some(backup)),
        (
            "cgroup = \"/sys/fs/cgroup/system.slice/backup.service/\"",
            Some(backup),
        ),
        ("cgroup = \"/nowhere\"", None),
        ("proxmox = \"101\"", Some(proxmox)),
        ("proxmox = \"10\"", None),
    ] {
        tree.write(FILE, &block(to, "allow = [\"r 5e\"]").replace('\\', "\\\\"));
        let said = tree.run(&["apply", "--device", "sdc"]);
        let expected: Vec<String> = expected
            .map(|id| format!("{DISK}: grant cgroup={id} name=policy; allow r 5e"))
            .into_iter()
            .collect();
        assert_eq!(grants(tree.transaction()), expected, "{to}");
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(
            said.contains("10-grants.toml:1:1: there is no "),
            expected.is_empty(),
            "{to}: {said}"
        );
        fs::remove_dir_all(tree.path("/run/sgio-filter")).unwrap();
    }
}

#[test]
fn the_first_block_that_matches_decides_for_each_holder() {
    let policy = block("libvirt = \"db-1\"", "allow = [\"r 5e\"]")
        + &block("libvirt = \"*\"", "profile = \"disk-guest-pr\"")
        + &block(
            "unit = \"backup.service\"",
            "allow = [\"r 12\"]\ndeny = [\"48\"]",
        );
    let tree = tree(&policy);
    let (vm, backup) = (id(&tree, SCOPE), id(&tree, BACKUP));
    let mut expected = vec![
        format!("{DISK}: grant cgroup={vm} name=policy; allow r 5e"),
        format!("{DISK}: grant cgroup={backup} name=policy; deny 48; allow r 12"),
    ];
    let mut found = apply(&tree, &[]);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn apply_makes_the_grants_of_policy_those_of_the_files_and_touches_no_other() {
    let tree = tree(&block("libvirt = \"db-1\"", "rules = \"allow r 5e\""));
    let (vm, backup) = (id(&tree, SCOPE), id(&tree, BACKUP));
    let file = "/sys/bus/scsi/devices/0:0:0:0/sgio_filter/grants";
    let line = |cgroup: u64, name: &str, rule: &str| {
        format!(
            "grant cgroup={cgroup} {name}since=5 path=/x\n{:>20} {rule}\n",
            7
        )
    };
    let others = line(vm, "", "allow r 12") + &line(backup, "name=mine ", "allow r 12");
    let in_force = line(vm, "name=policy ", "allow r 5e");
    tree.write(file, &(in_force.clone() + &others));
    assert!(
        apply(&tree, &[]).is_empty(),
        "what is in force is left alone"
    );
    // Another rule, and a holder that no block gives anything.
    let before =
        line(vm, "name=policy ", "allow r 5f") + &line(backup, "name=policy ", "allow r 5e");
    tree.write(file, &(before + &others));
    let expected = [
        format!("{DISK}: grant cgroup={vm} name=policy; allow r 5e"),
        format!("{DISK}: revoke cgroup={backup} name=policy"),
    ];
    assert_eq!(apply(&tree, &[]), expected);
    assert_eq!(apply(&tree, &["--device", "sdc"]), expected);
    tree.write(FILE, "");
    tree.write(file, &(in_force + &others));
    assert_eq!(
        apply(&tree, &[]),
        [format!("{DISK}: revoke cgroup={vm} name=policy")]
    );
    // Nobody else has that name.
    tree.error(&["grant", "sdc", "5e", "--cgroup", BACKUP, "--name", "policy"]);
}

#[test]
fn events_give_a_holder_its_grants_once() {
    let tree = tree(&block("libvirt = \"db-*\"", "allow = [\"r 5e\"]"));
    let vm = id(&tree, SCOPE);
    let event = |name: &str| apply(&tree, &["--event", "--device", name]);
    let hook = |name: &str| apply(&tree, &["--event", "--holder", name]);
    let expected = [format!("{DISK}: grant cgroup={vm} name=policy; allow r 5e")];
    // The device appears; what was revoked since stays so, whatever comes.
    assert_eq!(event("0:0:0:0"), expected);
    for name in ["0:0:0:0", "sdc"] {
        assert!(event(name).is_empty(), "{name}");
    }
    assert!(hook("libvirt=db-1").is_empty());
    // By hand it comes back; another device object is given it by its event, or by a hook, whichever is first.
    assert_eq!(apply(&tree, &["--holder", "libvirt=db-1"]), expected);
    tree.write("/sys/bus/scsi/devices/0:0:0:0/sgio_filter/id", "30\n");
    let expected = [format!(
        "device 0:0:0:0 id=30: grant cgroup={vm} name=policy; allow r 5e"
    )];
    assert_eq!(hook("libvirt=db-1"), expected);
    assert!(hook("libvirt=db-1").is_empty() && event("0:0:0:0").is_empty());
    // A holder that appears later, and one that no block means.
    let later = SCOPE.replace("x2d4", "x2d5").replace("x2d1.", "x2d2.");
    tree.directory(&format!("/sys/fs/cgroup{later}"));
    tree.write("/run/libvirt/qemu/db-2.pid", "815\n");
    tree.write("/proc/815/cgroup", &format!("0::{later}\n"));
    let new = id(&tree, &later);
    assert_eq!(
        hook("libvirt=db-2"),
        [format!(
            "device 0:0:0:0 id=30: grant cgroup={new} name=policy; allow r 5e"
        )]
    );
    assert!(hook("unit=backup.service").is_empty());
    // An event takes nothing, though the block has gone.
    tree.write(FILE, "");
    assert!(hook("libvirt=db-1").is_empty() && event("sdc").is_empty());
}

#[test]
fn a_hook_changes_nothing_but_grants_of_its_holder() {
    let policy = block("libvirt = \"db-1\"", "allow = [\"r 5e\"]")
        + &block("unit = \"backup.service\"", "allow = [\"r 12\"]")
        + "[[device]]\nmatch = { class = \"disk\" }\ndeny = [\"48\"]\n";
    let tree = tree(&policy);
    let vm = id(&tree, SCOPE);
    tree.output(&["apply", "--holder", "libvirt=db-1"], 0);
    let expected = format!("{DISK}\ngrant cgroup={vm} name=policy\nallow r 5e\n\n");
    assert_eq!(tree.transaction().unwrap(), expected);
    for wrong in [
        "libvirt",
        "libvirt=",
        "vm=db-1",
        "unit=backup",
        "proxmox=x",
        "libvirt=nobody",
        "cgroup=/",
    ] {
        tree.error(&["apply", "--holder", wrong]);
        assert_eq!(tree.transaction(), None);
    }
}

#[test]
fn a_mistake_in_a_file_grants_nothing() {
    let tree = tree(&(block("libvirt = \"db-1\"", "allow = [\"r 5e\"]") + "[[grant]]\n"));
    tree.error(&["apply", "--event", "--holder", "libvirt=db-1"]);
    tree.error(&["apply", "--event", "--device", "sdc"]);
    assert_eq!(tree.transaction(), None);
    for (to, said) in [
        ("", "to is empty"),
        (
            "unit = \"a.service\", libvirt = \"b\"",
            "more than one kind of holder",
        ),
        ("unit = \"backup\"", "whole name"),
        ("unit = \"system.slice/backup.service\"", "whole name"),
        ("cgroup = \"lxc/101\"", "from the root"),
        ("cgroup = \"/\"", "from the root"),
        ("cgroup = \"/a/../b\"", "from the root"),
        ("cgroup = \"/a/*\"", "no * is possible"),
        ("proxmox = \"vm101\"", "qm list"),
        ("libvirt = \"\"", "no name of a holder"),
        ("vm = \"db-1\"", "write libvirt"),
        ("service = \"x\"", "write unit"),
        ("pod = \"x\"", "named by its cgroup"),
    ] {
        tree.write(FILE, &block(to, "allow = [\"r 5e\"]"));
        let error = tree.error(&["apply", "--dry-run"]);
        assert!(error.contains(said), "{to}: {error}");
    }
    for (text, said) in [
        ("[grant]\nto = { unit = \"a.service\" }\n", "two brackets"),
        ("[[grant]]\nto = \"a.service\"\nmatch = { class = \"disk\" }\n", "say by what"),
        ("[[grant]]\nmatch = { class = \"disk\" }\nprofile = \"smart-ro\"\n", "say to whom"),
        ("[[grant]]\nto = { unit = \"a.service\" }\nprofile = \"smart-ro\"\n", "say which devices"),
        ("[[grant]]\nto = { unit = \"a.service\" }\nmatch = { class = \"disk\" }\ndeny = [\"48\"]\n", "gives nothing"),
        ("[[grant]]\nto = { unit = \"a.service\" }\nmatch = { class = \"disk\" }\nprofile = \"nosuch\"\n", "nosuch"),
        ("[[grant]]\nto = { unit = \"a.service\" }\nmatch = { class = \"tape\" }\nprofile = \"smart-ro\"\n", "smart-ro"),
        ("[[grant]]\nto = { unit = \"a.service\" }\nmatch = { class = \"disk\" }\nunpriv_sgio = true\n", "unpriv_sgio"),
    ] {
        tree.write(FILE, text);
        let error = tree.error(&["apply", "--dry-run"]);
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn a_device_of_another_class_gets_nothing_of_it() {
    let policy = "[[grant]]\nto = { libvirt = \"db-1\" }\nmatch = { vendor = \"*\" }\nprofile = \"smart-ro\"\n";
    let tree = tree(policy);
    let said = tree.run(&["apply"]);
    let found = grants(tree.transaction());
    assert!(found.iter().any(|line| line.starts_with(DISK)), "{found:?}");
    assert!(
        found.iter().all(|line| !line.starts_with("device 1:0:0:0")),
        "{found:?}"
    );
    assert!(String::from_utf8_lossy(&said.stderr).contains("for 1:0:0:0, class cdrom"));
}

#[test]
fn lint_and_diff_know_grants() {
    let policy = block("libvirt = \"db-*\"", "allow = [\"r 5e\"]")
        + &block("libvirt = \"db-1\"", "allow = [\"r 5f\"]")
        + &block("unit = \"*.service\"", "allow = [\"r 12\"]")
        + "[[grant]]\nto = { unit = \"gone.service\" }\nmatch = { model = \"NONE\" }\nallow = [\"r 12\"]\n";
    let tree = tree(&policy);
    tree.directory("/sys/fs/cgroup/system.slice/cron.service");
    let said = tree.output(&["lint"], 1);
    for expected in [
        "10-grants.toml:5:1: warning: all of it matches",
        "means 2 holders now",
        "there is no unit 'gone.service' now",
        "10-grants.toml:15:9: ",
        "allowed to readers of a disk",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let diff = tree.output(&["diff", "--device", "sdc"], 1);
    assert!(
        diff.contains(&format!("    grant {SCOPE}: allow r 5e")),
        "{diff}"
    );
    assert!(
        diff.contains("    grant /system.slice/cron.service: allow r 12"),
        "{diff}"
    );
    assert!(!diff.contains("5f"), "{diff}");
}
