// SPDX-License-Identifier: GPL-2.0

//! An instance of tracefs of our own: a ring buffer with nothing in it but our events, which no
//! other tracer sees or disturbs.

use crate::{device::Hctl, output, root::Root};
use anyhow::{bail, Context as _, Result};
use rustix::{
    event::{poll, PollFd, PollFlags, Timespec},
    fs::{open, Mode, OFlags},
    io::Errno,
};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

const INSTANCES: &str = "/sys/kernel/tracing/instances";
const EVENT: &str = "events/sgio_filter/decision";
const PREFIX: &str = "sgioctl-";

/// The instance; it is removed when this is dropped.
pub struct Instance {
    directory: PathBuf,
    /// `None` only while it is being removed, which needs it closed.
    pipe: Option<File>,
    buffer: Vec<u8>,
}

/// How long a filter may be: tracefs takes a page, with what the kernel makes of it.
const MAX_FILTER: usize = 3500;

/// Which events are wanted, in the language of tracefs; `None`: all. With many devices, it lets more
/// through than is wanted: the reader must choose too.
pub fn filter(all: bool, devices: &[Hctl]) -> Option<String> {
    let mut parts = Vec::new();
    if !all {
        parts.push("(outcome==3 || outcome==2)".to_owned());
    }
    if !devices.is_empty() {
        let devices: Vec<String> = devices
            .iter()
            .map(|d| {
                format!(
                    "(host=={} && channel=={} && target=={} && lun=={})",
                    d.host, d.channel, d.target, d.lun
                )
            })
            .collect();
        let text = devices.join(" || ");
        if text.len() <= MAX_FILTER {
            parts.push(format!("({text})"));
        }
    }
    (!parts.is_empty()).then(|| parts.join(" && "))
}

impl Instance {
    /// Makes an instance and lets the events come in.
    ///
    /// # Errors
    ///
    /// No tracefs, no such event, no permission.
    pub fn new(root: &Root, filter: Option<&str>) -> Result<Instance> {
        let tracing = root.path("/sys/kernel/tracing");
        if !root.path(INSTANCES).is_dir() {
            bail!(
                "no tracefs to be seen at {}: be root, or 'mount -t tracefs tracefs {0}'",
                tracing.display()
            );
        }
        if !tracing.join(EVENT).is_dir() {
            bail!(
                "the kernel has no event sgio_filter:decision: is the module sgio_filter loaded?"
            );
        }
        remove_left_over(root);

        let directory = make(root)?;
        let mut instance = Instance {
            directory,
            pipe: None,
            buffer: Vec::new(),
        };
        // A clock that is the same on all CPUs; and tell of every event at once. Older kernels
        // have no buffer_percent, and always do.
        let _ = instance.write("trace_clock", "mono");
        let _ = instance.write("buffer_percent", "0");
        if let Some(filter) = filter {
            instance.write(&format!("{EVENT}/filter"), filter)?;
        }
        let path = instance.directory.join("trace_pipe");
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let pipe = open(&path, flags, Mode::empty()).with_context(|| path.display().to_string())?;
        instance.pipe = Some(pipe.into());
        instance.write(&format!("{EVENT}/enable"), "1")?;
        Ok(instance)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.directory.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// The lines that have come; none after `patience`.
    ///
    /// # Errors
    ///
    /// The pipe cannot be read.
    pub fn lines(&mut self, patience: Duration) -> Result<Vec<String>> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(Vec::new());
        };
        let patience = Timespec::try_from(patience)?;
        let out = io::stdout();
        // Who does not read any more (head -n 1) is told by an error of the other end of the pipe.
        let mut watched = [
            PollFd::new(pipe, PollFlags::IN),
            PollFd::new(&out, PollFlags::empty()),
        ];
        match poll(&mut watched, Some(&patience)) {
            // A signal: the caller looks whether it was for it.
            Ok(_) | Err(Errno::INTR) => (),
            Err(e) => return Err(e).context("trace_pipe"),
        }
        if watched[1].revents().contains(PollFlags::ERR) {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        }
        // Whatever poll says: how it wakes up has changed between kernels.
        let mut piece = [0; 16384];
        match pipe.read(&mut piece) {
            Ok(count) => self.buffer.extend_from_slice(&piece[..count]),
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(e) => return Err(e).context("trace_pipe"),
        }
        Ok(take_lines(&mut self.buffer))
    }
}

/// Takes the whole lines out; the start of one that has not come to its end stays.
fn take_lines(buffer: &mut Vec<u8>) -> Vec<String> {
    let Some(last) = buffer.iter().rposition(|byte| *byte == b'\n') else {
        return Vec::new();
    };
    let whole: Vec<u8> = buffer.drain(..=last).collect();
    String::from_utf8_lossy(&whole)
        .lines()
        .map(str::to_owned)
        .collect()
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.write(&format!("{EVENT}/enable"), "0");
        drop(self.pipe.take());
        remove(&self.directory);
    }
}

/// Makes a directory of a name that is not taken: one of our number may be there, of another PID namespace.
fn make(root: &Root) -> Result<PathBuf> {
    let own = format!("{INSTANCES}/{PREFIX}{}", std::process::id());
    for try_number in 0..100 {
        let path = match try_number {
            0 => root.path(&own),
            number => root.path(format!("{own}-{number}")),
        };
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        }
    }
    bail!("{own}*: a hundred of them are there already");
}

/// The kernel may hold it for a moment longer.
fn remove(directory: &Path) {
    for _ in 0..20 {
        if fs::remove_dir(directory).is_ok() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    output::note(&format!(
        "{} could not be removed: 'rmdir' it",
        directory.display()
    ));
}

/// Removes the instances of monitors that were killed.
fn remove_left_over(root: &Root) {
    for name in root.names(INSTANCES).unwrap_or_default() {
        let Some(pid) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let pid = pid.split('-').next().unwrap_or_default();
        if pid.parse::<u32>().is_ok() && !root.path(format!("/proc/{pid}")).exists() {
            // The process may live in another PID namespace: then its instance is in use, which the
            // kernel knows, and it stays.
            let _ = fs::remove_dir(root.path(format!("{INSTANCES}/{name}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_say_what_is_wanted() {
        let device: Hctl = "6:0:1:2".parse().unwrap();
        let one = "(host==6 && channel==0 && target==1 && lun==2)";
        assert_eq!(filter(true, &[]), None);
        assert_eq!(
            filter(false, &[]).as_deref(),
            Some("(outcome==3 || outcome==2)")
        );
        assert_eq!(
            filter(true, &[device, device]),
            Some(format!("({one} || {one})"))
        );
        assert_eq!(
            filter(false, &[device]),
            Some(format!("(outcome==3 || outcome==2) && ({one})"))
        );
        // Whatever the number of devices, tracefs takes it.
        let longest: Hctl = "4294967295:255:65535:18446744073709551615".parse().unwrap();
        for count in 0..200 {
            let text = filter(false, &vec![longest; count]).unwrap_or_default();
            assert!(text.len() < 4096, "{count} devices: {} bytes", text.len());
        }
    }

    #[test]
    fn lines_are_taken_whole() {
        let mut buffer = b"one\ntw".to_vec();
        assert_eq!(take_lines(&mut buffer), ["one"]);
        assert!(take_lines(&mut buffer).is_empty());
        buffer.extend_from_slice(b"o\n\xff\nthr");
        assert_eq!(take_lines(&mut buffer), ["two", "\u{fffd}"]);
        assert_eq!(buffer, b"thr");
    }
}
