// SPDX-License-Identifier: GPL-2.0

//! Where the system's files are. Tests put a tree of their own in the place of `/`.

use crate::input;
use anyhow::{Context as _, Result};
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};
use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

static LOOKS: AtomicU64 = AtomicU64::new(0);

/// The directory that `sys`, `dev`, `proc`, `etc` and `usr` are in.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// `path` takes the place of `/`.
    pub fn new(path: &Path) -> Root {
        Root(path.to_owned())
    }

    /// Tells whether this is the running system, not a tree of files.
    pub fn is_live(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// How many files and directories this process has opened or looked at below any root: what many
    /// devices cost, for tests.
    pub fn looks() -> u64 {
        LOOKS.load(Ordering::Relaxed)
    }

    /// The place of an absolute path.
    pub fn path(&self, absolute: impl AsRef<Path>) -> PathBuf {
        LOOKS.fetch_add(1, Ordering::Relaxed);
        let path = absolute.as_ref();
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The text of a small file, without the newline at its end; `None` if there is no such file.
    ///
    /// # Errors
    ///
    /// What is wrong with a file that is there.
    pub fn read(&self, absolute: impl AsRef<Path>) -> Result<Option<String>> {
        let path = self.path(absolute);
        line(input::attribute(&path)).with_context(|| path.display().to_string())
    }

    /// The text of an attribute in sysfs or procfs without the blanks around it; `None` if it is
    /// not there, is empty, or cannot be read: for what is only shown. See [`Root::look`].
    pub fn attribute(&self, absolute: impl AsRef<Path>) -> Option<String> {
        self.look(absolute).ok().flatten()
    }

    /// The same; `None` if it is not there, is empty, or the kernel has no answer (a device without a
    /// WWID gives an error, not an empty text).
    ///
    /// # Errors
    ///
    /// It could not be read, so that nothing is known of it.
    pub fn look(&self, absolute: impl AsRef<Path>) -> io::Result<Option<String>> {
        Ok(answer(input::attribute(&self.path(absolute)))?.and_then(|bytes| trimmed(&bytes)))
    }

    /// What a symbolic link says, as it stands there.
    pub fn link(&self, absolute: impl AsRef<Path>) -> Option<PathBuf> {
        fs::read_link(self.path(absolute)).ok()
    }

    /// The names in a directory, sorted; none if there is no such directory.
    ///
    /// # Errors
    ///
    /// What is wrong with a directory that is there.
    pub fn names(&self, absolute: impl AsRef<Path>) -> Result<Vec<String>> {
        let path = self.path(absolute);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(e) if is_absent(&e) => return Ok(Vec::new()),
            Err(e) => return Err(e).with_context(|| path.display().to_string()),
        };
        let mut names = entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()
            .with_context(|| path.display().to_string())?;
        names.sort();
        Ok(names)
    }
}

/// A directory that is looked at several times: its path is walked once.
#[derive(Debug)]
pub struct Directory {
    fd: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// The directory of an absolute path; `None` if there is none.
    pub fn directory(&self, absolute: impl AsRef<Path>) -> Option<Directory> {
        let path = self.path(absolute);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&path, flags, Mode::empty()).ok()?;
        Some(Directory { fd, path })
    }
}

impl Directory {
    fn content(&self, name: &str) -> io::Result<Vec<u8>> {
        LOOKS.fetch_add(1, Ordering::Relaxed);
        input::attribute_at(&self.fd, name)
    }

    /// As [`Root::read`].
    ///
    /// # Errors
    ///
    /// What is wrong with a file that is there.
    pub fn read(&self, name: &str) -> Result<Option<String>> {
        line(self.content(name)).with_context(|| self.path.join(name).display().to_string())
    }

    /// As [`Root::look`].
    ///
    /// # Errors
    ///
    /// It could not be read, so that nothing is known of it.
    pub fn look(&self, name: &str) -> io::Result<Option<String>> {
        Ok(self.bytes(name)?.and_then(|bytes| trimmed(&bytes)))
    }

    /// The bytes of an attribute, under the same conditions.
    ///
    /// # Errors
    ///
    /// As [`Directory::look`].
    pub fn bytes(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        answer(self.content(name))
    }

    /// Writes to a file that is there. It is one of the directory that was opened, whatever has come to its path
    /// since.
    ///
    /// # Errors
    ///
    /// The kernel's reason.
    pub fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(&self.fd, name, flags, Mode::empty())?;
        File::from(file).write_all(text.as_bytes())
    }

    /// As [`Root::names`].
    ///
    /// # Errors
    ///
    /// What is wrong with a directory that is there.
    pub fn names(&self, name: &str) -> Result<Vec<String>> {
        let read = || -> io::Result<Vec<String>> {
            LOOKS.fetch_add(1, Ordering::Relaxed);
            let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
            let directory = rustix::fs::openat(&self.fd, name, flags, Mode::empty())?;
            let entries = rustix::fs::Dir::new(directory)?;
            let mut names = Vec::new();
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy();
                if name != "." && name != ".." {
                    names.push(name.into_owned());
                }
            }
            names.sort();
            Ok(names)
        };
        match read() {
            Err(e) if is_absent(&e) => Ok(Vec::new()),
            names => names.with_context(|| self.path.join(name).display().to_string()),
        }
    }
}

/// The text that was read, without the newline at its end; `None` if there is no such file.
fn line(read: io::Result<Vec<u8>>) -> io::Result<Option<String>> {
    match read {
        Ok(bytes) => {
            let mut text = String::from_utf8_lossy(&bytes).into_owned();
            if text.ends_with('\n') {
                text.pop();
            }
            Ok(Some(text))
        }
        Err(e) if is_absent(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

/// What was read, or that there is nothing to be read.
fn answer(read: io::Result<Vec<u8>>) -> io::Result<Option<Vec<u8>>> {
    // The kernel's words for "there is none" in files of sysfs that are there.
    let none = [Errno::NXIO, Errno::INVAL].map(Errno::raw_os_error);
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if is_absent(&e) || e.raw_os_error().is_some_and(|e| none.contains(&e)) => Ok(None),
        Err(e) => Err(e),
    }
}

/// A text without the blanks around it; `None` if nothing is left.
pub(crate) fn trimmed(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}

/// Nothing is there, or what it belonged to went away while it was looked at.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    ) || [Errno::NODEV, Errno::SRCH]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
