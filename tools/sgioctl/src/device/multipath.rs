// SPDX-License-Identifier: GPL-2.0

//! The maps of dm-multipath.

use super::Multipath;
use crate::root::{Directory, Root};
use anyhow::{Context as _, Result};

/// The map that holds the disk, if dm-multipath made it.
pub(super) fn of_disk(root: &Root, device: &Directory, block: &str) -> Result<Option<Multipath>> {
    let holders = device.names(&format!("{block}/holders"))?;
    for node in holders {
        if let Some(map) = map(root, node)? {
            return Ok(Some(map));
        }
    }
    Ok(None)
}

/// All maps of dm-multipath.
///
/// # Errors
///
/// A sysfs that cannot be read.
pub fn maps(root: &Root) -> Result<Vec<Multipath>> {
    let nodes = root.names("/sys/block")?;
    let nodes = nodes.into_iter().filter(|node| node.starts_with("dm-"));
    nodes
        .filter_map(|node| map(root, node).transpose())
        .collect()
}

/// The map that a device-mapper device is.
fn map(root: &Root, node: String) -> Result<Option<Multipath>> {
    let attribute = |name: &str| {
        let path = format!("/sys/block/{node}/dm/{name}");
        root.look(&path).context(path)
    };
    let uuid = attribute("uuid")?.unwrap_or_default();
    let Some(wwid) = uuid.strip_prefix("mpath-") else {
        return Ok(None);
    };
    Ok(Some(Multipath {
        name: attribute("name")?.unwrap_or_else(|| node.clone()),
        wwid: wwid.to_owned(),
        node,
    }))
}
