// SPDX-License-Identifier: GPL-2.0

use super::*;
use proptest::prelude::*;

fn text(command: &str, class: Class) -> Result<String> {
    let rules = rules(command, class, Some(Access::Read))?;
    let rules: Vec<String> = rules.iter().map(Rule::to_string).collect();
    Ok(rules.join("\n"))
}

#[test]
fn what_is_understood() {
    for (command, expected) in [
        ("persistent-reserve-out:register", "allow r 5f [1]&1f=00"),
        ("persistent-reserve-out", "allow r 5f"),
        ("Read-Capacity-16", "allow r 9e [1]&1f=10"),
        (
            "service-action-in-16:read-capacity-16",
            "allow r 9e [1]&1f=10",
        ),
        ("vendor-specific", "allow r c0-ff"),
        (
            "ata-pass-through-16:identify",
            "allow r 85 [1]&1e=08 [14]=ec",
        ),
        (
            "ata-pass-through-12:smart-read-data",
            "allow r a1 [1]&1e=08 [3]=d0 [9]=b0",
        ),
        ("write-same-32", "allow r 7f [7]=18 [8]=00 [9]=0d"),
        ("write-10 [1]&08=08", "allow r 2a [1]&08=08"),
        ("5f", "allow r 5f"),
        ("0x5f", "allow r 5f"),
        ("0x5f [1]&1f=00", "allow r 5f [1]&1f=00"),
        ("28,2a", "allow r 28,2a"),
        ("5e,5f", "allow r 5e-5f"),
        ("op:5f,06", "allow r 06,5f"),
        // A CDB, in whatever notation: what was sent.
        ("cdb:5f 06", "allow r 5f [1]&1f=06"),
        ("5f060000000000001800", "allow r 5f [1]&1f=06"),
        ("5f 06 00 00 00 00 00 00 18 00", "allow r 5f [1]&1f=06"),
        ("5f,06,00,00,00,00,00,00,18,00", "allow r 5f [1]&1f=06"),
        (
            "85 08 0e 00 d0 00 01 00 00 00 4f 00 c2 00 b0 00",
            "allow r 85 [1]&1e=08 [4]=d0 [14]=b0",
        ),
        (
            "c1 e1 00 00 00 00 00 00 28 00",
            "allow r c1 [1]=e1 [2]=00 [3]=00 [4]=00 [5]=00 [8]=28",
        ),
        ("5F [1]&1f=00", "allow r 5f [1]&1f=00"),
        ("c0-ff", "allow r c0-ff"),
        (" 28,2a\t[1]=00 ", "allow r 28,2a [1]=00"),
    ] {
        assert_eq!(text(command, Class::DISK).unwrap(), expected);
    }
    // What ends early may be opcodes, however it is written: a rule for the first would not be what was asked.
    for command in [
        "5f06",
        "0x5f,0x06",
        "0x42,0x89",
        "0x42, 0x48, 0x93",
        "[5f,5e]",
        "5f:5e",
        "0x5f5e",
        "\\x5f\\x5e",
    ] {
        let error = rules(command, Class::DISK, None).err().unwrap().to_string();
        assert!(
            error.contains("can be read in two ways"),
            "{command}: {error}"
        );
    }
    let deny = rules("unmap", Class::DISK, None).unwrap();
    assert_eq!(deny[0].to_string(), "deny 42");
    let write = rules("unmap", Class::DISK, Some(Access::Write)).unwrap();
    assert_eq!(write[0].to_string(), "allow w 42");
}

#[test]
fn what_is_not() {
    for (command, class, part) in [
        (
            "persistent-reserve-out:regster",
            Class::DISK,
            "did you mean persistent-reserve-out:register",
        ),
        ("unmpa", Class::DISK, "did you mean unmap"),
        (
            "compare",
            Class::ADC,
            "is a command of class disk, but not of adc",
        ),
        (
            "read-toc-pma-atip",
            Class::DISK,
            "is a command of class cdrom",
        ),
        (
            "qqqqqqqqqqqq",
            Class::DISK,
            "no known command of class disk; see",
        ),
        (
            "5f [1]&1f=20",
            Class::DISK,
            "'5f [1]&1f=20', column 11: the value has bits",
        ),
        // Both readings, and how to say each.
    (
        "85 08 0e",
        Class::DISK,
        "which 'cdb:85 08 0e' says; or as the opcodes 85 (ata-pass-through-16), 08 (read-6), 0e (unknown), which 'op:85,08,0e' says",
    ),
    ("5f 06", Class::DISK, "persistent-reserve-out:register-and-ignore-existing-key"),
    ("0x5f 0x06", Class::DISK, "can be read in two ways"),
    ("5f,06", Class::DISK, "can be read in two ways"),
    ("85,08,0e", Class::DISK, "can be read in two ways"),
    ("12,00,03,25,a0,a3", Class::DISK, "can be read in two ways"),
    ("12,00,00", Class::DISK, "can be read in two ways"),
    ("op:unmap", Class::DISK, "column 1: expected"),

        ("5", Class::DISK, "column 1: expected exactly two"),
        ("", Class::DISK, "column 1: expected exactly two"),
        ("12\nallow r 48", Class::DISK, "one command is one line"),
        ("allow r 48", Class::DISK, "without 'allow'"),
        ("unmap 48", Class::DISK, "wrong fields"),
        ("unmap [1]", Class::DISK, "wrong fields"),
    ] {
        let error = text(command, class).unwrap_err().to_string();
        assert!(error.contains(part), "{command}: {error}");
    }
}

#[test]
fn cdbs_of_names() {
    let cdb = cdb_of("write-same-32", Class::DISK).unwrap();
    assert_eq!((cdb.len(), cdb[0], cdb[7], cdb[9]), (32, 0x7f, 0x18, 0x0d));
    assert_eq!(
        cdb_of("inquiry", Class::TAPE).unwrap(),
        [0x12, 0, 0, 0, 0, 0]
    );
    assert!(cdb_of("persistent-reserve-out", Class::DISK).is_err());
    assert!(cdb_of("vendor-specific", Class::DISK).is_err());
    assert!(cdb_of("nothing", Class::DISK).is_err());
    // SANITIZE DEVICE with no feature is SANITIZE STATUS EXT.
    assert!(cdb_of("ata-pass-through-16:sanitize", Class::DISK).is_err());
    assert!(cdb_of("ata-pass-through-16:sanitize-status", Class::DISK).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_a_rule_or_an_error(command in ".{0,40}", code in 0u8..32) {
        let _ = rules(&command, Class::from_type(code), None);
    }

    /// Whatever is accepted is one line of the rule language that means the same.
    #[test]
    fn what_is_accepted_reads_back(
        command in "[0-9a-f,\\-]{2,8}( \\[[0-9]{1,2}\\](&[0-9a-f]{2})?=[0-9a-f]{2}){0,2}",
    ) {
        if let Ok(rules) = rules(&command, Class::DISK, Some(Access::Write)) {
            for rule in rules {
                let text = rule.to_string();
                let again = Change::parse(text.as_bytes()).unwrap().rules().next();
                let again = again.and_then(|rule| rule.permanent());
                prop_assert!(again == Some(rule));
            }
        }
    }
}
