// SPDX-License-Identifier: GPL-2.0

//! The manual pages and the completions that are installed.

use crate::common::Tree;
use std::{fs, path::Path, process::Command};

fn generated(tree: &Tree, what: &str) -> Vec<(String, String)> {
    let directory = tree.path(&format!("/{what}"));
    tree.output(&["generate", what, directory.to_str().unwrap()], 0);
    let mut files: Vec<(String, String)> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn each_page_has_what_a_reader_looks_for() {
    let tree = Tree::new();
    let pages = generated(&tree, "man");
    assert!(pages.len() > 15, "{}", pages.len());
    for (name, text) in &pages {
        let has = |what: &str| assert!(text.contains(what), "{name}: no {what}");
        has(".SH NAME\n");
        has(".SH SEE ALSO\n");
        if name.ends_with(".8") {
            has(".SH SYNOPSIS\n");
            has(".SH EXIT STATUS\n");
        }
        if name.ends_with(".8") && name != "sgioctl.8" {
            has(".SH EXAMPLES\n");
        }
        let title = text.lines().find(|line| line.starts_with(".TH ")).unwrap();
        let date = title.split(' ').nth(3).unwrap();
        assert!(date.len() == 10 && date.starts_with("20"), "{title}");
        // What mandoc -Tlint finds fault with.
        let mut example = false;
        for line in text.lines() {
            example = line == ".EX" || example && line != ".EE";
            assert!(line.len() <= 80, "{name}: {line}");
            assert_eq!(line, line.trim_end(), "{name}");
            assert!(example || !line.is_empty(), "{name}: an empty line");
        }
        let page = tree.path(&format!("/man/{name}"));
        match Command::new("mandoc").arg("-Tlint").arg(page).output() {
            Ok(output) => {
                assert!(output.status.success(), "{output:?}");
                assert!(output.stdout.is_empty(), "{output:?}");
            }
            // The build root has it; elsewhere it may be missing.
            Err(error) => assert!(!Path::new("/sgio/src").exists(), "mandoc: {error}"),
        }
    }
    let page = |name: &str| &pages.iter().find(|(other, _)| other == name).unwrap().1;
    // What must be given stands without brackets.
    assert!(page("sgioctl-allow.8").contains("\n.IR DEV\n.IR COMMAND...\n"));
    assert!(page("sgioctl-apply.8").contains("\n.RI [ FILE|DIR ]...\n"));
    for name in ["sgioctl-list.8", "sgioctl-doctor.8"] {
        assert!(!page(name).contains("doctor\\-probe"), "{name}");
    }
}

#[test]
fn what_is_hidden_is_not_proposed() {
    let tree = Tree::usual();
    for (name, text) in generated(&tree, "completions") {
        for hidden in ["doctor-probe", "generate man", " generate", "--root"] {
            let code: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
            assert!(!code.join("\n").contains(hidden), "{name}: {hidden}");
        }
        for asked in ["devices", "commands", "classes", "profiles"] {
            assert!(text.contains(asked), "{name}: {asked}");
        }
    }
    let list = |what: &str| tree.output(&["complete", what], 0);
    assert!(list("devices").contains("\nmpatha\n") && list("devices").contains("6:0:0:0\n"));
    assert!(list("commands").contains("persistent-reserve-in:read-keys\n"));
    assert!(list("classes").contains("disk\n"));
    assert!(list("profiles").contains("smart-ro\n"));
    // A shell gets it.
    tree.write("/sys/block/dm-0/dm/name", "$(reboot)\n");
    assert!(!list("devices").contains("reboot"));
}

#[test]
fn bash_completes() {
    let tree = Tree::usual();
    generated(&tree, "completions");
    let script = tree.path("/completions/sgioctl.bash");
    let complete = |words: &[&str]| -> Option<Vec<String>> {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let code = format!(
            "sgioctl() {{ '{}' --root '{}' \"$@\"; }}; . '{}'; COMP_WORDS=({}); COMP_CWORD={}; _sgioctl; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            env!("CARGO_BIN_EXE_sgioctl"),
            tree.path("/").display(),
            script.display(),
            quoted.join(" "),
            words.len() - 1
        );
        let output = Command::new("bash").arg("-c").arg(code).output().ok()?;
        assert!(output.stderr.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        Some(text.lines().map(str::to_owned).collect())
    };
    for (words, expected, not) in [
        (&["sgioctl", ""][..], "allow", "generate"),
        (&["sgioctl", "al"], "allow", "apply"),
        (&["sgioctl", "allow", "sd"], "sdb", "sg0"),
        (
            &["sgioctl", "allow", "sda", "persistent-reserve-o"],
            "persistent-reserve-out",
            "sdb",
        ),
        (
            &["sgioctl", "allow", "--for", "10m", "s"],
            "sda",
            "sanitize",
        ),
        (&["sgioctl", "allow", "--r"], "--read", "--write"),
        (&["sgioctl", "set", "sda", "un"], "unpriv", "sda"),
        (&["sgioctl", "set", "sda", "unpriv", "o"], "on", "unpriv"),
        (&["sgioctl", "profiles", "sm"], "smart-ro", "stock"),
        (&["sgioctl", "profiles", "--class", "ta"], "tape", "disk"),
    ] {
        let Some(found) = complete(words) else { return };
        assert!(
            found.iter().any(|word| word == expected),
            "{words:?}: {found:?}"
        );
        assert!(
            !found.iter().any(|word| word == not),
            "{words:?}: {found:?}"
        );
    }
}
