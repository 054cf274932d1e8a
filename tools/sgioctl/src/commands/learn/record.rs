// SPDX-License-Identifier: GPL-2.0

//! One recorded decision, from a line of `sgioctl monitor --json` or of the kernel's trace.

use crate::{
    device::Hctl,
    hex,
    monitor::event::{self, Line},
};
use serde::Deserialize;
use sgio_policy::policy::{Class, Reason};

/// What came of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    Allowed,
    Privileged,
    Complained,
    Refused,
}

/// What the policy said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    NoRule,
    Denied,
    NeedsWrite,
    /// Allowed, for whatever reason.
    Yes,
}

/// One recorded decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Record {
    pub(super) device: Hctl,
    pub(super) class: Class,
    pub(super) outcome: Outcome,
    pub(super) said: Said,
    pub(super) write: bool,
    pub(super) uid: Option<u32>,
    /// The path, or what is known of it: `cgroup 1234`.
    pub(super) cgroup: Option<String>,
    pub(super) cgroup_id: Option<u64>,
    pub(super) comm: Option<String>,
    pub(super) cdb: Vec<u8>,
}

/// The record of a line; `None` if it is none. The trace first: a process may be called `{x`, and no line of JSON
/// ends as one of the trace does.
pub(super) fn parse(line: &str) -> Option<Record> {
    trace(line).or_else(|| json(line))
}

#[derive(Deserialize)]
struct MonitorLine {
    schema: String,
    device: String,
    class: String,
    outcome: String,
    decision: String,
    open: String,
    #[serde(default)]
    uid: Option<u32>,
    #[serde(default)]
    cgroup: Option<String>,
    #[serde(default)]
    cgroup_id: Option<u64>,
    #[serde(default)]
    comm: Option<String>,
    cdb: String,
}

fn json(line: &str) -> Option<Record> {
    let line: MonitorLine = serde_json::from_str(line).ok()?;
    if line.schema != crate::output::SCHEMA {
        return None;
    }
    Some(Record {
        device: line.device.parse().ok()?,
        class: Class::from_name(&line.class)?,
        outcome: outcome(&line.outcome)?,
        said: said(&line.decision)?,
        write: open(&line.open)?,
        uid: line.uid,
        cgroup: line.cgroup,
        cgroup_id: line.cgroup_id,
        comm: line.comm,
        cdb: hex::cdb(&line.cdb).ok()?,
    })
}

/// A line of the tracepoint, with or without what ftrace puts in front.
fn trace(line: &str) -> Option<Record> {
    let event = match event::parse(line) {
        Line::Decision(event) => event,
        _ => match event::parse(&format!("-0 [000] 0: decision: {}", line.trim_start())) {
            Line::Decision(event) => event,
            _ => return None,
        },
    };
    Some(Record {
        device: event.hctl,
        class: event.class,
        outcome: outcome(&event.outcome)?,
        said: said(&event.decision)?,
        write: event.write,
        uid: Some(event.uid),
        cgroup: (event.cgroup != 0).then(|| format!("cgroup-{}", event.cgroup)),
        cgroup_id: Some(event.cgroup),
        comm: Some(event.comm).filter(|comm| !comm.is_empty()),
        cdb: event.cdb,
    })
}

pub(super) fn outcome(text: &str) -> Option<Outcome> {
    Some(match text {
        "allowed" | "emulated" => Outcome::Allowed,
        "privileged" => Outcome::Privileged,
        "complained" => Outcome::Complained,
        "refused" => Outcome::Refused,
        _ => return None,
    })
}

fn said(text: &str) -> Option<Said> {
    Some(match Reason::from_name(text)? {
        Reason::NoRule => Said::NoRule,
        Reason::Denied => Said::Denied,
        Reason::NeedsWrite => Said::NeedsWrite,
        // What the two last refuse, no rule would open.
        Reason::Unpriv | Reason::Allowed | Reason::OwnLuns | Reason::NotOwner => Said::Yes,
    })
}

fn open(text: &str) -> Option<bool> {
    match text {
        "r" => Some(false),
        "w" => Some(true),
        _ => None,
    }
}
