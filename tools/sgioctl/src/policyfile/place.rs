// SPDX-License-Identifier: GPL-2.0

//! Where something stands in a file, and what is wrong with it.

use crate::output::printable;
use serde::Serialize;
use std::{cell::Cell, fmt, ops::Range};

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
        // The names and texts of files come from the author of the file.
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
    /// Offset and column of the last place: a list of a thousand items may stand on one line.
    last: Cell<(usize, usize)>,
}

impl<'a> Text<'a> {
    /// The text of a file.
    pub fn new(file: &'a str, source: &'a str) -> Text<'a> {
        let ends = source.match_indices('\n').map(|(at, _)| at + 1);
        Text {
            file,
            source,
            starts: std::iter::once(0).chain(ends).collect(),
            last: Cell::new((0, 1)),
        }
    }

    /// The place of a byte.
    pub fn place(&self, offset: usize) -> Place {
        let offset = offset.min(self.source.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let (last, column) = self.last.get();
        // From the last place, if that is before this one on its line.
        let (from, column) = match (start..=offset).contains(&last) {
            true => (last, column),
            false => (start, 1),
        };
        let before = self.source.get(from..offset).unwrap_or_default();
        let column = column + before.chars().count();
        self.last.set((offset, column));
        Place {
            file: self.file.to_owned(),
            line,
            column,
        }
    }

    /// The string whose literal stands at `span`, to find places in.
    pub fn string(&self, span: Range<usize>) -> StringText {
        let whole = self.place(span.start);
        let literal = self.source.get(span.clone()).unwrap_or_default();
        let (quotes, raw) = match literal {
            l if l.starts_with("\"\"\"") => (3, false),
            l if l.starts_with("'''") => (3, true),
            l if l.starts_with('"') => (1, false),
            l if l.starts_with('\'') => (1, true),
            _ => return StringText { whole, start: None },
        };
        let content = literal.get(quotes..).unwrap_or_default();
        if !raw && content.contains('\\') {
            return StringText { whole, start: None };
        }
        let mut start = span.start + quotes;
        if quotes == 3 {
            // The line break behind the quotes does not belong to the string.
            let newline = ["\r\n", "\n"].into_iter().find(|n| content.starts_with(n));
            start += newline.map_or(0, str::len);
        }
        let start = Some(self.place(start));
        StringText { whole, start }
    }
}

/// The value of a string literal, to find places in.
#[derive(Clone, Debug)]
pub struct StringText {
    /// Where the literal stands.
    whole: Place,
    /// Where its value begins; none where escapes make the value differ from what stands in the file.
    start: Option<Place>,
}

impl StringText {
    /// The place of a line and column, both from 1; that of the literal where no other can be told.
    pub fn place(&self, line: usize, column: usize) -> Place {
        let mut place = match &self.start {
            Some(start) => start.clone(),
            None => return self.whole.clone(),
        };
        if line > 1 {
            place.line += line - 1;
            place.column = 1;
        }
        place.column += column.saturating_sub(1);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn places_are_the_same_in_any_order() {
        let source = "a = [1, 2]\nb\u{e9} = [3, 4]\nc\n";
        let offsets: Vec<usize> = source.char_indices().map(|(at, _)| at).collect();
        let fresh = |at: &usize| Text::new("f", source).place(*at);
        let wanted: Vec<_> = offsets.iter().map(fresh).collect();
        let text = Text::new("f", source);
        let forward: Vec<_> = offsets.iter().map(|at| text.place(*at)).collect();
        let backward: Vec<_> = offsets.iter().rev().map(|at| text.place(*at)).collect();
        assert_eq!(forward, wanted);
        assert!(backward.iter().rev().eq(&wanted));
    }

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
            let place = text
                .string(start..start + literal.len())
                .place(line, column);
            assert_eq!((place.line, place.column), expected, "{literal}");
        }
    }
}
