// SPDX-License-Identifier: GPL-2.0

//! The grants on a device.

use super::{
    files::{private, DEVICES},
    timed::without_time,
};
use crate::{device::Hctl, root::Root};
use anyhow::{bail, Context as _, Result};
use serde::Serialize;

/// The name of the grants that policy files give, and no other.
pub const OF_POLICY: &str = "policy";

/// Rules on a device for one holder.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Grant {
    /// The id of the holder's cgroup.
    pub cgroup: u64,
    /// The path of the holder's cgroup, as the kernel shows it to this process.
    pub path: String,
    /// Who made it; may be empty.
    pub name: String,
    /// How long it has still to go; `null`: it stays as long as its holder and its device.
    pub seconds_left: Option<u64>,
    /// When it was made, in seconds since boot.
    pub since: u64,
    /// What it gives.
    pub rules: Vec<GrantRule>,
}

impl Grant {
    /// Its rules, one a line, with a mark on what ends by itself.
    pub fn lines(&self) -> String {
        let mark = |left: Option<u64>| if left.is_some() { " for" } else { "" };
        let mut text = String::new();
        for rule in &self.rules {
            let left = rule.seconds_left.or(self.seconds_left);
            text += &format!("{}{}\n", rule.rule, mark(left));
        }
        text
    }
}

/// A rule of a grant.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct GrantRule {
    /// The rule.
    pub rule: String,
    /// How often it decided.
    pub hits: u64,
    /// How long it has still to go, if it ends before the grant.
    pub seconds_left: Option<u64>,
}

/// The grants on a device; `None` for a user who may not read them, and if the module does not know the device.
///
/// # Errors
///
/// A file that cannot be read or understood.
pub fn grants(root: &Root, hctl: Hctl) -> Result<Option<Vec<Grant>>> {
    let path = format!("{DEVICES}/{hctl}/sgio_filter/grants");
    let read = || private(root, &path);
    let Some(mut text) = read()? else {
        return Ok(None);
    };
    // A list longer than a page comes in pieces, between which it may have changed.
    for _ in 0..10 {
        if text.len() < 4096 {
            break;
        }
        let again = read()?.unwrap_or_default();
        if shape(&again) == shape(&text) {
            break;
        }
        text = again;
    }
    parse(&text).with_context(|| path).map(Some)
}

/// What does not change while time goes by and commands are counted.
fn shape(text: &str) -> String {
    let timeless = |line: &str| -> String {
        let words = line
            .split_whitespace()
            .skip(usize::from(!line.starts_with("grant ")));
        words.filter(|word| !word.starts_with("for=")).collect()
    };
    text.lines().map(timeless).collect()
}

fn parse(text: &str) -> Result<Vec<Grant>> {
    let mut grants: Vec<Grant> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(header) = line.strip_prefix("grant ") {
            grants.push(self::header(header).with_context(|| line.to_owned())?);
            continue;
        }
        let (hits, rule) = line
            .trim()
            .split_once(' ')
            .with_context(|| format!("'{line}' is not a count and a rule"))?;
        let (rule, seconds_left) = without_time(rule.trim());
        let Some(grant) = grants.last_mut() else {
            bail!("'{line}' stands before the first grant");
        };
        grant.rules.push(GrantRule {
            rule: rule.to_owned(),
            hits: hits.parse().with_context(|| line.to_owned())?,
            seconds_left,
        });
    }
    Ok(grants)
}

/// `cgroup=ID [name=NAME] [for=SECONDS] since=SECONDS path=PATH`; names that are not known are those of a later version.
fn header(text: &str) -> Result<Grant> {
    let mut grant = Grant {
        cgroup: 0,
        path: String::new(),
        name: String::new(),
        seconds_left: None,
        since: 0,
        rules: Vec::new(),
    };
    // The path is last, since it may have blanks.
    let (words, path) = text.split_once(" path=").unwrap_or((text, "?"));
    path.clone_into(&mut grant.path);
    for (name, value) in words.split(' ').filter_map(|word| word.split_once('=')) {
        match name {
            "cgroup" => grant.cgroup = value.parse()?,
            "name" => grant.name = unescaped(value),
            "for" => grant.seconds_left = Some(value.parse()?),
            "since" => grant.since = value.parse()?,
            _ => (),
        }
    }
    if grant.cgroup == 0 {
        bail!("no cgroup");
    }
    Ok(grant)
}

/// A name, in which the kernel doubles backslashes.
fn unescaped(name: &str) -> String {
    name.replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_as_the_kernel_shows_them() {
        let text = "grant cgroup=8142 name=a\\\\b for=3540 since=912 path=/a b/db.scope\n\
                    \x20                 12 allow r 5e\n\
                    \x20                  0 allow w 5f [1]=00 for=7\n\
                    grant cgroup=9 since=1 new=x path=/c\n";
        let grants = parse(text).unwrap();
        assert_eq!(grants.len(), 2);
        assert_eq!(grants[0].path, "/a b/db.scope");
        assert_eq!((grants[0].cgroup, grants[0].name.as_str()), (8142, "a\\b"));
        assert_eq!((grants[0].seconds_left, grants[0].since), (Some(3540), 912));
        let rules: Vec<_> = grants[0]
            .rules
            .iter()
            .map(|r| (r.hits, r.rule.as_str(), r.seconds_left))
            .collect();
        assert_eq!(
            rules,
            [(12, "allow r 5e", None), (0, "allow w 5f [1]=00", Some(7))]
        );
        assert!(grants[1].name.is_empty() && grants[1].rules.is_empty());
        assert!(parse("").unwrap().is_empty());
        assert!(parse(" 1 allow r 5e").is_err());
        assert!(parse("grant name=x path=/").is_err());
    }

    #[test]
    fn only_time_goes_by() {
        assert_eq!(
            shape("grant cgroup=1 for=5 since=1 path=/\n  3 allow r 5e for=5"),
            shape("grant cgroup=1 for=4 since=1 path=/\n  9 allow r 5e for=4")
        );
        assert_ne!(shape("grant cgroup=1"), shape("grant cgroup=2"));
        assert_ne!(shape(" 1 allow r 5e"), shape(" 1 allow r 5f"));
    }
}
