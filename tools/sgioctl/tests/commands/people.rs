// SPDX-License-Identifier: GPL-2.0

//! What people type: one notation for CDBs in all commands, and what they are told of it.

use crate::common::Tree;

/// The rules that `allow` would add, or its error.
fn allow(tree: &Tree, words: &[&str]) -> Result<Vec<String>, String> {
    let mut arguments = vec!["allow", "--dry-run", "sdc"];
    arguments.extend(words);
    let output = tree.run(&arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    if output.status.code() != Some(0) {
        assert!(output.stdout.is_empty());
        return Err(text(&output.stderr));
    }
    let lines = text(&output.stdout);
    let rules = lines.lines().filter_map(|line| line.split_once("+ "));
    Ok(rules.map(|(_, rule)| rule.trim().to_owned()).collect())
}

/// How programs write REGISTER AND IGNORE EXISTING KEY.
const NOTATIONS: [&[&str]; 9] = [
    &["5f", "06", "00", "00", "00", "00", "00", "00", "18", "00"],
    &["5f 06 00 00 00 00 00 00 18 00"],
    &[
        "0x5f", "0x06", "0x00", "0x00", "0x00", "0x00", "0x00", "0x00", "0x18", "0x00",
    ],
    &["0x5f, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x18, 0x00"],
    &["5f,06,00,00,00,00,00,00,18,00"],
    &["5f060000000000001800"],
    &["[5f 06 00 00 00 00 00 00 18 00]"],
    &["\\x5f\\x06\\x00\\x00\\x00\\x00\\x00\\x00\\x18\\x00"],
    &["sd 0:0:0:0: [sdc] tag#3 CDB: Persistent reserve out 5f 06 00 00 00 00 00 00 18 00"],
];

#[test]
fn the_same_words_mean_the_same_to_all_commands() {
    let tree = Tree::usual();
    let name = "persistent-reserve-out:register-and-ignore-existing-key";
    for words in NOTATIONS {
        let rules = allow(&tree, words).unwrap();
        assert_eq!(rules, ["allow w 5f [1]&1f=06"], "{words:?}");
        for command in [
            &["check", "--class", "disk"][..],
            &["explain", "--class", "disk"],
        ] {
            let arguments: Vec<&str> = command.iter().chain(words).copied().collect();
            let output = tree.run(&arguments);
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.contains(name), "{arguments:?}: {text}");
            assert!(text.contains("5f 06 00 00 00 00 00 00 18 00"), "{text}");
        }
        let mut deny = vec!["deny", "--dry-run", "sdc"];
        deny.extend(words);
        assert!(
            tree.output(&deny, 0).contains("deny 5f [1]&1f=06"),
            "{words:?}"
        );
    }
}

#[test]
fn what_can_be_two_things_is_an_error_with_both() {
    let tree = Tree::usual();
    for words in [
        &["85", "08", "0e"][..],
        &["85 08 0e"],
        &["5f", "06"],
        &["0x5f", "0x06"],
        &["5f,06"],
        &["89", "5e"],
    ] {
        let error = allow(&tree, words).unwrap_err();
        assert!(error.contains("can be read in two ways"), "{error}");
        assert!(error.contains("'cdb:") && error.contains("'op:"), "{error}");
    }
    assert_eq!(
        allow(&tree, &["cdb:5f 06"]).unwrap(),
        ["allow w 5f [1]&1f=06"]
    );
    assert_eq!(
        allow(&tree, &["op:5e,5f", "--read"]).unwrap(),
        ["allow r 5e-5f"]
    );
    assert_eq!(
        allow(&tree, &["5e,5f", "--read"]).unwrap(),
        ["allow r 5e-5f"]
    );
    // The fields of a rule belong to the opcode before them.
    assert_eq!(
        allow(&tree, &["5f", "[1]&1f=06"]).unwrap(),
        ["allow w 5f [1]&1f=06"]
    );
    // Three words, one command.
    let text = tree.output(&["check", "--class", "disk", "0x5f", "0x06", "0x00"], 1);
    assert!(
        text.contains("disk: 5f 06 00\n") && text.matches("command:").count() == 1,
        "{text}"
    );
    assert!(tree
        .error(&["explain", "5f0005", "5e00"])
        .contains("explain takes one"));
}

#[test]
fn rules_of_a_class_are_linted_as_those_of_a_device() {
    let tree = Tree::usual();
    let policy = "[[class]]\nname = \"disk\"\nrules = \"allow r 00-ff\\ndeny 48\"\n";
    tree.write("/etc/sgio-filter/policy.d/10.toml", policy);
    let output = tree.run(&["lint"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("'deny 48' never decides"), "{text}");
    assert!(text.contains("allowed to readers of a disk"), "{text}");
}

#[test]
fn a_line_that_names_two_cdbs_is_an_error() {
    let tree = Tree::usual();
    let line = "12.5 6:0:0:0 disk refused: 5e 00 00 00 00 00 00 20 00 00 (persistent-reserve-in:read-keys) open=w from \
                raw=4803 x[812] uid=107, no rule matches";
    let error = allow(&tree, &[line]).unwrap_err();
    assert!(error.contains("in the same line"), "{error}");
    let words: Vec<&str> = line.split(' ').collect();
    let error = allow(&tree, &words).unwrap_err();
    assert!(error.contains("in the same line"), "{error}");
    let line = "[   12.3] sgio_filter: 6:0:0:42: complain: 5e 00 00 00 00 00 00 20 00 00 from qemu[812], open for writing";
    assert_eq!(allow(&tree, &[line]).unwrap(), ["allow r 5e [1]&1f=00"]);
}

#[test]
fn lint_of_a_directory_that_is_not_there_is_not_done() {
    let tree = Tree::usual();
    assert!(tree.error(&["lint"]).contains("/etc/sgio-filter/policy.d"));
    tree.directory("/etc/sgio-filter/policy.d");
    tree.output(&["lint"], 0);
}

#[test]
fn what_was_assumed_is_said() {
    let tree = Tree::usual();
    let check = |words: &[&str]| tree.run(&[&["check", "--class", "disk"], words].concat());
    for (words, said) in [
        (&["5f"][..], "assumed:    bytes 1 to 9 are 00, which is persistent-reserve-out:register; another service action"),
        (&["cdb:5f 06"], "assumed:    bytes 2 to 9 are 00\n"),
        (&["12"], "assumed:    bytes 1 to 5 are 00\n"),
        (&["5f 06 00 00 00 00 00 00 18"], "assumed:    byte 9 is 00\n"),
        (&["c1"], "all bytes behind the opcode are 00"),
    ] {
        let text = String::from_utf8(check(words).stdout).unwrap();
        assert!(text.contains(said), "{words:?}: {text}");
    }
    let whole = check(&["5f 06 00 00 00 00 00 00 18 00"]).stdout;
    assert!(!String::from_utf8(whole).unwrap().contains("assumed"));
    let text = tree.output(&["explain", "--class", "disk", "5f"], 0);
    assert!(
        text.contains("10 are usual; assumed: bytes 1 to 9 are 00"),
        "{text}"
    );
}

#[test]
fn a_hint_names_what_can_be_written_there() {
    let tree = Tree::usual();
    for command in [&["check", "--class", "disk"][..], &["explain"]] {
        for words in ["5f,06", "op:5f,06"] {
            let error = tree.error(&[command, &[words]].concat());
            assert!(
                error.contains("'cdb:5f") && !error.contains("'op:5f,06' says"),
                "{error}"
            );
        }
        let hint = [command, &["cdb:5f 06"]].concat();
        assert!(tree.run(&hint).status.code() != Some(2), "{hint:?}");
    }
}

#[test]
fn explain_takes_names() {
    let tree = Tree::usual();
    for arguments in [
        &["explain", "persistent-reserve-out:register"][..],
        &[
            "explain",
            "--class",
            "tape",
            "Persistent-Reserve-Out:Register",
        ],
    ] {
        let text = tree.output(arguments, 0);
        assert!(
            text.starts_with("5f 00 00 00 00 00 00 00 00 00\n"),
            "{text}"
        );
    }
    assert!(tree
        .output(&["explain", "read-toc-pma-atip"], 0)
        .contains("cdrom"));
    assert!(tree
        .error(&["explain", "unmpa"])
        .contains("did you mean unmap"));
    assert!(tree
        .error(&["explain", "--class", "tape", "unmap"])
        .contains("of class disk"));
}

#[test]
fn a_line_of_monitor_is_a_cdb() {
    let tree = Tree::usual();
    for line in [
        "12.500000 6:0:0:0 disk refused: 5f 06 00 00 00 00 00 00 18 00 (persistent-reserve-out:register-and-ignore-existing-key, \
         service-action 06h) open=w from sg_persist[812] uid=107, no rule matches",
        "12.500000 6:0:0:0 disk allowed: 5f 06 00 00 00 00 00 00 18 00 (x:y) open=w from a[8] uid=0, allowed by rule 0 of the device: allow w 5f",
    ] {
        assert_eq!(allow(&tree, &[line]).unwrap(), ["allow w 5f [1]&1f=06"]);
        let text = tree.output(&["explain", "--class", "disk", line], 0);
        assert!(text.starts_with("5f 06 00 00 00 00 00 00 18 00\n"), "{text}");
    }
    let vendor = "1.0 6:0:0:0 disk refused: c1 e1 + 14 x 00 (length not known) (vendor-specific) open=w from a[8] uid=1, no rule matches";
    assert!(tree.output(&["explain", vendor], 0).starts_with("c1 e1\n"));
}

#[test]
fn apply_says_which_rules_go_before_their_time() {
    let tree = Tree::usual();
    let rules = "/sys/bus/scsi/devices/0:0:0:0/sgio_filter/rules";
    tree.write(rules, "allow w 89 for=500\ndeny 48\nallow w 42 for=1\n");
    tree.directory("/etc/sgio-filter/policy.d");
    let output = tree.run(&["apply"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("2 rules of 'allow --for' have gone before their time, on 0:0:0:0"),
        "{said}"
    );
    tree.write(rules, "deny 48\n");
    let output = tree.run(&["apply"]);
    assert!(!String::from_utf8(output.stderr)
        .unwrap()
        .contains("before their time"));
}
