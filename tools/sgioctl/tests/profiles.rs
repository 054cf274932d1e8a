// SPDX-License-Identifier: GPL-2.0

//! The profiles that are built in open what they say, and nothing else.

mod rules;

use rules::{answer_of, Table};
use sgio_policy::policy::{strict, Class, STOCK};
use sgioctl::{
    hex,
    policyfile::{compare, lint, parse, Profiles},
    verdict::Policy,
};

/// What a profile makes of a CDB on a class of those rules: `r` any open, `w` write open, `-` nobody.
fn verdict(profile: &str, class: &Table, cdb: &[u8]) -> char {
    let own = Table::new(&[&profile_rules(profile)]);
    answer_of(Some(&own), class, &hex::padded(cdb))
}

fn profile_rules(name: &str) -> String {
    let profiles = Profiles::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
    let profile = profiles.get(name).unwrap();
    assert!(profile.lists.deny.is_empty() && profile.lists.allow.is_empty());
    assert!(!profile.description.is_empty() && profile.why.len() > 80);
    let rules = profile.lists.rules.iter();
    let lines: Vec<String> = rules.map(|rule| rule.value.to_string()).collect();
    lines.join("\n") + "\n"
}

fn ata16(protocol: u8, flags: u8, feature: u8, command: u8) -> Vec<u8> {
    let mut cdb = vec![0; 16];
    (cdb[0], cdb[1], cdb[2], cdb[4], cdb[14]) = (0x85, protocol, flags, feature, command);
    cdb
}

fn ata12(protocol: u8, flags: u8, feature: u8, command: u8) -> Vec<u8> {
    let mut cdb = vec![0; 12];
    (cdb[0], cdb[1], cdb[2], cdb[3], cdb[9]) = (0xa1, protocol, flags, feature, command);
    cdb
}

fn self_test(kind: u8) -> Vec<u8> {
    let mut cdb = ata16(0x06, 0x20, 0xd4, 0xb0);
    cdb[8] = kind;
    cdb
}

fn write_log(log: u8) -> Vec<u8> {
    let mut cdb = ata16(0x0a, 0x06, 0xd6, 0xb0);
    cdb[8] = log;
    cdb
}

fn long(action: u8) -> Vec<u8> {
    let mut cdb = vec![0; 32];
    (cdb[0], cdb[7], cdb[9]) = (0x7f, 0x18, action);
    cdb
}

#[test]
fn profiles_open_what_they_say() {
    const DISK: Class = Class::DISK;
    let table: Vec<(&str, Class, Vec<u8>, char)> = vec![
        ("disk-guest", DISK, vec![0x42], 'w'),
        ("disk-guest", DISK, vec![0x89], 'w'),
        ("disk-guest", DISK, vec![0x91], 'w'),
        ("disk-guest", DISK, vec![0x90], 'r'),
        ("disk-guest", DISK, long(0x09), 'r'),
        ("disk-guest", DISK, long(0x0d), 'w'),
        ("disk-guest", DISK, vec![0x5f, 0], '-'),
        ("disk-guest", DISK, vec![0x48, 3], '-'),
        ("disk-guest", DISK, vec![0x83], '-'),
        ("disk-guest", DISK, vec![0x04], '-'),
        ("disk-guest-reservations", DISK, vec![0x5e, 3], 'r'),
        ("disk-guest-reservations", DISK, vec![0x5e, 4], '-'),
        ("disk-guest-reservations", DISK, vec![0x5f, 0], 'w'),
        ("disk-guest-reservations", DISK, vec![0x5f, 6], 'w'),
        ("disk-guest-reservations", DISK, vec![0x5f, 7], '-'),
        ("disk-guest-reservations", DISK, vec![0x89], '-'),
        ("disk-guest-reservations", DISK, vec![0x34], '-'),
        ("disk-guest-reservations", DISK, vec![0x42], 'w'),
        ("disk-guest-reservations", Class::ZBC, vec![0x5f, 6], 'w'),
        ("disk-guest-pr", DISK, vec![0x5e, 0], 'r'),
        ("disk-guest-pr", DISK, vec![0x5e, 4], '-'),
        ("disk-guest-pr", DISK, vec![0x5f, 5], 'w'),
        ("disk-guest-pr", DISK, vec![0x5f, 6], 'w'),
        ("disk-guest-pr", DISK, vec![0x5f, 7], '-'),
        ("disk-guest-pr", DISK, vec![0x5f, 8], '-'),
        ("disk-guest-pr", DISK, vec![0x16], '-'),
        ("disk-guest-pr", Class::ZBC, vec![0x89], 'w'),
        // What smartctl, ata_id and hdparm send.
        ("smart-ro", DISK, ata16(0x08, 0x0e, 0, 0xec), 'r'),
        ("smart-ro", DISK, ata16(0x08, 0x2e, 0, 0xec), 'r'),
        ("smart-ro", DISK, ata16(0x08, 0x0e, 0xd0, 0xb0), 'r'),
        ("smart-ro", DISK, ata16(0x08, 0x0e, 0xd5, 0xb0), 'r'),
        ("smart-ro", DISK, ata16(0x06, 0x20, 0xda, 0xb0), 'r'),
        ("smart-ro", DISK, ata16(0x09, 0x0e, 0, 0x2f), 'r'),
        ("smart-ro", DISK, ata16(0x06, 0x20, 0, 0xe5), 'r'),
        ("smart-ro", DISK, ata12(0x08, 0x0e, 0, 0xec), 'r'),
        ("smart-ro", DISK, ata12(0x08, 0x0e, 0xd1, 0xb0), 'r'),
        ("smart-ro", DISK, ata12(0x06, 0x20, 0xda, 0xb0), 'r'),
        ("smart-ro", DISK, vec![0x4d, 0], 'r'),
        // What changes something, or has another direction or protocol.
        ("smart-ro", DISK, ata16(0x08, 0x06, 0, 0xec), '-'),
        ("smart-ro", DISK, ata16(0x0a, 0x06, 0xd6, 0xb0), '-'),
        ("smart-ro", DISK, ata16(0x0a, 0x0e, 0xd0, 0xb0), '-'),
        ("smart-ro", DISK, ata16(0x0c, 0x0e, 0, 0xec), '-'),
        ("smart-ro", DISK, ata16(0x06, 0x20, 0xd4, 0xb0), '-'),
        ("smart-ro", DISK, ata16(0x06, 0x20, 0xd8, 0xb0), '-'),
        ("smart-ro", DISK, ata16(0x06, 0x20, 0xd9, 0xb0), '-'),
        ("smart-ro", DISK, ata16(0x06, 0x20, 0, 0xe0), '-'),
        ("smart-ro", DISK, ata16(0x0a, 0x06, 0, 0xf4), '-'),
        ("smart-ro", DISK, ata12(0x0a, 0x06, 0xd6, 0xb0), '-'),
        ("smart-ro", DISK, ata12(0x06, 0x20, 0xd9, 0xb0), '-'),
        ("storage-mgmt", DISK, vec![0x55], 'w'),
        ("storage-mgmt", DISK, vec![0x3b, 5], 'w'),
        ("storage-mgmt", DISK, vec![0x3c, 0x1c], 'w'),
        ("storage-mgmt", DISK, vec![0x3c, 0x03], 'r'),
        ("storage-mgmt", DISK, vec![0x1d], 'w'),
        ("storage-mgmt", Class::RAID, vec![0xa4, 0x0a], 'w'),
        ("storage-mgmt", DISK, vec![0xa4, 0x1f], '-'),
        ("storage-mgmt", DISK, vec![0x48, 1], '-'),
        ("storage-mgmt", DISK, vec![0x04], '-'),
        ("storage-mgmt", DISK, vec![0x5f, 0], '-'),
        ("optical-rip", Class::CDROM, vec![0xd8], 'r'),
        ("optical-rip", Class::CDROM, vec![0xf1], '-'),
        ("optical-rip", Class::CDROM, vec![0xf1, 0x06], 'r'),
        ("optical-rip", Class::CDROM, vec![0xd5], 'r'),
        // redumper: OmniDrive, and Kreon's lock states; never the firmware of the same opcode.
        (
            "optical-rip",
            Class::CDROM,
            vec![0xc0, 0x0a, 0, 0, 0, 0, 0, 0, 0, 1],
            'r',
        ),
        ("optical-rip", Class::CDROM, vec![0xc0, 0x80], '-'),
        (
            "optical-rip",
            Class::CDROM,
            vec![0xff, 0x08, 0x01, 0x01],
            'w',
        ),
        (
            "optical-rip",
            Class::CDROM,
            vec![0xff, 0x08, 0x01, 0x11, 0x02],
            'w',
        ),
        (
            "optical-rip",
            Class::CDROM,
            vec![0xff, 0x08, 0x01, 0x11, 0x03],
            '-',
        ),
        ("optical-rip", Class::CDROM, vec![0xff, 0x01], '-'),
        (
            "optical-rip",
            Class::CDROM,
            vec![0xff, 0, 0x01, 0, 0, 0x01],
            '-',
        ),
        ("optical-rip", Class::CDROM, vec![0xff], '-'),
        ("optical-rip", Class::CDROM, vec![0xee], '-'),
        ("optical-rip", Class::CDROM, vec![0x3c, 0x06], '-'),
        // Self-tests in the background, SMART ENABLE; SCT; and nothing else of either.
        ("smart-test", DISK, ata16(0x06, 0x20, 0xd8, 0xb0), 'r'),
        ("smart-test", DISK, self_test(0x02), 'r'),
        ("smart-test", DISK, self_test(0x7f), 'r'),
        ("smart-test", DISK, self_test(0x81), '-'),
        ("smart-test", DISK, ata16(0x06, 0x20, 0xd9, 0xb0), '-'),
        ("smart-test", DISK, ata16(0x0a, 0x06, 0xd6, 0xb0), '-'),
        ("smart-test", DISK, vec![0x1d, 0x20], 'r'),
        ("smart-test", DISK, vec![0x1d, 0xa0], '-'),
        ("smart-test", DISK, vec![0x1d, 0x10, 0, 0, 8], '-'),
        ("smart-sct", DISK, write_log(0xe0), 'r'),
        ("smart-sct", DISK, write_log(0x09), '-'),
        ("smart-sct", DISK, self_test(0x01), '-'),
        ("optical-rip", Class::CDROM, vec![0xd9], '-'),
        ("optical-rip", Class::CDROM, vec![0x3c, 1], 'w'),
        ("optical-rip", Class::CDROM, vec![0x3b, 5], '-'),
        ("tape-changer", Class::CHANGER, vec![0xb8], 'r'),
        ("tape-changer", Class::CHANGER, vec![0xa5], 'w'),
        ("tape-changer", Class::CHANGER, vec![0x07], 'w'),
        ("tape-changer", Class::CHANGER, vec![0x2b], 'w'),
        ("tape-changer", Class::CHANGER, vec![0x01], '-'),
        ("tape-changer", Class::CHANGER, vec![0x10], '-'),
        ("tape-changer", Class::CHANGER, vec![0x82], '-'),
        ("tape-changer", Class::CHANGER, vec![0x91], '-'),
        ("tape-drive", Class::TAPE, vec![0x2b], 'w'),
        ("tape-drive", Class::TAPE, vec![0x07], '-'),
        ("tape-drive", Class::TAPE, vec![0xa5], '-'),
        ("tape-drive", Class::TAPE, vec![0xb8], '-'),
        ("tape-drive", Class::TAPE, vec![0x10], 'w'),
        ("tape-drive", Class::TAPE, vec![0x34], 'r'),
        ("tape-drive", Class::TAPE, vec![0xb5], '-'),
        ("tape-drive", Class::TAPE, vec![0x0b], 'w'),
        ("tape-drive", Class::TAPE, vec![0x5e, 3], 'r'),
        ("tape-drive", Class::TAPE, vec![0x5f, 0], '-'),
        ("tape-drive", Class::TAPE, vec![0xa4, 0x0f], 'w'),
        ("tape-drive", Class::TAPE, vec![0xa4, 0x1f], '-'),
        ("tape-drive", Class::TAPE, vec![0xa3, 0x1f], '-'),
        ("tape-drive", Class::TAPE, vec![0x1d, 0x10], '-'),
        ("tape-drive", Class::TAPE, vec![0x3c, 0x02], '-'),
        ("tape-drive", Class::TAPE, vec![0x04], '-'),
        ("tape-drive", Class::TAPE, vec![0x3b, 5], '-'),
        ("enclosure", Class::ENCLOSURE, vec![0x1d, 0x10], 'w'),
        ("enclosure", Class::ENCLOSURE, vec![0x1d, 0x04], '-'),
        ("enclosure", Class::ENCLOSURE, vec![0x1c, 0x01, 2], 'r'),
        ("enclosure", Class::ENCLOSURE, vec![0x3b, 5], '-'),
    ];
    let profiles = Profiles::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
    for (name, class, cdb, expected) in table {
        assert!(profiles.get(name).unwrap().is_for(class), "{name}");
        let table = Table::new(strict(class));
        assert_eq!(verdict(name, &table, &cdb), expected, "{name}: {cdb:02x?}");
    }
}

#[test]
fn smart_ro_holds_on_the_kernels_list_too() {
    // There, ATA PASS-THROUGH(12) is open to writers, as BLANK.
    let verdict = |cdb: &[u8]| verdict("smart-ro", &Table::new(&[STOCK]), cdb);
    assert_eq!(verdict(&ata12(0x06, 0x20, 0xd9, 0xb0)), '-');
    assert_eq!(verdict(&ata12(0x08, 0x0e, 0, 0xec)), 'r');
}

/// All ATA PASS-THROUGH that it does not open is refused by each of the three CDBs, whatever the class allows.
#[test]
fn smart_ro_closes_ata_pass_through() {
    let open = Table::new(&["allow w 00-ff"]);
    let verdict = |cdb: &[u8]| verdict("smart-ro", &open, cdb);
    let mut ata32 = [0; 32];
    (ata32[0], ata32[7], ata32[8], ata32[9]) = (0x7f, 0x18, 0x1f, 0xf0);
    (ata32[10], ata32[25]) = (0x06, 0xf4);
    assert_eq!(verdict(&ata32), '-');
    assert_eq!(verdict(&ata12(0x06, 0x20, 0, 0xf4)), '-');
    ata32[9] = 0x09;
    ata32[8] = 0;
    assert_eq!(verdict(&ata32), 'w', "READ(32)");
}

#[test]
fn stock_is_the_list_of_the_kernel() {
    for class in Class::ALL {
        let kernel = Policy::of_class(class, Some(STOCK)).unwrap();
        let strict = Policy::of_class(class, None).unwrap();
        let profile = strict.with_device_rules(&profile_rules("stock")).unwrap();
        assert!(compare::changes(&kernel, &profile, class).is_empty());
    }
}

/// The opcodes of a profile that are a command of other classes alone, on each class that it is for.
#[test]
fn no_profile_opens_what_is_of_another_class() {
    let profiles = Profiles::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
    for (name, profile) in profiles.iter() {
        for class in &profile.classes {
            let source = format!(
                "[[device]]\nmatch = {{ class = \"{}\" }}\nprofile = \"{name}\"\n",
                class.name()
            );
            assert_eq!(warned(&source), [""; 0], "{name} on {}", class.name());
        }
        let source = format!("[[device]]\nmatch = {{ vendor = \"ACME\" }}\nprofile = \"{name}\"\n");
        assert_eq!(warned(&source), [""; 0], "{name}");
    }
}

/// What lint warns of.
fn warned(source: &str) -> Vec<String> {
    let profiles = Profiles::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
    let policies = parse("x.toml", source, profiles).unwrap_or_else(|faults| panic!("{faults}"));
    let remarks = lint::lint(&policies, None, lint::NAMES).into_iter();
    let warnings = remarks.filter(|remark| remark.severity == lint::Severity::Warning);
    warnings.map(|remark| remark.message).collect()
}

/// As tape-library did, on both classes.
#[test]
fn a_profile_that_opens_what_is_of_another_class_is_told() {
    let profile = "[profile.robot]\ndescription = \"x\"\nclasses = [\"tape\", \"changer\"]\n\
                   rules = \"\"\"\nallow w a5,a6\nallow w 10\nallow w 1b\n\"\"\"\n";
    let on = |keys: &str| {
        warned(&format!(
            "[[device]]\nmatch = {{ {keys} }}\nprofile = \"robot\"\n{profile}"
        ))
    };
    let of_tape =
        "profile 'robot' opens what is no command of a tape: a5 (move-medium of a changer), \
                   a6 (exchange-medium of a changer)";
    assert_eq!(on("class = \"tape\""), [of_tape]);
    let of_changer = on("class = \"changer\"");
    assert!(of_changer[0].contains("no command of a changer: 10 (write-filemarks-6"));
    let of_both = on("vendor = \"ACME\"");
    let depends = "profile 'robot': 1b depends on the class: load-unload (tape), \
                   open-close-import-export-element (changer)";
    assert!(
        of_both.iter().any(|warning| warning == depends),
        "{of_both:?}"
    );
}

/// The name from before the split, on each class, opens no more than then.
#[test]
fn a_name_that_was_split_means_the_profile_of_the_class() {
    const BEFORE: &str = "allow r b8\nallow w 07,37\nallow w 2b\nallow w a5,a6\nallow w 1b,1e\nallow r 05,34,44,8c\n\
        allow w 4d [1]&01=00 [2]&3f=2e\nallow r 4d [1]&01=00\nallow r 5e [1]&1f=00-03\nallow w 01,10-11,80,91-92\n\
        allow w 82,8d\nallow w 0b\nallow w a4 [1]=0f";
    let profiles = || Profiles::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
    for (class, now) in [
        (Class::TAPE, "tape-drive"),
        (Class::CHANGER, "tape-changer"),
    ] {
        let source = "[[device]]\nmatch = { vendor = \"ACME\" }\nprofile = \"tape-library\"\n";
        let policies = parse("x.toml", source, profiles()).unwrap();
        let rules = policies.entries(&policies.blocks[0], class).unwrap();
        let rules: Vec<String> = rules.iter().map(|entry| entry.rule.to_string()).collect();
        assert_eq!(rules.join("\n") + "\n", profile_rules(now));
        for table in [None, Some(STOCK)] {
            let of_class = Policy::of_class(class, table).unwrap();
            let before = of_class.clone().with_device_rules(BEFORE).unwrap();
            let after = of_class.with_device_rules(&profile_rules(now)).unwrap();
            let changes = compare::changes(&before, &after, class);
            let rank = |answer: compare::Answer| answer as u8;
            let widened = changes.iter().filter(|c| rank(c.after) > rank(c.before));
            assert_eq!(widened.count(), 0, "{now}: {changes:?}");
            assert!(!changes.is_empty());
        }
    }
    let source = "[[device]]\nmatch = { class = \"disk\" }\nprofile = \"tape-library\"\n";
    let faults = parse("x.toml", source, profiles()).err().unwrap();
    assert!(faults.0[0]
        .message
        .contains("is for tape, changer, not for disk"));
}
