// SPDX-License-Identifier: GPL-2.0

//! Who has SCSI devices open.

use crate::{
    device::{Device, Hctl},
    output::printable,
    root::Root,
};
use anyhow::Result;
use rustix::fs::{statx, AtFlags, FileType, StatxFlags, CWD};
use std::collections::HashMap;

/// A process that has SCSI devices open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its effective uid, here.
    pub uid: u32,
    /// A thread of it has `CAP_SYS_RAWIO` in the initial user namespace, in effect or permitted: it can raise it.
    pub rawio: bool,
    /// It sees processes of its own only.
    pub container: bool,
    /// The devices: a map is all its paths.
    pub opens: Vec<Open>,
}

/// An open device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Open {
    /// Which.
    pub hctl: Hctl,
    /// Open for writing.
    pub write: bool,
}

impl Process {
    /// Tells whether it is one of the host's own, as root.
    pub fn is_root(&self) -> bool {
        self.uid == 0 && !self.container
    }

    /// What a finding calls it.
    pub(super) fn describe(&self) -> String {
        let container = if self.container {
            ", in a container"
        } else {
            ""
        };
        let name = printable(&self.name);
        format!("{name}[{}] (uid {}{container})", self.pid, self.uid)
    }
}

/// The numbers of a node: block or character, and the device number.
type Number = (bool, String);

/// The devices by everything that a process may have open for them.
struct Nodes {
    names: HashMap<String, Vec<Hctl>>,
    numbers: HashMap<Number, Vec<Hctl>>,
}

impl Nodes {
    fn new(root: &Root, devices: &[Device]) -> Nodes {
        let mut nodes = Nodes {
            names: HashMap::new(),
            numbers: HashMap::new(),
        };
        for device in devices {
            let base = format!("/sys/bus/scsi/devices/{}", device.hctl);
            for node in &device.nodes {
                nodes.add_name(format!("/dev/{node}"), device.hctl);
                for kind in ["block", "scsi_tape", "scsi_changer", "scsi_generic"] {
                    nodes.add_number(root, &format!("{base}/{kind}/{node}"), kind, device.hctl);
                }
                nodes.add_number(root, &format!("{base}/{node}"), "bsg", device.hctl);
            }
            if let Some(map) = &device.multipath {
                nodes.add_name(format!("/dev/{}", map.node), device.hctl);
                nodes.add_name(format!("/dev/mapper/{}", map.name), device.hctl);
                let directory = format!("/sys/block/{}", map.node);
                nodes.add_number(root, &directory, "block", device.hctl);
            }
        }
        nodes
    }

    fn add_name(&mut self, name: String, hctl: Hctl) {
        self.names.entry(name).or_default().push(hctl);
    }

    fn add_number(&mut self, root: &Root, directory: &str, kind: &str, hctl: Hctl) {
        if let Some(number) = root.attribute(format!("{directory}/dev")) {
            let number = (kind == "block", number);
            self.numbers.entry(number).or_default().push(hctl);
        }
    }

    /// By its number, which a container cannot give another name; or else by its name.
    fn find(&self, root: &Root, fd: &str) -> &[Hctl] {
        // A tree of files has the numbers of the system it is on.
        if root.is_live() {
            if let Some(number) = number(root, fd) {
                return self.numbers.get(&number).map_or(&[], Vec::as_slice);
            }
        }
        root.link(fd)
            .and_then(|name| self.names.get(name.to_str()?))
            .map_or(&[], Vec::as_slice)
    }
}

/// The numbers of what a file descriptor is, if that is a device.
fn number(root: &Root, fd: &str) -> Option<Number> {
    // Without asking a file server that may have gone.
    let flags = AtFlags::STATX_DONT_SYNC;
    let status = statx(CWD, root.path(fd), flags, StatxFlags::TYPE).ok()?;
    let kind = FileType::from_raw_mode(status.stx_mode.into());
    if !kind.is_block_device() && !kind.is_char_device() {
        return None;
    }
    let number = format!("{}:{}", status.stx_rdev_major, status.stx_rdev_minor);
    Some((kind.is_block_device(), number))
}

/// The processes that have any of the devices open, and how many may have that could not be looked at.
pub struct Openers {
    /// Those that have.
    pub processes: Vec<Process>,
    /// How many could not be looked at.
    pub unseen: usize,
}

/// Looks at all processes.
///
/// # Errors
///
/// A procfs that cannot be read.
pub fn scan(root: &Root, devices: &[Device]) -> Result<Openers> {
    let nodes = Nodes::new(root, devices);
    let mut seen = Openers {
        processes: Vec::new(),
        unseen: 0,
    };
    for name in root.names("/proc")? {
        if let Ok(pid) = name.parse() {
            // One that has gone has none.
            match root.names(format!("/proc/{pid}/fd")) {
                Ok(fds) => seen.processes.extend(one(root, pid, &fds, &nodes)),
                Err(_) => seen.unseen += 1,
            }
        }
    }
    seen.processes.sort_by_key(|process| process.pid);
    Ok(seen)
}

/// `None`: it has none open, or has gone.
fn one(root: &Root, pid: u32, fds: &[String], nodes: &Nodes) -> Option<Process> {
    let directory = format!("/proc/{pid}");
    let mut opens: Vec<Open> = Vec::new();
    for fd in fds {
        let found = nodes.find(root, &format!("{directory}/fd/{fd}"));
        if found.is_empty() {
            continue;
        }
        let info = root.attribute(format!("{directory}/fdinfo/{fd}"));
        let Some(write) = info.as_deref().map_or(Some(true), open_for_writing) else {
            continue;
        };
        for hctl in found {
            match opens.iter_mut().find(|open| open.hctl == *hctl) {
                Some(open) => open.write |= write,
                None => opens.push(Open { hctl: *hctl, write }),
            }
        }
    }
    if opens.is_empty() {
        return None;
    }
    opens.sort_by_key(|open| open.hctl);
    let status = status(&root.attribute(format!("{directory}/status"))?)?;
    // Each thread has capabilities of its own, and the files are those of all.
    let threads = root.names(format!("{directory}/task")).unwrap_or_default();
    let of_thread = |thread: &String| {
        let text = root.attribute(format!("{directory}/task/{thread}/status"))?;
        Some(self::status(&text)?.capabilities)
    };
    let capabilities = threads.iter().filter_map(of_thread);
    let capabilities = capabilities.fold(status.capabilities, |all, own| all | own);
    let other = |namespace: &str| {
        let of = |pid: &str| root.link(format!("/proc/{pid}/ns/{namespace}"));
        matches!((of(&pid.to_string()), of("1")), (Some(own), Some(init)) if own != init)
    };
    Some(Process {
        pid,
        name: status.name,
        uid: status.uid,
        // In a user namespace of its own, the capability does not count.
        rawio: capabilities & (1 << 17) != 0 && !other("user"),
        container: other("pid"),
        opens,
    })
}

struct Status {
    name: String,
    uid: u32,
    /// In effect, or permitted.
    capabilities: u64,
}

/// `/proc/PID/status`; the name is escaped there already.
fn status(text: &str) -> Option<Status> {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    let set = |name: &str| u64::from_str_radix(field(name)?, 16).ok();
    Some(Status {
        name: field("Name")?.to_owned(),
        // Real, effective, saved, file system.
        uid: field("Uid")?.split_whitespace().nth(1)?.parse().ok()?,
        capabilities: set("CapEff")? | set("CapPrm").unwrap_or(0),
    })
}

/// From `/proc/PID/fdinfo`; `None` for a file that cannot be used (`O_PATH`).
fn open_for_writing(info: &str) -> Option<bool> {
    const PATH: u32 = 0o10_000_000;
    let flags = info
        .lines()
        .find_map(|line| line.strip_prefix("flags:"))
        .and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok())
        // What cannot be told, counts as the worse.
        .unwrap_or(2);
    (flags & PATH == 0).then_some(flags & 3 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_understood() {
        let text =
            "Name:\tqemu-system-x86\nUmask:\t0022\nUid:\t1\t107\t2\t3\nCapEff:\t0000000000020000\n";
        let status = status(text).unwrap();
        assert_eq!((status.name.as_str(), status.uid), ("qemu-system-x86", 107));
        assert_eq!(status.capabilities, 1 << 17);
        assert!(super::status("Name:\tx\nUid:\t1\n").is_none());
    }

    #[test]
    fn how_a_file_is_open() {
        assert_eq!(open_for_writing("pos:\t0\nflags:\t02100000\n"), Some(false));
        assert_eq!(open_for_writing("pos:\t0\nflags:\t02100001\n"), Some(true));
        assert_eq!(open_for_writing("pos:\t0\nflags:\t02100002\n"), Some(true));
        assert_eq!(open_for_writing("pos:\t0\nflags:\t012000000\n"), None);
        assert_eq!(open_for_writing("garbage"), Some(true));
    }
}
