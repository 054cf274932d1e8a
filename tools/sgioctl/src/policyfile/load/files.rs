// SPDX-License-Identifier: GPL-2.0

//! Reads directories and files, and looks who else may write them.

use super::super::{source, Fault, Place, Text};
use crate::{
    input::{self, Named, MAX_BYTES},
    root::Root,
};
use rustix::process::geteuid;
use std::{
    collections::BTreeSet,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

/// What is read, and what is wrong with it.
#[derive(Default)]
pub(super) struct Files {
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
    /// What others may write is refused, as befits the default paths; else it is warned of.
    pub(super) strict: bool,
    /// Who may own files of the default paths besides root.
    owners: Vec<u32>,
    /// Directories on the way to files that were looked at.
    ways: BTreeSet<PathBuf>,
    /// In a tree of files that takes the place of the system: its top, above which nothing counts.
    top: PathBuf,
    /// How many bytes were read.
    bytes: u64,
    /// What lies in the directories and is not read, unless a file includes it.
    ignored: Vec<PathBuf>,
    hasher: DefaultHasher,
}

impl Files {
    /// Nothing is read yet; files of default paths may belong to root, or to the owner of a tree of files.
    pub(super) fn new(root: &Root) -> Files {
        Files {
            owners: source::owners(root),
            top: root.path("/"),
            ..Files::default()
        }
    }

    /// Tells files from others.
    pub(super) fn digest(&self) -> u64 {
        self.hasher.finish()
    }

    /// The `*.toml` of a directory, in the order of their names.
    pub(super) fn directory(&mut self, path: &Path) -> Vec<PathBuf> {
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
                self.ignored.extend(ignored);
                read
            }
            Err(error) => {
                self.io(path, None, &error);
                Vec::new()
            }
        }
    }

    /// Warns of what lies in the directories and is none of the files that were read, nor has one of them below it.
    pub(super) fn warn_of_ignored(&mut self, read: &BTreeSet<PathBuf>) {
        for path in std::mem::take(&mut self.ignored) {
            let real = fs::canonicalize(&path);
            if real.is_ok_and(|real| read.iter().any(|file| file.starts_with(&real))) {
                continue;
            }
            let place = Place::whole(&path.display().to_string());
            let message = "this file is not read: its name does not end in .toml";
            let fix = "rename it, include it from another, or move it elsewhere";
            self.warnings.push(Fault::new(&place, message, fix));
        }
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
            self.warnings.push(fault);
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

    /// Keeps what the kernel says of a file.
    pub(super) fn io(&mut self, path: &Path, from: Option<&Place>, error: &std::io::Error) {
        let file = path.display().to_string();
        let place = from.cloned().unwrap_or_else(|| Place::whole(&file));
        let message = match from {
            Some(_) => format!("{file}: {error}"),
            None => error.to_string(),
        };
        let fix = "give the path of a file that can be read";
        self.faults.push(Fault::new(&place, message, fix));
    }

    /// The text of a file.
    pub(super) fn read(
        &mut self,
        path: &Path,
        from: Option<&Place>,
        named: Named,
    ) -> Option<String> {
        if self.strict {
            self.check_way(path);
        }
        let left = MAX_BYTES.saturating_sub(self.bytes);
        let (bytes, metadata) = match input::whole(path, named, left) {
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
}
