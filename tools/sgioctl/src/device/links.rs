// SPDX-License-Identifier: GPL-2.0

//! The links that udev makes to nodes.

use crate::root::Root;
use anyhow::Result;
use std::{collections::BTreeMap, path::Path};

/// The names of links, by the node that they lead to.
pub(super) type ByNode = BTreeMap<String, Vec<String>>;

/// The links that udev makes.
#[derive(Default)]
pub(super) struct Links {
    pub(super) by_id: ByNode,
    pub(super) by_path: ByNode,
}

impl Links {
    /// Reads all of them.
    pub(super) fn all(root: &Root) -> Result<Links> {
        Ok(Links {
            by_id: in_directories(root, "by-id")?,
            by_path: in_directories(root, "by-path")?,
        })
    }
}

fn in_directories(root: &Root, kind: &str) -> Result<ByNode> {
    let mut links = ByNode::new();
    for directory in [format!("/dev/disk/{kind}"), format!("/dev/tape/{kind}")] {
        for name in root.names(&directory)? {
            let target = root.link(format!("{directory}/{name}"));
            if let Some(node) = target.as_deref().and_then(Path::file_name) {
                let node = node.to_string_lossy().into_owned();
                links.entry(node).or_default().push(name);
            }
        }
    }
    Ok(links)
}

/// The names of the links to any of these nodes.
pub(super) fn links_to(links: &ByNode, nodes: &[String]) -> Vec<String> {
    let names = nodes.iter().filter_map(|node| links.get(node));
    names.flatten().cloned().collect()
}
