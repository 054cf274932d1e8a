// SPDX-License-Identifier: GPL-2.0

//! Ways around the filter, and where it cannot tell one sender from another.

use super::{process::Process, Facts, Finding};
use crate::{device::Device, output::printable, running, verdict};
use anyhow::Result;
use std::{collections::BTreeMap, fs, io, os::unix::fs::MetadataExt as _};

pub(super) fn check(facts: &Facts<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    generic_nodes(facts, findings)?;
    rawio(facts, findings);
    shared_nexus(facts, findings, |device, write| {
        may_reserve(facts, device, write)
    });
    Ok(())
}

/// The sg driver checks neither what is written to its nodes, nor SG_IO on a file that is open for
/// reading too. So it is enough that others may write.
fn generic_nodes(facts: &Facts<'_>, findings: &mut Vec<Finding>) -> Result<()> {
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
            who => findings.push(Finding::problem(
                "sg",
                match who {
                    Writers::Everybody => format!("everybody may write to {path}: no filter there"),
                    _ => format!("uid {owner} may write to {path}: no filter there"),
                },
                format!(
                    "sgioctl set {} filter-sg on; or chown root {path}; chmod o-rw {path}; look for the \
                     udev rule that does it",
                    device.hctl
                ),
            )),
        }
        safe = false;
    }
    for (group, nodes) in by_group {
        findings.push(Finding::note(
            "sg",
            format!(
                "group {group} (or an access list) may write to {}: no filter there",
                nodes.join(", ")
            ),
            "sgioctl set all filter-sg on; or keep unprivileged users out of that group, or the nodes \
             out of its reach (udev)",
        ));
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

/// A process with the capability may send everything.
fn rawio(facts: &Facts<'_>, findings: &mut Vec<Finding>) {
    let mut none = true;
    for process in &facts.processes {
        if !process.rawio || (process.is_root() && !facts.all) {
            continue;
        }
        none = false;
        let text = format!(
            "{} has CAP_SYS_RAWIO and {} open: no filter binds it",
            describe(process),
            names(facts, process).join(", ")
        );
        findings.push(if process.is_root() {
            Finding::note("rawio", text, "fine, if it is one of the host's own")
        } else {
            Finding::problem(
                "rawio",
                text,
                "take the capability away (libvirt: rawio='no'; containers: not privileged, no \
                 SYS_RAWIO), and allow what it needs",
            )
        });
    }
    if facts.unseen > 0 {
        findings.push(Finding::note(
            "rawio",
            format!(
                "{} processes could not be looked at: unknown whether they have CAP_SYS_RAWIO and a \
                 SCSI device open",
                facts.unseen
            ),
            "run this as root",
        ));
    } else if none {
        let but = if facts.all { "" } else { " but root's own" };
        findings.push(Finding::ok(
            "rawio",
            format!("no process{but} has CAP_SYS_RAWIO and a SCSI device open"),
        ));
    }
}

fn describe(process: &Process) -> String {
    let container = if process.container {
        ", in a container"
    } else {
        ""
    };
    format!(
        "{}[{}] (uid {}{container})",
        printable(&process.name),
        process.pid,
        process.uid
    )
}

fn names(facts: &Facts<'_>, process: &Process) -> Vec<String> {
    let of = |hctl| {
        let device = facts.devices.iter().find(|(device, _)| device.hctl == hctl);
        device.map(|(device, _)| device.name())
    };
    process
        .opens
        .iter()
        .filter_map(|open| of(open.hctl))
        .collect()
}

/// Whether any service action of PERSISTENT RESERVE OUT (SPC-5 6.17) is allowed.
fn may_reserve(facts: &Facts<'_>, device: &Device, write: bool) -> bool {
    let Ok(policy) = verdict::Policy::running(facts.root, device) else {
        return false;
    };
    (0x00..=0x08).any(|action| {
        let cdb = [0x5f, action, 0, 0, 0, 0, 0, 0, 24, 0];
        policy
            .decide(&cdb, write)
            .is_ok_and(|decision| decision.is_allowed())
    })
}

/// The array knows initiators, not processes: two that send through one host are one to it. What
/// one registers and reserves is then the other's too.
fn shared_nexus(
    facts: &Facts<'_>,
    findings: &mut Vec<Finding>,
    may_reserve: impl Fn(&Device, bool) -> bool,
) {
    // By logical unit and host: the processes that may reserve it.
    let mut nexuses: BTreeMap<(String, u32), Vec<&Process>> = BTreeMap::new();
    for (device, running) in &facts.devices {
        // One owner at a time; CAP_SYS_RAWIO gets around that.
        let guarded = running
            .as_ref()
            .is_some_and(|running| running.settings.pr_exclusive);
        let unit = device
            .wwid
            .clone()
            .unwrap_or_else(|| device.hctl.to_string());
        // For reading and for writing, asked once a device, and only if a process has it open.
        let mut allowed = [None; 2];
        for process in facts.processes.iter().filter(|process| !process.is_root()) {
            let Some(open) = process.opens.iter().find(|open| open.hctl == device.hctl) else {
                continue;
            };
            let allowed = allowed.get_mut(usize::from(open.write));
            let may = process.rawio
                || !guarded
                    && allowed.is_some_and(|allowed| {
                        *allowed.get_or_insert_with(|| may_reserve(device, open.write))
                    });
            let sharers = nexuses.entry((unit.clone(), device.hctl.host)).or_default();
            if may && !sharers.iter().any(|other| other.pid == process.pid) {
                sharers.push(process);
            }
        }
    }
    for ((unit, host), sharers) in nexuses {
        if sharers.len() < 2 {
            continue;
        }
        let sharers: Vec<String> = sharers.into_iter().map(describe).collect();
        findings.push(Finding::problem(
            "nexus",
            format!(
                "{} may all reserve {} through host{host}: to the array they are one initiator, \
                 and no reservation keeps them apart",
                sharers.join(", "),
                printable(&unit)
            ),
            "give each an I_T nexus of its own (NPIV, an iSCSI session, another HBA), or let one of \
             them only reserve: 'sgioctl set DEV pr-exclusive on'",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::process::Open, *};
    use crate::{doctor::Level, root::Root};
    use sgio_policy::policy::Class;
    use std::path::Path;

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

    fn device(hctl: &str) -> Device {
        Device {
            hctl: hctl.parse().unwrap(),
            id: None,
            class: Class::DISK,
            vendor: String::new(),
            model: String::new(),
            revision: String::new(),
            wwid: Some("naa.5".into()),
            serial: None,
            transport: "fc".into(),
            nodes: Vec::new(),
            block: None,
            by_id: Vec::new(),
            by_path: Vec::new(),
            ports: Default::default(),
            multipath: None,
            unknown: Vec::new(),
        }
    }

    fn process(pid: u32, uid: u32, hctl: &str, write: bool) -> Process {
        Process {
            pid,
            name: "qemu".into(),
            uid,
            rawio: false,
            container: false,
            opens: vec![Open {
                hctl: hctl.parse().unwrap(),
                write,
            }],
        }
    }

    /// The findings where PERSISTENT RESERVE OUT is allowed to those who may write.
    fn sharing(processes: Vec<Process>) -> Vec<Finding> {
        let root = Root::new(Path::new("/nowhere"));
        let facts = Facts {
            root: &root,
            devices: ["6:0:0:0", "6:0:1:0", "7:0:0:0"]
                .map(|hctl| (device(hctl), None))
                .into(),
            processes,
            unseen: 0,
            all: false,
            probe: false,
        };
        let mut findings = Vec::new();
        shared_nexus(&facts, &mut findings, |_, write| write);
        findings
    }

    #[test]
    fn two_senders_on_one_host_are_one_initiator() {
        let found = sharing(vec![
            process(10, 107, "6:0:0:0", true),
            process(11, 107, "6:0:1:0", true),
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].level, Level::Problem);
        assert!(found[0].text.contains("qemu[10]") && found[0].text.contains("host6"));
    }

    #[test]
    fn senders_that_cannot_meet_are_no_problem() {
        let one = || process(10, 107, "6:0:0:0", true);
        // Another host, no right to reserve, root's own, the same process.
        for other in [
            process(11, 107, "7:0:0:0", true),
            process(11, 107, "6:0:0:0", false),
            process(11, 0, "6:0:0:0", true),
            process(10, 107, "6:0:1:0", true),
        ] {
            assert!(sharing(vec![one(), other.clone()]).is_empty(), "{other:?}");
        }
        let mut privileged = process(11, 107, "6:0:0:0", false);
        privileged.rawio = true;
        assert_eq!(sharing(vec![one(), privileged]).len(), 1);
    }
}
