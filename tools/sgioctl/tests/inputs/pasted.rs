// SPDX-License-Identifier: GPL-2.0

//! Lines that were pasted with more in them than one CDB: nothing that was said is left out silently.

use super::common::Tree;
use proptest::prelude::*;
use sgioctl::hex;

/// All of a line, as one argument and as many.
fn is_error(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let errors = [
        hex::cdb(text).err(),
        hex::one(text).err(),
        hex::items(&[text.to_owned()]).err(),
        hex::items(&words).err(),
    ];
    let errors: Vec<String> = errors
        .into_iter()
        .map(|error| {
            error
                .unwrap_or_else(|| panic!("{text}: no error"))
                .to_string()
        })
        .collect();
    errors.join("\n")
}

#[test]
fn two_cdbs_in_a_line_are_an_error() {
    for text in [
        "cdb: 12 00 00 00 24 00 cdb: 48 03 00 00 00 00 00 00 00 00",
        "CDB: Inquiry 12 00 00 00 24 00 CDB: Sanitize 48 03 00 00 00 00 00 00 00 00",
        "cdb: 12 00 00 00 24 00 bad cdb: 48 03",
        "cdb: 48 03 00 00 00 00 00 00 00 00 cdb: 12 00 00 00 24 00",
        "cdb: 12 00 00 00 24 00, cdb: 48 03",
        "cdb: 12 00 00 00 24 00 0 cdb: 48 03",
    ] {
        let errors = is_error(text);
        assert!(
            errors.contains("is in the same line as"),
            "{text}: {errors}"
        );
    }
}

#[test]
fn what_is_no_byte_is_told() {
    for (text, said) in [
        ("CDB: 5f O3 00 00 00 00 00 00 18 00", "'O3'"),
        (
            "CDB: Persistent reserve out 5f 0l 00 00 00 00 00 00 18 00",
            "'0l'",
        ),
        ("cdb: l2 00 00 00 24 00", "'l2'"),
        ("CDB: 12 00 ... 24 00", "cut off"),
        ("CDB: 12 00 \u{2026} 24 00", "cut off"),
        ("cdb: 85 08 0e ...", "cut off"),
        (
            "ioctl(3, SG_IO, {'S', SG_DXFER_FROM_DEV, cmd[16]=[85, 08, 0e, 00, ...], mx_sb_len=32",
            "cut off",
        ),
        (
            "ioctl(3, SG_IO, {cmd_len=16, cmdp=\"\\x85\\x08\"..., mx_sb_len=32",
            "strace -s 64",
        ),
        ("CDB: 12 00 00 00 24 0", "write '00'"),
        ("cdb: 12 00 00 00 24 00;", "'00;'"),
        ("cdb: 12 00 00 00 24 00 for the disk", "'for'"),
        ("cdb: [12 00 00 00 24 00] 48 03", "'48'"),
        ("cdb: 12 00 00 00 24 00 from x 48 03", "'48 03'"),
        ("48 03 00 00 cdb: 12 00 00 00 24 00", "in front of"),
        ("cdb: inquiry", "no bytes follow"),
    ] {
        let errors = is_error(text);
        assert!(errors.contains(said), "{text}: {errors}");
    }
}

#[test]
fn a_name_beside_a_cdb_is_not_lost() {
    let items = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        hex::items(&words)
    };
    assert_eq!(
        items(&["unmap", "cdb: 48 03"]).unwrap(),
        ["unmap", "cdb: 48 03"]
    );
    assert_eq!(
        items(&["cdb:48 03", "unmap"]).unwrap(),
        ["cdb:48 03", "unmap"]
    );
    assert_eq!(items(&["cdb:48", "03"]).unwrap(), ["cdb:48 03"]);
}

#[test]
fn a_whole_cdb_is_no_half() {
    for (text, length) in [
        ("cdb[10]: 5e 00 00 00 00 00 00 00 20 00", 10),
        ("scsi cdb[6]: 12 00 00 00 24 00", 6),
        ("    cdb to send: c1 e1 00 00 00 00 00 00 28 00", 10),
        (" [<unknown opcode>: c1 e1 00 00 00 00 00 00 28 00 ]", 10),
    ] {
        assert_eq!(hex::cdb(text).unwrap().len(), length, "{text}");
    }
}

#[test]
fn allow_and_check_grant_nothing_of_such_a_line() {
    let tree = Tree::usual();
    for text in [
        "cdb: 12 00 00 00 24 00 cdb: 48 03 00 00 00 00 00 00 00 00",
        "CDB: 5f O3 00 00 00 00 00 00 18 00",
        "cdb: 85 08 0e ...",
    ] {
        for command in [
            &["allow", "--dry-run", "sda", text][..],
            &["deny", "--dry-run", "sda", text],
            &["check", "--class", "disk", text],
        ] {
            let output = tree.run(command);
            assert_eq!(output.status.code(), Some(2), "{command:?}: {output:?}");
            assert!(output.stdout.is_empty(), "{command:?}: {output:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A word among bytes that are announced is an error, or all bytes of the text are used. Not so brackets,
    /// quotes and `+`, behind which programs print something else: names, rules, lengths.
    #[test]
    fn no_byte_is_lost(
        label in prop::sample::select(vec!["cdb: ", "CDB: Inquiry ", "cdb=", "cmdp=", "refused: ", "raw=", "cdb: ["]),
        bytes in proptest::collection::vec(any::<u8>(), 2..=10),
        stray in prop_oneof!["[0-9a-zA-Z.;_-]{1,4}", "0x[0-9a-fA-F]", ".{1,3}"]
            .prop_filter("ends a CDB", |word| !word.contains(['(', ')', '[', ']', '{', '}', '"', '\'', '+'])),
        at in 0usize..=10,
    ) {
        let mut words: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        words.insert(at.min(words.len()), stray.clone());
        let text = format!("{label}{}", words.join(" "));
        if let Ok(read) = hex::cdb(&text) {
            // Each byte, and the word too, if it is one; a word that ends the CDB has all of them in front.
            let mut left = read.iter();
            prop_assert!(bytes.iter().all(|byte| left.any(|read| read == byte)), "{}: {:02x?}", text, read);
        }
    }
}
