// SPDX-License-Identifier: GPL-2.0

//! What people write who know other languages than TOML: the fix for a text that is no TOML, or not of the
//! shape of a policy.

/// What to do about an error of the TOML parser at a byte of the source.
pub(super) fn fix(source: &str, at: Option<usize>, message: &str) -> &'static str {
    let line = at.map_or("", |at| line_of(source, at));
    let rest = at.and_then(|at| source.get(at..)).unwrap_or_default();
    let code = without_texts(line);
    if message.contains("expected a sequence") || message.starts_with("invalid type: map") {
        for (single, double) in [
            (
                "[device]",
                "write [[device]], with two brackets: there may be several",
            ),
            (
                "[class]",
                "write [[class]], with two brackets: there may be several",
            ),
        ] {
            let header = |line: &str| line.trim_start().starts_with(single);
            if source.lines().any(header) {
                return double;
            }
        }
    }
    if line.contains([
        '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{ab}', '\u{bb}',
    ]) {
        return "write straight quotes, \" or ', as a programmer's editor does";
    }
    if let Some(word) = message
        .strip_prefix("unknown field `")
        .and_then(|m| m.split('`').next())
    {
        let header = match word {
            "devices" => "write [[device]]: one for each selector",
            "classes" => "write [[class]]: one for each class",
            "profiles" if line.trim_start().starts_with('[') => "write [profile.NAME]",
            _ => "",
        };
        if !header.is_empty() && line.trim_start().starts_with('[') {
            return header;
        }
    }
    if message.starts_with("invalid type: string") && message.contains("expected a sequence") {
        return "write a list, in brackets: [\"5e\"]";
    }
    if message.starts_with("invalid type: integer") && message.contains("expected a boolean") {
        return "write true for 1 and false for 0";
    }
    if rest.starts_with(':') || is_key_with_colon(line) {
        return "write = between a key and its value, as in match = { class = \"disk\" }";
    }
    if code.contains("//") || line.trim_start().starts_with(';') || code.contains("; ") {
        return "a comment begins with #";
    }
    if code.contains(';') {
        return "no ; is needed: a line ends a value";
    }
    if is_boolean(word_at(rest)) || is_boolean(value_of(line)) {
        return "write true or false, in small letters and without quotes";
    }
    match message {
        m if m.starts_with("unknown field") && wrong_case(m) => {
            "write the name of the key in small letters"
        }
        m if m.starts_with("unknown field") => "correct the name of the key, or remove it",
        m if m.starts_with("missing field `match`") => {
            "say which devices: match = { wwid = \"naa...\" }"
        }
        m if m.starts_with("missing field") => "add it",
        m if m.starts_with("invalid type") => "write it as sgio-policy(5) shows",
        m if m.starts_with("duplicate key") => "keep one of them",
        _ => "correct the TOML: text stands in quotes, lists in [ ]",
    }
}

fn line_of(source: &str, at: usize) -> &str {
    let before = source.get(..at).unwrap_or(source);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = source.get(start..).unwrap_or_default();
    line.lines().next().unwrap_or_default()
}

/// The line without what stands in straight quotes, and without its comment.
fn without_texts(line: &str) -> String {
    let mut quote = None;
    let mut code = String::new();
    for c in line.chars() {
        match quote {
            None if c == '#' => break,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None => code.push(c),
            Some(open) if open == c => quote = None,
            Some(_) => {}
        }
    }
    code
}

/// `match: {`, as in YAML.
fn is_key_with_colon(line: &str) -> bool {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || c == '{' || c == '-');
    let word = word_at(&line.replace('_', "x")).len();
    word > 0
        && line
            .get(word..)
            .is_some_and(|rest| rest.trim_start().starts_with(':'))
}

fn word_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric());
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn value_of(line: &str) -> &str {
    let value = line.split_once('=').map_or("", |(_, value)| value).trim();
    word_at(value.trim_start_matches(['"', '\'']))
}

fn is_boolean(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    matches!(lower.as_str(), "yes" | "no" | "on" | "off")
        || matches!(lower.as_str(), "true" | "false") && lower != word
}

/// ``unknown field `Match`, expected one of ...``
fn wrong_case(message: &str) -> bool {
    let name = message.split('`').nth(1).unwrap_or_default();
    name.chars().any(|c| c.is_ascii_uppercase())
}
