// SPDX-License-Identifier: GPL-2.0

//! Names, rules and CDBs say the same of each other, on all classes.

use sgio_policy::{
    filter::RuleVec,
    policy::{load, strict, Access, Action, Cdb, Class, Rule, RuleStore, MAX_CDB, STOCK},
};
use sgioctl::names;

/// A CDB that a rule matches: the bytes without a condition as given, the others the least that
/// will do.
fn cdb_of(rule: &Rule, fill: u8) -> [u8; MAX_CDB] {
    let mut cdb = [fill; MAX_CDB];
    cdb[0] = rule.opcodes().iter().next().unwrap();
    for field in rule.fields() {
        let byte = usize::from(field.byte());
        let fits = |value: &u8| {
            let mut fields = rule.fields().filter(|f| f.byte() == field.byte());
            fields.all(|f| f.values().contains(value & f.mask()))
        };
        cdb[byte] = (0..=u8::MAX).find(fits).unwrap();
    }
    cdb
}

fn rule_of(name: &str, class: Class) -> Rule {
    let rules = names::rules(name, class, Some(Access::Read)).unwrap();
    assert_eq!(rules.len(), 1, "{name}");
    rules[0]
}

#[test]
fn a_name_is_a_rule_is_a_cdb_is_the_name() {
    for class in Class::ALL {
        let all = names::all(class);
        for name in &all {
            let rule = rule_of(name, class);
            assert_eq!(rule.action(), Action::Allow(Access::Read));
            // A command with service actions, or ATA commands with features, has its own name only
            // where nothing narrower does; somewhere it must.
            let cdbs = || {
                let narrow = (0..MAX_CDB).flat_map(|byte| (0..=u8::MAX).map(move |v| (byte, v)));
                let free = |byte: usize| rule.fields().all(|f| usize::from(f.byte()) != byte);
                narrow
                    .filter(move |(byte, _)| *byte > 0 && free(*byte))
                    .map(|(byte, value)| {
                        let mut cdb = cdb_of(&rule, 0x00);
                        cdb[byte] = value;
                        cdb
                    })
            };
            let decodes = |cdb: [u8; MAX_CDB]| {
                assert!(rule.matches(&Cdb::new(&cdb).unwrap()));
                names::decode(&cdb, class).name.as_deref() == Some(name)
            };
            let part = rule.fields().next().is_some();
            if part && !all.iter().any(|other| narrower(other, &rule, class)) {
                // A service action is one whatever else is in the CDB.
                assert!(decodes(cdb_of(&rule, 0x00)), "{name}");
                assert!(decodes(cdb_of(&rule, 0xff)), "{name}");
            }
            // Or its service actions make it up.
            let action = format!("{name}:");
            let is_action = |cdb: [u8; MAX_CDB]| {
                let decoded = names::decode(&cdb, class).name;
                decoded.is_some_and(|decoded| decoded.starts_with(&action))
            };
            assert!(
                cdbs().any(decodes) || cdbs().all(is_action),
                "{name} on {}",
                class.name()
            );
        }
    }
}

/// Whether another name is about some of what the rule is about.
fn narrower(other: &str, rule: &Rule, class: Class) -> bool {
    let other = rule_of(other, class);
    let fields = |rule: &Rule| rule.fields().count();
    other.opcodes() == rule.opcodes() && fields(&other) > fields(rule)
}

#[test]
fn a_service_action_matches_nothing_else() {
    for (name, cdb) in [
        ("persistent-reserve-out:register", vec![0x5f, 0xe0]),
        ("sanitize:overwrite", vec![0x48, 0x81]),
        ("read-capacity-16", vec![0x9e, 0x10]),
        ("report-target-port-groups", vec![0xa3, 0x2a]),
        ("write-buffer:download-microcode", vec![0x3b, 0x04]),
    ] {
        let rule = rule_of(name, Class::DISK);
        let mut padded = [0; MAX_CDB];
        padded[..cdb.len()].copy_from_slice(&cdb);
        assert!(rule.matches(&Cdb::new(&padded).unwrap()), "{name}");
        for bit in 0..5 {
            padded[1] ^= 1 << bit;
            assert!(!rule.matches(&Cdb::new(&padded).unwrap()), "{name}");
            padded[1] ^= 1 << bit;
        }
    }
}

fn table(texts: &[&str]) -> Vec<Rule> {
    let mut rules = RuleVec::new();
    load(texts, &mut rules).unwrap();
    rules.rules().iter().map(|listed| *listed.rule()).collect()
}

#[test]
fn every_rule_of_the_tables_has_a_comment() {
    for class in Class::ALL {
        for rule in table(strict(class)) {
            let comment = names::of_rule(&rule, class);
            assert!(!comment.is_empty() && comment.is_ascii());
            let unknown = comment.contains("(unknown)");
            assert!(!unknown, "{rule} on {}: {comment}", class.name());
        }
        for rule in table(&[STOCK]) {
            assert!(!names::of_rule(&rule, class).is_empty());
        }
    }
}

/// The tables allow what a name calls harmless to all, and nothing destructive to readers.
#[test]
fn no_strict_table_gives_readers_what_destroys() {
    for class in Class::ALL {
        for rule in table(strict(class)) {
            if rule.action() != Action::Allow(Access::Read) {
                continue;
            }
            for opcode in rule.opcodes().iter() {
                let mut cdb = cdb_of(&rule, 0);
                cdb[0] = opcode;
                let decoded = names::decode(&cdb, class);
                assert!(
                    !decoded.destructive,
                    "{rule} on {}: {decoded:?}",
                    class.name()
                );
            }
        }
    }
}

#[test]
fn comments() {
    let rule = |text: &str| names::rules(text, Class::DISK, None).unwrap()[0];
    for (text, expected) in [
        ("5e,5f", "persistent-reserve-in, persistent-reserve-out"),
        (
            "5f [1]&1f=00-01",
            "persistent-reserve-out:register, persistent-reserve-out:reserve",
        ),
        ("5f [1]&1f=1f", "persistent-reserve-out [1]&1f=1f"),
        ("c0-ff", "vendor-specific"),
        ("00-ff", "all commands"),
        ("43", "43 (read-toc-pma-atip of cdrom)"),
        ("02", "02 (unknown)"),
        ("1b [4]=01,11", "start-stop-unit [4]=01,11"),
        ("85 [1]&1e=08 [14]=ec", "ata-pass-through-16:identify"),
        // Without the protocol it is anything.
        (
            "85 [14]=ec",
            "ata-pass-through-16 [14]=ec, ata-pass-through-16:identify",
        ),
        (
            "85 [1]&1e=06,08,0a [14]=b0",
            "ata-pass-through-16:smart",
        ),
        (
            "85 [1]&1e=08 [14]=b0 [4]=d0-d1",
            "ata-pass-through-16:smart-read-data, ata-pass-through-16:smart-read-thresholds",
        ),
        ("7f [7]=18 [8]=00 [9]=09-0a", "read-32, verify-32"),
        ("9e [1]&1f=10", "read-capacity-16"),
        (
            "04,0a,2a,2e,3f,41,42,8a,8e,93,aa,ae,9a,9c",
            "format-unit, write-6, write-10, write-and-verify-10, write-long-10, write-same-10, unmap, write-16, \
             write-and-verify-16, write-same-16, write-stream-16, write-atomic-16 and 2 more",
        ),
    ] {
        assert_eq!(names::of_rule(&rule(text), Class::DISK), expected);
    }
}

/// Where the open decides what a command does to others, its name alone does not open all of it to readers.
#[test]
fn a_name_alone_is_no_more_than_harmless() {
    let rules = |command: &str, class: Class| -> Vec<String> {
        let rules = names::by_default(command, class).unwrap();
        rules.iter().map(ToString::to_string).collect()
    };
    for command in ["log-sense", "4d", "log-sense:read", "4d [1]&01=00"] {
        assert_eq!(rules(command, Class::DISK), ["allow r 4d [1]&01=00"]);
        for class in [Class::TAPE, Class::CHANGER] {
            assert_eq!(
                rules(command, class),
                ["allow w 4d [1]&01=00 [2]&3f=2e", "allow r 4d [1]&01=00"]
            );
        }
    }
    for (command, class, expected) in [
        (
            "4d 01 40 00 00 00 00 00 ff 00",
            Class::DISK,
            "allow w 4d [1]&01=01",
        ),
        (
            "4d 00 40 00 00 00 00 00 ff 00",
            Class::DISK,
            "allow r 4d [1]&01=00",
        ),
        (
            "4d 00 6e 00 00 00 00 00 ff 00",
            Class::DISK,
            "allow r 4d [1]&01=00",
        ),
        (
            "4d 00 6e 00 00 00 00 00 ff 00",
            Class::TAPE,
            "allow w 4d [1]&01=00 [2]&3f=2e",
        ),
        (
            "4d 00 4c 00 00 00 00 00 ff 00",
            Class::TAPE,
            "allow r 4d [1]&01=00 [2]&3f=0c",
        ),
        ("read-buffer-10:data", Class::DISK, "allow w 3c [1]&1f=02"),
        ("read-buffer-10:echo", Class::DISK, "allow w 3c [1]&1f=0a"),
        ("compare", Class::DISK, "allow w 39"),
        (
            "ata-pass-through-16:sanitize-status",
            Class::DISK,
            "allow r 85 [1]&1e=06 [4]=00 [6]=00 [14]=b4",
        ),
        (
            "ata-pass-through-16:read-log-ext",
            Class::DISK,
            "allow r 85 [1]&1f=09 [3]=00 [4]=00 [14]=2f",
        ),
        ("verify-6", Class::TAPE, "allow w 13"),
        ("recover-buffered-data", Class::TAPE, "allow w 14"),
        ("read-reverse-6", Class::TAPE, "allow w 0f"),
        (
            "request-volume-element-address",
            Class::CHANGER,
            "allow w b5",
        ),
    ] {
        assert_eq!(rules(command, class), [expected], "{command}");
    }
    // Who says for whom it is gets that, and what is refused is all of it.
    let rules = names::rules("log-sense", Class::TAPE, None).unwrap();
    assert_eq!(rules[0].to_string(), "deny 4d");
}

/// The kernel does not compare protocol and command, and three CDBs carry one.
#[test]
fn a_denied_ata_command_is_denied_however_it_is_sent() {
    for command in [
        "ata-pass-through-16:sanitize-crypto-scramble",
        "ata-pass-through-12:sanitize-crypto-scramble",
        "85 06 00 00 11 00 00 00 43 00 72 00 79 00 b4 00",
    ] {
        let rules = names::rules(command, Class::DISK, None).unwrap();
        let texts: Vec<String> = rules.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "deny 85 [4]=11 [14]=b4",
                "deny a1 [3]=11 [9]=b4",
                "deny 7f [8]=1f [9]=f0 [21]=11 [25]=b4"
            ],
            "{command}"
        );
    }
    let texts = |command: &str, class: Class| -> Vec<String> {
        let rules = names::rules(command, class, None).unwrap();
        rules.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        texts("ata-pass-through-16:hard-reset", Class::RBC),
        ["deny 85 [1]&1e=00", "deny a1 [1]&1e=00"]
    );
    // A rule is what it says.
    assert_eq!(
        texts("85 [1]&1e=06 [14]=b4", Class::DISK),
        ["deny 85 [1]&1e=06 [14]=b4"]
    );
    // Every name of an ATA command, with every protocol.
    for name in names::all(Class::DISK) {
        if !name.starts_with("ata-pass-through-1") || !name.contains(':') {
            continue;
        }
        let denied = names::rules(&name, Class::DISK, None).unwrap();
        assert_eq!(denied.len(), 3, "{name}");
        let cdb = cdb_of(&rule_of(&name, Class::DISK), 0);
        let by_protocol = name.ends_with("-reset") && !name.ends_with("device-reset")
            || name.ends_with("return-response");
        for protocol in 0..16 {
            let mut other = cdb;
            other[1] = (other[1] & !0x1e) | (protocol << 1);
            let matches = |rule: &Rule| rule.matches(&Cdb::new(&other).unwrap());
            assert!(by_protocol || denied.iter().any(matches), "{name}");
        }
    }
}

#[test]
fn what_is_for_writers() {
    let access = |command: &str| names::default_access(command, Class::DISK).unwrap();
    for command in [
        "inquiry",
        "read-10",
        "persistent-reserve-in",
        "9e [1]&1f=10,12",
        "ata-pass-through-16:identify",
        "85 [1]&1e=08 [14]=b0 [4]=d0-d1,d5",
    ] {
        assert_eq!(access(command), Access::Read, "{command}");
    }
    for command in [
        "write-10",
        "unmap",
        "persistent-reserve-out:register",
        "9e",
        "9e [1]&1f=10,18",
        "85 [14]=b0",
        "85 [14]=ec",
        "5e [1]&1f=1f",
        "vendor-specific",
        "43",
        "28,2a",
        "start-stop-unit",
        "sanitize",
    ] {
        assert_eq!(access(command), Access::Write, "{command}");
    }
    assert!(names::default_access("nothing", Class::DISK).is_err());
}
