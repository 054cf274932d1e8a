// SPDX-License-Identifier: GPL-2.0

//! What `apply --event` does, and what it leaves alone: it undoes nothing, and waits for what is not there yet.

use crate::{
    apply::{take_effect, tree},
    common::Tree,
};

/// The section that an event of the device would give the kernel, if any.
fn event(tree: &Tree, name: &str) -> Option<String> {
    tree.output(&["apply", "--event", "--device", name], 0);
    tree.transaction().map(|text| take_effect(tree, &text))
}

#[test]
fn an_event_undoes_nothing() {
    let tree = tree();
    let rules = |hctl: &str| format!("/sys/bus/scsi/devices/{hctl}/sgio_filter/rules");
    let reads = |hctl: &str| std::fs::read_to_string(tree.path(&rules(hctl))).unwrap();
    // Rules made by hand, before any event came, and a device as it appears.
    assert_eq!(event(&tree, "6:0:0:0"), None);
    assert!(event(&tree, "0:0:0:0").unwrap().contains("deny 02"));
    // The same again, for each name and event that there is.
    for name in ["0:0:0:0", "sdc", "6:0:0:0", "sda", "dm-0"] {
        assert_eq!(event(&tree, name), None, "{name}");
    }
    // What is set since stays, whatever the event and whatever the files say by now.
    let apply = |arguments: &[&str]| {
        tree.output(&[&["apply"], arguments].concat(), 0);
        tree.transaction().map(|text| take_effect(&tree, &text))
    };
    assert!(apply(&["--device", "sda"]).unwrap().contains("deny 01"));
    tree.write(&rules("6:0:0:0"), "deny 48\ndeny 01\n");
    tree.write(&rules("0:0:0:0"), "\n");
    let policy = "/etc/sgio-filter/policy.d/10.toml";
    let text = std::fs::read_to_string(tree.path(policy)).unwrap();
    for edited in [
        text.as_str(),
        "",
        "[[device]]\nmatch = { class = \"disk\" }\nunpriv_sgio = true\n",
    ] {
        tree.write(policy, edited);
        for name in ["0:0:0:0", "sdc", "6:0:0:0", "sda", "dm-0"] {
            assert_eq!(event(&tree, name), None, "{name} {edited}");
        }
    }
    assert_eq!(
        (reads("6:0:0:0"), reads("0:0:0:0")),
        ("deny 48\ndeny 01\n".into(), "\n".into())
    );
    // Another device at the address.
    tree.write("/sys/bus/scsi/devices/0:0:0:0/sgio_filter/id", "77\n");
    assert!(event(&tree, "0:0:0:0")
        .unwrap()
        .contains("id=77\nunpriv_sgio 1"));
    // All of it, by hand.
    tree.write(policy, &text);
    assert!(apply(&[]).unwrap().contains("class disk"));
    assert_eq!(reads("6:0:0:0"), "deny 01\n");
}

#[test]
fn what_a_command_takes_back_is_not_applied_again_by_an_event() {
    for (command, before) in [
        // Back to the defaults, after an event has applied the file.
        (&["reset", "sdc"][..], "deny 02\n"),
        (&["set", "sdc", "unpriv", "off"], ""),
        // There was nothing to do, and it was said all the same.
        (&["reset", "sdc"], ""),
        (&["complain", "sdc", "off"], ""),
    ] {
        let tree = tree();
        let rules = "/sys/bus/scsi/devices/0:0:0:0/sgio_filter/rules";
        if !before.is_empty() {
            assert!(event(&tree, "0:0:0:0").unwrap().contains(before.trim()));
        }
        tree.output(command, 0);
        tree.transaction();
        tree.write(rules, "\n");
        tree.write(
            "/etc/sgio-filter/policy.d/05.toml",
            "[[device]]\nmatch = { by_id = \"new*\" }\nallow = [\"w 89\"]\n",
        );
        tree.link("/dev/disk/by-id/new1", "../../sdc");
        for name in ["0:0:0:0", "sdc"] {
            assert_eq!(event(&tree, name), None, "{command:?} {name}");
        }
        tree.output(&["apply", "--event"], 0);
        let all = tree.transaction().unwrap_or_default();
        assert!(!all.contains("device 0:0:0:0"), "{command:?}: {all}");
    }
    // What is only asked for means nothing.
    let tree = tree();
    tree.output(&["reset", "sdc", "--dry-run"], 0);
    assert!(event(&tree, "0:0:0:0").unwrap().contains("deny 02"));
}

#[test]
fn an_event_goes_by_the_names_of_the_kernel_alone() {
    let tree = tree();
    for name in [
        "naa.501",
        "mpatha",
        "/dev/sdc",
        "ata-SPINNER_2000_S1234",
        "sdz",
    ] {
        let error = tree.error(&["apply", "--event", "--device", name]);
        assert!(
            error.contains("no SCSI device or map of that name"),
            "{name}: {error}"
        );
        assert_eq!(tree.transaction(), None, "{name}");
    }
}

/// Makes a file of sysfs one that cannot be read.
fn unreadable(tree: &Tree, path: &str) {
    let _ = std::fs::remove_file(tree.path(path));
    tree.directory(path);
}

#[test]
fn what_could_not_be_read_is_unknown() {
    let device = "/sys/bus/scsi/devices/0:0:0:0";
    for (file, key, name) in [
        ("wwid", "wwid = \"naa.6001\"", "wwid"),
        ("wwid", "multipath = \"mpatha\"", "wwid"),
        ("vpd_pg80", "serial = \"S1234\"", "serial"),
        ("vendor", "vendor = \"ATA\"", "vendor"),
        ("model", "model = \"SPINNER*\"", "model"),
    ] {
        let tree = Tree::usual();
        let policy = "/etc/sgio-filter/policy.d/10.toml";
        tree.write(
            policy,
            &format!("[[device]]\nmatch = {{ {key} }}\nrules = \"deny 02\"\n"),
        );
        unreadable(&tree, &format!("{device}/{file}"));
        for command in [
            &["apply"][..],
            &["apply", "--device", "sdc"],
            &["diff"],
            &["apply", "--event", "--device", "0:0:0:0"],
        ] {
            let error = tree.error(command);
            assert!(
                error.contains(&format!("0:0:0:0: its {name} could not be read")),
                "{command:?} {error}"
            );
            assert_eq!(tree.transaction(), None);
        }
        let shown = tree.output(&["show", "0:0:0:0"], 0);
        assert!(shown.contains("could not be read"), "{shown}");
        // It does not matter to blocks that do not ask.
        tree.write(
            policy,
            "[[device]]\nmatch = { hctl = \"0:0:0:0\" }\nrules = \"deny 02\"\n",
        );
        tree.output(&["apply", "--device", "sdc"], 0);
        assert!(tree.transaction().unwrap().contains("deny 02"));
    }
    let tree = Tree::usual();
    unreadable(&tree, &format!("{device}/wwid"));
    assert!(tree
        .output(&["show", "sdc", "--policy"], 0)
        .contains("its WWID could not be read"));
    assert!(tree.output(&["list", "sdc"], 0).contains("unknown"));
    // The id that is to prove it.
    tree.directory("/etc/sgio-filter/policy.d");
    unreadable(&tree, &format!("{device}/sgio_filter/id"));
    assert!(tree.error(&["apply"]).contains("its id could not be read"));
    assert_eq!(tree.transaction(), None);
}

#[test]
fn a_link_that_comes_later_is_waited_for() {
    let tree = tree();
    let link = "/dev/disk/by-id/ata-SPINNER_2000_S1234";
    std::fs::remove_file(tree.path(link)).unwrap();
    std::fs::remove_file(tree.path(&format!("{link}-part1"))).unwrap();
    // The defaults, which it has.
    let first = event(&tree, "0:0:0:0").unwrap();
    assert!(first.ends_with("rules\n\n"), "{first}");
    tree.link(link, "../../sdc");
    assert!(event(&tree, "sdc").unwrap().contains("deny 02"));
    assert_eq!(event(&tree, "sdc"), None);
    // But not where something was set by hand first.
    let tree = self::tree();
    std::fs::remove_file(tree.path(link)).unwrap();
    std::fs::remove_file(tree.path(&format!("{link}-part1"))).unwrap();
    event(&tree, "0:0:0:0");
    tree.write(
        "/sys/bus/scsi/devices/0:0:0:0/sgio_filter/rules",
        "deny 48\n",
    );
    tree.link(link, "../../sdc");
    assert_eq!(event(&tree, "sdc"), None);
}

#[test]
fn an_event_may_narrow_all_devices_and_not_widen_them() {
    let knob = "/sys/kernel/sgio_filter/filter_sg";
    for (before, wanted, after) in [("0", "true", "1"), ("1", "false", "1")] {
        let tree = tree();
        let text = format!("[all]\nfilter_sg = {wanted}\n");
        tree.write("/etc/sgio-filter/policy.d/20.toml", &text);
        tree.write(knob, &format!("{before}\n"));
        event(&tree, "0:0:0:0");
        let reads = || std::fs::read_to_string(tree.path(knob)).unwrap();
        assert_eq!(reads(), format!("{before}\n"));
        tree.output(&["apply", "--event"], 0);
        assert_eq!(reads(), format!("{after}\n"), "{wanted}");
    }
}

#[test]
fn a_device_that_the_module_does_not_know_yet_is_waited_for() {
    let tree = tree();
    let id = "/sys/bus/scsi/devices/0:0:0:0/sgio_filter/id";
    std::fs::remove_file(tree.path(id)).unwrap();
    let text = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| event(&tree, "0:0:0:0"));
        std::thread::sleep(std::time::Duration::from_millis(1500));
        tree.write(id, "78\n");
        waiting.join().unwrap()
    });
    assert!(text.unwrap().contains("id=78"));
    // What says so, where it is read.
    tree.write("/dev/kmsg", "");
    std::fs::remove_file(tree.path(id)).unwrap();
    tree.directory("/sys/bus/scsi/devices/0:0:0:0/scsi_device/0:0:0:0");
    tree.output(&["apply", "--event", "--device", "0:0:0:0"], 2);
    let log = std::fs::read_to_string(tree.path("/dev/kmsg")).unwrap();
    assert!(log.contains("<28>sgioctl: 0:0:0:0: waits"), "{log}");
    assert!(log.contains("does not know 0:0:0:0"), "{log}");
    // Another device's failure is another message.
    std::fs::remove_file(tree.path(&id.replace("0:0:0:0", "7:0:0:0"))).unwrap();
    tree.directory("/sys/bus/scsi/devices/7:0:0:0/scsi_device/7:0:0:0");
    tree.output(&["apply", "--event", "--device", "7:0:0:0"], 2);
    let log = std::fs::read_to_string(tree.path("/dev/kmsg")).unwrap();
    assert!(log.contains("does not know 7:0:0:0"), "{log}");
}

#[test]
fn what_is_wrong_with_the_files_is_said_in_the_log_once() {
    let tree = tree();
    tree.write("/dev/kmsg", "");
    tree.write("/etc/sgio-filter/policy.d/20.toml", "rules = [\n");
    for name in ["0:0:0:0", "6:0:0:0", "sdc"] {
        let errors = tree.error(&["apply", "--event", "--device", name]);
        assert_eq!(errors.matches("20.toml:2:1").count(), 1, "{errors}");
        assert_eq!(tree.transaction(), None);
    }
    let log = || std::fs::read_to_string(tree.path("/dev/kmsg")).unwrap();
    assert_eq!(log().matches("20.toml:2:1").count(), 1, "{}", log());
    // Who applies by hand has read it, and edits the files.
    tree.error(&["apply"]);
    tree.error(&["apply", "--event", "--device", "sdc"]);
    assert_eq!(log().matches("20.toml:2:1").count(), 2, "{}", log());
}

/// A command looks at a device when nobody else changes it any more: what an event puts in force in between is not taken for
/// what was there.
#[test]
fn a_command_looks_behind_an_event_that_is_under_way() {
    let tree = Tree::usual();
    tree.directory("/run/sgio-filter");
    let rules = tree.path("/sys/bus/scsi/devices/0:0:0:0/sgio_filter/rules");
    std::fs::write(&rules, "\n").unwrap();
    let holds = tree.path("/holds");
    let script = format!(
        "touch {holds}; sleep 1; echo 'allow w 00-ff' >{rules}",
        holds = holds.display(),
        rules = rules.display()
    );
    let mut event = std::process::Command::new("flock")
        .arg(tree.path("/run/sgio-filter/lock"))
        .args(["sh", "-c", &script])
        .spawn()
        .unwrap();
    while !holds.exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let output = tree.run(&["reset", "sdc"]);
    assert!(event.wait().unwrap().success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("- allow w 00-ff"), "{text}");
}
