// SPDX-License-Identifier: GPL-2.0

//! Profiles: rules with a name and a reason.

use super::{convert, Fault, Lists, Place};
use sgio_policy::policy::Class;
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
}

/// Profiles by name.
#[derive(Clone, Default)]
pub struct Profiles(BTreeMap<String, Profile>);

/// The text of each profile that is built in.
const BUILT_IN: [(&str, &str); 10] = [
    ("stock", include_str!("../../profiles/stock.toml")),
    ("disk-guest", include_str!("../../profiles/disk-guest.toml")),
    (
        "disk-guest-pr",
        include_str!("../../profiles/disk-guest-pr.toml"),
    ),
    ("smart-ro", include_str!("../../profiles/smart-ro.toml")),
    ("smart-sct", include_str!("../../profiles/smart-sct.toml")),
    ("smart-test", include_str!("../../profiles/smart-test.toml")),
    (
        "storage-mgmt",
        include_str!("../../profiles/storage-mgmt.toml"),
    ),
    (
        "optical-rip",
        include_str!("../../profiles/optical-rip.toml"),
    ),
    (
        "tape-library",
        include_str!("../../profiles/tape-library.toml"),
    ),
    ("enclosure", include_str!("../../profiles/enclosure.toml")),
];

impl Profiles {
    /// Those built in.
    ///
    /// # Errors
    ///
    /// None: tests see to it that they can be read.
    pub fn built_in() -> Result<Profiles, Vec<Fault>> {
        let mut profiles = Profiles::default();
        for (name, source) in BUILT_IN {
            let file = format!("<built in>/{name}.toml");
            let parsed = convert::parse(&file, source)?;
            profiles.0.extend(parsed.profiles);
        }
        Ok(profiles)
    }

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

    /// Adds one, or replaces that of the same name.
    pub(super) fn replace(&mut self, name: String, profile: Profile) {
        self.0.insert(name, profile);
    }
}

impl Profiles {
    /// The profile of that name, if it is for that class; otherwise what is wrong, and the fix.
    pub(super) fn usable(
        &self,
        name: &str,
        class: Option<Class>,
    ) -> Result<&Profile, (String, String)> {
        let Some(profile) = self.get(name) else {
            let names: Vec<&str> = self.iter().map(|(name, _)| name).collect();
            let fix = format!("use one of {}, or define it", names.join(", "));
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
