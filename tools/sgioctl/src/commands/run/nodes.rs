// SPDX-License-Identifier: GPL-2.0

//! Nodes of devices that belong to a user, for the processes of one mount namespace.

use super::wanted::Wanted;
use crate::{change::Target, root::Root};
use anyhow::{Context as _, Result};
use rustix::{
    fs::{mknodat, FileType, Mode, CWD},
    mount::{mount, mount_bind, unmount, MountFlags, UnmountFlags},
};
use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::{chown, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Where the nodes are made; nobody else sees it.
const WORKSHOP: &str = "/run/sgio-filter/nodes";

/// Puts nodes that belong to a user in the place of those of the devices, in this mount namespace, which is to be one of
/// its own.
///
/// # Errors
///
/// A node could not be made.
pub(super) fn open_to(root: &Root, wanted: &[Wanted], uid: u32, gid: u32) -> Result<()> {
    // The path, and whether it is for writing.
    let mut nodes: BTreeMap<PathBuf, bool> = BTreeMap::new();
    for wanted in wanted {
        for (Target { device, .. }, _) in &wanted.rules {
            let names = device.nodes.iter().map(String::as_str);
            let map = device.multipath.as_ref().map(|map| map.node.as_str());
            for name in names.chain(map) {
                *nodes
                    .entry(root.path(Path::new("/dev").join(name)))
                    .or_default() |= wanted.needs_writing();
            }
        }
    }
    fs::create_dir_all(WORKSHOP).context(WORKSHOP)?;
    mount(
        "sgioctl",
        WORKSHOP,
        "tmpfs",
        MountFlags::NOEXEC | MountFlags::NOSUID,
        c"mode=0700,size=64k",
    )
    .context("a file system for the nodes")?;
    for (number, (path, writing)) in nodes.iter().enumerate() {
        let own = Path::new(WORKSHOP).join(number.to_string());
        replace(path, &own, uid, gid, if *writing { 0o600 } else { 0o400 })
            .with_context(|| path.display().to_string())?;
    }
    // The nodes stay where they are mounted.
    unmount(WORKSHOP, UnmountFlags::DETACH).context(WORKSHOP)
}

fn replace(path: &Path, own: &Path, uid: u32, gid: u32, mode: u32) -> Result<()> {
    let metadata = fs::metadata(path)?;
    let kind = FileType::from_raw_mode(metadata.mode());
    mknodat(CWD, own, kind, Mode::empty(), metadata.rdev())?;
    chown(own, Some(uid), Some(gid))?;
    fs::set_permissions(own, Permissions::from_mode(mode))?;
    Ok(mount_bind(own, path)?)
}
