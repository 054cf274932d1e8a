// SPDX-License-Identifier: GPL-2.0

//! CDBs in lines that programs print, behind words that announce them.

use super::{
    cdb_length::length,
    digits::{byte_digits, hex, is_number, tokens},
};
use anyhow::{bail, Result};

/// What a number in brackets behind a label says.
#[derive(Clone, Copy)]
enum Indexed {
    /// Which byte (`cdb[0]=`), or which line of a long CDB (`CDB[00]:`).
    OneByte,
    /// How many bytes follow; the word is no label without it.
    Length,
}

/// The words that announce a CDB: of the kernel's log and of sg3_utils, of sg_raw, of strace, of strace before version
/// 4.11, of strace for bsg, of the kernel's own tracepoints of SCSI; and the outcomes in the lines of `sgioctl monitor`.
const LABELS: [(&str, Indexed); 12] = [
    ("cdb", Indexed::OneByte),
    ("cdb to send", Indexed::OneByte),
    ("cmdp", Indexed::OneByte),
    ("cmd", Indexed::Length),
    ("request", Indexed::OneByte),
    ("raw", Indexed::OneByte),
    ("refused", Indexed::OneByte),
    ("allowed", Indexed::OneByte),
    ("privileged", Indexed::OneByte),
    ("complain", Indexed::OneByte),
    ("complained", Indexed::OneByte),
    ("emulated", Indexed::OneByte),
];

/// The CDBs that are announced in a line, each once; `None` if no word announces any.
///
/// A line of a log has words that a sender chose, as the name of its program, in front of the CDB or behind it. If
/// they announce another CDB, it cannot be told which is meant.
pub(super) fn announced(text: &str) -> Option<Vec<Vec<u8>>> {
    let places = labels(text.trim());
    if places.is_empty() {
        return None;
    }
    let mut cdbs: Vec<Vec<u8>> = Vec::new();
    // The kernel prints a long CDB in lines of 16 bytes: `CDB[00]: 7f ...` and `CDB[10]: ...`.
    let mut long: Option<Vec<u8>> = None;
    for Labelled { line, bytes } in places {
        let bytes = first_run(bytes);
        match (line, &mut long) {
            (None, _) => cdbs.push(bytes),
            (Some(0), _) => cdbs.extend(long.replace(bytes)),
            (Some(line), Some(long)) if long.len() == line => long.extend(bytes),
            // Part of one, whose beginning is missing.
            (Some(_), _) => return Some(Vec::new()),
        }
    }
    if let Some(long) = long {
        if is_half(&long) {
            return Some(Vec::new());
        }
        cdbs.push(long);
    }
    cdbs.retain(|cdb| !cdb.is_empty());
    cdbs.sort();
    cdbs.dedup();
    Some(cdbs)
}

/// Tells whether the first line of a long CDB has no second one.
fn is_half(first: &[u8]) -> bool {
    first.len() >= LINE && length(first).is_none_or(|length| length > first.len())
}

/// How many bytes the kernel prints in a line of a long CDB.
const LINE: usize = 16;

/// # Errors
///
/// A line in which two CDBs are announced, or part of one.
pub(super) fn one_announced(text: &str) -> Result<()> {
    let numbered = |line: fn(usize) -> bool| {
        let mut labels = labels(text.trim()).into_iter();
        labels.any(|label| label.line.is_some_and(line))
    };
    if announced(text).is_some_and(|cdbs| cdbs.is_empty()) {
        if numbered(|line| line == 0) {
            bail!(
                "'{}' is the first half of a CDB: give the line with CDB[10]: behind it too",
                text.trim()
            );
        }
        if numbered(|line| line > 0) {
            bail!(
                "'{}' is the second half of a CDB: give the line with CDB[00]: in front of it too",
                text.trim()
            );
        }
    }
    match announced(text).as_deref() {
        Some([one, other, ..]) => bail!(
            "'{}' is in the same line as '{}': one of them may be the name of a program; give the bytes alone",
            hex(one),
            hex(other)
        ),
        _ => Ok(()),
    }
}

/// What a word announces.
struct Labelled<'a> {
    /// At which byte of a long CDB the line begins, if the word says so.
    line: Option<usize>,
    /// What stands behind the word.
    bytes: &'a str,
}

/// What stands behind each word that announces a CDB, as they stand in the text.
fn labels(text: &str) -> Vec<Labelled<'_>> {
    // One of them stands behind each; most texts are names.
    if !text.contains([':', '=']) {
        return Vec::new();
    }
    let lower = text.to_ascii_lowercase();
    let mut found: Vec<(usize, Option<usize>)> = Vec::new();
    for (label, indexed) in LABELS {
        for (at, _) in lower.match_indices(label) {
            let starts = !lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let rest = lower[at + label.len()..].trim_start();
            let (index, rest) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
                Some((number, rest)) if number.bytes().all(|b| b.is_ascii_hexdigit()) => {
                    (Some(number), rest)
                }
                _ => (None, rest),
            };
            let Some(behind) = rest.strip_prefix([':', '=']).filter(|_| starts) else {
                continue;
            };
            let behind = match indexed {
                // Older kernels print the opcode first: `CDB: cdb[0]=0x85: 85 06 ...`. Any other byte with a number
                // is part of a list that this does not read.
                Indexed::OneByte if index.is_some() && rest.starts_with('=') => {
                    behind.split_once(": ").map_or("", |(_, bytes)| bytes)
                }
                Indexed::Length if index.is_none() => continue,
                _ => behind,
            };
            let line = index
                .filter(|_| label == "cdb" && rest.starts_with(':'))
                .and_then(|number| usize::from_str_radix(number, 16).ok());
            found.push((text.len() - behind.len(), line));
        }
    }
    // smartctl -r ioctl: `[inquiry: 12 00 00 00 24 00 ]`, and nothing else in the line.
    let named = text
        .strip_prefix('[')
        .filter(|inner| inner.ends_with(']') && !inner.contains('['))
        .and_then(|inner| inner.split_once(": "));
    if let (true, Some((name, rest))) = (found.is_empty(), named) {
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if starts && byte_digits(name).is_none() {
            found.push((text.len() - rest.len(), None));
        }
    }
    found.sort_unstable();
    let label = |(at, line): (usize, Option<usize>)| {
        let bytes = text.get(at..)?;
        Some(Labelled { line, bytes })
    };
    found.into_iter().filter_map(label).collect()
}

/// The first run of bytes, behind words that are none (`Read(10)`, `opcode=0x85`).
fn first_run(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut named = false;
    for token in tokens(text) {
        let inner = token.trim_matches(|c| "[]{}()\"'".contains(c));
        match byte_digits(inner) {
            // The last word of the kernel's names `Read CD` and `Play CD`; bytes in small letters follow.
            Some(_) if bytes.is_empty() && named && inner == "CD" => (),
            Some(more) => bytes.extend(more),
            None if inner.is_empty() => (),
            None if bytes.is_empty() => named = true,
            // A byte with a digit too few is no end: what is behind it would be lost.
            None if is_number(inner) => return Vec::new(),
            None => break,
        }
        // What is behind the closing bracket or quote is something else.
        if !bytes.is_empty() && token.ends_with([']', '}', ')', '"']) {
            break;
        }
    }
    bytes
}
