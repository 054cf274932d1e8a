// SPDX-License-Identifier: GPL-2.0

//! CDBs in lines that programs print, behind words that announce them.

use super::{
    cdb_length::length,
    digits::{byte_digits, hex, is_number, tokens},
};
use anyhow::{anyhow, Result};

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

/// The CDBs that are announced in a line, each once, or what is wrong with it; `None` if no word announces any.
///
/// A line of a log has words that a sender chose, as the name of its program, in front of the CDB or behind it. If
/// they announce another CDB, it cannot be told which is meant. What is announced and is no byte is an error too:
/// nothing that was said is left out.
pub(super) fn announced(text: &str) -> Option<Result<Vec<Vec<u8>>>> {
    let text = text.trim();
    let places = labels(text);
    let first = places.first()?.start;
    let mut cdbs: Vec<Vec<u8>> = Vec::new();
    let mut wrong = in_front(text.get(..first).unwrap_or_default());
    // The kernel prints a long CDB in lines of 16 bytes: `CDB[00]: 7f ...` and `CDB[10]: ...`.
    let mut long: Option<Vec<u8>> = None;
    let mut part = false;
    for Labelled { line, bytes, .. } in &places {
        let run = run(bytes, line.is_some());
        if let (true, Some(fault)) = (wrong.is_none(), run.wrong) {
            wrong = Some(fault);
        }
        match (*line, &mut long) {
            (None, _) => cdbs.push(run.bytes),
            (Some(0), _) => cdbs.extend(long.replace(run.bytes)),
            (Some(line), Some(long)) if long.len() == line => long.extend(run.bytes),
            // Part of one, whose beginning is missing.
            (Some(_), _) => part = true,
        }
    }
    if let Some(long) = long {
        part |= is_half(&long);
        cdbs.push(long);
    }
    if part {
        return Some(Err(half(text, &places)));
    }
    cdbs.retain(|cdb| !cdb.is_empty());
    cdbs.sort();
    cdbs.dedup();
    Some(match (cdbs.as_slice(), wrong) {
        ([one, other, ..], _) => Err(anyhow!(
            "'{}' is in the same line as '{}': one of them may be the name of a program; give the bytes alone",
            hex(one),
            hex(other)
        )),
        (_, Some(wrong)) => Err(anyhow!(wrong)),
        _ => Ok(cdbs),
    })
}

/// Tells whether the first line of a long CDB has no second one.
fn is_half(first: &[u8]) -> bool {
    first.len() >= LINE && length(first).is_none_or(|length| length > first.len())
}

/// How many bytes the kernel prints in a line of a long CDB.
const LINE: usize = 16;

/// What to say of one line of a CDB that has two in the kernel's log.
fn half(text: &str, places: &[Labelled<'_>]) -> anyhow::Error {
    let (which, other, place) = match places.iter().any(|place| place.line == Some(0)) {
        true => ("first", "CDB[10]:", "behind"),
        false => ("second", "CDB[00]:", "in front of"),
    };
    anyhow!("'{text}' is the {which} half of a CDB: give the line with {other} {place} it too")
}

/// # Errors
///
/// A line in which two CDBs are announced, or part of one, or more than bytes.
pub(super) fn one_announced(text: &str) -> Result<()> {
    announced(text).transpose().map(|_| ())
}

/// What a word announces.
struct Labelled<'a> {
    /// Where the word begins.
    start: usize,
    /// At which byte of a long CDB the line begins, if the word says so.
    line: Option<usize>,
    /// What stands behind the word, up to the next one that announces something.
    bytes: &'a str,
}

/// What stands behind each word that announces a CDB, as they stand in the text.
fn labels(text: &str) -> Vec<Labelled<'_>> {
    // One of them stands behind each; most texts are names.
    if !text.contains([':', '=']) {
        return Vec::new();
    }
    let lower = text.to_ascii_lowercase();
    // Where the word begins, and what is behind it.
    let mut found: Vec<(usize, usize, Option<usize>)> = Vec::new();
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
            let behind_at = text.len() - behind.len();
            let line = index
                .filter(|_| label == "cdb" && rest.starts_with(':'))
                .filter(|number| !is_length(&text[at..], number, behind))
                .and_then(|number| usize::from_str_radix(number, 16).ok());
            found.push((at, behind_at, line));
        }
    }
    // smartctl -r ioctl: `[inquiry: 12 00 00 00 24 00 ]`, and nothing else in the line.
    let named = text
        .strip_prefix('[')
        .filter(|inner| inner.ends_with(']') && !inner.contains('['))
        .and_then(|inner| inner.split_once(": "));
    if let (true, Some((name, rest))) = (found.is_empty(), named) {
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '<');
        if starts && byte_digits(name).is_none() {
            found.push((0, text.len() - rest.len(), None));
        }
    }
    found.sort_unstable();
    let ends = found.iter().skip(1).map(|(start, ..)| *start);
    let ends: Vec<usize> = ends.chain([text.len()]).collect();
    let label = |((start, behind, line), end): ((usize, usize, Option<usize>), usize)| Labelled {
        start,
        line,
        bytes: text.get(behind..end).unwrap_or_default(),
    };
    found.into_iter().zip(ends).map(label).collect()
}

/// Tells `cdb[6]: 12 00 00 00 24 00`, which says how many bytes there are, from a line of the kernel, which writes `CDB`.
fn is_length(label: &str, number: &str, behind: &str) -> bool {
    label.starts_with("cdb") && number.parse() == Ok(run(behind, false).bytes.len())
}

/// Bytes, and what is wrong with what stands among them or behind them.
#[derive(Default)]
struct Run {
    bytes: Vec<u8>,
    wrong: Option<String>,
}

/// The bytes behind a word that announces them, behind words that are none (`Read(10)`, `opcode=0x85`). `is_line`: they
/// are one line of a long CDB, and another one may follow.
fn run(text: &str, is_line: bool) -> Run {
    let mut run = Run::default();
    let (mut named, mut closed) = (false, false);
    let mut tokens = tokens(text);
    for token in tokens.by_ref() {
        let inner = token.trim_matches(BRACKETS);
        let bytes = &mut run.bytes;
        // As a process that is called so is printed: `5e00[812]`.
        let with_pid = inner
            .split_once('[')
            .filter(|(_, pid)| pid.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|(word, _)| byte_digits(word));
        match byte_digits(inner) {
            // The last word of the kernel's names `Read CD` and `Play CD`; bytes in small letters follow.
            Some(_) if bytes.is_empty() && named && inner == "CD" => continue,
            Some(more) => bytes.extend(more),
            None if with_pid.is_some() => {
                bytes.extend(with_pid.unwrap_or_default());
                break;
            }
            None if inner.is_empty() && bytes.is_empty() => continue,
            None if inner.is_empty() => {
                closed = true;
                break;
            }
            None if bytes.is_empty() && is_name(inner) => {
                named = true;
                continue;
            }
            None if !bytes.is_empty() && is_end(token, inner) => break,
            None => {
                run.wrong = Some(no_byte(inner, bytes));
                return run;
            }
        }
        if is_line && bytes.len() >= LINE {
            return run;
        }
        // What is behind the closing bracket or quote is something else.
        if token.ends_with([']', '}', ')', '"']) {
            closed = true;
            break;
        }
    }
    if run.bytes.is_empty() {
        if named {
            run.wrong = Some(format!(
                "'{}': a CDB is announced, and no bytes follow",
                text.trim()
            ));
        }
        return run;
    }
    let rest: Vec<&str> = tokens.collect();
    let first = rest.first().filter(|_| closed);
    let first = first.map(|token| token.trim_matches(BRACKETS));
    let more = first.filter(|first| is_number(first)).map(str::to_owned);
    if let Some(more) = more.or_else(|| bytes_among(&rest)) {
        run.wrong = Some(format!(
            "'{more}' stands behind '{}' and does not belong to it: give the bytes of one CDB alone",
            hex(&run.bytes)
        ));
    }
    run
}

const BRACKETS: &[char] = &['[', ']', '{', '}', '(', ')', '"', '\''];

/// Tells whether a word in front of the bytes is of a name, and no byte with a mistake in it: `Read(10)`, `opcode=0x85`.
fn is_name(word: &str) -> bool {
    // Letters that look like digits; `to` and `in` are of names.
    let like_digits = |c: char| c.is_ascii_hexdigit() || "OolI".contains(c);
    let mistyped = word.len() < 2 || word.len() == 2 && word.chars().all(like_digits);
    word.contains('=')
        || !mistyped
            && !word.starts_with(|c: char| c.is_ascii_digit() || c == '\\' || c == '.')
            && !is_left_out(word)
}

/// Tells whether a word stands behind a CDB in lines that programs print: `pid=812`, `from x[812]`, `(read-keys)`, `+ 23 x 00`,
/// the time of the next line of a log.
fn is_end(token: &str, inner: &str) -> bool {
    let is_fact = |(key, value): (&str, &str)| key.len() > 1 && key.is_ascii() && !value.is_empty();
    token.split_once('=').is_some_and(is_fact)
        || token.starts_with('(')
        || ["from", "+"].contains(&inner)
        || token.starts_with('[') && inner.len() > 2 && !is_left_out(inner)
}

/// Tells whether a word stands for bytes that a user or a program has left out.
fn is_left_out(word: &str) -> bool {
    word.contains("...") || word.contains('\u{2026}')
}

/// What is wrong with a word among bytes.
fn no_byte(word: &str, before: &[u8]) -> String {
    let place = match before {
        [] => String::new(),
        before => format!(" behind '{}'", hex(before)),
    };
    match word {
        _ if is_left_out(word) => format!(
            "'{word}'{place}: the CDB is cut off there; give all of its bytes ('strace -s 64' prints them)"
        ),
        _ if word.starts_with('\\') => {
            format!("'{word}'{place} is no byte: a byte has two hex digits, as 'strace -xx' prints them")
        }
        _ if is_number(word) && word.trim_start_matches("0x").len() == 1 => {
            let digit = word.trim_start_matches("0x");
            format!("'{word}'{place}: a byte has two digits: write '0{digit}', if it is hex")
        }
        _ => format!(
            "'{word}'{place} is no byte: a byte has two hex digits, and what else is in the line has to be left out"
        ),
    }
}

/// Bytes that stand alone in a text, two or more with blanks between them, outside of `sb[18]=[70, 00]`.
fn bytes_among(words: &[&str]) -> Option<String> {
    let mut inside = false;
    let mut last: Option<&str> = None;
    for word in words {
        let is_byte = byte_digits(word).is_some() && word.trim_start_matches("0x").len() == 2;
        match (inside, last) {
            (false, Some(last)) if is_byte => return Some(format!("{last} {word}")),
            (false, _) => last = Some(*word).filter(|_| is_byte),
            (true, _) => last = None,
        }
        inside =
            (inside || word.contains("=[") || word.contains("={")) && !word.contains([']', '}']);
    }
    None
}

/// What is wrong with a text in front of the first word that announces a CDB: times and addresses may stand there, and no
/// bytes.
fn in_front(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let bytes = bytes_among(&words)?;
    Some(format!(
        "'{bytes}' stands in front of the word that announces a CDB: give the bytes of one CDB alone"
    ))
}
