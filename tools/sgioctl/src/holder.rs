// SPDX-License-Identifier: GPL-2.0

//! Who holds a grant: a cgroup (version 2), by its path, a process, or a unit of systemd.

use crate::root::Root;
use anyhow::{bail, ensure, Context as _, Result};
use rustix::fs::statfs;
use serde::Serialize;
use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Component, Path, PathBuf},
    process::{Command, Stdio},
};

/// How the command line names a holder.
#[derive(clap::Args, Default, Debug)]
#[group(id = "holder", multiple = false)]
pub struct Args {
    /// The cgroup at this path, as in /proc/PID/cgroup or below /sys/fs/cgroup.
    #[arg(long, value_name = "PATH")]
    cgroup: Option<PathBuf>,

    /// The service or scope that this process is in; without systemd, its cgroup.
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,

    /// This unit of the system's systemd.
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,

    /// The service or scope that sgioctl itself is in.
    #[arg(long = "self")]
    this: bool,
}

/// A cgroup that can hold a grant.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Holder {
    /// The inode number of its directory, which no other has had since boot.
    pub id: u64,
    /// Its path from the root of the hierarchy.
    pub path: String,
}

impl Args {
    /// Tells whether a holder is named.
    pub fn is_given(&self) -> bool {
        self.cgroup.is_some() || self.pid.is_some() || self.unit.is_some() || self.this
    }

    /// The holder.
    ///
    /// # Errors
    ///
    /// No such process, unit or cgroup; the root, in which everybody is; no cgroups of version 2.
    pub fn holder(&self, root: &Root) -> Result<Holder> {
        ensure!(
            self.is_given(),
            "whose grant? say --cgroup PATH, --pid PID, --unit NAME or --self"
        );
        let path = match (&self.cgroup, self.pid, &self.unit) {
            (Some(path), ..) => path_below(path)?,
            (_, Some(pid), _) => unit_of(&of_process(root, &pid.to_string())?),
            (.., Some(unit)) => of_unit(unit)?,
            _ => return of_this_process(root),
        };
        Holder::at(root, &path)
    }
}

impl Holder {
    /// The cgroup at an absolute path.
    ///
    /// # Errors
    ///
    /// As [`Args::holder`].
    pub fn at(root: &Root, path: &str) -> Result<Holder> {
        ensure!(
            path != "/",
            "the root cgroup holds no grant: all that nobody has put elsewhere is in it"
        );
        let directory = top(root).join(path.trim_start_matches('/'));
        let metadata = fs::metadata(&directory)
            .with_context(|| format!("there is no cgroup {path} ({})", directory.display()))?;
        ensure!(metadata.is_dir(), "{} is no cgroup", directory.display());
        if root.is_live() {
            const CGROUP2_MAGIC: u64 = 0x6367_7270;
            let kind = statfs(&directory).with_context(|| directory.display().to_string())?;
            ensure!(
                u64::try_from(kind.f_type) == Ok(CGROUP2_MAGIC),
                "{} is no cgroup of version 2, and only those hold grants",
                directory.display()
            );
        }
        Ok(Holder {
            id: metadata.ino(),
            path: path.to_owned(),
        })
    }
}

/// The service or scope that this process is in.
///
/// # Errors
///
/// As [`Args::holder`].
pub fn of_this_process(root: &Root) -> Result<Holder> {
    Holder::at(root, &unit_of(&cgroup_of_this_process(root)?))
}

/// The path of the cgroup that this process is in.
///
/// # Errors
///
/// As [`Args::holder`].
pub fn cgroup_of_this_process(root: &Root) -> Result<String> {
    of_process(root, "self")
}

/// Where cgroups of version 2 are.
pub fn top(root: &Root) -> PathBuf {
    // Where both versions are in use, the second is mounted below.
    let top = root.path("/sys/fs/cgroup");
    let hybrid = top.join("unified");
    if hybrid.is_dir() {
        hybrid
    } else {
        top
    }
}

/// The path in the hierarchy of what was given with or without the place that it is mounted at.
fn path_below(path: &Path) -> Result<String> {
    let below = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]
        .iter()
        .find_map(|top| path.strip_prefix(top).ok())
        .unwrap_or(path);
    let mut plain = String::new();
    for part in below.components() {
        match part {
            Component::RootDir | Component::CurDir => (),
            Component::Normal(name) => {
                let name = name.to_str().context("the path is no UTF-8")?;
                plain += &format!("/{name}");
            }
            _ => bail!("{}: a path without '..'", path.display()),
        }
    }
    Ok(if plain.is_empty() { "/".into() } else { plain })
}

/// The path of the cgroup of version 2 that a process is in.
pub(crate) fn of_process(root: &Root, process: &str) -> Result<String> {
    let file = format!("/proc/{process}/cgroup");
    let text = root
        .read(&file)?
        .with_context(|| format!("there is no process {process}"))?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"));
    let path = path.with_context(|| format!("{file}: the process is in no cgroup of version 2"))?;
    if let Some(path) = path.strip_suffix(" (deleted)") {
        bail!("the cgroup {path} of process {process} has been removed");
    }
    Ok(path.to_owned())
}

/// The innermost service or scope on the way to a cgroup, or the cgroup itself if there is none: what is below a unit is the
/// unit's own affair, as the threads of a virtual machine are.
fn unit_of(path: &str) -> String {
    let mut unit = None;
    let mut end = 0;
    for part in path.split_inclusive('/') {
        end += part.len();
        let name = part.trim_end_matches('/');
        if name.ends_with(".service") || name.ends_with(".scope") {
            unit = path.get(..end).map(|path| path.trim_end_matches('/'));
        }
    }
    unit.unwrap_or(path).to_owned()
}

/// The path of the cgroup of a unit, which must be running.
fn of_unit(name: &str) -> Result<String> {
    // By its place: what is first in PATH is not asked who may send.
    const SYSTEMCTL: &str = "/usr/bin/systemctl";
    let output = Command::new(SYSTEMCTL)
        .args(["show", "--property=ControlGroup", "--value", "--", name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .with_context(|| format!("--unit asks systemd: {SYSTEMCTL}"))?;
    let path = String::from_utf8(output.stdout).unwrap_or_default();
    let path = path.trim_end();
    ensure!(
        output.status.success() && path.starts_with('/'),
        "the unit {name} has no cgroup: it is not running"
    );
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_and_without_the_mount_point() {
        for (path, expected) in [
            ("/machine.slice/db.scope", "/machine.slice/db.scope"),
            ("machine.slice/db.scope/", "/machine.slice/db.scope"),
            ("/sys/fs/cgroup/a/b", "/a/b"),
            ("/sys/fs/cgroup/unified/a", "/a"),
            ("/sys/fs/cgroup", "/"),
            ("/", "/"),
            ("/a//./b", "/a/b"),
        ] {
            assert_eq!(path_below(Path::new(path)).unwrap(), expected, "{path}");
        }
        assert!(path_below(Path::new("/a/../b")).is_err());
    }

    #[test]
    fn a_process_stands_for_the_unit_that_it_is_in() {
        for (path, expected) in [
            ("/system.slice/cron.service", "/system.slice/cron.service"),
            (
                "/machine.slice/machine-qemu\\x2d1\\x2ddb.scope/libvirt/vcpu0",
                "/machine.slice/machine-qemu\\x2d1\\x2ddb.scope",
            ),
            (
                "/user.slice/user-0.slice/user@0.service/app.slice/x.scope",
                "/user.slice/user-0.slice/user@0.service/app.slice/x.scope",
            ),
            (
                "/system.slice/backup.service/.control",
                "/system.slice/backup.service",
            ),
            ("/lxc/101/ns", "/lxc/101/ns"),
            ("/", "/"),
        ] {
            assert_eq!(unit_of(path), expected, "{path}");
        }
    }

    #[test]
    fn holders_are_directories_below_the_root() {
        let top = std::env::temp_dir().join(format!("sgioctl-holder-{}", std::process::id()));
        let directory = top.join("sys/fs/cgroup/system.slice/cron.service");
        fs::create_dir_all(&directory).unwrap();
        fs::create_dir_all(top.join("proc/812")).unwrap();
        fs::write(
            top.join("proc/812/cgroup"),
            "1:cpu:/x\n0::/system.slice/cron.service/sub\n",
        )
        .unwrap();
        fs::create_dir_all(top.join("proc/813")).unwrap();
        fs::write(
            top.join("proc/813/cgroup"),
            "0::/system.slice/cron.service (deleted)\n",
        )
        .unwrap();
        fs::create_dir_all(top.join("proc/814")).unwrap();
        fs::write(top.join("proc/814/cgroup"), "0::/\n").unwrap();
        let root = Root::new(&top);
        let id = fs::metadata(&directory).unwrap().ino();
        let args = |pid| Args {
            cgroup: None,
            pid: Some(pid),
            unit: None,
            this: false,
        };
        let expected = Holder {
            id,
            path: "/system.slice/cron.service".into(),
        };
        assert_eq!(args(812).holder(&root).unwrap(), expected);
        for pid in [1, 813, 814] {
            assert!(args(pid).holder(&root).is_err(), "{pid}");
        }
        fs::remove_dir_all(&top).unwrap();
        assert!(Holder::at(&root, "/system.slice/cron.service").is_err());
    }
}
