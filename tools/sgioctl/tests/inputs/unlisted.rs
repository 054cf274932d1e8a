// SPDX-License-Identifier: GPL-2.0

//! What no table knows: unknown, told as such, and a rule for it has as many of the sent bytes as a rule has room for.

use super::{check, common::Tree, learn};
use sgio_policy::policy::Class;
use sgioctl::{hex, names};

/// The numbers of the bytes that a rule has conditions on.
fn pinned(rule: &str) -> Vec<usize> {
    let fields = rule.split('[').skip(1);
    let numbers = fields.filter_map(|field| field.split_once(']')?.0.parse().ok());
    numbers.collect()
}

/// Each service action that the tables do not have, of each opcode that has such a field.
#[test]
fn a_service_action_that_no_table_has_is_unknown() {
    let mut seen = 0;
    for class in Class::ALL {
        for opcode in 0..=0xbfu8 {
            let rule = names::rules(&format!("op:{opcode:02x}"), class, None).unwrap();
            let entries = names::within(&rule[0], class);
            let whole = entries.first().map(|(name, _)| *name);
            for action in 0..=0x1fu8 {
                let mut cdb = [0x11; 16];
                (cdb[0], cdb[1]) = (opcode, action);
                let decoded = names::decode(&cdb, class);
                let mut fields = decoded.fields.iter();
                let has = fields.any(|(name, _)| name == "service-action");
                // An entry of its own has the name of the service action.
                let of_whole = whole == decoded.name.as_deref();
                if !(has && of_whole) || [0x34, 0x8c, 0x7f].contains(&opcode) {
                    continue;
                }
                seen += 1;
                assert!(!decoded.known, "{} {opcode:02x} {action:02x}", class.name());
                assert!(decoded.destructive && !decoded.for_readers);
                let exact = names::exact(&cdb, class);
                assert_eq!(pinned(&exact), [1, 2, 3, 4, 5, 6], "{exact}");
                let open = names::left_open(&[&cdb], class).unwrap();
                assert!(open.starts_with("bytes 7, 8, "), "{open}");
            }
        }
    }
    assert!(seen > 1000, "{seen}");
    for (opcode, class, known) in [
        (0x34, Class::TAPE, &[0, 1, 6, 8][..]),
        (0x8c, Class::TAPE, &[0, 1, 2, 3, 5]),
        (0x9d, Class::DISK, &[]),
        (0xba, Class::DISK, &[]),
        (0xbf, Class::DISK, &[]),
    ] {
        for action in 0..=0x1fu8 {
            let decoded = names::decode(&[opcode, action], class);
            assert_eq!(
                decoded.known,
                known.contains(&action),
                "{opcode:02x} {action:02x}"
            );
        }
    }
}

#[test]
fn what_is_left_open_is_said_by_each_command() {
    let tree = Tree::usual();
    for (cdb, rule) in [
        (
            "7f 00 00 00 00 00 00 18 ff 01 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff 01 02 03 04 05 06 08",
            "7f [7]=18 [8]=ff [9]=01 [10]=11 [11]=22 [12]=33",
        ),
        (
            "5e 1f 00 01 02 03 04 05 06 00",
            "5e [1]=1f [2]=00 [3]=01 [4]=02 [5]=03 [6]=04",
        ),
        (
            "9f 1f 11 22 33 44 55 66 77 88 99 aa bb cc dd 00",
            "9f [1]=1f [2]=11 [3]=22 [4]=33 [5]=44 [6]=55",
        ),
        (
            "be 1f 11 22 33 44 55 66 77 88 99 00",
            "be [1]=1f [2]=11 [3]=22 [4]=33 [5]=44 [6]=55",
        ),
        (
            "c1 e1 01 02 03 04 05 06 00 00",
            "c1 [1]=e1 [2]=01 [3]=02 [4]=03 [5]=04 [6]=05",
        ),
    ] {
        let open = "may be anything";
        let checked = check(&tree, "disk", cdb);
        assert!(checked.contains(&format!("--write '{rule}'")) && checked.contains(open), "{checked}");
        let allowed = tree.run(&["allow", "--dry-run", "sdc", &format!("cdb:{cdb}")]);
        let stdout = String::from_utf8(allowed.stdout).unwrap();
        let stderr = String::from_utf8(allowed.stderr).unwrap();
        assert!(stdout.contains(&format!("allow w {rule}")), "{stdout}{stderr}");
        assert!(stderr.contains(open), "{stdout}{stderr}");
        let learned = learn(&tree, cdb);
        let line = learned.lines().find(|line| line.contains(rule)).unwrap();
        assert!(line.starts_with('#') && line.contains("unknown") && line.contains(open), "{learned}");
        tree.write(
            "/x.toml",
            &format!("[[device]]\nmatch = {{ wwid = \"naa.1\", class = \"disk\" }}\nallow = [\"w cdb:{cdb}\"]\n"),
        );
        let path = tree.path("/x.toml");
        let linted = tree.run(&["lint", path.to_str().unwrap()]);
        let linted = String::from_utf8(linted.stdout).unwrap() + &String::from_utf8(linted.stderr).unwrap();
        assert!(linted.contains(open), "{linted}");
    }
}

#[test]
fn an_extended_cdb_is_proposed_to_nobody() {
    let tree = Tree::usual();
    for open in ["--write", "--read"] {
        let output = tree.run(&[
            "check",
            "--class",
            "disk",
            open,
            "cdb:7e 01 00 00 85 0a 06 00 00 00 01 00 00 00 00 f4",
        ]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains("sgioctl allow"), "{text}");
        assert!(text.contains("has another command in it"), "{text}");
    }
}

/// The bytes that choose what a command does are in the rule.
#[test]
fn what_selects_is_in_the_rule() {
    let ata_32 = |protocol: u8, bytes: &[(usize, u8)]| {
        let mut cdb = [0; 32];
        (cdb[0], cdb[7], cdb[8], cdb[9], cdb[10]) = (0x7f, 0x18, 0x1f, 0xf0, protocol << 1);
        for (byte, value) in bytes {
            cdb[*byte] = *value;
        }
        hex::hex(&cdb)
    };
    for (class, cdb, rule) in [
        // SEND FPDMA QUEUED: data set management, and WRITE LOG DMA EXT.
        (
            Class::DISK,
            "85 19 06 00 01 00 00 00 00 00 00 00 00 40 64 00".to_owned(),
            "85 [1]&1e=18 [5]=00 [14]=64",
        ),
        (
            Class::DISK,
            "85 19 06 00 01 02 00 00 00 00 00 00 00 40 64 00".to_owned(),
            "85 [1]&1e=18 [5]=02 [14]=64",
        ),
        (
            Class::DISK,
            "85 19 06 00 01 01 00 00 00 00 00 00 00 40 65 00".to_owned(),
            "85 [1]&1e=18 [5]=01 [14]=65",
        ),
        (
            Class::DISK,
            "85 19 06 00 05 00 00 00 02 00 00 00 00 40 63 00".to_owned(),
            "85 [1]&1e=18 [3]=00 [4]=05 [5]=00 [8]=02 [14]=63",
        ),
        // SP SPECIFIC.
        (
            Class::DISK,
            "85 0a 06 00 01 00 01 00 00 00 07 00 fe 00 5e 00".to_owned(),
            "85 [1]&1e=0a [4]=01 [10]=07 [12]=fe [14]=5e",
        ),
        (
            Class::DISK,
            "a1 0a 06 01 01 00 07 fe 00 5e 00 00".to_owned(),
            "a1 [1]&1e=0a [3]=01 [6]=07 [7]=fe [9]=5e",
        ),
        // SMART EXECUTE OFF-LINE IMMEDIATE, captive or not, in each CDB.
        (
            Class::DISK,
            "85 06 20 00 d4 00 00 00 02 00 4f 00 c2 00 b0 00".to_owned(),
            "85 [1]&1e=06 [4]=d4 [8]=02 [14]=b0",
        ),
        (
            Class::DISK,
            ata_32(
                3,
                &[(21, 0xd4), (25, 0xb0), (19, 0x02), (18, 0x4f), (17, 0xc2)],
            ),
            "7f [8]=1f [9]=f0 [10]&1e=06 [19]=02 [21]=d4 [25]=b0",
        ),
        (
            Class::DISK,
            ata_32(
                5,
                &[(21, 0xd6), (25, 0xb0), (19, 0xe0), (18, 0x4f), (17, 0xc2)],
            ),
            "7f [8]=1f [9]=f0 [10]&1e=0a [19]=e0 [21]=d6 [25]=b0",
        ),
        // With another protocol it is none that is known.
        (
            Class::DISK,
            ata_32(1, &[(21, 0xd4), (25, 0xb0), (19, 0x02)]),
            "7f [7]=18 [8]=1f [9]=f0 [10]=02 [21]=d4 [25]=b0",
        ),
        (
            Class::DISK,
            ata_32(4, &[(25, 0xec)]),
            "7f [7]=18 [8]=1f [9]=f0 [10]&1e=08 [25]=ec",
        ),
        // How: the power of APM, saving or not, off or on.
        (
            Class::DISK,
            "85 06 20 00 10 00 06 00 00 00 00 00 00 00 ef 00".to_owned(),
            "85 [1]&1e=06 [4]=10 [6]=06 [14]=ef",
        ),
        (
            Class::DISK,
            "85 06 20 00 d2 00 f1 00 00 00 4f 00 c2 00 b0 00".to_owned(),
            "85 [1]&1e=06 [4]=d2 [6]=f1 [14]=b0",
        ),
        (
            Class::DISK,
            "85 07 20 01 04 00 00 00 00 00 00 00 00 40 9f 00".to_owned(),
            "85 [1]&1f=07 [3]=01 [4]=04 [14]=9f",
        ),
        (
            Class::DISK,
            "94 04 00 00 00 00 00 00 00 00 00 00 00 00 01 00".to_owned(),
            "94 [1]&1f=04 [14]&01=01",
        ),
        (
            Class::DISK,
            "04 18 00 00 01 00".to_owned(),
            "04 [1]&df=18 [4]&03=01",
        ),
        (Class::TAPE, "19 01 00 00 00 00".to_owned(), "19 [1]&01=01"),
        (Class::TAPE, "19 00 00 00 00 00".to_owned(), "19 [1]&01=00"),
        (
            Class::TAPE,
            "93 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00".to_owned(),
            "93 [1]&01=01",
        ),
        (
            Class::TAPE,
            "34 06 00 00 00 00 00 00 20 00".to_owned(),
            "34 [1]&1f=06",
        ),
        (
            Class::TAPE,
            "34 1f 00 00 00 00 00 00 20 00".to_owned(),
            "34 [1]=1f [2]=00 [3]=00 [4]=00 [5]=00 [8]=20",
        ),
    ] {
        let cdb = hex::cdb(&cdb).unwrap();
        assert_eq!(names::exact(&cdb, class), rule, "{cdb:02x?}");
    }
    // There is no room for all of it, and that is said.
    let trusted = ata_32(5, &[(21, 1), (25, 0x5e), (18, 0x07), (17, 0xfe)]);
    let open = names::left_open(&[&hex::cdb(&trusted).unwrap()], Class::DISK).unwrap();
    assert!(open.starts_with("byte 17 may be anything"), "{open}");
}

/// Readers are told what a rule for writers takes from them.
#[test]
fn what_readers_lose_is_said() {
    let tree = Tree::usual();
    tree.write(
        "/sys/kernel/sgio_filter/classes/disk/rules",
        "allow r 12\nallow r 9e [1]&1f=10\n",
    );
    let said = |command: &str| {
        let output = tree.run(&["allow", "--dry-run", "sdc", command]);
        String::from_utf8(output.stderr).unwrap()
    };
    let lost = said("service-action-in-16");
    assert!(
        lost.contains("takes it from them: read-capacity-16;"),
        "{lost}"
    );
    assert!(
        lost.contains("sgioctl allow 0:0:0:0 --read read-capacity-16"),
        "{lost}"
    );
    assert_eq!(said("unmap"), "");
    assert_eq!(said("read-capacity-16"), "");
}
