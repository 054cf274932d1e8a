// SPDX-License-Identifier: GPL-2.0

//! Reads files, and the files they include.

use super::{
    convert,
    source::{self, Named, MAX_BYTES, MAX_DEPTH, MAX_FILES},
    At, Fault, Faults, Place, Policies, Profiles, Text,
};
use crate::root::Root;
use rustix::process::geteuid;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::unix::fs::FileTypeExt as _,
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
/// Without a path: [`DEFAULT_DIRECTORY`], which may be empty; a directory that is given must have a file. `-`
/// is standard input.
///
/// Files of default paths that others than root may write are an error, of other paths a warning.
///
/// # Errors
///
/// Everything that is wrong with any of them.
pub fn load(root: &Root, paths: &[PathBuf]) -> Result<Policies, Faults> {
    let mut loader = Loader {
        owners: source::owners(root),
        top: root.path("/"),
        ..Loader::default()
    };
    loader.profiles(root);
    let default = root.path(DEFAULT_DIRECTORY);
    if paths.is_empty() {
        loader.strict = true;
        for file in loader.directory(&default) {
            loader.file(&file, None, Named::Found);
        }
    }
    for path in paths {
        // The same files are held to the same, however they are named.
        let real = |path: &Path| fs::canonicalize(path).ok();
        let inside = real(path)
            .zip(real(&default))
            .map(|(path, of)| path.starts_with(of));
        loader.strict = inside.unwrap_or(false);
        if path != Path::new("-") && path.is_dir() {
            let files = loader.directory(path);
            if files.is_empty() && loader.faults.is_empty() && !loader.strict {
                let place = Place::whole(&path.display().to_string());
                let message = "there is no file *.toml in this directory";
                let fix = "give a directory with policies, or a file";
                loader.faults.push(Fault::new(&place, message, fix));
            }
            for file in files {
                loader.file(&file, None, Named::Found);
            }
        } else {
            loader.file(path, None, Named::Given);
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
    let mut loader = Loader {
        owners: source::owners(root),
        top: root.path("/"),
        ..Loader::default()
    };
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
    /// What others may write is refused, as befits the default paths; else it is warned of.
    strict: bool,
    /// Who may own files of the default paths besides root.
    owners: Vec<u32>,
    /// Directories on the way to files that were looked at.
    ways: BTreeSet<PathBuf>,
    /// In a tree of files that takes the place of the system: its top, above which nothing counts.
    top: PathBuf,
    /// How many bytes were read.
    bytes: u64,
    hasher: DefaultHasher,
}

impl Loader {
    fn profiles(&mut self, root: &Root) {
        match Profiles::built_in() {
            Ok(profiles) => self.policies.profiles = profiles,
            Err(faults) => self.faults.extend(faults),
        }
        self.strict = true;
        for directory in PROFILE_DIRECTORIES {
            let directory = root.path(directory);
            if !directory.is_dir() {
                continue;
            }
            for path in self.directory(&directory) {
                let Some(file) = self
                    .read(&path, None, Named::Found)
                    .and_then(|s| self.parse(&path, &s))
                else {
                    continue;
                };
                let strange = (file.blocks.first().map(|b| &b.place))
                    .or(file.classes.first().map(|c| &c.place))
                    .or(file.filter_sg.as_ref().map(|all| &all.place))
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
        if let Ok(metadata) = fs::metadata(path) {
            self.check_writers(path, &metadata);
            self.ways.insert(path.to_owned());
        }
        let entries = fs::read_dir(path).and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<std::io::Result<Vec<_>>>()
        });
        match entries {
            Ok(mut paths) => {
                paths.sort();
                // Hidden files are what editors leave behind.
                let name = |path: &Path| {
                    let name = path.file_name().unwrap_or_default();
                    name.to_string_lossy().into_owned()
                };
                paths.retain(|path| !name(path).starts_with('.'));
                let (read, ignored): (Vec<_>, Vec<_>) = paths
                    .into_iter()
                    .partition(|path| name(path).ends_with(".toml"));
                for path in ignored {
                    let place = Place::whole(&path.display().to_string());
                    let message = "this file is not read: its name does not end in .toml";
                    let fix = "rename it, or move it elsewhere";
                    self.warnings().push(Fault::new(&place, message, fix));
                }
                read
            }
            Err(error) => {
                self.io(path, None, &error);
                Vec::new()
            }
        }
    }

    fn warnings(&mut self) -> &mut Vec<Fault> {
        &mut self.policies.warnings
    }

    /// Looks who else may write what is read.
    fn check_writers(&mut self, path: &Path, metadata: &fs::Metadata) {
        let euid = geteuid().as_raw();
        let trusted = if self.strict {
            &self.owners[..]
        } else {
            &[euid]
        };
        let Some(who) = source::other_writer(metadata, trusted) else {
            return;
        };
        let place = Place::whole(&path.display().to_string());
        let message = format!("{who} may write this");
        let fix =
            "chown root it, and chmod go-w it: a user who writes it decides what others may send";
        let fault = Fault::new(&place, message, fix);
        if self.strict {
            self.faults.push(fault);
        } else {
            self.warnings().push(fault);
        }
    }

    /// Looks who else may put something else in the place of what is read from default paths.
    fn check_way(&mut self, path: &Path) {
        let passed = match source::directories(path) {
            Ok(passed) => passed,
            Err(error) => return self.io(path, None, &error),
        };
        for directory in passed {
            if !directory.starts_with(&self.top) || !self.ways.insert(directory.clone()) {
                continue;
            }
            let metadata = match fs::metadata(&directory) {
                Ok(metadata) => metadata,
                Err(error) => {
                    self.io(&directory, None, &error);
                    continue;
                }
            };
            if let Some(who) = source::other_writer_above(&metadata, &self.owners) {
                let place = Place::whole(&directory.display().to_string());
                let message = format!(
                    "{who} may write this, and put another file in the place of {}",
                    path.display()
                );
                let fix = "chown root it, and chmod go-w it, or keep policies elsewhere";
                self.faults.push(Fault::new(&place, message, fix));
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

    fn read(&mut self, path: &Path, from: Option<&Place>, named: Named) -> Option<String> {
        if self.strict {
            self.check_way(path);
        }
        let left = MAX_BYTES.saturating_sub(self.bytes);
        let (bytes, metadata) = match source::read(path, named, left) {
            Ok(read) => read,
            Err(error) => {
                self.io(path, from, &error);
                return None;
            }
        };
        if let Some(metadata) = metadata.filter(|metadata| metadata.is_file()) {
            self.check_writers(path, &metadata);
        }
        self.bytes += bytes.len() as u64;
        path.hash(&mut self.hasher);
        bytes.hash(&mut self.hasher);
        match String::from_utf8(bytes) {
            Ok(source) => Some(source),
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let file = path.display().to_string();
                let text = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
                let place = Text::new(&file, &text).place(good);
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
    fn file(&mut self, path: &Path, from: Option<&Place>, named: Named) {
        let is_stream = || {
            let kind = fs::metadata(path).map(|metadata| metadata.file_type());
            path == Path::new("-") || kind.is_ok_and(|kind| kind.is_fifo())
        };
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            // Standard input, and a pipe of the shell, have no name.
            Err(_) if named == Named::Given && is_stream() => path.to_owned(),
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
        if let (true, Some(place)) = (self.open.len() >= MAX_DEPTH, from) {
            let message =
                format!("more than {MAX_DEPTH} files include each other, one in the other");
            let fix = "include them from one file";
            self.faults.push(Fault::new(place, message, fix));
            return;
        }
        if !self.seen.insert(real.clone()) {
            return;
        }
        if self.seen.len() > MAX_FILES {
            let place = from.cloned();
            let place = place.unwrap_or_else(|| Place::whole(&path.display().to_string()));
            let message = format!("more than {MAX_FILES} files");
            self.faults.push(Fault::new(&place, message, "join them"));
            return;
        }
        let Some(source) = self.read(path, from, named) else {
            return;
        };
        let Some(file) = self.parse(path, &source) else {
            return;
        };
        if file.is_empty() {
            let place = Place::whole(&path.display().to_string());
            let fix = "fill it, or remove it";
            let warning = Fault::new(&place, "there is nothing in this file", fix);
            self.warnings().push(warning);
        }
        self.open.push(real);
        for At { value, place } in &file.include {
            let base = path.parent().unwrap_or(Path::new(""));
            self.file(&base.join(value), Some(place), Named::Found);
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
            self.policies.digest = self.hasher.finish();
            return Ok(self.policies);
        }
        self.faults.sort();
        self.faults.dedup();
        Err(Faults(self.faults))
    }
}
