// SPDX-License-Identifier: GPL-2.0

//! CDBs in lines that programs print, behind words that announce them.

use super::digits::{byte_digits, hex, is_number, tokens};
use anyhow::{bail, Result};

/// What a number in brackets behind a label says.
#[derive(Clone, Copy)]
enum Indexed {
    /// Which byte (`cdb[0]=`), or which line of a long CDB (`CDB[00]:`).
    OneByte,
    /// How many bytes follow; the word is no label without it.
    Length,
}

/// The words that announce a CDB: of the kernel's log and of sg3_utils, of strace, of strace before version 4.11, of
/// strace for bsg, of the kernel's own tracepoints of SCSI; and the outcomes in the lines of `sgioctl monitor`.
const LABELS: [(&str, Indexed); 11] = [
    ("cdb", Indexed::OneByte),
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
    let mut cdbs: Vec<Vec<u8>> = places.into_iter().map(first_run).collect();
    cdbs.retain(|cdb| !cdb.is_empty());
    cdbs.sort();
    cdbs.dedup();
    Some(cdbs)
}

/// # Errors
///
/// A line in which two CDBs are announced.
pub(super) fn one_announced(text: &str) -> Result<()> {
    match announced(text).as_deref() {
        Some([one, other, ..]) => bail!(
            "'{}' is in the same line as '{}': one of them may be the name of a program; give the bytes alone",
            hex(one),
            hex(other)
        ),
        _ => Ok(()),
    }
}

/// What stands behind each word that announces a CDB.
fn labels(text: &str) -> Vec<&str> {
    // One of them stands behind each; most texts are names.
    if !text.contains([':', '=']) {
        return Vec::new();
    }
    let lower = text.to_ascii_lowercase();
    let mut found: Vec<usize> = Vec::new();
    for (label, indexed) in LABELS {
        for (at, _) in lower.match_indices(label) {
            let starts = !lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let rest = lower[at + label.len()..].trim_start();
            let (index, rest) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
                Some((number, rest)) if number.bytes().all(|b| b.is_ascii_hexdigit()) => {
                    (true, rest)
                }
                _ => (false, rest),
            };
            let Some(behind) = rest.strip_prefix([':', '=']).filter(|_| starts) else {
                continue;
            };
            let behind = match indexed {
                // Older kernels print the opcode first: `CDB: cdb[0]=0x85: 85 06 ...`. Any other byte with a number
                // is part of a list that this does not read.
                Indexed::OneByte if index && rest.starts_with('=') => {
                    behind.split_once(": ").map_or("", |(_, bytes)| bytes)
                }
                Indexed::Length if !index => continue,
                _ => behind,
            };
            found.push(text.len() - behind.len());
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
            found.push(text.len() - rest.len());
        }
    }
    found.iter().filter_map(|at| text.get(*at..)).collect()
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
