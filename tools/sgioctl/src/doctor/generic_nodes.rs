// SPDX-License-Identifier: GPL-2.0

//! `/dev/sgN`: who may write to it without the filter.

use super::{Facts, Finding};
use crate::{
    device::Device,
    running::{self, Running},
};
use anyhow::Result;
use std::{collections::BTreeMap, fs, io, os::unix::fs::MetadataExt as _};

/// The sg driver checks neither what is written to its nodes, nor SG_IO on a file that is open for
/// reading too. So it is enough that others may write.
pub(super) fn check(facts: &Facts<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    let groups = facts.root.read("/etc/group")?.unwrap_or_default();
    let mut by_group: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let all = running::filter_sg(facts.root)?.unwrap_or(false);
    let (mut safe, mut filtered) = (true, 0);
    let is_generic = |node: &&String| node.starts_with("sg");
    let nodes = facts.devices.iter().flat_map(|(device, running)| {
        let own = running.as_ref().is_some_and(|r| r.settings.filter_sg);
        let known = running.is_some();
        let nodes = device.nodes.iter().filter(is_generic);
        nodes.map(move |node| (device, node, known && (own || all)))
    });
    for (device, node, is_filtered) in nodes {
        if is_filtered {
            filtered += 1;
            continue;
        }
        let path = format!("/dev/{node}");
        let metadata = match fs::metadata(facts.root.path(&path)) {
            Ok(metadata) => metadata,
            // Without a node nobody can open it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                findings.push(Finding::note(
                    "sg",
                    format!("unknown who may write to {path}: {error}"),
                    "run this as root",
                ));
                safe = false;
                continue;
            }
        };
        // In a tree of files the owner is the user who made it.
        let owner = if facts.root.is_live() {
            metadata.uid()
        } else {
            0
        };
        match writers(metadata.mode(), owner, metadata.gid()) {
            Writers::Root => continue,
            Writers::Group(gid) => {
                let group = group_name(&groups, gid);
                by_group.entry(group).or_default().push(node.clone());
            }
            who => {
                let text = match who {
                    Writers::Everybody => format!("everybody may write to {path}: no filter there"),
                    _ => format!("uid {owner} may write to {path}: no filter there"),
                };
                let advice = format!(
                    "sgioctl set {} filter-sg on; or chown root {path}; chmod o-rw {path}; look for the \
                     udev rule that does it",
                    device.hctl
                );
                let finding = Finding::problem("sg", text, advice).of_devices([device]);
                findings.push(finding.of_paths(vec![path]));
            }
        }
        safe = false;
    }
    for (group, nodes) in by_group {
        let paths = nodes.iter().map(|node| format!("/dev/{node}")).collect();
        let of = |(device, _): &&(Device, Option<Running>)| {
            device.nodes.iter().any(|node| nodes.contains(node))
        };
        let devices = facts.devices.iter().filter(of).map(|(device, _)| device);
        let finding = Finding::note(
            "sg",
            format!(
                "group {group} (or an access list) may write to {}: no filter there",
                nodes.join(", ")
            ),
            "sgioctl set all filter-sg on; or keep unprivileged users out of that group, or the nodes \
             out of its reach (udev)",
        );
        findings.push(finding.of_devices(devices).of_paths(paths));
    }
    if filtered > 0 {
        let which = match all {
            true => "for all devices".to_owned(),
            false => format!("of {filtered} nodes"),
        };
        findings.push(Finding::ok(
            "sg",
            format!("/dev/sg* is filtered however it is open (filter_sg), {which}"),
        ));
    }
    if safe && !all {
        let others = if filtered > 0 {
            "the other nodes"
        } else {
            "the nodes"
        };
        findings.push(Finding::ok(
            "sg",
            format!("only root may write to {others} /dev/sg*"),
        ));
    }
    Ok(())
}

#[derive(PartialEq, Eq, Debug)]
enum Writers {
    Root,
    Owner,
    Group(u32),
    Everybody,
}

/// The widest circle of those who may write.
fn writers(mode: u32, uid: u32, gid: u32) -> Writers {
    if mode & 0o002 != 0 {
        Writers::Everybody
    } else if mode & 0o200 != 0 && uid != 0 {
        Writers::Owner
    } else if mode & 0o020 != 0 {
        // With an access list, these bits are its mask: it may name others than the group.
        Writers::Group(gid)
    } else {
        Writers::Root
    }
}

fn group_name(groups: &str, gid: u32) -> String {
    groups
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2) == Some(&gid.to_string().as_str()))
        .and_then(|fields| fields.first().map(|name| (*name).to_owned()))
        .unwrap_or_else(|| gid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_circle_counts() {
        assert_eq!(writers(0o600, 0, 6), Writers::Root);
        assert_eq!(writers(0o640, 0, 6), Writers::Root);
        assert_eq!(writers(0o660, 0, 6), Writers::Group(6));
        assert_eq!(writers(0o600, 107, 6), Writers::Owner);
        assert_eq!(writers(0o666, 0, 0), Writers::Everybody);
        assert_eq!(writers(0o602, 0, 0), Writers::Everybody);
        assert_eq!(writers(0o444, 107, 6), Writers::Root);
    }

    #[test]
    fn groups_have_names() {
        let groups = "root:x:0:\ndisk:x:6:qemu\nbad";
        assert_eq!(group_name(groups, 6), "disk");
        assert_eq!(group_name(groups, 7), "7");
    }
}
