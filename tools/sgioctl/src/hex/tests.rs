// SPDX-License-Identifier: GPL-2.0

use super::*;
use proptest::prelude::*;

/// A sender chooses the name of its program and of its cgroup, which are in the line too.
#[test]
fn what_a_sender_calls_itself_is_no_cdb() {
    for line in [
        "12.5 6:0:0:0 disk refused: 5e 00 00 00 00 00 00 20 00 00 (read-keys) open=w from raw=4803 x[812] uid=107",
        "op=sgio dev=6:0:0:0 class=disk cdb=5e000000000000200000 pid=812 comm=\"cdb=4803\" suppressed=0",
        "[ 12.3] sgio_filter: 0:0:0:0: complain: 5e 00 00 00 00 00 00 20 00 00 from cdb:4803 x[812], open for",
        "refused: 5e 00 from x[1] cgroup=/user.slice/raw=48 03, no rule matches",
        "cdb=4803 x-812 [000] 1.2: decision: dev=6:0:0:0 cdb=5e 00 00 00 00 00 00 20 00 00",
        "complained: 3b 05 00 00 00 00 00 00 00 00 from cdb=28 x[812]",
    ] {
        assert_eq!(read(line), None, "{line}");
        assert!(one(line).is_err(), "{line}");
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let error = items(&words).unwrap_err().to_string();
        assert!(error.contains("in the same line"), "{error}");
        assert!(items(&[line.to_owned()]).is_err());
    }
    // The same one twice is one.
    let line = "refused: 5e 00 from cdb=5e00[812]";
    assert_eq!(read(line).unwrap().bytes, [0x5e, 0]);
}

#[test]
fn an_address_or_a_sector_is_no_opcode() {
    let line = "[   12.3] sgio_filter: 6:0:0:42: complain: 5e 00 00 00 00 00 00 20 00 00 from qemu[812], open for writing";
    assert_eq!(
        read(line).unwrap().bytes,
        [0x5e, 0, 0, 0, 0, 0, 0, 0x20, 0, 0]
    );
    for line in [
        "[ 12.3] blk_update_request: critical target error, dev sda, sector 2048",
        "[ 12.3] sd 2:0:0:0: [sda] 4096 512-byte logical blocks: (2.10 MB/2.00 MiB)",
        "[ 12.3: 48 03]",
    ] {
        assert_eq!(read(line), None, "{line}");
    }
}

const FULL: [u8; 10] = [0x5f, 0x06, 0, 0, 0, 0, 0, 0, 0x18, 0];

/// The same CDB as all programs print it.
#[test]
fn one_cdb_in_all_its_forms() {
    for text in [
        "5f 06 00 00 00 00 00 00 18 00",
        "5F 06 00 00 00 00 00 00 18 00",
        "0x5f 0x06 0x00 0x00 0x00 0x00 0x00 0x00 0x18 0x00",
        "0x5f, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x18, 0x00",
        "0x5f,0x06,0x00,0x00,0x00,0x00,0x00,0x00,0x18,0x00",
        "5f,06,00,00,00,00,00,00,18,00",
        "5f, 06, 00, 00, 00, 00, 00, 00, 18, 00",
        "5f:06:00:00:00:00:00:00:18:00",
        "5f060000000000001800",
        "0x5f060000000000001800",
        "{0x5f, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x18, 0x00}",
        "[5f 06 00 00 00 00 00 00 18 00]",
        "\\x5f\\x06\\x00\\x00\\x00\\x00\\x00\\x00\\x18\\x00",
        "\"\\x5f\\x06\\x00\\x00\\x00\\x00\\x00\\x00\\x18\\x00\"",
        // sg3_utils -v, old and new; hdparm --verbose; smartctl -r ioctl.
        "    Persistent reservation out cdb: 5f 06 00 00 00 00 00 00 18 00 ",
        "    Persistent reservation out cdb: [5f 06 00 00 00 00 00 00 18 00]",
        "outgoing cdb:  5f 06 00 00 00 00 00 00 18 00",
        " [persistent reserve out: 5f 06 00 00 00 00 00 00 18 00 ]",
        // The kernel's log.
        "sd 6:0:0:0: [sda] tag#12 CDB: Persistent reserve out 5f 06 00 00 00 00 00 00 18 00",
        "[   12.345678] sd 6:0:0:0: [sda] tag#1 CDB: opcode=0x5f 5f 06 00 00 00 00 00 00 18 00",
        // strace.
        "ioctl(3, SG_IO, {interface_id='S', dxfer_direction=SG_DXFER_TO_DEV, cmd_len=10, \
         cmdp=\"\\x5f\\x06\\x00\\x00\\x00\\x00\\x00\\x00\\x18\\x00\", mx_sb_len=32, iovec_count=0",
        // The audit log and the tracepoint of the module.
        "op=sgio dev=6:0:0:0 class=disk open=w decision=no_rule cdb=5f060000000000001800 pid=12 uid=1",
        "dev=6:0:0:0 class=0 outcome=refused cgroup=1 cdb=5f 06 00 00 00 00 00 00 18 00",
        "cdb:5f 06 00 00 00 00 00 00 18 00",
    ] {
        assert_eq!(cdb(text).unwrap(), FULL, "{text}");
        // Quoted or not.
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let items = items(&words).unwrap();
        let joined: Vec<_> = items.iter().map(|item| cdb(item).unwrap()).collect();
        assert_eq!(joined, [FULL], "{text}");
    }
}

/// The kernel's log has a CDB of more than 16 bytes in two lines.
#[test]
fn half_a_cdb_is_none() {
    let first = "[   12.3] sd 6:0:0:0: [sda] tag#0 CDB[00]: 7f 00 00 00 00 00 00 18 00 0b 20 00 00 00 00 00";
    let second = "[   12.3] sd 6:0:0:0: [sda] tag#0 CDB[10]: 2a 00 00 00 00 00 00 01 00 00 00 00 00 00 00 08";
    for (lines, which) in [(first, "first half"), (second, "second half")] {
        assert_eq!(read(lines), None);
        let words: Vec<String> = lines.split(' ').map(str::to_owned).collect();
        for error in [
            cdb(lines).unwrap_err(),
            one(lines).unwrap_err(),
            items(&[lines.to_owned()]).unwrap_err(),
            items(&words).unwrap_err(),
        ] {
            assert!(error.to_string().contains(which), "{error}");
        }
    }
    for both in [format!("{first}\n{second}"), format!("{first} {second}")] {
        let read = read(&both).unwrap();
        assert_eq!(read.bytes.len(), 32);
        assert_eq!((read.bytes[0], read.bytes[16]), (0x7f, 0x2a));
        assert_eq!(read.form, Form::Labelled);
    }
    assert_eq!(
        items(&[first.to_owned(), second.to_owned()]).unwrap().len(),
        1
    );
    // The wrong way round, or of another CDB.
    assert!(cdb(&format!("{second} {first}")).is_err());
    assert!(cdb(&format!("{first} {second} {second}")).is_err());
    // A CDB that fits into a line.
    let short = "sd 6:0:0:0: [sda] tag#0 CDB[00]: 5f 06 00 00 00 00 00 00 18 00";
    assert_eq!(cdb(short).unwrap(), FULL);
}

#[test]
fn what_is_certain() {
    for (text, form) in [
        ("5f", Form::One),
        ("0x5f", Form::One),
        ("5f 06", Form::Blanks),
        ("0x5f 0x06", Form::Blanks),
        ("5f,06", Form::Commas),
        ("5f, 06", Form::Certain),
        ("0x5f,0x06", Form::Certain),
        ("5f06", Form::Certain),
        ("5f:06", Form::Certain),
        ("[5f 06]", Form::Certain),
        ("\\x5f", Form::Certain),
        ("cdb:5f", Form::Labelled),
        ("cdb: 5f 06", Form::Labelled),
    ] {
        assert_eq!(read(text).unwrap().form, form, "{text}");
    }
    for text in [
        "",
        "5",
        "5f 0",
        "xx",
        "5f 000",
        "é0",
        "unmap",
        "c0-ff",
        "5f [1]=00",
        "cdb:",
        "op:5f",
        "[1]=00",
        "cdb:unmap",
        "5e,",
        "add",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    assert!(cdb(&"00".repeat(33)).is_err());
    // What is opcodes where opcodes can stand.
    for text in ["5e,5f", "5f,06", "12,00,00", "12,00,03,25,a0,a3"] {
        let error = one(text).unwrap_err().to_string();
        assert!(
            error.contains("means opcodes where opcodes can stand"),
            "{error}"
        );
    }
    for text in ["5f 06", "5f", "5f,06,00,00,00,00,00,00,18,00", "0x5f,0x06"] {
        assert_eq!(one(text).unwrap()[0], 0x5f);
    }
    assert_eq!(hex(&[0x5f, 0]), "5f 00");
    assert_eq!(length(&[0x5f]), Some(10));
    assert_eq!(length(&[0xd8]), None);
    assert_eq!(length(&[]), None);
    assert_eq!(length(&[0x7f, 0, 0, 0, 0, 0, 0, 0x18]), Some(32));
}

#[test]
fn words_are_grouped() {
    let is = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        items(&words)
    };
    for (words, expected) in [
        (&["5f", "06"][..], &["5f 06"][..]),
        (&["0x5f", "0x06", "0x00"], &["0x5f 0x06 0x00"]),
        (&["0x5f,", "0x06"], &["0x5f, 0x06"]),
        (&["5f 06"], &["5f 06"]),
        (&["[5f", "06]"], &["[5f 06]"]),
        (&["5f0005", "5e00"], &["5f0005", "5e00"]),
        (&["5f 00", "5e"], &["5f 00", "5e"]),
        (&["12", "unmap", "5e", "01"], &["12", "unmap", "5e 01"]),
        (&["5f", "[1]&1f=00", "[2]=05"], &["5f [1]&1f=00 [2]=05"]),
        (&["unmap", "[1]=01", "5e"], &["unmap [1]=01", "5e"]),
        (
            &["inquiry", "cdb:", "[12", "00]"],
            &["inquiry cdb: [12 00]"],
        ),
    ] {
        assert_eq!(is(words).unwrap(), expected, "{words:?}");
    }
    for words in [
        &["5f00", "05"][..],
        &["05", "5f00"],
        &["5f00", "05", "06", "0708"],
    ] {
        let error = is(words).unwrap_err().to_string();
        assert!(error.contains("can be read as one CDB or as"), "{error}");
    }
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(bytes in proptest::collection::vec(any::<u8>(), 1..=32)) {
        for text in [hex(&bytes), hex(&bytes).replace(' ', ""), format!("cdb={}", hex(&bytes))] {
            prop_assert_eq!(&cdb(&text).unwrap(), &bytes);
        }
    }

    #[test]
    fn any_text_is_bytes_or_none(text in ".{0,60}", words in proptest::collection::vec(".{0,8}", 0..5)) {
        if let Some(found) = read(&text) {
            prop_assert!(!found.bytes.is_empty());
        }
        let _ = items(&words);
    }
}
