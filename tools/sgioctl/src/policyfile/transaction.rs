// SPDX-License-Identifier: GPL-2.0

//! The text of a transaction: `Documentation/ABI/testing/dev-sgio_filter`.

use super::{ClassContent, Policies, Resolved};
use sgio_policy::policy::Class;
use std::fmt::Write as _;

/// The section of a device; `id` is that of the device object that is meant.
pub fn device(resolved: &Resolved<'_>, id: Option<u64>) -> String {
    let mut text = format!("device {}", resolved.device.hctl);
    if let Some(id) = id {
        text += &format!(" id={id}");
    }
    // Writing to a String cannot fail.
    let (settings, rules) = (resolved.settings.lines(), resolved.rules());
    let _ = write!(text, "\n{settings}rules\n{rules}\n");
    text
}

/// The text in parts of at most `limit` bytes, each of whole sections, in order; longer only where one section is.
pub fn parts(text: &str, limit: usize) -> Vec<&str> {
    let starts = text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line))
        })
        .filter(|(_, line)| line.starts_with("device ") || line.starts_with("class "))
        .map(|(start, _)| start);
    let mut parts = Vec::new();
    let (mut from, mut to) = (0, 0);
    for end in starts.chain([text.len()]) {
        if end - from > limit && to > from {
            parts.push(&text[from..to]);
            from = to;
        }
        to = end;
    }
    if from < to {
        parts.push(&text[from..to]);
    }
    parts
}

/// How many devices the text has sections of.
pub fn count_devices(text: &str) -> usize {
    let sections = text.lines().filter(|line| line.starts_with("device "));
    sections.count()
}

/// The sections of all classes; those that no file names get back their defaults.
pub fn classes(policies: &Policies) -> String {
    let sections = Class::ALL.into_iter().map(|one| class(policies, one));
    sections.collect()
}

/// The section of one class.
pub fn class(policies: &Policies, class: Class) -> String {
    let block = policies.classes.iter().find(|block| block.class == class);
    let mut text = format!("class {}\n", class.name());
    match block.map(|block| &block.content) {
        Some(ClassContent::Table(table)) => text += &format!("table {table}\n\n"),
        Some(ClassContent::Rules(rules)) => {
            text += "rules\n";
            text.extend(rules.iter().map(|rule| format!("{}\n", rule.value)));
            text += "\n";
        }
        None => text += "rules\n\n",
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_of_whole_sections() {
        let text = "# on\nclass disk\nrules\n\nclass tape\nrules\n\ndevice 1:0:0:0 id=1\nrules\ndeny 12\n\n\
                    device 1:0:0:1 id=2\nrules\n\n";
        assert_eq!(parts(text, text.len()), [text]);
        assert!(parts("", 10).is_empty());
        for limit in 0..text.len() {
            let parts = parts(text, limit);
            assert_eq!(parts.concat(), text);
            for (at, part) in parts.iter().enumerate() {
                let begins = part.starts_with("device ") || part.starts_with("class ");
                assert!(begins || at == 0, "{limit}: {parts:?}");
                let sections = part.matches("class ").count() + count_devices(part);
                assert!(part.len() <= limit || sections <= 1, "{limit}: {parts:?}");
            }
        }
        let sections = parts(text, 45);
        assert_eq!(sections.len(), 3, "{sections:?}");
        assert_eq!(count_devices(text), 2);
    }
}
