// SPDX-License-Identifier: GPL-2.0

//! Which devices `apply --device` sets, by the kernel's own names and by others.

use crate::common::Tree;

/// With what sysfs has of disks and maps, and a policy that selects in all ways.
pub(super) fn tree() -> Tree {
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

/// Makes the files say what the kernel would.
pub(super) fn take_effect(tree: &Tree, transaction: &str) -> String {
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
