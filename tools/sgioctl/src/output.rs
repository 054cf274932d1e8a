// SPDX-License-Identifier: GPL-2.0

//! Where answers go: text for people, JSON for programs.

use anyhow::Result;
use serde::Serialize;
use std::io::{self, Write as _};

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
        print(&format!("{text}\n"))
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
        emit(&format!("{text}\n"))?;
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

/// Writes text to standard output at once, for whoever reads it while more comes.
///
/// # Errors
///
/// Standard output cannot be written; [`io::ErrorKind::BrokenPipe`] if nobody reads any more.
pub fn emit(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Text that others chose (a device's name for itself, a process's name), fit for a terminal:
/// control characters are escaped.
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = (!c.is_control()).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// Lines in columns; the last is not padded.
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
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
    fn nothing_reaches_the_terminal_but_text() {
        assert_eq!(printable("a\x1b[2Jb\tc"), "a\\u{1b}[2Jb\\tc");
        assert_eq!(printable("Müller"), "Müller");
    }
}
