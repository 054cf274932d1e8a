// SPDX-License-Identifier: GPL-2.0

//! Who sent a command: what the kernel says of them, and what they call themselves.

use super::record::Record;
use crate::device::Hctl;
use serde::Serialize;
use std::collections::BTreeSet;

/// So many different senders of one command are kept.
const MAX_KEPT: usize = 16;
/// So many are named in a line.
const MAX_NAMED: usize = 4;

/// A sender. Uid and cgroup are the kernel's word; the name is the process's own, which may be any.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
pub(super) struct Sender {
    pub(super) uid: Option<u32>,
    pub(super) cgroup: Option<String>,
    pub(super) comm: Option<String>,
}

/// The senders of one command.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Senders {
    known: BTreeSet<Sender>,
    /// There are more than are kept.
    pub(super) more: bool,
}

impl Senders {
    pub(super) fn add(&mut self, record: &Record) {
        let sender = Sender {
            uid: record.uid,
            cgroup: record.cgroup.as_deref().map(|path| plain(path, 128)),
            comm: record.comm.as_deref().map(|comm| plain(comm, 16)),
        };
        if self.known.len() < MAX_KEPT {
            self.known.insert(sender);
        } else if !self.known.contains(&sender) {
            self.more = true;
        }
    }

    /// Those that are kept.
    pub(super) fn list(&self) -> Vec<Sender> {
        self.known.iter().cloned().collect()
    }

    /// The names that they gave themselves.
    pub(super) fn comms(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self.known.iter().filter_map(|s| s.comm.as_ref()).collect();
        names.into_iter().cloned().collect()
    }
}

/// `uid 107 in /machine.slice/vm1 as "qemu"`, for a comment; nothing, if nothing is known.
pub(super) fn words(senders: &[Sender], more: bool) -> String {
    let one = |sender: &Sender| {
        let uid = sender.uid.map(|uid| format!("uid {uid}"));
        let cgroup = sender.cgroup.as_ref().map(|path| format!("in {path}"));
        let comm = sender.comm.as_ref().map(|comm| format!("as \"{comm}\""));
        let known = [uid, cgroup, comm].into_iter().flatten();
        let words: Vec<String> = known.collect();
        let nobody = (words.len() == 1 && sender.uid.is_none()).then_some("an unknown user");
        (!words.is_empty()).then(|| {
            let words = nobody.into_iter().chain(words.iter().map(String::as_str));
            words.collect::<Vec<_>>().join(" ")
        })
    };
    let mut all: Vec<String> = senders.iter().filter_map(one).collect();
    let more = more || all.len() > MAX_NAMED;
    all.truncate(MAX_NAMED);
    if more {
        all.push("more".to_owned());
    }
    all.join(", ")
}

/// What others chose, in a comment that is printable ASCII.
fn plain(text: &str, most: usize) -> String {
    let letter = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    text.chars().take(most).map(letter).collect()
}

/// What is learned from, and which senders: all, if nothing is given.
#[derive(Clone, Default, Debug)]
pub(super) struct Chosen {
    pub(super) devices: Vec<Hctl>,
    pub(super) uids: Vec<u32>,
    /// A path, which means all below it too, or the id of a cgroup.
    pub(super) cgroups: Vec<String>,
}

impl Chosen {
    pub(super) fn has(&self, record: &Record) -> bool {
        let device = self.devices.is_empty() || self.devices.contains(&record.device);
        let uid = self.uids.is_empty() || record.uid.is_some_and(|uid| self.uids.contains(&uid));
        let cgroup =
            self.cgroups.is_empty() || self.cgroups.iter().any(|wanted| is_in(record, wanted));
        device && uid && cgroup
    }
}

fn is_in(record: &Record, wanted: &str) -> bool {
    if let Ok(id) = wanted.parse::<u64>() {
        return record.cgroup_id == Some(id);
    }
    let wanted = wanted.trim_end_matches('/');
    let below = |path: &str| {
        path.strip_prefix(wanted)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    record.cgroup.as_deref().is_some_and(below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::learn::record::parse;

    fn record(uid: u32, cgroup: &str, comm: &str) -> Record {
        let line = format!(
            "{{\"schema\":\"sgioctl/1\",\"device\":\"6:0:0:0\",\"class\":\"disk\",\"outcome\":\"refused\",\
             \"decision\":\"no_rule\",\"open\":\"r\",\"uid\":{uid},\"cgroup\":\"{cgroup}\",\
             \"cgroup_id\":12,\"comm\":\"{comm}\",\"cdb\":\"5e00\"}}"
        );
        parse(&line).unwrap()
    }

    #[test]
    fn the_kernels_word_comes_before_that_of_the_process() {
        let mut senders = Senders::default();
        senders.add(&record(107, "/machine.slice/vm1", "a b"));
        assert_eq!(
            words(&senders.list(), senders.more),
            "uid 107 in /machine.slice/vm1 as \"a?b\""
        );
        // A process that forks under ever new names fills neither memory nor line.
        for number in 0..100 {
            senders.add(&record(107, "/machine.slice/vm1", &format!("x{number}")));
        }
        assert_eq!(senders.list().len(), MAX_KEPT);
        let text = words(&senders.list(), senders.more);
        assert!(text.ends_with(", more") && text.len() < 300, "{text}");
    }

    #[test]
    fn senders_are_chosen_by_what_the_kernel_says() {
        let record = record(107, "/machine.slice/vm1", "qemu");
        let chosen = |uids: &[u32], cgroups: &[&str]| {
            let cgroups = cgroups.iter().map(|path| (*path).to_owned()).collect();
            let uids = uids.to_vec();
            let devices = Vec::new();
            let chosen = Chosen {
                devices,
                uids,
                cgroups,
            };
            chosen.has(&record)
        };
        assert!(chosen(&[], &[]));
        assert!(chosen(&[1, 107], &["/machine.slice"]));
        assert!(chosen(&[], &["/machine.slice/vm1/"]) && chosen(&[], &["/"]));
        assert!(chosen(&[], &["12"]));
        assert!(!chosen(&[1], &[]));
        assert!(!chosen(&[], &["/machine"]) && !chosen(&[], &["13"]));
    }
}
