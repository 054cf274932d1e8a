// SPDX-License-Identifier: GPL-2.0

//! CDBs in hex: the one notation of all commands, policy files and logs.
//!
//! A CDB is its bytes, of two digits each, with or without `0x` or `\x` in front, with blanks, commas or colons
//! between them or nothing, and with or without brackets or quotes around them. What a program prints in front of
//! it may stay, if the bytes come after `cdb:`, `cdb=` or `cmdp=`: lines of the kernel's log, of strace, of sg3_utils,
//! of smartctl and of the audit log.
//!
//! Where opcodes can stand as well, as in `sgioctl allow`, `5f 06` is a CDB that ends early, or two opcodes.
//! [`Form`] tells what is certain from what is not; `cdb:5f 06` and `op:5f,06` say which is meant.

use anyhow::{anyhow, bail, Result};
use sgio_policy::policy::MAX_CDB;

/// How sure it is that bytes are a CDB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Two digits: in a list of commands, an opcode.
    One,
    /// Bytes with blanks between them: a CDB, or opcodes one after the other.
    Blanks,
    /// Bytes with commas between them and nothing else: a CDB, or a rule's list of opcodes.
    Commas,
    /// Bytes that are written as programs print a CDB: with `0x` or brackets, or nothing between them. One that ends early
    /// may be opcodes all the same.
    Certain,
    /// A CDB: it is called one (`cdb:`).
    Labelled,
}

/// Bytes as they were written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bytes {
    /// At least one.
    pub bytes: Vec<u8>,
    /// What else they could be.
    pub form: Form,
}

impl Bytes {
    /// Tells whether they are as many as a CDB with that opcode has; of a vendor specific one, as the shortest has.
    pub fn is_complete(&self) -> bool {
        match length(&self.bytes) {
            Some(length) => self.bytes.len() == length,
            None => self.bytes.len() >= 6,
        }
    }

    /// Tells whether a byte is there twice, as no list of opcodes has it.
    pub fn has_twins(&self) -> bool {
        let mut bytes = self.bytes.iter().enumerate();
        bytes.any(|(at, byte)| self.bytes[..at].contains(byte))
    }

    /// What to say of bytes that can be a CDB or opcodes.
    pub fn two_readings(&self, cdb: &str, opcodes: &str) -> anyhow::Error {
        let (written, list) = (hex(&self.bytes), hex(&self.bytes).replace(' ', ","));
        anyhow!(
            "'{written}' can be read in two ways: as one CDB{cdb}, which 'cdb:{written}' says; or as the opcodes \
             {opcodes}, which 'op:{list}' says"
        )
    }
}

/// The bytes of a CDB as people write them.
pub fn hex(cdb: &[u8]) -> String {
    let bytes: Vec<String> = cdb.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

/// The bytes of a CDB, where nothing but a CDB can stand.
///
/// # Errors
///
/// Anything else, and a CDB of 0 or more than 32 bytes.
pub fn cdb(text: &str) -> Result<Vec<u8>> {
    one_announced(text)?;
    let Some(Bytes { bytes, .. }) = read(text) else {
        bail!("'{text}' is no hex bytes: two digits a byte are wanted");
    };
    if bytes.len() > MAX_CDB {
        bail!("a CDB has 1 to {MAX_CDB} bytes, not {}", bytes.len());
    }
    Ok(bytes)
}

/// The bytes of a CDB in a list of CDBs and names, where no opcodes can stand. What means opcodes elsewhere is
/// no CDB here.
///
/// # Errors
///
/// As of [`cdb`], and of a list of opcodes.
pub fn one(item: &str) -> Result<Vec<u8>> {
    match read(item) {
        Some(bytes)
            if bytes.form == Form::Commas && !(bytes.is_complete() && bytes.has_twins()) =>
        {
            // Opcodes have no place here, so that nobody is told how to write them.
            let written = hex(&bytes.bytes);
            bail!(
                "'{item}' means opcodes where opcodes can stand, and here a CDB is wanted: write 'cdb:{written}' \
                 for one CDB, or each opcode as a CDB of its own, as 'cdb:{:02x}'",
                bytes.bytes.first().copied().unwrap_or_default()
            );
        }
        None if item.trim_start().starts_with("op:") => bail!(
            "'{item}' is opcodes, and here a CDB is wanted: give each as a CDB of its own, as 'cdb:5f'"
        ),
        _ => cdb(item),
    }
}

/// The bytes that a text is; `None` if it is something else, like a name or the fields of a rule.
pub fn read(text: &str) -> Option<Bytes> {
    if let Some(announced) = announced(text) {
        let form = Form::Labelled;
        return match <[_; 1]>::try_from(announced) {
            Ok([bytes]) => Some(Bytes { bytes, form }),
            Err(_) => None,
        };
    }
    let trimmed = text.trim();
    let inside = trimmed.trim_matches(|c: char| "[]{}()\"'".contains(c) || c.is_whitespace());
    // One bracket alone, as the argument `[5f`, is none of ours.
    let brackets = inside.len() != trimmed.len();
    let (inside, comma) = match inside.strip_suffix(',') {
        Some(inside) => (inside, true),
        None => (inside, false),
    };
    // An offset, as xxd prints it: the bytes behind it may be any part of a CDB.
    if inside
        .split_once(": ")
        .is_some_and(|(offset, _)| offset.len() >= 4 && is_number(offset))
    {
        return None;
    }
    let mut bytes = Vec::new();
    let mut long = false;
    for token in tokens(inside) {
        let token = byte_digits(token)?;
        long |= token.len() > 1;
        bytes.extend(token);
    }
    let escaped = inside.contains("\\x");
    let form = match bytes.len() {
        0 => return None,
        // A list that ends too early.
        1 if comma => return None,
        _ if brackets || escaped || long || inside.contains(':') => Form::Certain,
        1 => Form::One,
        _ if !inside.contains(',') => Form::Blanks,
        _ if inside.contains([' ', '\t']) || inside.contains("0x") => Form::Certain,
        _ => Form::Commas,
    };
    Some(Bytes { bytes, form })
}

/// The length that the standards give a CDB; none where they leave it open.
pub fn length(cdb: &[u8]) -> Option<usize> {
    match *cdb.first()? {
        0x00..=0x1f => Some(6),
        0x20..=0x5f => Some(10),
        0x7f => Some(usize::from(cdb.get(7).copied().unwrap_or(0)) + 8),
        0x80..=0x9f => Some(16),
        0xa0..=0xbf => Some(12),
        _ => None,
    }
}

/// The words of a command line, in groups that belong together: bytes that stand alone are one CDB, and the
/// fields of a rule belong to the opcode before them. So it does not matter what is quoted.
///
/// # Errors
///
/// Words that can be grouped in two ways.
pub fn items(words: &[String]) -> Result<Vec<String>> {
    let all = words.join(" ");
    if words.len() > 1 && announced(&all).is_some() {
        one_announced(&all)?;
        return Ok(vec![all]);
    }
    words.iter().try_for_each(|word| one_announced(word))?;
    let mut items: Vec<String> = Vec::new();
    let mut rest = words;
    while let [first, tail @ ..] = rest {
        if is_field(first) && !items.is_empty() {
            if let Some(last) = items.last_mut() {
                *last += &format!(" {first}");
            }
            rest = tail;
            continue;
        }
        let run = rest.iter().take_while(|word| is_lone_byte(word)).count();
        let (run, behind) = rest.split_at(run);
        let joined = match run {
            [] => first.clone(),
            run => run.join(" "),
        };
        let (joined, next) = match run {
            [] => (joined, tail),
            _ => (joined, behind),
        };
        // '5f00 05' is one CDB, or two.
        let touches = |item: Option<&String>| item.is_some_and(|item| is_long(item));
        if !run.is_empty() && (touches(items.last()) || touches(next.first())) {
            let before = items.last().filter(|item| is_long(item));
            let after = next.first().filter(|item| is_long(item));
            let parts: Vec<&str> = [before, Some(&joined), after]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            bail!(
                "'{}' can be read as one CDB or as {}: write each CDB without blanks, or in quotes",
                parts.join(" "),
                parts.len()
            );
        }
        items.push(joined);
        rest = next;
    }
    Ok(items)
}

/// The bytes that are taken for those that a CDB lacks at its end, in words; none if it has its length.
pub fn assumed(cdb: &[u8]) -> Option<String> {
    let given = cdb.len();
    let (last, many) = match length(cdb) {
        Some(standard) if standard > given => (standard - 1, standard - 1 > given),
        // Of variable length, where that is not told.
        None if given == 1 => return Some("all bytes behind the opcode are 00".into()),
        _ => return None,
    };
    Some(match many {
        true => format!("bytes {given} to {last} are 00"),
        false => format!("byte {last} is 00"),
    })
}

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
fn announced(text: &str) -> Option<Vec<Vec<u8>>> {
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
fn one_announced(text: &str) -> Result<()> {
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

fn is_number(token: &str) -> bool {
    let digits = token.strip_prefix("0x").unwrap_or(token);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | ':');
    text.split(between).filter(|token| !token.is_empty())
}

/// The bytes of one token: `5f`, `0x5f`, `5f06`, `\x5f\x06`.
fn byte_digits(token: &str) -> Option<Vec<u8>> {
    let plain;
    let token = match token.strip_prefix("\\x") {
        Some(rest) => {
            plain = rest.replace("\\x", "");
            plain.as_str()
        }
        None => {
            let stripped = token.strip_prefix("0x").or(token.strip_prefix("0X"));
            stripped.unwrap_or(token)
        }
    };
    if token.is_empty() || token.len() % 2 != 0 {
        return None;
    }
    let pairs = token.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()
        })
        .collect()
}

/// An argument that is one byte of a CDB, maybe the first or the last in brackets.
fn is_lone_byte(word: &str) -> bool {
    let word = word.strip_prefix(['[', '{']).unwrap_or(word);
    let word = word.strip_suffix([']', '}', ',']).unwrap_or(word);
    byte_digits(word).is_some_and(|bytes| bytes.len() == 1)
}

/// An argument that is several bytes without anything between them.
fn is_long(word: &str) -> bool {
    byte_digits(word).is_some_and(|bytes| bytes.len() > 1)
}

/// The field of a rule: `[1]&1f=00`.
fn is_field(word: &str) -> bool {
    let inner = word.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    inner.is_some_and(|(number, rest)| {
        !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
            && rest.starts_with(['=', '&'])
    })
}

#[cfg(test)]
mod tests {
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
}
