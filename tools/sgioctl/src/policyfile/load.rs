// SPDX-License-Identifier: GPL-2.0

//! Reads files, and the files they include.

use super::{convert, At, Fault, Faults, Place, Policies, Profiles, Text};
use crate::root::Root;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Where policies are, if no path is given.
pub const DEFAULT_DIRECTORY: &str = "/etc/sgio-filter/policy.d";

/// Where the profiles of the distribution and of the site are; the latter replace the former.
const PROFILE_DIRECTORIES: [&str; 2] = [
    "/usr/share/sgio-filter/profiles",
    "/etc/sgio-filter/profiles",
];

/// Loads files, and the `*.toml` of directories in the order of their names.
///
/// Without a path: [`DEFAULT_DIRECTORY`].
///
/// # Errors
///
/// Everything that is wrong with any of them.
pub fn load(root: &Root, paths: &[PathBuf]) -> Result<Policies, Faults> {
    let mut loader = Loader::default();
    loader.profiles(root);
    let default = [root.path(DEFAULT_DIRECTORY)];
    for path in if paths.is_empty() { &default } else { paths } {
        if path.is_dir() {
            for file in loader.directory(path) {
                loader.file(&file, None);
            }
        } else {
            loader.file(path, None);
        }
    }
    loader.finish()
}

/// Loads the profiles only: built in, of the distribution and of the site.
///
/// # Errors
///
/// Everything that is wrong with their files.
pub fn load_profiles(root: &Root) -> Result<Profiles, Faults> {
    let mut loader = Loader::default();
    loader.profiles(root);
    Ok(loader.finish()?.profiles)
}

/// Reads the text of one file, which cannot include others; no file is touched.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn parse(name: &str, source: &str, profiles: Profiles) -> Result<Policies, Faults> {
    let mut loader = Loader::default();
    loader.policies.profiles = profiles;
    if let Some(file) = loader.parse(Path::new(name), source) {
        for At { place, .. } in &file.include {
            let fault = Fault::new(place, "a text cannot include files", "remove the include");
            loader.faults.push(fault);
        }
        loader.add(file);
    }
    loader.finish()
}

#[derive(Default)]
struct Loader {
    policies: Policies,
    faults: Vec<Fault>,
    /// Files that have been read, by their real path: reading one twice would say all twice.
    seen: BTreeSet<PathBuf>,
    /// Files whose includes are being read.
    open: Vec<PathBuf>,
    own_profiles: BTreeMap<String, Place>,
}

impl Loader {
    fn profiles(&mut self, root: &Root) {
        match Profiles::built_in() {
            Ok(profiles) => self.policies.profiles = profiles,
            Err(faults) => self.faults.extend(faults),
        }
        for directory in PROFILE_DIRECTORIES {
            let directory = root.path(directory);
            if !directory.is_dir() {
                continue;
            }
            for path in self.directory(&directory) {
                let Some(file) = self.read(&path, None).and_then(|s| self.parse(&path, &s)) else {
                    continue;
                };
                let strange = (file.blocks.first().map(|b| &b.place))
                    .or(file.classes.first().map(|c| &c.place))
                    .or(file.include.first().map(|i| &i.place));
                if let Some(place) = strange {
                    let message = "a profile file can hold nothing but [profile.NAME]";
                    let fix = format!("move it to a file in {DEFAULT_DIRECTORY}");
                    self.faults.push(Fault::new(place, message, fix));
                }
                for (name, profile) in file.profiles {
                    self.policies.profiles.replace(name, profile);
                }
            }
        }
    }

    fn directory(&mut self, path: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(path).and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<std::io::Result<Vec<_>>>()
        });
        match entries {
            Ok(mut paths) => {
                // Hidden files are what editors leave behind.
                paths.retain(|path| {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    name.ends_with(".toml") && !name.starts_with('.')
                });
                paths.sort();
                paths
            }
            Err(error) => {
                self.io(path, None, &error);
                Vec::new()
            }
        }
    }

    fn io(&mut self, path: &Path, from: Option<&Place>, error: &std::io::Error) {
        let file = path.display().to_string();
        let place = from.cloned().unwrap_or_else(|| Place::whole(&file));
        let message = match from {
            Some(_) => format!("{file}: {error}"),
            None => error.to_string(),
        };
        let fix = "give the path of a file that can be read";
        self.faults.push(Fault::new(&place, message, fix));
    }

    fn read(&mut self, path: &Path, from: Option<&Place>) -> Option<String> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.io(path, from, &error);
                return None;
            }
        };
        match String::from_utf8(bytes) {
            Ok(source) => Some(source),
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let file = path.display().to_string();
                let text = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
                let place = Text {
                    file: &file,
                    source: &text,
                }
                .place(good);
                let fault = Fault::new(&place, "this is not UTF-8", "save the file as UTF-8");
                self.faults.push(fault);
                None
            }
        }
    }

    fn parse(&mut self, path: &Path, source: &str) -> Option<convert::File> {
        convert::parse(&path.display().to_string(), source)
            .map_err(|faults| self.faults.extend(faults))
            .ok()
    }

    /// Reads a file, what it includes first.
    fn file(&mut self, path: &Path, from: Option<&Place>) {
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) => return self.io(path, from, &error),
        };
        if self.open.contains(&real) {
            if let Some(place) = from {
                let message = format!("{} includes itself", path.display());
                let fix = "take the include out of one of the files of the loop";
                self.faults.push(Fault::new(place, message, fix));
            }
            return;
        }
        if !self.seen.insert(real.clone()) {
            return;
        }
        let Some(file) = self.read(path, from).and_then(|s| self.parse(path, &s)) else {
            return;
        };
        self.open.push(real);
        for At { value, place } in &file.include {
            let base = path.parent().unwrap_or(Path::new(""));
            self.file(&base.join(value), Some(place));
        }
        self.open.pop();
        self.add(file);
    }

    fn add(&mut self, file: convert::File) {
        self.policies.blocks.extend(file.blocks);
        for class in file.classes {
            let classes = &self.policies.classes;
            if let Some(other) = classes.iter().find(|other| other.class == class.class) {
                let message = format!("class {} again, after {}", class.class.name(), other.place);
                let fix = "keep one of them";
                self.faults.push(Fault::new(&class.place, message, fix));
            }
            self.policies.classes.push(class);
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

    /// Checks what needs all files.
    fn finish(mut self) -> Result<Policies, Faults> {
        let profiles = &self.policies.profiles;
        for block in &self.policies.blocks {
            for At { value, place } in &block.profiles {
                let class = block.selector.class.as_ref().map(|class| class.value);
                if let Err((message, fix)) = profiles.usable(value, class) {
                    self.faults.push(Fault::new(place, message, fix));
                }
            }
        }
        if self.faults.is_empty() {
            return Ok(self.policies);
        }
        self.faults.sort();
        self.faults.dedup();
        Err(Faults(self.faults))
    }
}
