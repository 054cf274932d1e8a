// SPDX-License-Identifier: GPL-2.0

//! One recorded decision, from a line of `sgioctl monitor` without `--json`.
//!
//! ```text
//! 12.5 6:0:0:0 disk refused: 5e 00 ... (read-keys, length 32) open=r from sg_raw[812] uid=107 cgroup=/a, no rule matches
//! ```
//!
//! What a sender chose, its name and that of its cgroup, stands behind the CDB: a word of harmless characters, or a text in
//! quotes as Rust writes it. So lines are read from the left, and what does not follow the form is no record.

use super::record::{outcome, Record, Said};
use crate::hex;
use sgio_policy::policy::{Class, MAX_CDB};

/// The record of a line; `None` if it is none.
pub(super) fn parse(line: &str) -> Option<Record> {
    let (time, rest) = line.split_once(' ')?;
    time.parse::<f64>().ok()?;
    let (device, rest) = rest.split_once(' ')?;
    let (class, rest) = rest.split_once(' ')?;
    let (outcome_name, rest) = rest.split_once(": ")?;
    let (command, rest) = rest.split_once(" open=")?;
    // Behind the bytes there are names of the tables.
    let bytes = command.split(" (").next().unwrap_or(command);
    let (open, rest) = rest.split_once(" from ")?;
    let (comm, rest) = word(rest, '[')?;
    let (_pid, rest) = rest.strip_prefix('[')?.split_once("] uid=")?;
    let end = rest.find([' ', ','])?;
    let (uid, rest) = rest.split_at(end);
    let (cgroup, rest) = match rest.strip_prefix(" cgroup=") {
        Some(rest) => {
            let (cgroup, rest) = word(rest, ',')?;
            (Some(cgroup), rest)
        }
        None => (None, rest),
    };
    Some(Record {
        device: device.parse().ok()?,
        class: Class::from_name(class)?,
        outcome: outcome(outcome_name)?,
        said: said(rest.strip_prefix(", ")?)?,
        write: match open {
            "r" => false,
            "w" => true,
            _ => return None,
        },
        uid: Some(uid.parse().ok()?),
        cgroup,
        cgroup_id: None,
        comm: Some(comm).filter(|comm| !comm.is_empty()),
        cdb: cdb(bytes)?,
    })
}

/// Tells whether a line is one of the kernel's log about a command that `complain` let through.
pub(super) fn is_complaint(line: &str) -> bool {
    let Some((_, rest)) = line.split_once("sgio_filter: ") else {
        return false;
    };
    let mut parts = rest.splitn(3, ": ");
    let address = parts.next().unwrap_or_default();
    address.parse::<crate::device::Hctl>().is_ok() && parts.next() == Some("complain")
}

/// A word that ends in front of a character, or a text in quotes; and what is behind it.
fn word(text: &str, end: char) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let at = text.find(end)?;
        return Some((text.get(..at)?.to_owned(), text.get(at..)?));
    };
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some((quoted.get(..at)?.to_owned(), quoted.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

/// The bytes, with the zeros behind them that are only counted: `c1 e1 + 30 x 00`.
fn cdb(bytes: &str) -> Option<Vec<u8>> {
    let (bytes, zeros) = match bytes.split_once(" + ") {
        Some((bytes, rest)) => (bytes, rest.strip_suffix(" x 00")?.parse().ok()?),
        None => (bytes, 0),
    };
    let mut cdb = hex::cdb(bytes).ok()?;
    let length = cdb.len().checked_add(zeros)?;
    (length <= MAX_CDB).then(|| {
        cdb.resize(length, 0);
        cdb
    })
}

/// What the policy said, by the end of the line.
fn said(words: &str) -> Option<Said> {
    let by_rule = |reason: &str| {
        let rest = words.strip_prefix(reason);
        rest.is_some_and(|rest| rest.starts_with(" by rule "))
    };
    Some(match words {
        "no rule matches" => Said::NoRule,
        _ if by_rule("denied") => Said::Denied,
        _ if by_rule("needs_write") => Said::NeedsWrite,
        _ => Said::Yes,
    })
}

#[cfg(test)]
mod tests {
    use super::{super::record::Outcome, *};

    #[test]
    fn a_line_of_monitor_is_a_record() {
        let record = parse(
            "12.500000 6:0:0:0 disk refused: 5e 00 00 00 00 00 00 20 00 00 (persistent-reserve-in:read-keys, \
             service-action 00h) open=r from sg_persist[812] uid=107 cgroup=/a.slice, no rule matches",
        )
        .unwrap();
        assert_eq!(record.cdb, [0x5e, 0, 0, 0, 0, 0, 0, 0x20, 0, 0]);
        assert_eq!(
            (record.outcome, record.said),
            (Outcome::Refused, Said::NoRule)
        );
        assert_eq!(
            (record.class, record.write, record.uid),
            (Class::DISK, false, Some(107))
        );
        assert_eq!(record.comm.as_deref(), Some("sg_persist"));
        assert_eq!(record.cgroup.as_deref(), Some("/a.slice"));
        let vendors = parse(
            "1.5 6:0:0:0 disk refused: c1 e1 00 00 00 00 00 00 28 + 23 x 00 (length not known) (vendor-specific) open=w \
             from x[1] uid=0, denied by rule 3 of the device: deny c1",
        )
        .unwrap();
        assert_eq!((vendors.cdb.len(), vendors.cdb[8]), (32, 0x28));
        assert_eq!(vendors.said, Said::Denied);
    }

    /// A sender may call itself like the rest of a line.
    #[test]
    fn a_name_is_taken_for_nothing_else() {
        let start = "12.5 6:0:0:0 disk refused: 5e 00 00 00 00 00 00 20 00 00 open=r from ";
        let comm = r#""x[1] uid=0 \", denied by rule""#;
        let record = parse(&format!("{start}{comm}[1] uid=65534, no rule matches")).unwrap();
        assert_eq!((record.uid, record.said), (Some(65534), Said::NoRule));
        let cgroup = r#""/a, denied by rule 1""#;
        let record = parse(&format!(
            "{start}x[1] uid=2 cgroup={cgroup}, needs_write by rule 8 of the class"
        ));
        let record = record.unwrap();
        assert_eq!(record.said, Said::NeedsWrite);
        assert_eq!(record.cgroup.as_deref(), Some("/a, denied by rule 1"));
        for none in [
            "",
            "noise",
            "12.5 6:0:0:0 disk refused: 5e 00",
            "12.5 6:0:0:0 disk refused: xx open=r from x[1] uid=2, no rule matches",
        ] {
            assert_eq!(parse(none), None, "{none}");
        }
        assert!(is_complaint(
            "[   12.3] sgio_filter: 6:0:0:42: complain: 5e 00 00 00 00 00 00 20 00 00 from qemu[812], open for writing"
        ));
        assert!(!is_complaint("sgio_filter: loaded"));
    }
}
