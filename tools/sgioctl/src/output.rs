// SPDX-License-Identifier: GPL-2.0

//! Where answers go: text for people, JSON for programs.
//!
//! All that is printed goes through [`print`], [`emit`] and [`note`], which let no control character of
//! others reach the terminal, not even where a caller forgets to escape it.

use anyhow::{Context as _, Result};
use serde::Serialize;
use std::{
    borrow::Cow,
    cell::RefCell,
    fmt,
    io::{self, Write as _},
};

/// The schema of all JSON: it changes when something is taken away or means something else, not
/// when something is added.
pub const SCHEMA: &str = "sgioctl/1";

/// Text or JSON, on standard output.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: &'static str,
    command: &'a str,
    #[serde(flatten)]
    answer: &'a T,
}

fn envelope<'a, T>(command: &'a str, answer: &'a T) -> Envelope<'a, T> {
    Envelope {
        schema: SCHEMA,
        command,
        answer,
    }
}

impl Output {
    /// JSON or text.
    pub fn new(json: bool) -> Output {
        Output { json }
    }

    /// Tells whether JSON was asked for.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints the answer of `command`: as JSON `{"schema": ..., "command": ..., <fields of
    /// answer>}` (so `answer` must be a struct or a map), or by `text`.
    ///
    /// # Errors
    ///
    /// An answer that is no object.
    pub fn answer<T: Serialize>(
        self,
        command: &str,
        answer: &T,
        text: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        if !self.json {
            return text();
        }
        let text = serde_json::to_string_pretty(&envelope(command, answer))?;
        print(&json_line(&text))
    }

    /// The same as one line, for answers that come one by one.
    ///
    /// # Errors
    ///
    /// An answer that is no object.
    pub fn line<T: Serialize>(
        self,
        command: &str,
        answer: &T,
        text: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        if !self.json {
            return text();
        }
        let text = serde_json::to_string(&envelope(command, answer))?;
        emit(&json_line(&text))?;
        Ok(())
    }
}

/// Writes text to standard output. That nobody reads on (`sgioctl list | head`) is no error.
///
/// # Errors
///
/// Standard output cannot be written for another reason.
pub fn print(text: &str) -> Result<()> {
    match emit(text) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Writes text to standard output at once, for a reader that follows it.
///
/// # Errors
///
/// Standard output cannot be written; [`io::ErrorKind::BrokenPipe`] if nobody reads any more.
pub fn emit(text: &str) -> io::Result<()> {
    let text = escaped(text, |c| c == '\n');
    if captured(&text) {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

thread_local! {
    /// What a test or a fuzzer gets instead of the terminal.
    static CAPTURED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does something, and returns what it would have printed, standard error included.
pub fn capture<T>(what: impl FnOnce() -> T) -> (T, String) {
    CAPTURED.with_borrow_mut(|captured| *captured = Some(String::new()));
    let result = what();
    let text = CAPTURED.with_borrow_mut(Option::take);
    (result, text.unwrap_or_default())
}

fn captured(text: &str) -> bool {
    CAPTURED.with_borrow_mut(|captured| {
        let captured = captured.as_mut().map(|all| all.push_str(text));
        captured.is_some()
    })
}

/// Writes a message to standard error, on one line whatever names are in it. If that cannot be written, there is
/// nobody to tell.
pub fn note(text: &str) {
    say(&format!("sgioctl: {}\n", printable(text)));
}

/// The same on several lines, each of which is fit for a terminal.
pub fn notes(text: &str) {
    usage(&format!("sgioctl: {text}\n"));
}

/// Writes what is wrong with the command line to standard error: lines in which arguments stand as they were given.
pub fn usage(text: &str) {
    say(&escaped(text, |c| c == '\n'));
}

fn say(text: &str) {
    if captured(text) {
        return;
    }
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// A change that is in force, but whose report could not be written.
#[derive(Debug)]
pub struct Unreported;

impl fmt::Display for Unreported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the change is in force, but the report of it could not be written")
    }
}

/// What came of a report: if it follows a change in force, its error is [`Unreported`].
///
/// # Errors
///
/// Those of the report.
pub fn reported(report: Result<()>, changed: bool) -> Result<()> {
    match changed {
        true => report.context(Unreported),
        false => report,
    }
}

/// Text that others chose (a device's name for itself, a process's name), fit for one line of a terminal
/// and for a comment: control characters, line breaks included, and what turns or hides text are escaped.
pub fn printable(text: &str) -> String {
    escaped(text, |_| false).into_owned()
}

fn escaped(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    // Most text is plain, and may be long.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') || byte.is_ascii() && keep(byte.into());
    if text.bytes().all(is_plain) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) && !keep(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped.into()
}

/// JSON as a line: what is not safe on a terminal is in strings only, and can be escaped there.
fn json_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if is_unsafe(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                line.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

/// Tells whether a terminal may do something else with it than show it where it stands: control
/// characters, those that change the direction of text, and those that are not seen.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Each on a line of its own.
pub fn lines(lines: &[&str]) -> String {
    let mut text = lines.join("\n");
    if !lines.is_empty() {
        text.push('\n');
    }
    text
}

/// Lines in columns; the last is not padded. A cell is a name that others chose as likely as not: it stays on its line.
pub fn columns(rows: &[Vec<String>]) -> String {
    let row = |row: &Vec<String>| row.iter().map(|cell| printable(cell)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A switch in words.
pub fn on_off(on: bool) -> &'static str {
    if on {
        "on"
    } else {
        "off"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_needed() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let text = columns(&[row(["A", "B", "C"]), row(["long", "", "x"])]);
        assert_eq!(text, "A     B  C\nlong     x\n");
    }

    #[test]
    fn json_stays_the_same_text() {
        let value = serde_json::json!({ "a": "\u{202e}\u{9b}\u{e0041}x\n\u{1b}" });
        let line = json_line(&value.to_string());
        assert!(!line.trim_end().contains(is_unsafe), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read, value);
    }

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        assert_eq!(printable("a\x1b[2Jb\tc"), "a\\u{1b}[2Jb\\tc");
        assert_eq!(printable("Müller"), "Müller");
        assert_eq!(printable("a\nb"), "a\\nb");
        assert_eq!(printable("\u{202e}b\u{9b}"), "\\u{202e}b\\u{9b}");
    }
}
