// SPDX-License-Identifier: GPL-2.0

//! What files say together.

use super::{
    super::{convert, At, Fault, Faults, Place, Policies, Profile, Profiles},
    files::Files,
};
use std::collections::BTreeMap;

/// What the files so far say together.
#[derive(Default)]
pub(super) struct Merged {
    policies: Policies,
    faults: Vec<Fault>,
    own_profiles: BTreeMap<String, Place>,
}

impl Merged {
    /// Policies may use these profiles.
    pub(super) fn set_profiles(&mut self, profiles: Profiles) {
        self.policies.profiles = profiles;
    }

    /// Takes the profiles of a file in the place of those of the same name.
    pub(super) fn replace_profiles(&mut self, profiles: Vec<(String, Profile)>) {
        for (name, profile) in profiles {
            self.policies.profiles.replace(name, profile);
        }
    }

    /// Takes what a file says, if nothing before it says otherwise.
    pub(super) fn add(&mut self, file: convert::File) {
        self.policies.blocks.extend(file.blocks);
        self.policies.grants.extend(file.grants);
        for class in file.classes {
            let classes = &self.policies.classes;
            if let Some(other) = classes.iter().find(|other| other.class == class.class) {
                let message = format!("class {} again, after {}", class.class.name(), other.place);
                let fix = "keep one of them";
                self.faults.push(Fault::new(&class.place, message, fix));
            }
            self.policies.classes.push(class);
        }
        if let Some(all) = file.filter_sg {
            match &self.policies.filter_sg {
                Some(other) if other.value != all.value => {
                    let message = format!("filter_sg of all devices again, after {}", other.place);
                    self.faults
                        .push(Fault::new(&all.place, message, "keep one of them"));
                }
                _ => self.policies.filter_sg = Some(all),
            }
        }
        for (name, profile) in file.profiles {
            let earlier = self.own_profiles.get(&name).cloned();
            let taken = earlier.or_else(|| Some(self.policies.profiles.get(&name)?.place.clone()));
            if let Some(other) = taken {
                let message = format!("profile '{name}' is there already, at {other}");
                let fix = "give it another name";
                self.faults.push(Fault::new(&profile.place, message, fix));
                continue;
            }
            self.own_profiles
                .insert(name.clone(), profile.place.clone());
            self.policies.profiles.replace(name, profile);
        }
    }

    /// Checks what needs all files. What is wrong with one of them, and what reading them gave, is in `files`.
    pub(super) fn finish(mut self, mut files: Files) -> Result<Policies, Faults> {
        let profiles = &self.policies.profiles;
        let mut split = Vec::new();
        let grants = self.policies.grants.iter().map(|grant| &grant.block);
        for block in self.policies.blocks.iter().chain(grants) {
            for At { value, place } in &block.profiles {
                let class = block.selector.class.as_ref().map(|class| class.value);
                if let Err((message, fix)) = profiles.usable(value, class) {
                    self.faults.push(Fault::new(place, message, fix));
                } else if let Some(now) = profiles.after_split(value) {
                    let message = format!("profile '{value}' was split by class, and opens less");
                    let fix = format!("write {now}");
                    split.push(Fault::new(place, message, fix));
                }
            }
        }
        self.faults.append(&mut files.faults);
        if self.faults.is_empty() {
            self.policies.warnings.append(&mut files.warnings);
            self.policies.warnings.append(&mut split);
            self.policies.digest = files.digest();
            return Ok(self.policies);
        }
        self.faults.sort();
        self.faults.dedup();
        Err(Faults(self.faults))
    }
}
