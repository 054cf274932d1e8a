// SPDX-License-Identifier: GPL-2.0

//! What is wrong with a text that is nearly the bytes of a CDB, and how to write it.

use super::{
    announced::announced,
    bytes::read,
    digits::{hex, is_number, list, tokens},
};

/// What to do about a text that is no bytes as it stands; `None` if nothing is known to be wrong with it.
pub fn mistake(text: &str) -> Option<String> {
    let text = text.trim();
    if read(text).is_some() {
        return None;
    }
    if let Some(Err(wrong)) = announced(text) {
        return Some(wrong.to_string());
    }
    if let Some(wrong) = cut_off(text).or_else(|| short_bytes(text)) {
        return Some(wrong);
    }
    if let Some((bytes, _)) = text
        .split_once('#')
        .filter(|(bytes, _)| read(bytes).is_some())
    {
        let bytes = bytes.trim();
        return Some(format!(
            "'{text}': a comment has no place here: write '{bytes}'"
        ));
    }
    if let Some(wrong) = behind_a_word(text) {
        return Some(wrong);
    }
    let (offset, rest) = text.split_once([' ', ':'])?;
    let rest = rest.split('|').next().unwrap_or(rest);
    if offset.len() >= 4 && is_number(offset) && offset.len() % 4 == 0 {
        if let Some(found) = read(rest) {
            let message = format!(
                "'{text}' begins with the offset of a dump: give the bytes alone, if this is all of the CDB: '{}'",
                hex(&found.bytes)
            );
            return Some(message).filter(|_| offset.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }
    None
}

/// The same for bytes with other characters between them or around them. A list with ranges (`c0-ff`) looks like that, so
/// it is to be asked about what is no rule either.
pub fn other_marks(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(opcodes) = text.strip_prefix("op:").and_then(read) {
        let list = list(&opcodes.bytes);
        return Some(format!(
            "'{text}': opcodes have commas between them: write 'op:{list}'"
        ));
    }
    let inside = text.strip_prefix("b'").unwrap_or(text);
    let plain = inside.replace(['-', ';', '_', '<', '>', '|', '.', '\''], " ");
    let found = read(&plain).filter(|found| plain != text && found.bytes.len() > 2)?;
    Some(format!(
        "'{text}': bytes have blanks, commas or colons between them, or nothing: write '{}'",
        hex(&found.bytes)
    ))
}

/// A CDB behind words that announce none here: `SG_IO: 12 00 ...`, `>>> 12 00 ...`.
fn behind_a_word(text: &str) -> Option<String> {
    let at = text.rfind([':', '>'])?;
    let (word, bytes) = text.split_at_checked(at)?;
    let bytes = bytes.get(1..)?.trim();
    let found = read(bytes).filter(|found| found.bytes.len() >= 6)?;
    let other = |c: char| !c.is_ascii_hexdigit() && c != ':';
    let is_word = !word.ends_with("op") && (word.is_empty() || word.contains(other));
    is_word.then(|| {
        let bytes = hex(&found.bytes);
        format!("'{text}': if the bytes at its end are a CDB, give them alone: '{bytes}'")
    })
}

/// strace prints so many characters of a string as its option -s says.
fn cut_off(text: &str) -> Option<String> {
    let (bytes, _) = text.split_once("...").or(text.split_once('\u{2026}'))?;
    if bytes.contains("\\x") {
        return Some(format!(
            "'{text}': the CDB is cut off; 'strace -s 64' prints all of it"
        ));
    }
    let inside = bytes.trim_matches(|c: char| "[]{}()\"'".contains(c) || c.is_whitespace());
    let mut all = tokens(inside).peekable();
    (all.peek().is_some() && all.all(is_number)).then(|| {
        format!("'{text}': the CDB is cut off; give all of its bytes, with two digits each")
    })
}

/// Bytes with a digit too few.
fn short_bytes(text: &str) -> Option<String> {
    let inside = text.trim_matches(|c: char| "[]{}()\"'".contains(c));
    let all: Vec<&str> = tokens(inside).collect();
    let digits = |token: &str| token.strip_prefix("0x").unwrap_or(token).len();
    let short = all.iter().any(|token| digits(token) == 1);
    let bytes = |token: &&str| is_number(token) && digits(token) <= 2;
    if all.len() < 2 || !short || !all.iter().all(bytes) {
        return None;
    }
    let marked = all.iter().filter(|token| token.starts_with("0x")).count();
    let unmarked = |token: &&&str| !token.starts_with("0x") && digits(token) == 2;
    if let (true, Some(decimal)) = (marked > 0, all.iter().find(unmarked)) {
        return Some(format!(
            "'{text}': write each byte with two hex digits; '{decimal}' may be decimal"
        ));
    }
    let padded = all
        .iter()
        .map(|token| format!("{:0>2}", token.strip_prefix("0x").unwrap_or(token)));
    let padded = padded.collect::<Vec<_>>().join(" ");
    Some(format!(
        "'{text}': a byte has two digits: write '{padded}', if these are hex"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_bytes_is_told_with_the_fix() {
        for (text, fix) in [
            ("cmdp=\"\\x5e\\x00\"..., mx_sb_len=32", "strace -s 64"),
            ("\\x5e\\x00...", "strace -s 64"),
            ("5e 0 0 0", "write '5e 00 00 00'"),
            ("1 2 0 0", "write '01 02 00 00'"),
            ("0x5e,0x0,0x0", "write '5e 00 00'"),
            ("0x12,0,0,0,36,0", "'36' may be decimal"),
            ("[12 0 0 0 24 0]", "write '12 00 00 00 24 00'"),
            ("12 00 00 00 24 00 # INQUIRY", "write '12 00 00 00 24 00'"),
            ("SG_IO: 12 00 00 00 24 00", "give them alone: '12 00"),
            (">>> 12 00 00 00 24 00", "give them alone: '12 00"),
            ("{0x5e, 0x0, ...}", "two digits each"),
            ("12 00 \u{2026}", "cut off"),
            ("cdb:5", "write '05'"),
            ("sd 6:0:0:0: [sda] tag#12 CDB: 12 00 0", "write '00'"),
            ("00000000: 1200 0000 2400", "'12 00 00 00 24 00'"),
            (
                "00000000  12 00 00 00 24 00  |....$.|",
                "'12 00 00 00 24 00'",
            ),
        ] {
            let found = mistake(text);
            assert!(
                found.as_deref().is_some_and(|found| found.contains(fix)),
                "{text}: {found:?}"
            );
        }
        for (text, fix) in [
            ("12-00-00-00-24-00", "'12 00 00 00 24 00'"),
            ("op:5e 5f", "write 'op:5e,5f'"),
            ("12;00;00;00;24;00", "'12 00 00 00 24 00'"),
            ("<12 00 00 00 24 00>", "'12 00 00 00 24 00'"),
            ("b'\\x12\\x00\\x00'", "'12 00 00'"),
        ] {
            let found = other_marks(text);
            assert!(
                found.as_deref().is_some_and(|found| found.contains(fix)),
                "{text}: {found:?}"
            );
        }
        for text in [
            "",
            "5",
            "5f",
            "5f 06",
            "unmap",
            "c0-ff",
            "5f [1]&1f=00",
            "add 5",
            "12 000 24",
            "op:01,02,03,04,05,06",
            "unmap op:01,02,03,04,05,06",
            "5f [1]=00,01,02,03,04,05",
        ] {
            assert_eq!(mistake(text), None, "{text}");
        }
    }
}
