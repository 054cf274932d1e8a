// SPDX-License-Identifier: GPL-2.0

//! `explain`, `check` and `learn` from outside: exit status and JSON.

use serde_json::Value;
use sgioctl::output::is_unsafe;
use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

fn sgioctl(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sgioctl"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who does not read it has ended already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

const REFUSED: &str =
    "dev=6:0:0:0 class=0 outcome=refused decision=no_rule layer=none rule=0 open=r uid=1 \
                       cgroup=0 cdb=5e 00 00\n";
const DESTRUCTIVE: &str =
    "dev=6:0:0:0 class=0 outcome=refused decision=no_rule layer=none rule=0 open=w uid=1 \
                           cgroup=0 cdb=5f 03 00\n";

#[test]
fn status() {
    fn check<'a>(args: &[&'a str]) -> Vec<&'a str> {
        [&["check", "--class", "disk"], args].concat()
    }
    for (args, input, status) in [
        (check(&["12"]), "", 0),
        (check(&["inquiry", "read-10"]), "", 0),
        (check(&["inquiry", "unmap"]), "", 1),
        (check(&["--write", "42"]), "", 0),
        (check(&["--read", "42"]), "", 1),
        (check(&["--read", "--write", "42"]), "", 1),
        (check(&["--table", "stock", "48", "03"]), "", 0),
        (check(&["48", "03"]), "", 1),
        (check(&[]), "", 2),
        (check(&["unmpa"]), "", 2),
        (check(&["--device-rules", "/nonexistent", "12"]), "", 2),
        (check(&["--table", "none", "12"]), "", 2),
        (vec!["explain", "5f", "00"], "", 0),
        (vec!["explain", "--class", "disk", "02"], "", 1),
        (vec!["explain", "5"], "", 2),
        (vec!["explain", "--names"], "", 0),
        (vec!["learn"], REFUSED, 0),
        (vec!["learn"], DESTRUCTIVE, 1),
        (vec!["learn", "--allow-destructive"], DESTRUCTIVE, 0),
        (vec!["learn", "/nonexistent"], "", 2),
    ] {
        let output = sgioctl(&args, input);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {output:?}");
        assert_eq!(
            output.stderr.is_empty(),
            status != 2,
            "{args:?}: {output:?}"
        );
    }
}

#[test]
fn json() {
    let json = |args: &[&str], input| -> Value {
        let value: Value = serde_json::from_slice(&sgioctl(args, input).stdout).unwrap();
        assert_eq!(value["schema"], "sgioctl/1");
        assert_eq!(value["command"], args[0]);
        value
    };
    let answer = json(&["check", "--json", "--class", "disk", "5f 00"], "");
    let check = &answer["checks"][0];
    assert_eq!(answer["allowed"], false);
    assert_eq!(check["command"]["name"], "persistent-reserve-out:register");
    assert_eq!(check["verdicts"][1]["open"], "w");
    assert_eq!(check["verdicts"][1]["decision"], "no_rule");
    let allow = "sgioctl allow DEV --write persistent-reserve-out:register";
    assert_eq!(check["to_allow"], allow);
    assert_eq!(check["kernel_list"], "refused");

    let answer = json(&["explain", "--json", "48", "03"], "");
    assert_eq!(answer["meanings"][0]["classes"][0], "disk");
    assert_eq!(answer["meanings"][0]["destructive"], true);
    assert_eq!(answer["standard_length"], 10);

    let answer = json(&["learn", "--json"], REFUSED);
    let rule = &answer["devices"][0]["rules"][0];
    assert_eq!(rule["rule"], "allow r 5e [1]&1f=00");
    assert_eq!(rule["times"], 1);
}

/// Nothing was refused, or nothing of those who were asked about: that is not the same.
#[test]
fn learn_says_that_no_record_was_chosen() {
    for (args, told) in [
        (&["learn", "--uid", "2"][..], true),
        (&["learn", "--device", "1:0:0:0"], true),
        (&["learn", "--cgroup", "/nobody.slice"], true),
        (&["learn", "--uid", "1"], false),
        (&["learn"], false),
    ] {
        let said = String::from_utf8(sgioctl(args, REFUSED).stderr).unwrap();
        assert_eq!(
            said.contains("none of the 1 records"),
            told,
            "{args:?}: {said}"
        );
    }
}

/// What learn proposes, check allows.
#[test]
fn what_learn_proposes_check_allows() {
    let rules = sgioctl(&["learn"], REFUSED).stdout;
    let file = std::env::temp_dir().join(format!("sgioctl-{}.rules", std::process::id()));
    std::fs::write(&file, rules).unwrap();
    let path = file.to_str().unwrap();
    let with = |cdb| {
        let args = ["check", "--class", "disk", "--device-rules", path, cdb];
        sgioctl(&args, "").status.code()
    };
    let answers = [with("5e00"), with("5e01"), with("5f00")];
    std::fs::remove_file(&file).unwrap();
    assert_eq!(answers, [Some(0), Some(1), Some(1)]);
}

/// An argument may be a name that a device or a process has chosen. Clap quotes it as it stands.
#[test]
fn a_wrong_argument_is_not_obeyed_by_the_terminal() {
    for (args, shown) in [
        (&["\u{1b}[2Jlist"][..], "\\u{1b}[2Jlist"),
        (
            &["show", "sda", "a\u{8}\u{1b}]0;b\u{7}"],
            "a\\u{8}\\u{1b}]0;b\\u{7}",
        ),
        (&["list", "--\u{202e}json"], "--\\u{202e}json"),
        (&["check", "--class", "a\rb", "12"], "a\\rb"),
        (&["set", "sda", "\u{9b}2J", "on"], "\\u{9b}2J"),
        (&["learn", "--uid", "\u{1b}c"], "\\u{1b}c"),
        (&["help", "\u{1b}[31m"], "\\u{1b}[31m"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_sgioctl"))
            .args(args)
            // As on a terminal.
            .env("CLICOLOR_FORCE", "1")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(shown), "{args:?}: {said}");
        assert!(!said.contains(|c| c != '\n' && is_unsafe(c)), "{said:?}");
    }
    // Help has its colours.
    let help = Command::new(env!("CARGO_BIN_EXE_sgioctl"))
        .arg("--help")
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(help.status.success() && help.stdout.contains(&0x1b));
}
