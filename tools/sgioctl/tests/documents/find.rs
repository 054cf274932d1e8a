// SPDX-License-Identifier: GPL-2.0

//! The documents, and the rules in them.

use sgio_policy::policy::{Change, Rule};
use std::{fs, path::Path};

/// The checkout, from the directory of this crate.
pub(crate) const TOP: &str = "../..";

/// A rule as it stands in a document.
pub(crate) struct Found {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) rule: Rule,
    /// The lines around it, as one.
    pub(crate) around: String,
}

/// All documents: their path in the checkout, and their text.
pub(crate) fn documents() -> Vec<(String, String)> {
    let mut documents = Vec::new();
    for place in [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "Documentation",
        "samples/rules",
        "tools/sgioctl/man",
        "tools/sgioctl/profiles",
    ] {
        collect(place, &mut documents);
    }
    assert!(documents.len() > 30, "{}", documents.len());
    documents
}

fn collect(place: &str, documents: &mut Vec<(String, String)>) {
    let path = Path::new(TOP).join(place);
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        for name in names.iter().filter(|name| !name.ends_with(".svg")) {
            collect(&format!("{place}/{name}"), documents);
        }
    } else {
        documents.push((place.into(), fs::read_to_string(path).unwrap()));
    }
}

/// The rules in a document.
pub(crate) fn rules_in(file: &str, text: &str) -> Vec<Found> {
    // What the reader sees, and what a shell makes of it.
    let plain = text.replace("\\-", "-").replace("\\n", "\u{b}");
    let lines: Vec<&str> = plain.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let around = lines[at.saturating_sub(8)..(at + 2).min(lines.len())].join(" ");
        for (start, _) in line.match_indices(['a', 'd']) {
            let before = line[..start].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric()) {
                continue;
            }
            if let Some(text) = rule_at(&line[start..]) {
                let rule = Change::parse(text.as_bytes()).unwrap().rules().next();
                found.push(Found {
                    file: file.into(),
                    line: at + 1,
                    rule: rule.unwrap().rule,
                    text,
                    around: around.clone(),
                });
            }
        }
    }
    found
}

/// The rule at the beginning of a text, with one blank between its words.
fn rule_at(text: &str) -> Option<String> {
    let end = |c: char| c.is_whitespace() || "`'\"".contains(c);
    let mut words = text.split([' ', '\t']).filter(|word| !word.is_empty());
    let mut rule = match (words.next()?, words.clone().next()?) {
        ("allow", access @ ("r" | "w")) => {
            words.next();
            format!("allow {access}")
        }
        ("deny", _) => "deny".into(),
        _ => return None,
    };
    let mut known = None;
    for word in words {
        let whole = word.split(end).next()?;
        if whole.starts_with('#') {
            break;
        }
        rule = format!("{rule} {whole}");
        if Change::parse(rule.as_bytes()).is_err() {
            break;
        }
        known = Some(rule.clone());
        if whole.len() < word.len() {
            break;
        }
    }
    known
}
