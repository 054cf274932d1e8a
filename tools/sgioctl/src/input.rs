// SPDX-License-Identifier: GPL-2.0

//! Reads files that may be anything: a pipe that nobody writes to, a device without an end.
//!
//! All files are read through here, so that each read has a bound. Which: `Documentation/admin-guide/sgioctl.md`.

use rustix::fs::{fstat, makedev, open, FileType, Mode, OFlags};
use std::{
    fs::{self, File, Metadata},
    io::{self, BufRead, BufReader, IsTerminal as _, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileTypeExt as _,
    },
    path::Path,
};

/// How long a file may be, and all files of a policy together: as long as a transaction of the kernel.
pub const MAX_BYTES: u64 = 16 << 20;

/// How long a line of a log may be. The longest that the tool writes has a cgroup's path in it, of 4 KiB.
pub const MAX_LINE: usize = 64 << 10;

/// How a file came to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named {
    /// It stands on the command line: a pipe and standard input (`-`) are meant so.
    Given,
    /// It was found in a directory, or is included: only a file will do.
    Found,
}

/// What no file does is to keep us here: a pipe without a writer is at its end.
const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOCTTY)
    .union(OFlags::NONBLOCK);

/// The bytes of a file, and what is known of it (of standard input nothing).
///
/// `left` is how many bytes there may be still.
///
/// # Errors
///
/// What is no file and was not meant, what is too long, and what cannot be read.
pub fn whole(path: &Path, named: Named, left: u64) -> io::Result<(Vec<u8>, Option<Metadata>)> {
    if named == Named::Given && path == Path::new("-") {
        return Ok((bounded(io::stdin().lock(), left)?, None));
    }
    let pipe = named == Named::Given && fs::metadata(path)?.file_type().is_fifo();
    let flags = match pipe {
        true => FLAGS.difference(OFlags::NONBLOCK),
        false => FLAGS,
    };
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

/// The text of a file that is given on the command line.
///
/// # Errors
///
/// As of [`whole`], and text that is not UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    let (bytes, _) = whole(path, Named::Given, MAX_BYTES)?;
    String::from_utf8(bytes).map_err(|_| io::Error::other("this is not UTF-8"))
}

/// The bytes of a file of the kernel, most of which fit into a page.
///
/// # Errors
///
/// What is too long, and what cannot be read.
pub fn attribute(path: &Path) -> io::Result<Vec<u8>> {
    page(open(path, FLAGS, Mode::empty())?)
}

/// The same of a file below an open directory.
///
/// # Errors
///
/// As of [`attribute`].
pub fn attribute_at(directory: impl AsFd, name: &str) -> io::Result<Vec<u8>> {
    page(rustix::fs::openat(directory, name, FLAGS, Mode::empty())?)
}

fn page(file: OwnedFd) -> io::Result<Vec<u8>> {
    const PAGE: usize = 4096;
    let mut file = File::from(file);
    let mut bytes = vec![0; PAGE];
    let count = file.read(&mut bytes)?;
    bytes.truncate(count);
    // A file that does not fill the page has come to its end.
    if count == PAGE {
        bytes.append(&mut bounded(file, MAX_BYTES)?);
    }
    Ok(bytes)
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

/// The lines of a log, one after the other: the log may be of any length, and may still be written.
pub struct Lines<'a> {
    reader: Box<dyn BufRead + 'a>,
    line: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// Those of a file that is given on the command line; `-` is standard input.
    ///
    /// # Errors
    ///
    /// A file that cannot be opened, and one that is no log: a directory, a disk, a device without an end.
    pub fn open(path: &Path) -> io::Result<Lines<'static>> {
        if path == Path::new("-") {
            is_log(io::stdin())?;
            return Ok(Lines::of(io::stdin().lock()));
        }
        // To wait for the one who writes into a pipe is what is wanted here.
        let file = open(path, FLAGS.difference(OFlags::NONBLOCK), Mode::empty())?;
        is_log(&file)?;
        Ok(Lines::of(BufReader::new(File::from(file))))
    }

    /// Those of a text.
    pub fn of(reader: impl BufRead + 'a) -> Lines<'a> {
        Lines {
            reader: Box::new(reader),
            line: Vec::new(),
        }
    }

    /// The next line; names of processes in it are any bytes.
    ///
    /// # Errors
    ///
    /// What cannot be read, and a line that is longer than any of a log.
    pub fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let mut most = self.reader.by_ref().take(MAX_LINE as u64 + 1);
        if most.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        if self.line.len() > MAX_LINE {
            return Err(io::Error::other(
                "a line is longer than 64 KiB: this is no log",
            ));
        }
        Ok(Some(&self.line))
    }
}

fn is_log(file: impl AsFd) -> io::Result<()> {
    let null = makedev(1, 3);
    let stat = fstat(&file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Err(io::Error::other("this is a directory")),
        FileType::CharacterDevice if stat.st_rdev == null || file.as_fd().is_terminal() => Ok(()),
        FileType::CharacterDevice | FileType::BlockDevice => {
            Err(io::Error::other("this is a device, and no log"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_or_not_at_all() {
        let longest = "x".repeat(MAX_LINE - 1) + "\n";
        let text = format!("one\n\n{longest}end");
        let mut lines = Lines::of(text.as_bytes());
        for expected in ["one\n", "\n", &longest, "end"] {
            assert_eq!(lines.next_line().unwrap(), Some(expected.as_bytes()));
        }
        assert_eq!(lines.next_line().unwrap(), None);
        let text = "x".repeat(MAX_LINE + 1);
        assert!(Lines::of(text.as_bytes()).next_line().is_err());
    }

    #[test]
    fn what_has_no_end_is_not_read_to_it() {
        let zero = Path::new("/dev/zero");
        for named in [Named::Given, Named::Found] {
            assert!(whole(zero, named, MAX_BYTES).is_err());
        }
        assert!(text(zero).is_err() && attribute(zero).is_err());
        assert!(Lines::open(zero).is_err());
        assert!(Lines::open(Path::new("/")).is_err());
        assert_eq!(
            Lines::open(Path::new("/dev/null"))
                .unwrap()
                .next_line()
                .unwrap(),
            None
        );
    }
}
