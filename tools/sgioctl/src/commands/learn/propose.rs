// SPDX-License-Identifier: GPL-2.0

//! Records to rules: one rule for each command that was sent, and no more.

use super::{
    record::{Outcome, Record, Said},
    senders::{self, Sender, Senders},
};
use crate::{device::Hctl, names};
use anyhow::{bail, Result};
use serde::Serialize;
use sgio_policy::policy::Class;
use std::collections::{btree_map::Entry, BTreeMap, BTreeSet};

/// Of one command, so many different CDBs are kept.
const MAX_CDBS: usize = 1024;
/// And of all commands together.
const MAX_ALL_CDBS: usize = 1 << 18;
/// So many commands of all devices are kept.
const MAX_COMMANDS: usize = 1 << 14;

/// What to learn from.
#[derive(Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) destructive: bool,
    pub(super) privileged: bool,
}

/// What is proposed for one device.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub(super) struct DeviceRules {
    device: Hctl,
    class: &'static str,
    rules: Vec<Proposal>,
    /// What was sent and is not proposed.
    pub(super) not_proposed: Vec<Proposal>,
}

/// One command that was sent.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub(super) struct Proposal {
    rule: String,
    name: Option<String>,
    destructive: bool,
    times: usize,
    /// What they called themselves.
    comms: Vec<String>,
    /// Some of those who sent it.
    senders: Vec<Sender>,
    /// There were more.
    more_senders: bool,
    /// The tables know what it does.
    known: bool,
    /// What there is to say; why it is not proposed, if it is not.
    note: Option<String>,
}

/// All that was sent of one command to one device.
#[derive(Default)]
struct Seen {
    times: usize,
    read: bool,
    write: bool,
    denied: bool,
    /// Each of the read-only opens was refused for want of a write open only.
    needs_write: bool,
    senders: Senders,
    cdbs: BTreeSet<Vec<u8>>,
}

/// What was sent, added up: a log may be of any length, and what is kept of it has a bound.
pub(super) struct Sent {
    options: Options,
    devices: BTreeMap<(Hctl, u8), BTreeMap<String, Seen>>,
    records: usize,
    commands: usize,
    cdbs: usize,
}

impl Sent {
    pub(super) fn new(options: Options) -> Sent {
        Sent {
            options,
            devices: BTreeMap::new(),
            records: 0,
            commands: 0,
            cdbs: 0,
        }
    }

    /// How many records were added, those included that nothing is proposed for.
    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// Adds one.
    ///
    /// # Errors
    ///
    /// More commands than anybody reads.
    pub(super) fn add(&mut self, record: &Record) -> Result<()> {
        self.records += 1;
        let wanted = match record.outcome {
            Outcome::Refused | Outcome::Complained => true,
            Outcome::Privileged => self.options.privileged,
            Outcome::Allowed => false,
        };
        if !wanted || record.said == Said::Yes {
            return Ok(());
        }
        let commands = self
            .devices
            .entry((record.device, record.class.type_code()))
            .or_default();
        let seen = match commands.entry(names::group(&record.cdb, record.class)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if self.commands >= MAX_COMMANDS => bail!(
                "more than {MAX_COMMANDS} different commands: choose by --device, --uid or --cgroup"
            ),
            Entry::Vacant(entry) => {
                self.commands += 1;
                entry.insert(Seen::default())
            }
        };
        seen.times += 1;
        seen.read |= !record.write;
        seen.write |= record.write;
        seen.denied |= record.said == Said::Denied;
        seen.needs_write |= record.said == Said::NeedsWrite;
        seen.senders.add(record);
        let room = seen.cdbs.len() < MAX_CDBS && self.cdbs < MAX_ALL_CDBS;
        if (room || seen.cdbs.is_empty()) && seen.cdbs.insert(record.cdb.clone()) {
            self.cdbs += 1;
        }
        Ok(())
    }

    /// What is proposed for each device.
    pub(super) fn proposals(self) -> Vec<DeviceRules> {
        let devices = self.devices.into_iter();
        let device = |((device, code), commands): ((Hctl, u8), BTreeMap<String, Seen>)| {
            of_device(device, Class::from_type(code), commands, self.options)
        };
        devices.map(device).collect()
    }
}

fn of_device(
    device: Hctl,
    class: Class,
    commands: BTreeMap<String, Seen>,
    options: Options,
) -> DeviceRules {
    let mut found = DeviceRules {
        device,
        class: class.name(),
        rules: Vec::new(),
        not_proposed: Vec::new(),
    };
    let mut commands: Vec<(String, Option<String>, Seen)> = commands
        .into_values()
        .map(|seen| {
            let cdbs: Vec<&[u8]> = seen.cdbs.iter().map(Vec::as_slice).collect();
            (
                names::sent(&cdbs, class),
                names::left_open(&cdbs, class),
                seen,
            )
        })
        .collect();
    // By opcode; the rule with more fields first, since the first match decides.
    commands.sort_by_key(|(text, _, _)| {
        let fields = text.matches('[').count();
        (text.get(..2).map(str::to_owned), usize::MAX - fields)
    });
    for (exact, open, seen) in commands {
        let decoded = match seen.cdbs.first() {
            Some(cdb) => names::decode(cdb, class),
            None => continue,
        };
        // What takes something from others is for writers too, as in the tables of the classes.
        let read = seen.read && decoded.for_readers;
        let only_read = !decoded.for_readers && seen.read && !seen.write;
        let mut notes: Vec<&str> = Vec::new();
        let proposed = if seen.denied {
            notes.push("a deny rule refuses it: change that rule, if this is wanted");
            false
        } else if !decoded.known {
            notes.push("unknown here: look up what it does");
            false
        } else if !decoded.for_readers && seen.needs_write {
            notes.push("allowed to writers already: open the device for writing");
            false
        } else if decoded.destructive && !options.destructive {
            notes.push("destructive: --allow-destructive proposes it");
            false
        } else {
            !only_read
        };
        if only_read && !seen.needs_write {
            notes.push("needs a write open: was sent through a read-only one");
        }
        if proposed && seen.needs_write {
            notes.push("so far for writers only");
        }
        notes.extend(open.as_deref());
        let proposal = Proposal {
            rule: format!("allow {} {exact}", if read { 'r' } else { 'w' }),
            name: decoded.name,
            destructive: decoded.destructive,
            known: decoded.known,
            times: seen.times,
            comms: seen.senders.comms(),
            senders: seen.senders.list(),
            more_senders: seen.senders.more,
            note: (!notes.is_empty()).then(|| notes.join("; ")),
        };
        if proposed {
            found.rules.push(proposal);
        } else {
            found.not_proposed.push(proposal);
        }
    }
    found
}

/// The proposals as the file `rules` of a device takes them (of each device, if there are several).
pub(super) fn text(devices: &[DeviceRules], add: bool) -> String {
    let prefix = if add { "+" } else { "" };
    let mut text = String::new();
    for device in devices {
        if !text.is_empty() {
            text.push('\n');
        }
        text += &format!("# {} ({})\n", device.device, device.class);
        // Of lines with + the last is in front of the others.
        let rules: Vec<&Proposal> = match add {
            true => device.rules.iter().rev().collect(),
            false => device.rules.iter().collect(),
        };
        for rule in rules {
            text += &format!("{prefix}{}\n", line(rule));
        }
        if !device.not_proposed.is_empty() {
            text += "# Not proposed:\n";
        }
        for rule in &device.not_proposed {
            text += &format!("#   {}\n", line(rule));
        }
    }
    text
}

/// The proposals as commands for a shell, which grant them to one cgroup.
pub(super) fn grants(devices: &[DeviceRules], holder: &str) -> String {
    let mut text = String::new();
    for device in devices {
        text += &format!("# {} ({})\n", device.device, device.class);
        for (letter, access) in [("r", "--read"), ("w", "--write")] {
            let mut commands = String::new();
            for proposal in &device.rules {
                text_if(&mut text, proposal, letter);
                let prefix = format!("allow {letter} ");
                if let Some(command) = proposal.rule.strip_prefix(&prefix) {
                    commands += &format!(" {}", quoted(command));
                }
            }
            if !commands.is_empty() {
                text += &format!(
                    "sgioctl grant {} --cgroup {} {access}{commands}\n",
                    device.device,
                    quoted(holder)
                );
            }
        }
        if !device.not_proposed.is_empty() {
            text += "# Not proposed:\n";
        }
        for rule in &device.not_proposed {
            text += &format!("#   {}\n", line(rule));
        }
    }
    text
}

/// Says what is granted with that access, in front of the command that does it.
fn text_if(text: &mut String, proposal: &Proposal, letter: &str) {
    if proposal.rule.starts_with(&format!("allow {letter} ")) {
        *text += &format!("# {}\n", line(proposal));
    }
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.:@/+,".contains(c);
    match word.chars().all(is_plain) && !word.is_empty() {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

fn line(proposal: &Proposal) -> String {
    let name = proposal.name.as_deref().unwrap_or("unknown");
    let times = match proposal.times {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    let mut line = format!("{}  # {name}, {times}", proposal.rule);
    let senders = senders::words(&proposal.senders, proposal.more_senders);
    if !senders.is_empty() {
        line += &format!(", by {senders}");
    }
    if let Some(note) = &proposal.note {
        line += &format!("; {note}");
    }
    line
}
