// SPDX-License-Identifier: GPL-2.0

//! Cgroups by their id, which is the inode number of their directory.

use crate::{holder, root::Root};
use std::{
    collections::HashMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How often the tree is walked at most, looking for one that is not known.
const PAUSE: Duration = Duration::from_secs(1);

/// The cgroups known so far. One that has gone is remembered: its events come late.
pub struct Cgroups {
    top: PathBuf,
    known: HashMap<u64, String>,
    walked: Option<Instant>,
}

impl Cgroups {
    /// None is known yet.
    pub fn new(root: &Root) -> Cgroups {
        Cgroups {
            top: holder::top(root),
            known: HashMap::new(),
            walked: None,
        }
    }

    /// The path of the cgroup with that id, from the top: `/system.slice/cron.service`.
    pub fn path(&mut self, id: u64) -> Option<String> {
        if id == 0 {
            return None;
        }
        let stale = self.walked.is_none_or(|walked| walked.elapsed() >= PAUSE);
        if !self.known.contains_key(&id) && stale {
            self.walk();
            self.walked = Some(Instant::now());
        }
        self.known.get(&id).cloned()
    }

    fn walk(&mut self) {
        let mut rest = vec![self.top.clone()];
        while let Some(directory) = rest.pop() {
            // One that goes away at that moment is no loss.
            let Ok(metadata) = fs::metadata(&directory) else {
                continue;
            };
            let below = directory.strip_prefix(&self.top).unwrap_or(Path::new(""));
            let path = format!("/{}", below.display());
            self.known.insert(metadata.ino(), path);
            let Ok(entries) = fs::read_dir(&directory) else {
                continue;
            };
            rest.extend(
                entries
                    .flatten()
                    .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                    .map(|entry| entry.path()),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_is_found_by_the_inode_of_its_directory() {
        let top = std::env::temp_dir().join(format!("sgioctl-cgroup-{}", std::process::id()));
        let directory = top.join("sys/fs/cgroup/system.slice/cron.service");
        fs::create_dir_all(&directory).unwrap();
        let id = fs::metadata(&directory).unwrap().ino();
        let mut cgroups = Cgroups::new(&Root::new(&top));
        assert_eq!(
            cgroups.path(id).as_deref(),
            Some("/system.slice/cron.service")
        );
        assert_eq!(cgroups.path(0), None);
        fs::remove_dir_all(&top).unwrap();
        assert!(cgroups.path(id).is_some(), "one that has gone is forgotten");
    }
}
