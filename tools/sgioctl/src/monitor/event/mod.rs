// SPDX-License-Identifier: GPL-2.0

//! One decision, from a line of a trace.
//!
//! A line is what ftrace puts in front, and the event's own text:
//!
//! ```text
//!           sg_raw-812     [001] ...1.   123.456789: decision: dev=6:0:0:0 class=0 outcome=...
//! ```
//!
//! `trace-cmd report` puts blanks behind the event's name, and no flags in front of the time. `perf script` writes the
//! system in front of the name, and a blank between the process and its pid:
//!
//! ```text
//! sg_raw   812 [001]   123.456789: sgio_filter:decision: dev=6:0:0:0 class=0 outcome=...
//! ```
//!
//! The user who runs a process chooses its name, and it may look like anything here, blanks, brackets
//! and dashes included. So lines are read from the right: the event's text has the name in hex only,
//! and what stands between name and text is of a fixed form.

use crate::{device::Hctl, hex};
use sgio_policy::policy::Class;

/// What a line of a trace says.
#[derive(Clone, PartialEq, Debug)]
pub enum Line {
    /// A decision.
    Decision(Box<Event>),
    /// So many events were lost, since they came faster than they were read.
    Lost(u64),
    /// Something else: another event, a comment, or what cannot be read.
    Other,
}

/// A decision.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Seconds of the trace's clock.
    pub time: f64,
    /// The sender's name.
    pub comm: String,
    /// The sender.
    pub pid: u32,
    /// The device.
    pub hctl: Hctl,
    /// Its class.
    pub class: Class,
    /// `allowed`, `privileged`, `complained`, `refused`, `emulated`.
    pub outcome: String,
    /// `no_rule`, `unpriv`, `allowed`, `denied`, `needs_write`, `own_luns`, `not_owner`.
    pub decision: String,
    /// `none`, `grant`, `device`, `class`: whose rule.
    pub layer: String,
    /// Its number there, from 0, if a rule decided.
    pub rule: Option<u32>,
    /// The id of the cgroup that holds the grant which decided; 0: none did.
    pub holder: u64,
    /// The file was open for writing.
    pub write: bool,
    /// The sender's uid.
    pub uid: u32,
    /// The id of the sender's cgroup; 0: none.
    pub cgroup: u64,
    /// The CDB, padded with zeros.
    pub cdb: Vec<u8>,
}

const MARK: &str = ": decision: ";

/// The same of perf.
const PERF_MARK: &str = " sgio_filter:decision: ";

/// Reads a line; whatever is not understood is [`Line::Other`].
pub fn parse(line: &str) -> Line {
    if let Some(count) = lost(line) {
        return Line::Lost(count);
    }
    match event(line) {
        Some(event) => Line::Decision(Box::new(event)),
        None => Line::Other,
    }
}

/// Tells whether a line that is no decision says nothing: it is blank, or a comment of ftrace, which begins in column 1. A
/// line of an event has the name of a process behind blanks; since that may have a line feed in it, a line is to be
/// taken for a comment only if [`parse`] finds no decision in it.
pub fn says_nothing(line: &str) -> bool {
    // trace-cmd report begins with the number of processors.
    let processors = line.strip_prefix("cpus=");
    let processors = processors.is_some_and(|n| n.bytes().all(|byte| byte.is_ascii_digit()));
    line.starts_with('#') || line.trim().is_empty() || processors
}

/// `CPU:1 [LOST 12 EVENTS]`
fn lost(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("CPU:")?;
    let (_, rest) = rest.split_once(" [LOST ")?;
    rest.strip_suffix(" EVENTS]")?.parse().ok()
}

fn event(line: &str) -> Option<Event> {
    let line = line.trim_end();
    let (prefix, text, by_perf) = match line.rsplit_once(PERF_MARK) {
        // A process may be called like the mark of the other one.
        Some((prefix, text)) if !text.contains(MARK) => {
            (prefix.trim_end().strip_suffix(':')?, text, true)
        }
        _ => {
            let (prefix, text) = line.rsplit_once(MARK)?;
            (prefix, text, false)
        }
    };
    let text = text.trim_start_matches(' ');
    let sender = sender(prefix, by_perf)?;
    let (words, cdb) = text.split_once(" cdb=")?;
    // A recording of a module without grants has no such field.
    let holder = words
        .split(' ')
        .find_map(|field| field.strip_prefix("holder="));
    let holder = holder.unwrap_or("0").parse().ok()?;
    let mut fields = words
        .split(' ')
        .filter(|field| !field.starts_with("holder="));
    let mut field = |name: &str| {
        let (found, value) = fields.next()?.split_once('=')?;
        (found == name).then_some(value)
    };

    let hctl = field("dev")?.parse().ok()?;
    let class = u8::from_str_radix(field("class")?, 16).ok()?;
    let outcome = field("outcome")?.to_owned();
    let decision = field("decision")?.to_owned();
    let layer = field("layer")?.to_owned();
    let rule = field("rule")?.parse().ok()?;
    let write = match field("open")? {
        "r" => false,
        "w" | "rw" => true,
        _ => return None,
    };
    let uid = field("uid")?.parse().ok()?;
    let cgroup = field("cgroup")?.parse().ok()?;
    // ftrace does not know the name of every process ("<...>"); the event does.
    let comm = match field("comm") {
        Some(name) => name_of(name)?,
        None => sender.comm,
    };
    Some(Event {
        time: sender.time,
        comm,
        pid: sender.pid,
        hctl,
        class: Class::from_type(class),
        rule: (layer != "none").then_some(rule),
        holder,
        outcome,
        decision,
        layer,
        write,
        uid,
        cgroup,
        cdb: hex::cdb(cdb).ok()?,
    })
}

struct Sender {
    time: f64,
    comm: String,
    pid: u32,
}

/// `comm-pid [cpu] flags time`, without flags where the option irq-info is off, and with
/// `(  tgid)` behind the pid where record-tgid is on. Of perf: `comm pid [cpu] time`, or `comm pid/tid`.
fn sender(prefix: &str, by_perf: bool) -> Option<Sender> {
    let (rest, time) = last_word(prefix)?;
    let (rest, word) = last_word(rest)?;
    let is_cpu = |word: &str| {
        let number = word.strip_prefix('[').and_then(|w| w.strip_suffix(']'));
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let rest = if is_cpu(word) {
        rest
    } else {
        let (rest, cpu) = last_word(rest)?;
        is_cpu(cpu).then_some(rest)?
    };
    let mut rest = rest.trim_end();
    if let Some(inside) = rest.strip_suffix(')') {
        rest = inside.rsplit_once('(')?.0.trim_end();
    }
    let (comm, pid) = match by_perf {
        true => {
            let (comm, pid) = last_word(rest)?;
            (comm.trim_end(), pid.split('/').next().unwrap_or(pid))
        }
        false => rest.rsplit_once('-')?,
    };
    let time: f64 = time.parse().ok()?;
    time.is_finite().then_some(Sender {
        time,
        // ftrace fills up to 16 characters from the left.
        comm: comm.trim_start_matches(' ').to_owned(),
        pid: pid.parse().ok()?,
    })
}

/// The last word, and what stands before it.
fn last_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_end();
    let at = text.rfind(' ')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// A name in hex; nobody has to have one.
fn name_of(hex: &str) -> Option<String> {
    if hex.is_empty() {
        return Some(String::new());
    }
    bytes(hex).map(|name| String::from_utf8_lossy(&name).into_owned())
}

/// The bytes of a name.
fn bytes(text: &str) -> Option<Vec<u8>> {
    hex::read(text).map(|found| found.bytes)
}

#[cfg(test)]
mod tests;
