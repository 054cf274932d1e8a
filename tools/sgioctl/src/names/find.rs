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
    let near = nearest(name, class);
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
            let distance = distance(name, known).min(distance(name, action) + 1);
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
    use super::distance;

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("unmap", "unmap"), 0);
    }
}
