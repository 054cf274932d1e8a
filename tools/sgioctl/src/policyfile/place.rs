// SPDX-License-Identifier: GPL-2.0

//! Where something stands in a file, and what is wrong with it.

use crate::output::printable;
use serde::Serialize;
use std::{fmt, ops::Range};

/// A place in a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// Line, counted from 1; 0 for the file as a whole.
    pub line: usize,
    /// Character in the line, counted from 1; 0 for the file as a whole.
    pub column: usize,
}

impl Place {
    /// The file as a whole.
    pub fn whole(file: &str) -> Place {
        Place {
            file: file.to_owned(),
            line: 0,
            column: 0,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}

/// Something, and where it stands.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// What.
    pub value: T,
    /// Where.
    pub place: Place,
}

/// What is wrong, where, and what to do about it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl Fault {
    /// A fault.
    pub fn new(place: &Place, message: impl Into<String>, fix: impl Into<String>) -> Fault {
        Fault {
            place: place.clone(),
            message: message.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names and texts of files are those of whoever wrote them.
        let line = format!("{}: {}; {}", self.place, self.message, self.fix);
        f.write_str(&printable(&line))
    }
}

/// All that is wrong; never nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut newline = "";
        for fault in &self.0 {
            write!(f, "{newline}{fault}")?;
            newline = "\n";
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// The text of a file, to find places in.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    /// The file, as it was named.
    pub file: &'a str,
    /// What is in it.
    pub source: &'a str,
    /// Where its lines begin, so that a place is not counted from the beginning each time.
    starts: Vec<usize>,
}

impl<'a> Text<'a> {
    /// The text of a file.
    pub fn new(file: &'a str, source: &'a str) -> Text<'a> {
        let ends = source.match_indices('\n').map(|(at, _)| at + 1);
        Text {
            file,
            source,
            starts: std::iter::once(0).chain(ends).collect(),
        }
    }

    /// The place of a byte.
    pub fn place(&self, offset: usize) -> Place {
        let offset = offset.min(self.source.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let before = self.source.get(start..offset).unwrap_or_default();
        Place {
            file: self.file.to_owned(),
            line,
            column: 1 + before.chars().count(),
        }
    }

    /// The place of a line and column (both from 1) of the string whose literal stands at `span`.
    ///
    /// Where escapes make the value differ from what stands in the file, it is the place of the
    /// literal.
    pub fn in_string(&self, span: Range<usize>, line: usize, column: usize) -> Place {
        let whole = self.place(span.start);
        let literal = self.source.get(span.clone()).unwrap_or_default();
        let (quotes, raw) = match literal {
            l if l.starts_with("\"\"\"") => (3, false),
            l if l.starts_with("'''") => (3, true),
            l if l.starts_with('"') => (1, false),
            l if l.starts_with('\'') => (1, true),
            _ => return whole,
        };
        let mut content = literal.get(quotes..).unwrap_or_default();
        if !raw && content.contains('\\') {
            return whole;
        }
        let mut start = span.start + quotes;
        if quotes == 3 {
            // The line break behind the quotes does not belong to the string.
            for newline in ["\r\n", "\n"] {
                if let Some(rest) = content.strip_prefix(newline) {
                    (content, start) = (rest, start + newline.len());
                    break;
                }
            }
        }
        for _ in 1..line {
            let Some(at) = content.find('\n') else { break };
            (content, start) = (content.get(at + 1..).unwrap_or_default(), start + at + 1);
        }
        let mut place = self.place(start);
        place.column += column.saturating_sub(1);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn places_in_strings() {
        let source = "a = \"xy\"\nb = \"\"\"\none\n  two\"\"\"\nc = '''x\ny'''\nd = \"\\tx\"\n";
        let text = Text::new("f", source);
        for (literal, line, column, expected) in [
            ("\"xy\"", 1, 2, (1, 7)),
            ("\"\"\"\none\n  two\"\"\"", 1, 1, (3, 1)),
            ("\"\"\"\none\n  two\"\"\"", 2, 3, (4, 3)),
            ("'''x\ny'''", 1, 1, (5, 8)),
            ("'''x\ny'''", 2, 1, (6, 1)),
            ("\"\\tx\"", 1, 2, (7, 5)),
        ] {
            let start = source.find(literal).unwrap();
            let place = text.in_string(start..start + literal.len(), line, column);
            assert_eq!((place.line, place.column), expected, "{literal}");
        }
    }
}
