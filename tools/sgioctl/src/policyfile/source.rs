// SPDX-License-Identifier: GPL-2.0

//! Reads a file that may be anything: a pipe that nobody writes to, a device without an end, a file that
//! others may write.

use crate::root::Root;
use rustix::fs::{open, Mode, OFlags};
use std::{
    collections::VecDeque,
    ffi::OsString,
    fs::{self, File, Metadata},
    io::{self, Read},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

/// How long all files together may be: as long as a transaction of the kernel.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// How many files include each other, one in the other.
pub(super) const MAX_DEPTH: usize = 16;

/// How many files are read.
pub(super) const MAX_FILES: usize = 10_000;

/// How a file came to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Named {
    /// It stands on the command line: a pipe and standard input (`-`) are meant so.
    Given,
    /// It was found in a directory, or is included: only a file will do.
    Found,
}

/// The bytes of a file, and what is known of it (of standard input nothing).
///
/// `left` is how many bytes there may be still.
pub(super) fn read(
    path: &Path,
    named: Named,
    left: u64,
) -> io::Result<(Vec<u8>, Option<Metadata>)> {
    if named == Named::Given && path == Path::new("-") {
        return Ok((bounded(io::stdin().lock(), left)?, None));
    }
    let pipe = named == Named::Given && fs::metadata(path)?.file_type().is_fifo();
    let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
    if !pipe {
        // What is no file does not keep us here.
        flags |= OFlags::NONBLOCK;
    }
    let file = File::from(open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err(io::Error::other("this is a directory"));
    }
    if !(kind.is_file() || pipe && kind.is_fifo()) {
        return Err(io::Error::other("this is no regular file"));
    }
    Ok((bounded(file, left)?, Some(metadata)))
}

fn bounded(from: impl Read, left: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(left + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > left {
        return Err(io::Error::other(match left {
            MAX_BYTES => "this is longer than 16 MiB",
            _ => "all files together are longer than 16 MiB",
        }));
    }
    Ok(bytes)
}

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
