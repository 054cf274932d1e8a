// SPDX-License-Identifier: GPL-2.0

//! Files without an end, and pipes without a writer: each command that opens a file ends, with little memory.

use crate::common::Tree;
use std::{
    env, fs,
    path::Path,
    process::{Command, Output, Stdio},
};

/// More memory than any command needs for its 16 MiB, in KiB.
const MEMORY: u32 = 300_000;

/// Runs the program with a bound on its time and its memory.
fn run(tree: &Tree, input: &str, arguments: &[&str]) -> Output {
    // SGIOCTL: to see how another version of the program does.
    let program = env::var("SGIOCTL").unwrap_or_else(|_| env!("CARGO_BIN_EXE_sgioctl").to_owned());
    Command::new("sh")
        .args(["-c", "ulimit -v $0; exec timeout -s KILL 20 \"$@\""])
        .args([&MEMORY.to_string(), &program, "--root"])
        .arg(tree.path("/"))
        .args(arguments)
        .stdin(fs::File::open(input).map_or(Stdio::null(), Stdio::from))
        .output()
        .unwrap()
}

/// The command line, with a file in the place of FILE, fails at once and says why.
fn refused(tree: &Tree, input: &str, file: &str, arguments: &[&str], failed: &mut Vec<String>) {
    let with = |word: &&str| word.replace("FILE", file);
    let words: Vec<String> = arguments.iter().map(with).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = run(tree, input, &words);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let said = ["no regular file", "no log", "longer than"];
    let said = said.iter().any(|words| text.contains(words));
    if !matches!(output.status.code(), Some(1 | 2)) || !said {
        failed.push(format!("{words:?} < {input}: {:?}\n{text}", output.status));
    }
}

fn fifo(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_device_without_an_end_is_refused() {
    let tree = Tree::usual();
    tree.write("/zero.toml", "include = [\"/dev/zero\"]\n");
    let including = tree.path("/zero.toml");
    let including = including.to_str().unwrap();
    let mut failed = Vec::new();
    for (input, file, arguments) in [
        (
            "/dev/null",
            "/dev/zero",
            &["check", "--device-rules", "FILE", "sda", "unmap"][..],
        ),
        (
            "/dev/null",
            "/dev/zero",
            &["check", "--class-rules", "FILE", "sda", "unmap"],
        ),
        (
            "/dev/null",
            "/dev/zero",
            &["check", "--policy", "FILE", "sda", "unmap"],
        ),
        ("/dev/null", "/dev/zero", &["learn", "FILE"]),
        ("/dev/null", "/dev/zero", &["monitor", "--input", "FILE"]),
        ("/dev/null", "/dev/zero", &["apply", "--dry-run", "FILE"]),
        ("/dev/null", "/dev/zero", &["lint", "FILE"]),
        ("/dev/null", "/dev/zero", &["diff", "FILE"]),
        ("/dev/null", including, &["lint", "FILE"]),
        ("/dev/zero", "-", &["learn", "FILE"]),
        ("/dev/zero", "-", &["monitor", "--input", "FILE"]),
        ("/dev/zero", "-", &["apply", "--dry-run", "FILE"]),
        ("/dev/zero", "-", &["lint", "FILE"]),
    ] {
        refused(&tree, input, file, arguments, &mut failed);
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_pipe_without_a_writer_keeps_nobody_where_a_file_is_wanted() {
    let mut failed = Vec::new();
    for place in [
        "/etc/sgio-filter/policy.d/20.toml",
        "/etc/sgio-filter/profiles/p.toml",
    ] {
        let tree = Tree::usual();
        tree.directory("/etc/sgio-filter/policy.d");
        tree.write(place, "");
        fifo(&tree.path(place));
        refused(&tree, "/dev/null", "", &["lint"], &mut failed);
        refused(&tree, "/dev/null", "", &["apply", "--dry-run"], &mut failed);
    }
    // What the kernel's files are elsewhere is no pipe; in a tree that takes their place, it may be.
    let tree = Tree::usual();
    for name in ["wwid", "vpd_pg80", "sgio_filter/rules"] {
        let path = tree.path(&format!("/sys/bus/scsi/devices/0:0:0:0/{name}"));
        fifo(&path);
    }
    for path in ["/etc/group", "/run/sgio-filter/0:0:0:0"] {
        tree.write(path, "");
        fifo(&tree.path(path));
    }
    let event = ["apply", "--event", "--device", "0:0:0:0", "--dry-run"];
    for arguments in [
        &["list"][..],
        &["show", "sdc"],
        &["doctor", "--no-probe"],
        &event,
    ] {
        let output = run(&tree, "/dev/null", arguments);
        if output.status.code().is_none_or(|code| code > 2) {
            failed.push(format!("{arguments:?}: {:?}", output.status));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_line_without_an_end_is_no_log() {
    let tree = Tree::usual();
    let long = "x".repeat(1 << 20);
    tree.write("/log", &long);
    let log = tree.path("/log");
    let mut failed = Vec::new();
    for arguments in [&["learn", "FILE"][..], &["monitor", "--input", "FILE"]] {
        refused(
            &tree,
            "/dev/null",
            log.to_str().unwrap(),
            arguments,
            &mut failed,
        );
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
