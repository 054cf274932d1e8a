// SPDX-License-Identifier: GPL-2.0

//! Bytes and hex digits.

/// The bytes of a CDB as people write them.
pub fn hex(cdb: &[u8]) -> String {
    let bytes: Vec<String> = cdb.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

/// Bytes as a rule lists opcodes and values: `5e,5f`.
pub fn list(bytes: &[u8]) -> String {
    hex(bytes).replace(' ', ",")
}

pub(super) fn is_number(token: &str) -> bool {
    let digits = token.strip_prefix("0x").unwrap_or(token);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Bytes as the standards write them, `5Eh 00h`, without the `h`; `None` if they are not written so.
pub fn without_h(text: &str) -> Option<String> {
    let byte = |token: &str| {
        let digits = token.strip_suffix(['h', 'H'])?;
        let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        (digits.len() == 2 && hex).then(|| digits.to_ascii_lowercase())
    };
    let bytes: Option<Vec<String>> = tokens(text).map(byte).collect();
    bytes
        .filter(|bytes| !bytes.is_empty())
        .map(|bytes| bytes.join(" "))
}

pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | ':');
    text.split(between).filter(|token| !token.is_empty())
}

/// The bytes of one token: `5f`, `0x5f`, `5f06`, `\x5f\x06`.
pub(super) fn byte_digits(token: &str) -> Option<Vec<u8>> {
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
