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
}

/// Profiles by name.
#[derive(Clone, Default)]
pub struct Profiles(BTreeMap<String, Profile>);

impl Profiles {
    /// The profile of that name.
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.0.get(name)
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Profile)> {
        self.0
            .iter()
            .map(|(name, profile)| (name.as_str(), profile))
    }

    /// A question with the names that are most like one that there is not; else nothing.
    pub fn did_you_mean(&self, name: &str) -> String {
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
        let Some(profile) = self.get(name) else {
            let names: Vec<&str> = self.iter().map(|(name, _)| name).collect();
            let near = self.did_you_mean(name);
            let fix = format!("{near}use one of {}, or define it", names.join(", "));
            return Err((format!("there is no profile '{name}'"), fix));
        };
        match class {
            Some(class) if !profile.is_for(class) => {
                let names: Vec<&str> = profile.classes.iter().map(|c| c.name()).collect();
                let names = names.join(", ");
                let message = format!("profile '{name}' is for {names}, not for {}", class.name());
                let fix = "select devices of that class by match, or use another profile";
                Err((message, fix.into()))
            }
            _ => Ok(profile),
        }
    }
}
