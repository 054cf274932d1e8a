// SPDX-License-Identifier: GPL-2.0

//! Who may write the files that policies are read from, and how many files there may be.

use crate::root::Root;
use std::{
    collections::VecDeque,
    ffi::OsString,
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// How many files include each other, one in the other.
pub(super) const MAX_DEPTH: usize = 16;

/// How many files are read.
pub(super) const MAX_FILES: usize = 10_000;

/// The directories that a path goes through, symbolic links included, from the top: a user who may write one of
/// them decides what is at the path.
pub(super) fn directories(path: &Path) -> io::Result<Vec<PathBuf>> {
    const MAX_LINKS: usize = 40;
    let mut passed = Vec::new();
    let mut here = std::env::current_dir()?;
    let mut left: VecDeque<OsString> = path.iter().map(ToOwned::to_owned).collect();
    let mut links = 0;
    if path.is_relative() {
        passed.extend(here.ancestors().map(Path::to_owned));
    }
    while let Some(part) = left.pop_front() {
        if part == ".." {
            here.pop();
            continue;
        }
        // An absolute part begins anew.
        let next = here.join(&part);
        if next.parent().is_some() {
            passed.push(here.clone());
        }
        match fs::read_link(&next) {
            Ok(target) if links < MAX_LINKS => {
                links += 1;
                for part in target.iter().rev() {
                    left.push_front(part.to_owned());
                }
            }
            _ => here = next,
        }
    }
    passed.sort();
    passed.dedup();
    Ok(passed)
}

/// The same of a directory on the way: where only owners can rename and remove what is in it, what is there stays.
pub(super) fn other_writer_above(metadata: &Metadata, trusted: &[u32]) -> Option<String> {
    const STICKY: u32 = 0o1000;
    if metadata.mode() & STICKY != 0 && (metadata.uid() == 0 || trusted.contains(&metadata.uid())) {
        return None;
    }
    other_writer(metadata, trusted)
}

/// Who may write a file that others than root read policies from; `None`: root alone, or the user who runs this.
pub(super) fn other_writer(metadata: &Metadata, trusted: &[u32]) -> Option<String> {
    let (mode, uid, gid) = (metadata.mode(), metadata.uid(), metadata.gid());
    if uid != 0 && !trusted.contains(&uid) {
        Some(format!("uid {uid}, its owner,"))
    } else if mode & 0o002 != 0 {
        Some("everybody".into())
    } else if mode & 0o020 != 0 {
        // With an access list, these bits are its mask: it may name others than the group.
        Some(format!("group {gid} (or an access list)"))
    } else {
        None
    }
}

/// The owners besides root whose files of default paths count: in a tree of files that takes the place
/// of the system, with any owner.
pub(super) fn owners(root: &Root) -> Vec<u32> {
    if root.is_live() {
        return Vec::new();
    }
    let owner = fs::metadata(root.path("/")).map(|metadata| metadata.uid());
    owner.into_iter().collect()
}
