// SPDX-License-Identifier: GPL-2.0

//! Which files `apply` reads, and what it makes of a directory: their limits, their owners, what is no file.

use crate::{
    apply::tree,
    common::{Spec, Tree},
};

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
fn a_class_without_a_device_is_compared_too() {
    let tree = tree();
    let file = "/etc/sgio-filter/policy.d/20.toml";
    for class in ["enclosure", "cdrom"] {
        tree.write(
            file,
            &format!("[[class]]\nname = \"{class}\"\ntable = \"stock\"\n"),
        );
        let text = tree.output(&["diff"], 1);
        let header = text
            .lines()
            .find(|line| line.starts_with(&format!("class {class}: ")));
        assert!(
            header.is_some_and(|line| line.ends_with("20.toml:1:1")),
            "{text}"
        );
        let json = tree.json(&["diff"], 1);
        assert_eq!(json["classes"][0]["class"], class);
        // And a device of it tells whose change that is.
        if class == "cdrom" {
            assert!(
                text.contains("(cdrom): no block, its class by ")
                    || text.contains("policy.d/10.toml"),
                "{text}"
            );
        }
    }
    // Nothing is told of classes where one device is asked for, nor where nothing changes.
    assert!(!tree
        .output(&["diff", "--device", "sdc"], 1)
        .contains("class cdrom"));
    tree.write("/sys/kernel/sgio_filter/classes/cdrom/table", "stock\n");
    assert!(!tree.output(&["diff"], 1).contains("class cdrom"));
    // A table that no file names is taken back.
    std::fs::remove_file(tree.path(file)).unwrap();
    let text = tree.output(&["diff"], 1);
    assert!(
        text.contains("class cdrom: no block, the table that the module was loaded with"),
        "{text}"
    );
}

#[test]
fn a_file_that_is_included_is_read() {
    let tree = tree();
    let directory = "/etc/sgio-filter/policy.d";
    tree.write(
        &format!("{directory}/50.toml"),
        "include = [\"common.inc\", \"more/a.toml\"]\n",
    );
    let block =
        |hctl: &str| format!("[[device]]\nmatch = {{ hctl = \"{hctl}\" }}\nrules = \"deny 48\"\n");
    tree.write(&format!("{directory}/common.inc"), &block("0:0:0:0"));
    tree.write(&format!("{directory}/more/a.toml"), &block("0:0:0:9"));
    tree.write(&format!("{directory}/left.conf"), "");
    let output = tree.run(&["apply", "--dry-run"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.matches("this file is not read").count(), 1, "{told}");
    assert!(told.contains("left.conf: this file is not read"), "{told}");
}

#[test]
fn apply_of_one_device_does_not_speak_of_all() {
    let tree = Tree::usual();
    tree.directory("/etc/sgio-filter/policy.d");
    let told = |arguments: &[&str]| String::from_utf8(tree.run(arguments).stderr).unwrap();
    let one = told(&["apply", "--dry-run", "--device", "sda"]);
    assert!(
        one.contains("no file has a policy: sda gets its defaults"),
        "{one}"
    );
    assert!(!one.contains("all devices"), "{one}");
    assert!(told(&["apply", "--dry-run"]).contains("all devices and classes get their defaults"));
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
