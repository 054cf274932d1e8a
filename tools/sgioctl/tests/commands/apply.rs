// SPDX-License-Identifier: GPL-2.0

//! Which devices `apply --device` sets, by the kernel's own names and by others.

use crate::common::{Spec, Tree};

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

/// The section that an event of the device would give the kernel, if any.
fn event(tree: &Tree, name: &str) -> Option<String> {
    tree.output(&["apply", "--event", "--device", name], 0);
    tree.transaction().map(|text| take_effect(tree, &text))
}

/// Makes the files say what the kernel would.
fn take_effect(tree: &Tree, transaction: &str) -> String {
    let mut hctl = String::new();
    for line in transaction.lines() {
        let words: Vec<&str> = line.splitn(2, ' ').collect();
        let file = |name: &str| format!("/sys/bus/scsi/devices/{hctl}/sgio_filter/{name}");
        match words[..] {
            ["device", rest] => rest.split(' ').next().unwrap().clone_into(&mut hctl),
            ["rules"] => tree.write(&file("rules"), "\n"),
            ["allow" | "deny", _] => {
                let old = std::fs::read_to_string(tree.path(&file("rules"))).unwrap();
                tree.write(&file("rules"), &format!("{}{line}\n", old.trim_start()));
            }
            [name, value] => tree.write(&file(name), &format!("{value}\n")),
            _ => {}
        }
    }
    transaction.to_owned()
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
fn the_module_gets_the_tables_of_classes_once() {
    let tree = tree();
    let classes = "[[class]]\nname = \"cdrom\"\ntable = \"stock\"\n\
                   [[class]]\nname = \"tape\"\nrules = \"deny 00-ff\"\n";
    tree.write("/etc/sgio-filter/policy.d/20.toml", classes);
    tree.write("/sys/kernel/sgio_filter/classes/tape/table", "custom\n");
    let all = |tree: &Tree| {
        tree.output(&["apply", "--event"], 0);
        tree.transaction()
    };
    let text = all(&tree).unwrap();
    assert!(text.starts_with("class cdrom\ntable stock\n"), "{text}");
    assert!(!text.contains("class tape"), "{text}");
    take_effect(&tree, &text);
    assert_eq!(all(&tree), None);
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

/// What `lint` tells of blocks, and `list` of devices, is told by who puts the policy in force too: in one line each.
#[test]
fn what_no_policy_reaches_is_counted() {
    let tree = tree();
    tree.write("/dev/kmsg", "");
    let block =
        |keys: &str| format!("[[device]]\nmatch = {{ {keys} }}\nprofile = \"disk-guest\"\n");
    let wrong = block("vendor = \"Western Digital\"") + &block("multipath = \"dm-0\"");
    tree.write("/etc/sgio-filter/policy.d/20.toml", &wrong);
    let blocks = "2 blocks that no device can match ('sgioctl lint' tells why): ";
    let devices = "1 device without a filter, where no policy is in force: 8:0:0:0";
    let once = |text: &str| {
        for line in [blocks, devices] {
            assert_eq!(text.matches(line).count(), 1, "{text}");
        }
        assert_eq!(text.matches("20.toml:").count(), 2, "{text}");
    };
    for arguments in [&["apply", "--dry-run"][..], &["apply"]] {
        let output = tree.run(arguments);
        assert_eq!(output.status.code(), Some(0));
        once(&String::from_utf8(output.stderr).unwrap());
    }
    // Nobody looks at an event: it is in the log, once however often events come.
    for arguments in [
        &["apply", "--event", "--device", "0:0:0:0"][..],
        &["apply", "--event", "--device", "6:0:0:0"],
        &["apply", "--event"],
        &["apply", "--event"],
    ] {
        tree.output(arguments, 0);
    }
    once(&std::fs::read_to_string(tree.path("/dev/kmsg")).unwrap());
    // Nothing is said where nothing is wrong.
    tree.write(
        "/etc/sgio-filter/policy.d/20.toml",
        &block("vendor = \"ATA\""),
    );
    std::fs::remove_dir_all(tree.path("/sys/devices/pseudo_0")).unwrap();
    std::fs::remove_file(tree.path("/sys/bus/scsi/devices/8:0:0:0")).unwrap();
    let output = tree.run(&["apply", "--dry-run"]);
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_directory_without_policies_resets_nothing() {
    let tree = tree();
    let directory = tree.path("/tmp/empty");
    tree.write("/tmp/empty/10-disk.conf", "unpriv_sgio = true\n");
    let path = directory.to_str().unwrap();
    let error = tree.error(&["apply", path]);
    assert!(error.contains("there is no file *.toml"), "{error}");
    assert_eq!(tree.transaction(), None);
    // One that is not read is named.
    tree.write("/tmp/empty/20.toml", "");
    let output = tree.run(&["apply", path]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("10-disk.conf") && said.contains("is not read"),
        "{said}"
    );
    let found = tree.output(&["lint", path], 1);
    assert!(
        found.contains("10-disk.conf") && found.contains("nothing in this file"),
        "{found}"
    );
}

#[test]
fn what_is_no_file_does_not_keep_us() {
    let tree = tree();
    let directory = tree.path("/etc/sgio-filter/policy.d");
    let fifo = directory.join("20.toml");
    let done = std::process::Command::new("mkfifo")
        .arg(&fifo)
        .status()
        .unwrap();
    assert!(done.success());
    let error = tree.error(&["apply"]);
    assert!(
        error.contains("20.toml: this is no regular file"),
        "{error}"
    );
    std::fs::remove_file(&fifo).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &fifo).unwrap();
    let error = tree.error(&["apply"]);
    assert!(
        error.contains("20.toml: this is no regular file"),
        "{error}"
    );
    std::fs::remove_file(&fifo).unwrap();
    std::fs::File::create(&fifo)
        .unwrap()
        .set_len(17 << 20)
        .unwrap();
    let error = tree.error(&["apply"]);
    assert!(error.contains("longer than 16 MiB"), "{error}");
}

/// Of a disk that answers no VPD page 83h, multipath makes the WWID of its model.
#[test]
fn the_wwid_of_a_map_is_no_name_of_a_map() {
    let tree = tree();
    let policy = "/etc/sgio-filter/policy.d/10.toml";
    tree.write(
        policy,
        "[[device]]\nmatch = { multipath = \"db-data\" }\nrules = \"allow w 5f\"\n",
    );
    tree.write("/sys/block/dm-0/dm/uuid", "mpath-db-data\n");
    for (name, count) in [("mpatha", 0), ("db-data", 2)] {
        tree.write("/sys/block/dm-0/dm/name", &format!("{name}\n"));
        let text = tree.output(&["apply", "--dry-run"], 0);
        assert_eq!(text.matches("allow w 5f").count(), count, "{name}: {text}");
    }
}

/// The kernel takes no transaction of more than 16 MiB, and who makes a target chooses how many logical units it has.
#[test]
fn more_than_one_transaction_can_have_goes_in_parts() {
    let tree = Tree::usual();
    for number in 0..12 {
        tree.device(&Spec {
            hctl: &format!("99:0:0:{number}"),
            through: "platform/host99/target99:0:0",
            class: 0,
            vendor: "MANY",
            model: "LUN",
            wwid: None,
            nodes: &[],
            filter: Some((1000 + number, "")),
        });
    }
    let values: Vec<String> = (0..0xff).step_by(2).map(|n| format!("{n:02x}")).collect();
    let rule = |number: u32| {
        let (high, low) = (number >> 8, number & 0xff);
        let values = values.join(",");
        format!("deny 5f [1]={values} [2]={high:02x} [3]={low:02x}\n")
    };
    let rules: String = (0..4000).map(rule).collect();
    tree.write(
        "/etc/sgio-filter/policy.d/10.toml",
        &format!("[[device]]\nmatch = {{ vendor = \"MANY\" }}\nrules = \"\"\"\n{rules}\"\"\"\n"),
    );
    tree.output(&["apply"], 0);
    // The parts, one behind the other: classes, and each device once.
    let sent = tree.transaction().unwrap();
    assert!(sent.len() > 16 << 20, "{}", sent.len());
    assert!(sent.rfind("\nclass ").unwrap() < sent.find("\ndevice ").unwrap());
    for number in 0..12 {
        let section = format!("\ndevice 99:0:0:{number} id={}\n", 1000 + number);
        assert_eq!(sent.matches(&section).count(), 1, "{section}");
        assert!(tree
            .path(&format!("/run/sgio-filter/99:0:0:{number}"))
            .exists());
    }
    assert_eq!(sent.matches("deny 5f").count(), 12 * 4000);
}

#[test]
fn many_files_have_a_limit() {
    let tree = tree();
    let directory = "/etc/sgio-filter/policy.d";
    for number in 0..40 {
        let text = format!("include = [\"{}.inc\"]\n", number + 1);
        tree.write(&format!("{directory}/{number}.inc"), &text);
    }
    tree.write(&format!("{directory}/40.inc"), "");
    tree.write(&format!("{directory}/20.toml"), "include = [\"30.inc\"]\n");
    tree.output(&["apply", "--dry-run"], 0);
    tree.write(&format!("{directory}/20.toml"), "include = [\"0.inc\"]\n");
    let error = tree.error(&["apply"]);
    assert!(
        error.contains("more than 16 files include each other"),
        "{error}"
    );
    // Together they are no longer than one may be.
    let comment = "#".repeat((6 << 20) - 1) + "\n";
    for number in [20, 30] {
        tree.write(&format!("{directory}/{number}.toml"), &comment);
    }
    tree.output(&["apply", "--dry-run"], 0);
    tree.write(&format!("{directory}/40.toml"), &comment);
    let error = tree.error(&["apply"]);
    assert!(
        error.contains("40.toml: all files together are longer than 16 MiB"),
        "{error}"
    );
    assert_eq!(tree.transaction(), None);
}

#[test]
fn what_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let tree = tree();
    let file = tree.path("/etc/sgio-filter/policy.d/10.toml");
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&file, 0o646);
    let error = tree.error(&["apply"]);
    assert!(
        error.contains("10.toml: everybody may write this"),
        "{error}"
    );
    assert_eq!(tree.transaction(), None);
    mode(&file, 0o644);
    let directory = file.parent().unwrap();
    mode(directory, 0o777);
    let error = tree.error(&["apply"]);
    assert!(
        error.contains("policy.d: everybody may write this"),
        "{error}"
    );
    mode(directory, 0o755);
    // Who may write a directory above may put another one there; who may only add to it cannot.
    let above = tree.path("/etc");
    mode(&above, 0o777);
    let error = tree.error(&["apply"]);
    assert!(
        error.contains("/etc: everybody may write this, and put another file in the place of"),
        "{error}"
    );
    assert_eq!(tree.transaction(), None);
    mode(&above, 0o1777);
    tree.output(&["apply"], 0);
    mode(&above, 0o755);
    // The same for what is included, and for what a link leads to.
    let shared = tree.path("/srv/shared");
    tree.write(
        "/srv/shared/more.toml",
        "[[device]]\nmatch = { hctl = \"0:0:0:0\" }\ndeny = [\"12\"]\n",
    );
    tree.link(
        "/etc/sgio-filter/policy.d/20.toml",
        "../../../srv/shared/more.toml",
    );
    for (name, text) in [
        ("30.toml", "include = [\"../../../srv/shared/more.toml\"]\n"),
        ("30.toml", "include = [\"20.toml\"]\n"),
    ] {
        tree.write(&format!("/etc/sgio-filter/policy.d/{name}"), text);
        mode(&shared, 0o777);
        let error = tree.error(&["apply"]);
        assert!(
            error.contains("srv/shared: everybody may write this"),
            "{error}"
        );
        mode(&shared, 0o755);
        tree.output(&["apply"], 0);
    }
    for name in ["20.toml", "30.toml"] {
        std::fs::remove_file(tree.path(&format!("/etc/sgio-filter/policy.d/{name}"))).unwrap();
    }
    // One file of the directory is held to the same as all of it.
    mode(&file, 0o646);
    assert!(tree
        .error(&["apply", file.to_str().unwrap()])
        .contains("10.toml: everybody may write this"));
    mode(&file, 0o644);
    tree.transaction();
    // Elsewhere the user who gives the path decides.
    let other = tree.path("/tmp/other.toml");
    tree.write(
        "/tmp/other.toml",
        "[[device]]\nmatch = { class = \"disk\" }\nrules = \"deny 48\"\n",
    );
    mode(&other, 0o666);
    let output = tree.run(&["apply", other.to_str().unwrap()]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("other.toml: everybody may write this"),
        "{said}"
    );
}

#[test]
fn a_policy_may_come_from_a_pipe() {
    use std::io::Write as _;
    let tree = tree();
    let run = |arguments: &[&str], text: &str| {
        let mut child = tree
            .command(arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    };
    let text = "[[device]]\nmatch = { hctl = \"6:0:0:0\" }\nrules = \"deny 48\"\n";
    for path in ["-", "/dev/stdin", "/proc/self/fd/0"] {
        let output = run(&["apply", path], text);
        assert!(output.status.success(), "{path}: {output:?}");
        assert!(tree.transaction().unwrap().contains("deny 48"), "{path}");
        let output = run(&["lint", path], text);
        assert_eq!(output.status.code(), Some(0), "{path}: {output:?}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_no_failure_of_the_change() {
    let tree = tree();
    let run = |arguments: &[&str]| {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        tree.command(arguments).stdout(full).output().unwrap()
    };
    for arguments in [
        &["apply"][..],
        &["allow", "sda", "89"],
        &["deny", "sda", "89"],
        &["set", "sda", "unpriv", "on"],
        &["complain", "sda", "on"],
        &["reset", "sda"],
        &["apply", "--json"],
    ] {
        let output = run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {said}");
        assert!(said.contains("the change is in force"), "{said}");
        assert!(tree.transaction().is_some());
    }
    for arguments in [
        &["list"][..],
        &["list", "--json"],
        &["show", "sda"],
        &["apply", "--dry-run"],
        &["allow", "sda", "89", "--dry-run"],
        &["profiles"],
        &["explain", "12"],
        &["explain", "--names"],
        &["check", "--class", "disk", "12"],
        &["doctor"],
        &["diff", "-"],
        &["lint", "/etc/hostname"],
    ] {
        let output = run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert_eq!(tree.transaction(), None, "{arguments:?}");
    }
}

#[test]
fn lint_diff_and_apply_take_the_same_directory() {
    let tree = tree();
    tree.write(
        "/etc/sgio-filter/policy.d/10.toml",
        "[[device]]\nmatch = { hctl = \"0:0:0:0\" }\nrules = \"deny 48\"\n",
    );
    tree.output(&["lint"], 0);
    let all = tree.output(&["diff"], 1);
    let one = tree.output(&["diff", "--device", "sdc"], 1);
    assert!(
        all.contains("0:0:0:0 (disk)") && one.contains("0:0:0:0 (disk)"),
        "{all}{one}"
    );
    assert!(tree.output(&["apply", "--dry-run"], 0).contains("deny 48"));
    // What cannot be looked at is not a policy with a mistake.
    for arguments in [["lint", "/nonexistent.toml"], ["diff", "/nonexistent.toml"]] {
        let error = tree.error(&arguments);
        assert!(error.contains("/nonexistent.toml"), "{error}");
    }
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

/// A device of a class that its block is not for, as any USB device can claim to be, keeps the policy from no other: it
/// gets what the block denies, and nothing that the block opens.
#[test]
fn a_device_of_an_unexpected_class_stops_no_other() {
    let tree = Tree::usual();
    let policy = "/etc/sgio-filter/policy.d/10.toml";
    let block = |class: &str| {
        format!(
            "[all]\nfilter_sg = true\n[[device]]\nmatch = {{ vendor = \"ACME\"{class} }}\nprofile = \"disk-guest-pr\"\n\
             rules = \"deny 3c\\nallow w c1\"\nunpriv_sgio = true\npr_exclusive = true\n"
        )
    };
    tree.write(policy, &block(""));
    let lines = |arguments: &[&str]| {
        let output = tree.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (text(&output.stdout), text(&output.stderr))
    };
    let section = |text: &str, hctl: &str| {
        let from = text.find(&format!("device {hctl} ")).unwrap();
        let rest = &text[from + 7..];
        rest[..rest.find("device ").unwrap_or(rest.len())].to_owned()
    };
    for arguments in [
        &["apply", "--dry-run"][..],
        &["apply", "--event", "--dry-run"],
    ] {
        let (transaction, told) = lines(arguments);
        let misfit = section(&transaction, "7:0:0:0");
        assert!(
            misfit.contains("deny 3c") && !misfit.contains("allow"),
            "{misfit}"
        );
        assert!(
            misfit.contains("unpriv_sgio 0") && misfit.contains("pr_exclusive 1"),
            "{misfit}"
        );
        if !arguments.contains(&"--event") {
            assert!(section(&transaction, "6:0:0:0").contains("allow w c1"));
            assert!(
                told.contains("for 7:0:0:0, class tape") && told.contains("nothing else of it"),
                "{told}"
            );
        }
    }
    // A file that names the class itself is wrong, and nothing of it is put in force.
    tree.write(policy, &block(", class = \"tape\""));
    assert!(tree.error(&["apply", "--dry-run"]).contains("not for tape"));
}
