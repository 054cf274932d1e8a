// SPDX-License-Identifier: GPL-2.0

//! Reads a file that may be anything: a pipe that nobody writes to, a device without an end, a file that
//! others may write.

use crate::root::Root;
use rustix::fs::{open, Mode, OFlags};
use std::{
    fs::{self, File, Metadata},
    io::{self, Read},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::Path,
};

/// How long a file may be: more than a transaction of the kernel can hold.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// How a file came to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Named {
    /// It stands on the command line: a pipe and standard input (`-`) are meant so.
    Given,
    /// It was found in a directory, or is included: only a file will do.
    Found,
}

/// The bytes of a file, and what is known of it (of standard input nothing).
pub(super) fn read(path: &Path, named: Named) -> io::Result<(Vec<u8>, Option<Metadata>)> {
    if named == Named::Given && path == Path::new("-") {
        return Ok((bounded(io::stdin().lock())?, None));
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
    Ok((bounded(file)?, Some(metadata)))
}

fn bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("this is longer than 16 MiB"));
    }
    Ok(bytes)
}

/// Who may write a file that others than root read policies from; `None`: root alone, or whoever runs this.
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
/// of the system, whoever has made it.
pub(super) fn owners(root: &Root) -> Vec<u32> {
    if root.is_live() {
        return Vec::new();
    }
    let owner = fs::metadata(root.path("/")).map(|metadata| metadata.uid());
    owner.into_iter().collect()
}
