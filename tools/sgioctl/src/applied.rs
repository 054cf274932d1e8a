// SPDX-License-Identifier: GPL-2.0

//! What policy has been put in force on which device object, so that an event does it once.
//!
//! A policy file is put in force by an administrator (`sgioctl apply`), or by an event (`apply --event`,
//! which udev calls). Events come at any time: a path of a map fails, `udevadm trigger` is run.
//! So an event acts on a device object that has its defaults and no record yet, and on nothing else,
//! with one exception: a link or the name of a map that came later than the device. See [`Applied::next`].
//!
//! The records are files in `/run/sgio-filter`, one for each address, which go with the boot as the
//! device objects do. `id` tells whether a record is of the device that has the address now.

use crate::{device::Hctl, root::Root, running::Running, settings::Settings};
use anyhow::{Context as _, Result};
use rustix::fs::{flock, open, FlockOperation, Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    thread,
    time::{Duration, Instant},
};

const DIRECTORY: &str = "/run/sgio-filter";

/// What an event, or `sgioctl apply`, made of one device object.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Applied {
    /// The device object.
    pub id: u64,
    /// The content of all files that were read.
    pub files: String,
    /// The block that decided; none: the defaults.
    pub block: Option<String>,
    /// What came into force; none: what was set by hand stays.
    pub state: Option<String>,
    /// Whether a block names devices by what may come later: a link, the name of a map.
    pub later: bool,
}

/// What an event does to one device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// It puts the policy in force.
    Apply,
    /// Nothing: it has been done.
    Nothing,
    /// Nothing: something else was set by hand.
    Leave,
}

impl Applied {
    /// What an event does to the device `id`, which has `running` in force, where the files say that
    /// `block` decides.
    pub fn next(
        record: Option<&Applied>,
        id: u64,
        files: &str,
        block: Option<&str>,
        running: &str,
    ) -> Next {
        let Some(record) = record.filter(|record| record.id == id) else {
            return if running == pristine() {
                Next::Apply
            } else {
                Next::Leave
            };
        };
        // Files that were edited since are put in force by 'sgioctl apply'.
        if record.files != files || record.block.as_deref() == block {
            return Next::Nothing;
        }
        match &record.state {
            None => Next::Nothing,
            Some(state) if state == running => Next::Apply,
            Some(_) => Next::Leave,
        }
    }

    /// The device `id` has what a command has set by hand, be it the defaults: no event touches it.
    pub fn by_hand(id: u64) -> Applied {
        Applied {
            id,
            files: String::new(),
            block: None,
            state: None,
            later: false,
        }
    }

    /// Tells whether no event can change anything on the device any more, whatever files say.
    pub fn is_final(&self, id: u64) -> bool {
        self.id == id && (!self.later || self.state.is_none())
    }

    /// The record of an address, if there is one that can be read.
    pub fn read(root: &Root, hctl: Hctl) -> Option<Applied> {
        let text = root.read(path(hctl)).ok()??;
        serde_json::from_str(&text).ok()
    }

    /// Keeps it.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, root: &Root, hctl: Hctl) -> Result<()> {
        write(root, &path(hctl), &serde_json::to_string(self)?)
    }
}

fn path(hctl: Hctl) -> String {
    format!("{DIRECTORY}/{hctl}")
}

/// The grants that policy files have given on one device object: an event gives each holder what it is to have once, so that
/// what was revoked by hand since stays revoked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Given {
    /// The device object.
    pub id: u64,
    /// The ids of the cgroups, which are not used twice.
    pub cgroups: Vec<u64>,
}

impl Given {
    /// The record of an address, if it is of the device object `id`; else an empty one.
    pub fn read(root: &Root, hctl: Hctl, id: u64) -> Given {
        let text = root.read(Given::path(hctl)).ok().flatten();
        let given = text.and_then(|text| serde_json::from_str(&text).ok());
        let of_device = given.filter(|given: &Given| given.id == id);
        of_device.unwrap_or(Given {
            id,
            cgroups: Vec::new(),
        })
    }

    /// Keeps it.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, root: &Root, hctl: Hctl) -> Result<()> {
        write(root, &Given::path(hctl), &serde_json::to_string(self)?)
    }

    /// The cgroup has been given its grant.
    pub fn add(&mut self, cgroup: u64) {
        if !self.cgroups.contains(&cgroup) {
            self.cgroups.push(cgroup);
        }
    }

    fn path(hctl: Hctl) -> String {
        format!("{DIRECTORY}/grants-{hctl}")
    }
}

/// Puts a file there as a whole: who reads beside it sees the old one or the new one, and whatever else has the name
/// (a pipe, which nobody reads) is replaced.
fn write(root: &Root, path: &str, text: &str) -> Result<()> {
    let path = root.path(path);
    let new = path.with_extension("new");
    let put = || {
        directory(root)?;
        match fs::remove_file(&new) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => (),
        }
        File::create_new(&new)?.write_all(text.as_bytes())?;
        fs::rename(&new, &path)
    };
    put().with_context(|| path.display().to_string())
}

fn directory(root: &Root) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o755)
        .create(root.path(DIRECTORY))
}

/// The classes of one life of the module, which get their tables once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Classes {
    /// Which life: the number of the module's directory in sysfs, which is not given twice.
    module: u64,
}

impl Classes {
    /// The module that is loaded now.
    pub fn now(root: &Root) -> Option<Classes> {
        let metadata = fs::metadata(root.path("/sys/kernel/sgio_filter")).ok()?;
        Some(Classes {
            module: metadata.ino(),
        })
    }

    /// Tells whether they have got their tables.
    pub fn is_recorded(&self, root: &Root) -> bool {
        let text = root.read(format!("{DIRECTORY}/classes")).ok().flatten();
        text.and_then(|text| serde_json::from_str(&text).ok())
            .as_ref()
            == Some(self)
    }

    /// Keeps it.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, root: &Root) -> Result<()> {
        write(
            root,
            &format!("{DIRECTORY}/classes"),
            &serde_json::to_string(self)?,
        )
    }
}

const MESSAGES: &str = "/run/sgio-filter/messages";

/// Tells whether this message is new since the last `sgioctl apply` by hand: what is wrong with the files is said once,
/// not for each of a thousand devices.
pub fn is_news(root: &Root, message: &str) -> bool {
    const MAX_KEPT: usize = 256;
    let mut hasher = DefaultHasher::new();
    message.hash(&mut hasher);
    let digest = format!("{:016x}", hasher.finish());
    let kept = root.read(MESSAGES).ok().flatten().unwrap_or_default();
    if kept.lines().any(|line| line == digest) {
        return false;
    }
    let kept = match kept.lines().count() < MAX_KEPT {
        true => kept,
        false => String::new(),
    };
    // If it cannot be kept, it is said again.
    let _ = write(root, MESSAGES, format!("{kept}\n{digest}\n").trim_start());
    true
}

/// Has events say again what they have said.
pub fn forget_news(root: &Root) {
    let _ = fs::remove_file(root.path(MESSAGES));
}

/// What is in force on a device as a text to be compared: the settings, and the rules with a mark on those
/// that end by themselves.
pub fn state(running: &Running) -> String {
    let mut text = running.settings.lines();
    for (number, rule) in running.rules.lines().enumerate() {
        let timed = running.seconds_left(number).is_some();
        text += &format!("{rule}{}\n", if timed { " for" } else { "" });
    }
    text
}

/// The same of what is to come into force; `rules`: one a line.
pub fn wanted(settings: &Settings, rules: &str) -> String {
    settings.lines() + rules
}

/// What a device has in force when it appears.
fn pristine() -> String {
    Settings::DEFAULT.lines()
}

/// Held while devices are changed, so that nothing changes between what an event reads and what it does.
/// It goes with the file.
pub struct Lock {
    _file: Option<File>,
}

/// How long another process may hold the lock. Beyond, the lock is no reason to leave a change undone: it only keeps two
/// `sgioctl` apart, and the kernel makes each change as a whole.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for the lock. Where there can be none (no `/run`, not root), there is no event either.
pub fn lock(root: &Root) -> Lock {
    let opened = || {
        directory(root)?;
        // Who cannot write it must not be able to hold it. A pipe in its place is no lock, and nothing to wait for.
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let path = root.path(format!("{DIRECTORY}/lock"));
        io::Result::Ok(File::from(open(path, flags, Mode::RUSR | Mode::WUSR)?))
    };
    let Ok(file) = opened() else {
        return Lock { _file: None };
    };
    let began = Instant::now();
    while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err()
        && began.elapsed() < PATIENCE
    {
        thread::sleep(Duration::from_millis(5));
    }
    Lock { _file: Some(file) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(state: Option<&str>) -> Applied {
        Applied {
            id: 7,
            files: "f".into(),
            block: Some("10.toml:1:1".into()),
            state: state.map(str::to_owned),
            later: true,
        }
    }

    #[test]
    fn an_event_acts_once_for_each_device_object() {
        let plain = pristine();
        let own = format!("{plain}deny 48\n");
        let block = Some("10.toml:1:1");
        // A new device, and one that was set by hand first.
        assert_eq!(Applied::next(None, 7, "f", block, &plain), Next::Apply);
        assert_eq!(Applied::next(None, 7, "f", block, &own), Next::Leave);
        let applied = record(Some(&own));
        let next = |id, files, block, running: &str| {
            Applied::next(Some(&applied), id, files, block, running)
        };
        // The same again, whatever was done to it since.
        assert_eq!(next(7, "f", block, &own), Next::Nothing);
        assert_eq!(next(7, "f", block, &plain), Next::Nothing);
        // Files that were edited since.
        assert_eq!(next(7, "g", None, &own), Next::Nothing);
        // Another block decides, since a link has come; and something was set by hand since.
        assert_eq!(next(7, "f", Some("10.toml:5:1"), &own), Next::Apply);
        assert_eq!(next(7, "f", Some("10.toml:5:1"), &plain), Next::Leave);
        // Another device at the same address.
        assert_eq!(next(8, "f", block, &plain), Next::Apply);
        assert_eq!(next(8, "f", block, &own), Next::Leave);
    }

    #[test]
    fn a_pipe_in_the_place_of_a_record_stops_nothing() {
        let path = std::env::temp_dir().join(format!("sgioctl-pipes-{}", std::process::id()));
        let root = Root::new(&path);
        directory(&root).unwrap();
        for name in ["messages", "lock"] {
            let pipe = root.path(format!("{DIRECTORY}/{name}"));
            rustix::fs::mknodat(
                rustix::fs::CWD,
                &pipe,
                rustix::fs::FileType::Fifo,
                Mode::RUSR | Mode::WUSR,
                0,
            )
            .unwrap();
        }
        let (done, news) = std::sync::mpsc::channel();
        let waiting = root.clone();
        thread::spawn(move || {
            let _lock = lock(&waiting);
            done.send([is_news(&waiting, "wrong"), is_news(&waiting, "wrong")])
        });
        let answer = news.recv_timeout(Duration::from_secs(60));
        fs::remove_dir_all(&path).unwrap();
        assert_eq!(answer, Ok([true, false]));
    }

    #[test]
    fn what_somebody_else_has_set_is_never_touched_by_an_event() {
        let left = record(None);
        for block in [None, Some("x"), Some("10.toml:1:1")] {
            let next = Applied::next(Some(&left), 7, "f", block, &pristine());
            assert_eq!(next, Next::Nothing);
        }
        assert!(left.is_final(7) && !left.is_final(8));
        assert!(!record(Some("")).is_final(7));
    }
}
