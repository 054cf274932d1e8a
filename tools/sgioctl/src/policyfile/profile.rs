// SPDX-License-Identifier: GPL-2.0

//! Profiles: rules with a name and a reason.

use super::{Lists, Place};
use crate::names;
use sgio_policy::policy::{Class, Rule};
use std::collections::BTreeMap;

/// A profile.
#[derive(Clone)]
pub struct Profile {
    /// Where it stands.
    pub place: Place,
    /// What it opens.
    pub description: String,
    /// Why anybody would want that, and what it costs.
    pub why: String,
    /// What it is for; none: for every class.
    pub classes: Vec<Class>,
    /// What it says.
    pub lists: Lists,
}

impl Profile {
    /// Tells whether it is for devices of that class.
    pub fn is_for(&self, class: Class) -> bool {
        self.classes.is_empty() || self.classes.contains(&class)
    }

    /// Its rules for devices of a class, the foremost first.
    ///
    /// # Errors
    ///
    /// A command that such devices do not have.
    pub fn rules(&self, class: Class) -> Result<Vec<Rule>, String> {
        let mut rules = Vec::new();
        for command in &self.lists.deny {
            rules.extend(command.value.rules(class)?);
        }
        rules.extend(self.lists.rules.iter().map(|rule| rule.value));
        for command in &self.lists.allow {
            rules.extend(command.value.rules(class)?);
        }
        Ok(rules)
    }

    /// Tells whether it is built in and for all classes, as `stock`, whose opcodes are those of one list for all.
    pub fn is_for_all_by_design(&self) -> bool {
        self.classes.is_empty() && self.place.file.starts_with("<built in>")
    }
}

/// A profile that was split by class, and what its name means on each of them. On none it opens more than it did.
struct Split {
    name: &'static str,
    on: &'static [(Class, &'static str)],
}

const SPLIT: [Split; 1] = [Split {
    name: "tape-library",
    on: &[
        (Class::TAPE, "tape-drive"),
        (Class::CHANGER, "tape-changer"),
    ],
}];

/// Profiles by name.
#[derive(Clone, Default)]
pub struct Profiles(BTreeMap<String, Profile>);

impl Profiles {
    /// The profile of that name.
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.0.get(name)
    }

    /// What a block means that names it, on that class if one is given: of a name that was split, the profile of that
    /// class, or the first.
    pub fn named(&self, name: &str, class: Option<Class>) -> Option<&Profile> {
        self.get(name).or_else(|| {
            let mut on = self.split(name)?.on.iter();
            let (_, now) = on.find(|(of, _)| class.is_none_or(|class| class == *of))?;
            self.get(now)
        })
    }

    /// The old name, unless the site has given it to a profile of its own.
    fn split(&self, name: &str) -> Option<&'static Split> {
        let split = SPLIT.iter().find(|split| split.name == name)?;
        self.get(name).is_none().then_some(split)
    }

    /// What a name that was split stands for now: for a message.
    pub fn after_split(&self, name: &str) -> Option<String> {
        let on = self.split(name)?.on.iter();
        let parts: Vec<String> = on
            .map(|(class, now)| format!("{now} for {}", class.name()))
            .collect();
        Some(parts.join(", "))
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Profile)> {
        self.0
            .iter()
            .map(|(name, profile)| (name.as_str(), profile))
    }

    /// A question with the names that are most like one that there is not; else nothing.
    pub fn did_you_mean(&self, name: &str) -> String {
        if let Some(now) = self.after_split(name) {
            return format!("it was split: use {now}; ");
        }
        let lower = name.to_ascii_lowercase();
        let distance = |known: &str| names::distance(&lower, known);
        let mut near: Vec<(usize, &str)> = self
            .iter()
            .map(|(known, _)| (distance(known), known))
            .collect();
        near.sort_unstable();
        let first = near.first();
        let found = match first.filter(|(far, _)| *far <= (name.len() / 3).max(2)) {
            Some((_, near)) => vec![format!("'{near}'")],
            None => near
                .iter()
                .filter(|(_, known)| lower.len() >= 2 && known.contains(&lower))
                .map(|(_, known)| format!("'{known}'"))
                .collect(),
        };
        match found.as_slice() {
            [] => String::new(),
            found => format!("did you mean {}? ", found.join(" or ")),
        }
    }

    /// The rules of the profile of that name, for devices of that class.
    ///
    /// # Errors
    ///
    /// What is wrong, and the fix.
    pub fn rules_for(&self, name: &str, class: Class) -> Result<Vec<Rule>, String> {
        let profile = self.usable(name, Some(class));
        let profile = profile.map_err(|(message, fix)| format!("{message}: {fix}"))?;
        profile
            .rules(class)
            .map_err(|e| format!("profile {name}: {e}"))
    }

    /// Adds one, or replaces that of the same name.
    pub(super) fn replace(&mut self, name: String, profile: Profile) {
        self.0.insert(name, profile);
    }

    /// The profile of that name, if it is for that class; otherwise what is wrong, and the fix.
    pub(super) fn usable(
        &self,
        name: &str,
        class: Option<Class>,
    ) -> Result<&Profile, (String, String)> {
        let Some(profile) = self.named(name, class) else {
            if let Some(split) = self.split(name) {
                let names: Vec<&str> = split.on.iter().map(|(class, _)| class.name()).collect();
                return Err(not_for(name, &names, class));
            }
            let names: Vec<&str> = self.iter().map(|(name, _)| name).collect();
            let near = self.did_you_mean(name);
            let fix = format!("{near}use one of {}, or define it", names.join(", "));
            return Err((format!("there is no profile '{name}'"), fix));
        };
        match class {
            Some(class) if !profile.is_for(class) => {
                let names: Vec<&str> = profile.classes.iter().map(|c| c.name()).collect();
                Err(not_for(name, &names, Some(class)))
            }
            _ => Ok(profile),
        }
    }
}

/// The message where a profile is not for a class, and the fix.
fn not_for(name: &str, classes: &[&str], class: Option<Class>) -> (String, String) {
    let class = class.map_or("it", Class::name);
    let classes = classes.join(", ");
    let message = format!("profile '{name}' is for {classes}, not for {class}");
    let fix = "select devices of that class by match, or use another profile";
    (message, fix.into())
}
