// SPDX-License-Identifier: GPL-2.0

//! Commands by name, and what was meant by a name that is none.

use super::table::{of_class, Entry};
use anyhow::anyhow;
use sgio_policy::policy::Class;

/// How many names an error offers.
const SUGGESTIONS: usize = 3;

/// The entry of a name on a class. `command:service-action` is understood too where the service
/// action has a name of its own.
pub(super) fn find(name: &str, class: Class) -> Option<&'static Entry> {
    of_class(class).find(|entry| {
        entry.name == name
            || entry.is_part()
                && name
                    .strip_prefix(entry.base.as_str())
                    .and_then(|rest| rest.strip_prefix(':'))
                    == Some(entry.name.as_str())
    })
}

/// A name as standards and programs write it, in the letters of the tables: `Write same(16)` is `write-same-16`.
fn folded(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric() && c != ':');
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-").replace("-:", ":").replace(":-", ":")
}

/// The name that words on a command line are together, each of which is none: `READ KEYS`.
pub(super) fn in_words(words: &[String], class: Class) -> Option<String> {
    let [_, _, ..] = words else {
        return None;
    };
    let folded = folded(&words.join(" "));
    let action = format!(":{folded}");
    let ends_so = |entry: &&Entry| entry.name.ends_with(&action) && entry.is_part();
    let mut parts = of_class(class).filter(ends_so);
    let found = find(&folded, class).or(parts.next().filter(|_| parts.next().is_none()));
    found.map(|entry| entry.name.clone())
}

/// Why a name is none of the class, and what was meant.
pub(super) fn unknown(name: &str, class: Class) -> anyhow::Error {
    let mut others = Class::ALL.into_iter().filter(|other| *other != class);
    if let Some(other) = others.find(|other| find(name, *other).is_some()) {
        return anyhow!(
            "'{name}' is a command of class {}, but not of {}",
            other.name(),
            class.name()
        );
    }
    if ["r", "w", "rw", "wr", "ro"].contains(&name) {
        return anyhow!(
            "'{name}' is no command: write --read for any open, --write for one for writing (in a file: \"r 5e\", \"w 5e\"; \
             deny needs neither)"
        );
    }
    let folded = folded(name);
    let near = match find(&folded, class) {
        Some(entry) => vec![entry.name.clone()],
        None => nearest(&folded, class),
    };
    let hint = match near.as_slice() {
        [] => format!("see: sgioctl explain --names --class {}", class.name()),
        _ => format!("did you mean {}?", near.join(", ")),
    };
    anyhow!(
        "'{name}' is no known command of class {}; {hint}",
        class.name()
    )
}

/// The names most like `name`, best first.
fn nearest(name: &str, class: Class) -> Vec<String> {
    let mut names: Vec<(usize, &str)> = of_class(class)
        .filter_map(|entry| {
            let known = entry.name.as_str();
            let (_, action) = known.rsplit_once(':').unwrap_or(("", known));
            let distance = match is_shortened(name, known) {
                true => 1,
                false => distance(name, known).min(distance(name, action) + 1),
            };
            let near = distance <= (name.len() / 3).max(2);
            let part = name.len() >= 3 && known.contains(name);
            (near || part).then_some((if near { distance } else { known.len() }, known))
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    let names = names.into_iter().map(|(_, name)| name.to_owned());
    names.take(SUGGESTIONS).collect()
}

/// Tells whether it is a service action of the same command with shorter words: `sanitize:crypto-erase`.
fn is_shortened(name: &str, known: &str) -> bool {
    let (Some((base, action)), Some((same, other))) = (name.split_once(':'), known.split_once(':'))
    else {
        return false;
    };
    let mut words = action.split('-').filter(|word| word.len() > 2).peekable();
    let is_there = |word: &str| other.split('-').any(|known| known.starts_with(word));
    base == same && words.peek().is_some() && words.all(is_there)
}

/// How many letters to insert, remove or change to make one of the other.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in (1..).zip(a.chars()) {
        let mut next = vec![i];
        for (j, b) in b.iter().enumerate() {
            let change = row[j] + usize::from(a != *b);
            next.push(change.min(row[j + 1] + 1).min(next[j] + 1));
        }
        row = next;
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, in_words, unknown};
    use sgio_policy::policy::Class;

    #[test]
    fn a_name_as_programs_print_it_is_told_with_its_own() {
        for (name, own) in [
            ("Write same(16)", "did you mean write-same-16?"),
            ("WRITE_SAME_16", "did you mean write-same-16?"),
            ("READ KEYS", "did you mean persistent-reserve-in:read-keys"),
            (
                "Persistent reserve out",
                "did you mean persistent-reserve-out?",
            ),
            ("Read (10)", "did you mean read-10?"),
            ("unmpa", "unmap"),
            (
                "sanitize:crypto-erase",
                "did you mean sanitize:cryptographic-erase",
            ),
        ] {
            let error = unknown(name, Class::DISK).to_string();
            assert!(error.contains(own), "{name}: {error}");
        }
    }

    #[test]
    fn a_name_in_several_words() {
        let meant = |words: &str| {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            in_words(&words, Class::DISK)
        };
        for (words, own) in [
            ("READ KEYS", Some("persistent-reserve-in:read-keys")),
            ("Write same(16)", Some("write-same-16")),
            ("PERSISTENT RESERVE OUT", Some("persistent-reserve-out")),
            ("unmap", None),
            ("unmap inquiry", None),
            ("5f 06", None),
        ] {
            assert_eq!(meant(words).as_deref(), own, "{words}");
        }
    }

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("unmap", "unmap"), 0);
    }
}
