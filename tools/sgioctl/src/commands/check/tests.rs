// SPDX-License-Identifier: GPL-2.0

use super::*;
use sgio_policy::policy::{decide, Access, Cdb, Class, DevicePolicy, Rule, Time, MAX_CDB};

fn args() -> Args {
    Args {
        of: subject::Args::default(),
        read: false,
        write: false,
        kernel: false,
        as_holder: false,
        holder: crate::holder::Args::default(),
        words: Vec::new(),
    }
}

fn checked(class: Class, class_rules: Option<&str>, device_rules: &str, cdb: &[u8]) -> Checked {
    let policy = Policy::of_class(class, class_rules).unwrap();
    let subject = Subject {
        device: None,
        policy: policy.with_device_rules(device_rules).unwrap(),
    };
    check(&subject, cdb, &args()).unwrap()
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn words_to_cdbs() {
    let is = |words: &[String]| cdbs(words, Class::DISK).unwrap();
    assert_eq!(is(&words("5f 00 05")), [[0x5f, 0, 5]]);
    assert_eq!(is(&words("5f0005 5e00")), [vec![0x5f, 0, 5], vec![0x5e, 0]]);
    assert_eq!(
        is(&["5f 00".into(), "5e".into()]),
        [vec![0x5f, 0], vec![0x5e]]
    );
    assert_eq!(is(&words("12 unmap 5e 01"))[1][0], 0x42);
    assert_eq!(is(&words("12 unmap 5e 01")).len(), 3);
    for wrong in ["5", "unmpa", "persistent-reserve-out", "5f000"] {
        assert!(cdbs(&words(wrong), Class::DISK).is_err(), "{wrong}");
    }
    assert!(cdbs(&[], Class::DISK).is_err());
}

#[test]
fn texts() {
    for (class, own, cdb, expected) in [
        (
            Class::DISK,
            "",
            &[0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0][..],
            "disk: 42 00 00 00 00 00 00 00 18 00\n  command:    unmap (UNMAP)\n    anchor: 0\n    \
             parameter-length: 24\n  read-only:  refused: rule 4 of class disk 'allow w 42' allows it to files open \
             for writing only; open the device O_RDWR\n  read-write: allowed: rule 4 of class disk 'allow w 42'\n  \
             kernel's own list: allowed to any open\n",
        ),
        (
            Class::DISK,
            "deny 12",
            &[0x12, 0, 0, 0, 0, 0],
            "disk: 12 00 00 00 00 00\n  command:    inquiry (INQUIRY)\n    evpd: 0\n    page-code: 00h\n    \
             allocation-length: 0\n  read-only:  refused: rule 0 of the device 'deny 12' denies it\n  \
             read-write: refused: rule 0 of the device 'deny 12' denies it\n  \
             kernel's own list: allowed to any open\n  \
             to allow it: sgioctl allow DEV --read inquiry\n",
        ),
        (
            Class::DISK,
            "allow r 5e",
            &[0x43; 10],
            "disk: 43 43 43 43 43 43 43 43 43 43\n  command:    unknown on this class\n  \
             read-only:  refused: neither a rule of the device nor one of class disk matches; opcode 43 is \
             read-toc-pma-atip on class cdrom, but nothing on disk\n  \
             read-write: refused: neither a rule of the device nor one of class disk matches; opcode 43 is \
             read-toc-pma-atip on class cdrom, but nothing on disk\n  \
             kernel's own list: allowed to any open\n  \
             to allow it: sgioctl allow DEV --write '43 [1]=43 [2]=43 [3]=43 [4]=43 [5]=43 [6]=43'\n  \
             note: no table knows what it does: the rule has the bytes that were sent, as many as a rule has room for; \
             bytes 7, 8 and 9 may be anything: a rule has 6 fields, of 16 values each here\n",
        ),
    ] {
        assert_eq!(text(&checked(class, None, own, cdb)), expected);
    }
}

/// The verdict of the kernel's own list stands beside the filter's, whatever is asked and refused or not.
#[test]
fn the_kernels_own_list_is_told_always() {
    use compare::Answer::{AnyOpen, Refused, WriteOpen};
    for (own, cdb, expected, told) in [
        ("", &[0x48, 3][..], AnyOpen, "allowed to any open"),
        (
            "",
            &[0x2a],
            WriteOpen,
            "allowed to files open for writing only",
        ),
        ("allow r 5e", &[0x5e], Refused, "refused"),
        ("deny 00-ff", &[0x12], AnyOpen, "allowed to any open"),
    ] {
        for table in [None, Some("deny 00-ff")] {
            let checked = checked(Class::DISK, table, own, cdb);
            assert_eq!(checked.kernel_list, expected, "{cdb:02x?}");
            let line = format!("\n  kernel's own list: {told}\n");
            assert!(text(&checked).contains(&line), "{}", text(&checked));
        }
    }
}

#[test]
fn what_would_allow_it() {
    for (class, cdb, expected) in [
        (
            Class::DISK,
            &[0x5e, 0x00][..],
            Some("--read persistent-reserve-in:read-keys"),
        ),
        (
            Class::DISK,
            &[0x5f, 0x03],
            Some("--write persistent-reserve-out:clear"),
        ),
        (
            Class::DISK,
            &[0x5f, 0x1f],
            Some("--write '5f [1]=1f [2]=00 [3]=00 [4]=00 [5]=00 [6]=00'"),
        ),
        (
            Class::DISK,
            &[0xd8],
            Some("--write 'd8 [1]=00 [2]=00 [3]=00 [4]=00 [5]=00 [6]=00'"),
        ),
        (
            Class::DISK,
            &[0xc1, 0xe1, 0, 0, 0, 0, 0, 0, 0x28, 0],
            Some("--write 'c1 [1]=e1 [2]=00 [3]=00 [4]=00 [5]=00 [8]=28'"),
        ),
        (
            Class::DISK,
            &[0xb5, 0xef, 0, 3],
            Some("--write security-protocol-out:ata-erase-prepare"),
        ),
        (
            Class::DISK,
            &[0xb5, 0x01, 7, 0xfe],
            Some("--write 'b5 [1]=01 [2]=07 [3]=fe'"),
        ),
        (
            Class::DISK,
            &[0x3b, 0x05],
            Some("--write '3b [1]=05 [2]=00'"),
        ),
        (Class::DISK, &[0x1b, 0, 0, 0, 0], None),
        (Class::DISK, &[0x2a], None),
        (Class::DISK, &[0x12], None),
        (Class::CDROM, &[0x48], None),
        (
            Class::DISK,
            &[0x48, 0x03],
            Some("--write sanitize:cryptographic-erase"),
        ),
    ] {
        let expected = expected.map(|what| format!("sgioctl allow DEV {what}"));
        assert_eq!(
            checked(class, None, "", cdb).advice.to_allow,
            expected,
            "{cdb:02x?}"
        );
    }
    // What the rule leaves open is told.
    let cdb = [0xc1, 0xe1, 0, 0, 0, 0, 0, 0, 0x28, 0];
    let note = checked(Class::DISK, None, "", &cdb).advice.advice_note;
    let open = "bytes 6, 7 and 9 may be anything";
    assert!(
        note.as_deref().is_some_and(|note| note.contains(open)),
        "{note:?}"
    );
}

/// What it says is what the policy says, on all opcodes of all classes, with both tables.
#[test]
fn the_same_as_the_policy() {
    for class in Class::ALL {
        for table in [None, Some(STOCK)] {
            let policy = Policy::of_class(class, table).unwrap();
            let state = DevicePolicy {
                unpriv: false,
                own_luns: false,
                device: None,
                class: policy.class_rules.view(),
            };
            let subject = Subject {
                device: None,
                policy: Policy::of_class(class, table).unwrap(),
            };
            for opcode in 0..=u8::MAX {
                let mut cdb = [0; 32];
                (cdb[0], cdb[1]) = (opcode, 0x10);
                let checked = check(&subject, &cdb[..16], &args()).unwrap();
                let says: Vec<bool> = checked.verdicts.iter().map(|v| v.allowed).collect();
                let is = [false, true].map(|write| {
                    Cdb::new(&cdb)
                        .is_some_and(|cdb| decide(&state, &cdb, write, || Time::ZERO).is_allowed())
                });
                assert_eq!(says, is, "{opcode:02x} on {}", class.name());
                // With a way to allow it, unless writers are allowed already.
                let inside = opcode == 0x7e && checked.command.name.is_some();
                let advised = checked.advice.to_allow.is_some() != inside;
                assert!(
                    is[0] || is[1] || advised,
                    "{opcode:02x} on {}",
                    class.name()
                );
            }
        }
    }
}

#[test]
fn a_reader_is_helped_or_told_why_not() {
    let ask = |cdb: &[u8], own: &str| {
        let policy = Policy::of_class(Class::DISK, None).unwrap();
        let subject = Subject {
            device: None,
            policy: policy.with_device_rules(own).unwrap(),
        };
        let read = Args {
            read: true,
            ..args()
        };
        check(&subject, cdb, &read).unwrap().advice
    };
    // Stopping takes the disk from others: writers have it, and where they have not, the advice is for them.
    let advice = ask(&[0x1b, 0, 0, 0, 0, 0], "");
    assert!(advice.to_allow.is_none() && advice.to_allow_writers.is_none());
    assert!(advice.text().contains("open the device for writing"));
    let advice = ask(&[0x1b, 0, 0, 0, 0, 0], "deny 1b");
    assert!(advice.to_allow.is_none());
    // Ejecting is not in the rule.
    assert_eq!(
        advice.to_allow_writers.as_deref(),
        Some("sgioctl allow DEV --write '1b [3]&0f=00 [4]&f7=00'")
    );
    // Writers have it.
    let advice = ask(&[0x42], "");
    assert!(advice.to_allow.is_none() && advice.to_allow_writers.is_none());
    assert!(advice.text().contains("open the device for writing"));
    let advice = ask(&[0x48, 3], "");
    assert!(advice.to_allow.is_none());
    assert_eq!(
        advice.to_allow_writers.as_deref(),
        Some("sgioctl allow DEV --write sanitize:cryptographic-erase")
    );
    // A rule in front decides, whatever the one behind it denies.
    let advice = ask(&[0x12], "deny 12");
    assert_eq!(
        advice.to_allow.as_deref(),
        Some("sgioctl allow DEV --read inquiry")
    );
}

/// A CDB that a name stands for, with the other bytes as given.
fn cdb_of_rule(rule: &Rule, fill: u8) -> [u8; MAX_CDB] {
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

/// The words of a command line that the advice prints.
fn shell(text: &str) -> Vec<String> {
    text.split('\'')
        .enumerate()
        .flat_map(|(at, part)| match at % 2 {
            1 => vec![part.to_owned()],
            _ => part.split_whitespace().map(str::to_owned).collect(),
        })
        .collect()
}

/// Every CDB that has a name on a class, and some that have none.
fn known_cdbs(class: Class, fill: u8) -> Vec<[u8; MAX_CDB]> {
    let mut cdbs = Vec::new();
    for name in names::all(class) {
        let rule = names::rules(&name, class, Some(Access::Write)).unwrap()[0];
        cdbs.push(cdb_of_rule(&rule, fill));
    }
    for opcode in [0x02, 0x43, 0x5e, 0x85, 0xa1, 0xa3, 0xb5, 0xc1, 0xff] {
        let mut cdb = [0; MAX_CDB];
        (cdb[0], cdb[1], cdb[4]) = (opcode, 0x9f, 0x02);
        cdbs.push(cdb);
    }
    cdbs.sort_unstable();
    cdbs.dedup();
    cdbs
}

/// The classes that a standard defines.
fn defined() -> impl Iterator<Item = Class> {
    let all = Class::ALL.into_iter();
    all.filter(|class| !class.name().starts_with(|c: char| c.is_ascii_digit()))
}

/// Asks, and asks again with what was advised in force; gives back the rules of the advice.
fn asked_again(policy: &Policy, cdb: &[u8], asked: &Args) -> Vec<Rule> {
    let class = policy.class;
    let ask = |policy: &Policy, asked: &Args| {
        let policy = policy.clone();
        let device = None;
        check(&Subject { device, policy }, cdb, asked).unwrap()
    };
    let first = ask(policy, asked);
    let refused = first.verdicts.iter().any(|verdict| !verdict.allowed);
    let advice = &first.advice;
    let what = format!("{cdb:02x?} on {}: {advice:?}", class.name());
    if advice.to_allow.is_none() && advice.to_allow_writers.is_none() {
        let writers = policy.decide(cdb, true).unwrap().is_allowed();
        let inside = first.command.name.as_deref() == Some("extended-cdb");
        assert!(!refused || writers || inside, "{what}");
    } else {
        assert!(refused, "{what}");
    }
    let mut advised = Vec::new();
    let commands = [(&advice.to_allow, false), (&advice.to_allow_writers, true)];
    for (command, writers) in commands {
        let Some(command) = command else { continue };
        let words = shell(command);
        let access = match words[3].as_str() {
            "--read" => Access::Read,
            "--write" => Access::Write,
            other => panic!("{other}"),
        };
        let items = crate::hex::items(&words[4..]).unwrap();
        assert_eq!(items.len(), 1, "{what}");
        let rules = names::rules(&items[0], class, Some(access)).unwrap();
        let again = Args {
            read: asked.read && !writers,
            write: asked.write || writers || access == Access::Write,
            ..args()
        };
        let again = ask(&policy.with_rules_in_front(&rules).unwrap(), &again);
        assert!(again.verdicts.iter().all(|v| v.allowed), "{what}");
        advised.extend(rules);
    }
    advised
}

/// Of every command with a name, on every class, through every open: advice is given where something is refused, and it
/// is enough.
#[test]
fn advice_is_sufficient() {
    let mut given = 0;
    for class in defined() {
        for own in ["", "deny 00-ff"] {
            let policy = Policy::of_class(class, None).unwrap();
            let policy = policy.with_device_rules(own).unwrap();
            for cdb in known_cdbs(class, 0x00) {
                for (read, write) in [(true, false), (false, true), (false, false)] {
                    let asked = Args {
                        read,
                        write,
                        ..args()
                    };
                    given += asked_again(&policy, &cdb, &asked).len();
                }
            }
        }
    }
    assert!(given > 5_000, "{given}");
}

/// The rule for a CDB that was sent opens no command that does something else.
#[test]
fn advice_is_minimal() {
    for class in defined() {
        for fill in [0x00, 0xff] {
            let all = known_cdbs(class, fill);
            for cdb in &all {
                let exact = names::exact(cdb, class);
                let rule = names::rules(&exact, class, None).unwrap()[0];
                let what = format!("'{exact}' for {cdb:02x?} on {}", class.name());
                assert!(rule.matches(&Cdb::new(cdb).unwrap()), "{what}");
                let mine = names::identity(cdb, class);
                let is_wider = |other: &[u8; MAX_CDB]| {
                    let matches = rule.matches(&Cdb::new(other).unwrap());
                    matches && names::identity(other, class) != mine
                };
                let others = all.iter().filter(|other| other[0] == cdb[0]);
                for other in others {
                    assert!(!is_wider(other), "{what}: {other:02x?}");
                }
                // Any bit that makes it another command; of a vendor's, any bit of the byte behind the opcode.
                for byte in 1..17 {
                    for bit in 0..8 {
                        let mut other = *cdb;
                        other[byte] ^= 1 << bit;
                        assert!(!is_wider(&other), "{what}: {other:02x?}");
                        if cdb[0] >= 0xc0 && byte == 1 {
                            assert!(!rule.matches(&Cdb::new(&other).unwrap()), "{what}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn complain_and_unpriv() {
    let policy = Policy::of_class(Class::DISK, None).unwrap();
    let subject = Subject {
        device: None,
        policy: Policy {
            unpriv_sgio: true,
            ..policy
        },
    };
    let all = check(&subject, &[0x48, 3], &args()).unwrap();
    assert!(all
        .verdicts
        .iter()
        .all(|v| v.allowed && v.decision == "unpriv"));

    let policy = Policy::of_class(Class::DISK, None).unwrap();
    let subject = Subject {
        device: None,
        policy: Policy {
            complain: true,
            ..policy
        },
    };
    let refused = check(&subject, &[0x48, 3], &args()).unwrap();
    assert!(refused.verdicts.iter().all(|v| !v.allowed));
    assert!(text(&refused).contains("refused, but complain lets it through"));
}
