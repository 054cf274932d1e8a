// SPDX-License-Identifier: GPL-2.0

//! Reads files, and the files they include.

mod files;
mod merge;

use self::{files::Files, merge::Merged};
use super::{
    convert,
    source::{MAX_DEPTH, MAX_FILES},
    At, Fault, Faults, Place, Policies, Profiles,
};
use crate::{input::Named, root::Root};
use std::{
    collections::BTreeSet,
    fs,
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
    let mut loader = Loader::with_profiles(root);
    let default = root.path(DEFAULT_DIRECTORY);
    if paths.is_empty() {
        loader.files.strict = true;
        for file in loader.files.directory(&default) {
            loader.file(&file, None, Named::Found);
        }
    }
    for path in paths {
        // The same files are held to the same, however they are named.
        let real = |path: &Path| fs::canonicalize(path).ok();
        let inside = real(path)
            .zip(real(&default))
            .map(|(path, of)| path.starts_with(of));
        loader.files.strict = inside.unwrap_or(false);
        if path != Path::new("-") && path.is_dir() {
            let files = loader.files.directory(path);
            if files.is_empty() && loader.files.faults.is_empty() && !loader.files.strict {
                let place = Place::whole(&path.display().to_string());
                let message = "there is no file *.toml in this directory";
                let fix = "give a directory with policies, or a file";
                loader.files.faults.push(Fault::new(&place, message, fix));
            }
            for file in files {
                loader.file(&file, None, Named::Found);
            }
        } else {
            loader.file(path, None, Named::Given);
        }
    }
    loader.files.warn_of_ignored(&loader.seen);
    loader.merged.finish(loader.files)
}

/// Loads the profiles only: built in, of the distribution and of the site.
///
/// # Errors
///
/// Everything that is wrong with their files.
pub fn load_profiles(root: &Root) -> Result<Profiles, Faults> {
    let mut loader = Loader::with_profiles(root);
    loader.files.warn_of_ignored(&loader.seen);
    Ok(loader.merged.finish(loader.files)?.profiles)
}

/// Reads the text of one file, which cannot include others; no file is touched.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn parse(name: &str, source: &str, profiles: Profiles) -> Result<Policies, Faults> {
    let mut loader = Loader::default();
    loader.merged.set_profiles(profiles);
    if let Some(file) = loader.parse(Path::new(name), source) {
        for At { place, .. } in &file.include {
            let fault = Fault::new(place, "a text cannot include files", "remove the include");
            loader.files.faults.push(fault);
        }
        loader.merged.add(file);
    }
    loader.merged.finish(loader.files)
}

#[derive(Default)]
struct Loader {
    files: Files,
    merged: Merged,
    /// Files that have been read, by their real path: reading one twice would say all twice.
    seen: BTreeSet<PathBuf>,
    /// Files whose includes are being read.
    open: Vec<PathBuf>,
}

impl Loader {
    fn with_profiles(root: &Root) -> Loader {
        let mut loader = Loader {
            files: Files::new(root),
            ..Loader::default()
        };
        loader.profiles(root);
        loader
    }

    fn profiles(&mut self, root: &Root) {
        match Profiles::built_in() {
            Ok(profiles) => self.merged.set_profiles(profiles),
            Err(faults) => self.files.faults.extend(faults),
        }
        self.files.strict = true;
        for directory in PROFILE_DIRECTORIES {
            let directory = root.path(directory);
            if !directory.is_dir() {
                continue;
            }
            for path in self.files.directory(&directory) {
                let Some(file) = self
                    .files
                    .read(&path, None, Named::Found)
                    .and_then(|s| self.parse(&path, &s))
                else {
                    continue;
                };
                let strange = (file.blocks.first().map(|b| &b.place))
                    .or(file.classes.first().map(|c| &c.place))
                    .or(file.grants.first().map(|grant| &grant.block.place))
                    .or(file.filter_sg.as_ref().map(|all| &all.place))
                    .or(file.include.first().map(|i| &i.place));
                if let Some(place) = strange {
                    let message = "a profile file can hold nothing but [profile.NAME]";
                    let fix = format!("move it to a file in {DEFAULT_DIRECTORY}");
                    self.files.faults.push(Fault::new(place, message, fix));
                }
                self.merged.replace_profiles(file.profiles);
            }
        }
    }

    fn parse(&mut self, path: &Path, source: &str) -> Option<convert::File> {
        convert::parse(&path.display().to_string(), source)
            .map_err(|faults| self.files.faults.extend(faults))
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
            Err(error) => return self.files.io(path, from, &error),
        };
        if self.open.contains(&real) {
            if let Some(place) = from {
                let message = format!("{} includes itself", path.display());
                let fix = "take the include out of one of the files of the loop";
                self.files.faults.push(Fault::new(place, message, fix));
            }
            return;
        }
        if let (true, Some(place)) = (self.open.len() >= MAX_DEPTH, from) {
            let message =
                format!("more than {MAX_DEPTH} files include each other, one in the other");
            let fix = "include them from one file";
            self.files.faults.push(Fault::new(place, message, fix));
            return;
        }
        if !self.seen.insert(real.clone()) {
            return;
        }
        if self.seen.len() > MAX_FILES {
            let place = from.cloned();
            let place = place.unwrap_or_else(|| Place::whole(&path.display().to_string()));
            let message = format!("more than {MAX_FILES} files");
            self.files
                .faults
                .push(Fault::new(&place, message, "join them"));
            return;
        }
        let Some(source) = self.files.read(path, from, named) else {
            return;
        };
        let Some(file) = self.parse(path, &source) else {
            return;
        };
        if file.is_empty() {
            let place = Place::whole(&path.display().to_string());
            let fix = "fill it, or remove it";
            let warning = Fault::new(&place, "there is nothing in this file", fix);
            self.files.warnings.push(warning);
        }
        self.open.push(real);
        for At { value, place } in &file.include {
            let base = path.parent().unwrap_or(Path::new(""));
            self.file(&base.join(value), Some(place), Named::Found);
        }
        self.open.pop();
        self.merged.add(file);
    }
}
