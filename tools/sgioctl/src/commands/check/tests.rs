// SPDX-License-Identifier: GPL-2.0

use super::*;
use sgio_policy::policy::{decide, Cdb, State, Time, STOCK};

fn args() -> Args {
    Args {
        policy: None,
        class: None,
        table: None,
        class_rules: None,
        device_rules: None,
        read: false,
        write: false,
        kernel: false,
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
             for writing only; open the device O_RDWR\n  read-write: allowed: rule 4 of class disk 'allow w 42'\n",
        ),
        (
            Class::DISK,
            "deny 12",
            &[0x12, 0, 0, 0, 0, 0],
            "disk: 12 00 00 00 00 00\n  command:    inquiry (INQUIRY)\n    evpd: 0\n    page-code: 00h\n    \
             allocation-length: 0\n  read-only:  refused: rule 0 of the device 'deny 12' denies it\n  \
             read-write: refused: rule 0 of the device 'deny 12' denies it\n  \
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
             to allow it: sgioctl allow DEV --write '43'\n",
        ),
    ] {
        assert_eq!(text(&checked(class, None, own, cdb)), expected);
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
        (Class::DISK, &[0x5f, 0x1f], Some("--write '5f [1]&1f=1f'")),
        (Class::DISK, &[0xd8], Some("--write 'd8'")),
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
            checked(class, None, "", cdb).to_allow,
            expected,
            "{cdb:02x?}"
        );
    }
}

/// What it says is what the policy says, on all opcodes of all classes, with both tables.
#[test]
fn the_same_as_the_policy() {
    for class in Class::ALL {
        for table in [None, Some(STOCK)] {
            let policy = Policy::of_class(class, table).unwrap();
            let state = State {
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
                assert!(is[0] || is[1] || checked.to_allow.is_some());
            }
        }
    }
}

/// The proposed rule allows it.
#[test]
fn the_proposal_helps() {
    for class in [Class::DISK, Class::CDROM, Class::TAPE, Class::CHANGER] {
        for opcode in 0..=u8::MAX {
            for action in 0..32 {
                let cdb = [opcode, action, 0, 0, 0, 0, 0, 0, 0, 0];
                let exact = names::exact(&cdb, class);
                let rules = names::rules(&exact, class, Some(Access::Write)).unwrap();
                let policy = Policy::of_class(class, None).unwrap();
                let policy = policy.with_device_rules(&rules[0].to_string()).unwrap();
                assert!(policy.decide(&cdb, true).unwrap().is_allowed());
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
