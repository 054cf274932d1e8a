// SPDX-License-Identifier: GPL-2.0

//! Text in man(7).

use std::fmt::Write as _;

/// How long a line of the source is, before what is special in it is escaped.
pub(super) const WIDTH: usize = 72;

/// What a line of macros begins, as a name, and what is to be said of it.
pub(super) fn item(page: &mut String, head: &str, text: &str) {
    let _ = writeln!(page, ".TP\n{head}");
    paragraph(page, text);
}

/// Text in lines that are not too long.
pub(super) fn paragraph(page: &mut String, text: &str) {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(page, "{}", escape(&line));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        let _ = writeln!(page, "{}", escape(&line));
    }
}

/// Text as it stands, in roff.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('"', "\\(dq");
    if escaped.starts_with(['.', '\'']) {
        escaped.insert_str(0, "\\&");
    }
    escaped
}
