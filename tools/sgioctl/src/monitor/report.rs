// SPDX-License-Identifier: GPL-2.0

//! A decision as people and programs want to read it.

use super::event::Event;
use crate::{device::Hctl, hex::hex, output::printable, root::Root, running};
use serde::Serialize;
use sgio_policy::policy::Class;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// One line of JSON.
#[derive(Serialize)]
pub struct Report<'a> {
    time: f64,
    device: Hctl,
    class: &'static str,
    outcome: &'a str,
    decision: &'a str,
    layer: &'a str,
    rule: Option<u32>,
    /// Of the grant that decided: who holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder_id: Option<u64>,
    open: &'static str,
    uid: u32,
    cgroup: Option<String>,
    cgroup_id: u64,
    pid: u32,
    comm: &'a str,
    cdb: String,
    opcode: u8,
    name: Option<String>,
    /// The fields of the CDB that matter, as `explain` gives them.
    fields: Vec<(String, String)>,
    /// The rule that has the number now; it may have been another one then.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_text: Option<String>,
}

impl<'a> Report<'a> {
    /// The event with what was found out about it.
    pub fn new(
        event: &'a Event,
        name: Option<String>,
        cgroup: Option<String>,
        rule_text: Option<String>,
    ) -> Report<'a> {
        Report {
            time: event.time,
            device: event.hctl,
            class: event.class.name(),
            outcome: &event.outcome,
            decision: &event.decision,
            layer: &event.layer,
            rule: event.rule,
            holder: None,
            holder_id: (event.holder != 0).then_some(event.holder),
            open: if event.write { "w" } else { "r" },
            uid: event.uid,
            cgroup,
            cgroup_id: event.cgroup,
            pid: event.pid,
            comm: &event.comm,
            cdb: hex(&event.cdb).replace(' ', ""),
            opcode: event.cdb.first().copied().unwrap_or_default(),
            name,
            fields: Vec::new(),
            rule_text,
        }
    }

    /// With the fields of the CDB.
    pub fn with_fields(self, fields: Vec<(String, String)>) -> Report<'a> {
        Report { fields, ..self }
    }

    /// With the path of the cgroup that holds the grant which decided.
    pub fn held_by(self, holder: Option<String>) -> Report<'a> {
        Report { holder, ..self }
    }

    /// The event as a line of text.
    pub fn text(&self, event: &Event) -> String {
        let cdb = shown(&event.cdb);
        let mut text = format!(
            "{:.6} {} {} {}: {}",
            self.time, self.device, self.class, self.outcome, cdb
        );
        let mut known: Vec<String> = self.name.iter().cloned().collect();
        known.extend(
            self.fields
                .iter()
                .map(|(field, value)| format!("{field} {value}")),
        );
        if !known.is_empty() {
            text.push_str(&format!(" ({})", known.join(", ")));
        }
        text.push_str(&format!(
            " open={} from {}[{}] uid={}",
            self.open,
            word(self.comm),
            self.pid,
            self.uid
        ));
        if let Some(cgroup) = &self.cgroup {
            text.push_str(&format!(" cgroup={}", word(cgroup)));
        }
        match (self.decision, self.rule) {
            ("no_rule", _) => text.push_str(", no rule matches"),
            ("own_luns", _) => text.push_str(", report_luns is own"),
            ("not_owner", _) => {
                text.push_str(", another cgroup owns the I_T nexus (pr_exclusive)");
            }
            ("unpriv", _) => text.push_str(", unpriv_sgio is on"),
            (decision, Some(rule)) => {
                text.push_str(&format!(
                    ", {decision} by rule {rule} of the {}",
                    self.layer
                ));
                if let Some(id) = self.holder_id {
                    let holder = self.holder.as_deref().map(word);
                    let holder = holder.unwrap_or_else(|| format!("cgroup {id}, which is gone"));
                    text.push_str(&format!(" to {holder}"));
                }
                if let Some(rule) = &self.rule_text {
                    text.push_str(&format!(": {rule}"));
                }
            }
            (decision, None) => text.push_str(&format!(", {decision}")),
        }
        text
    }
}

/// A name that the sender chose, as one word of a line: in quotes if anything in it could be taken for what is around it.
fn word(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.:/@+\\".contains(c);
    match name.chars().all(is_plain) && !name.is_empty() {
        true => printable(name),
        false => printable(&format!("{name:?}")),
    }
}

/// The CDB as text. The event has it padded to the kernel's buffer: of a vendor specific one, whose opcode does not tell
/// its length, the zeros behind it are counted, not shown.
fn shown(cdb: &[u8]) -> String {
    let known = without_padding(cdb);
    let end = known.iter().rposition(|byte| *byte != 0);
    let used = end.map_or(1, |last| last + 1);
    let vendors = known.first().is_some_and(|opcode| *opcode >= 0xc0);
    match known.get(..used) {
        Some(start) if vendors && used < known.len() => {
            let zeros = known.len() - used;
            format!("{} + {zeros} x 00 (length not known)", hex(start))
        }
        _ => hex(known),
    }
}

/// The CDB in its length, which its opcode tells: by its group (SPC-5 "Operation code"), or byte 7
/// of those of variable length. What cannot be told is shown as it came.
fn without_padding(cdb: &[u8]) -> &[u8] {
    let opcode = cdb.first().copied().unwrap_or_default();
    let length = match opcode {
        0x7f => cdb.get(7).map_or(cdb.len(), |more| 8 + usize::from(*more)),
        0x00..=0x1f => 6,
        0x20..=0x5f => 10,
        0x80..=0x9f => 16,
        0xa0..=0xbf => 12,
        _ => cdb.len(),
    };
    match cdb.split_at_checked(length) {
        Some((shown, padding)) if padding.iter().all(|byte| *byte == 0) => shown,
        _ => cdb,
    }
}

/// So many lists of rules are kept.
const MAX_LISTS: usize = 1024;

/// Rules by their number, read again after a second.
#[derive(Default)]
pub struct RuleCache {
    lists: HashMap<(Option<Hctl>, u8), (Instant, Vec<String>)>,
}

impl RuleCache {
    /// The rule that decided, if it can be found.
    pub fn text(&mut self, root: &Root, event: &Event) -> Option<String> {
        const FRESH: Duration = Duration::from_secs(1);
        let number = usize::try_from(event.rule?).ok()?;
        let whose = match event.layer.as_str() {
            "device" => Some(event.hctl),
            "class" => None,
            _ => return None,
        };
        let key = (whose, event.class.type_code());
        let fresh = |read: &Instant| read.elapsed() < FRESH;
        if !self.lists.get(&key).is_some_and(|(read, _)| fresh(read)) {
            // A log that was saved may name any device.
            if self.lists.len() >= MAX_LISTS {
                self.lists.clear();
            }
            let rules = read(root, whose, event.class).unwrap_or_default();
            let rules = rules.lines().map(str::to_owned).collect();
            self.lists.insert(key, (Instant::now(), rules));
        }
        self.lists.get(&key)?.1.get(number).cloned()
    }
}

fn read(root: &Root, whose: Option<Hctl>, class: Class) -> Option<String> {
    match whose {
        Some(hctl) => Some(running::device(root, hctl).ok()??.rules),
        None => Some(running::class(root, class).ok()??.rules),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::event, *};

    fn parse(line: &str) -> Event {
        match event::parse(line) {
            event::Line::Decision(event) => *event,
            other => panic!("{other:?}"),
        }
    }

    const REFUSED: &str = "sg_raw-1 [001] ...1. 12.5: decision: dev=6:0:0:0 class=0 \
        outcome=refused decision=no_rule layer=none rule=0 open=r uid=65534 cgroup=1234 \
        cdb=5e 00 00 00 00 00 00 20 00 00 00 00";

    #[test]
    fn json_has_the_fields_that_programs_rely_on() {
        let event = parse(REFUSED);
        let report = Report::new(
            &event,
            Some("persistent-reserve-in:read-keys".into()),
            None,
            None,
        );
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            r#"{"time":12.5,"device":"6:0:0:0","class":"disk","outcome":"refused","#.to_owned()
                + r#""decision":"no_rule","layer":"none","rule":null,"open":"r","uid":65534,"#
                + r#""cgroup":null,"cgroup_id":1234,"pid":1,"comm":"sg_raw","#
                + r#""cdb":"5e0000000000002000000000","opcode":94,"#
                + r#""name":"persistent-reserve-in:read-keys","fields":[]}"#
        );
    }

    /// A sender chooses the name of its program and, in its own subtree, that of its cgroup.
    #[test]
    fn a_name_is_taken_for_nothing_else() {
        let mut event = parse(REFUSED);
        event.comm = "x[1] uid=0 cth".into();
        let cgroup = Some("/a, no rule matches".to_owned());
        let text = Report::new(&event, None, cgroup, None).text(&event);
        assert!(
            text.contains(r#" from "x[1] uid=0 cth"[1] uid=65534 "#),
            "{text}"
        );
        assert!(text.contains(r#" cgroup="/a, no rule matches""#), "{text}");
        event.comm = "qemu-kvm".into();
        let cgroup = Some("/machine.slice/machine-qemu\\x2d1.scope".to_owned());
        let text = Report::new(&event, None, cgroup, None).text(&event);
        assert!(text.contains(" from qemu-kvm[1] "), "{text}");
        assert!(
            text.contains(r" cgroup=/machine.slice/machine-qemu\x2d1.scope"),
            "{text}"
        );
    }

    #[test]
    fn the_holder_of_a_grant_is_named() {
        let line = REFUSED.replace(
            "refused decision=no_rule layer=none rule=0",
            "allowed decision=allowed layer=grant rule=1 holder=77",
        );
        let event = parse(&line);
        let report = Report::new(&event, None, None, None);
        let text = report.text(&event);
        assert!(
            text.ends_with(", allowed by rule 1 of the grant to cgroup 77, which is gone"),
            "{text}"
        );
        let report = report.held_by(Some("/vm1".into()));
        let text = report.text(&event);
        assert!(
            text.ends_with(", allowed by rule 1 of the grant to /vm1"),
            "{text}"
        );
        let json = serde_json::to_string(&report).unwrap();
        assert!(
            json.contains(r#""rule":1,"holder":"/vm1","holder_id":77,"#),
            "{json}"
        );
        // A recording of a module without grants.
        assert_eq!(parse(REFUSED).holder, 0);
    }

    #[test]
    fn text_has_the_cdb_in_its_length() {
        let event = parse(REFUSED);
        assert_eq!(
            Report::new(&event, None, Some("/a".into()), None)
                .with_fields(vec![("length".into(), "8192".into())])
                .text(&event),
            "12.500000 6:0:0:0 disk refused: 5e 00 00 00 00 00 00 20 00 00 (length 8192) open=r from \
             sg_raw[1] uid=65534 cgroup=/a, no rule matches"
        );
        let event = parse(
            "\x1b[2J-1 [001] ...1. 12.5: decision: dev=6:0:0:0 class=0 outcome=refused \
             decision=denied layer=device rule=3 open=w uid=0 cgroup=0 cdb=48",
        );
        assert_eq!(
            Report::new(&event, None, None, Some("deny 48".into())).text(&event),
            "12.500000 6:0:0:0 disk refused: 48 open=w from \"\\u{1b}[2J\"[1] uid=0, denied by rule \
             3 of the device: deny 48"
        );
    }

    #[test]
    fn zeros_behind_a_vendors_cdb_are_counted() {
        let mut cdb = [0; 32];
        (cdb[0], cdb[1], cdb[8]) = (0xc1, 0xe1, 0x28);
        let text = "c1 e1 00 00 00 00 00 00 28 + 23 x 00 (length not known)";
        assert_eq!(shown(&cdb), text);
        cdb[31] = 1;
        assert!(!shown(&cdb).contains('+'));
        assert_eq!(shown(&[0x12, 0, 0, 0, 0x24, 0, 0, 0]), "12 00 00 00 24 00");
    }

    #[test]
    fn the_length_of_a_cdb_is_told_by_its_opcode() {
        let padded = |start: &[u8]| {
            let mut cdb = [0; 32];
            cdb[..start.len()].copy_from_slice(start);
            without_padding(&cdb).len()
        };
        assert_eq!(padded(&[0x12]), 6);
        assert_eq!(padded(&[0x5e]), 10);
        assert_eq!(padded(&[0x85]), 16);
        assert_eq!(padded(&[0xa0]), 12);
        assert_eq!(padded(&[0x7f, 0, 0, 0, 0, 0, 0, 0x18]), 32);
        assert_eq!(padded(&[0x7f, 0, 0, 0, 0, 0, 0, 0xff]), 32);
        assert_eq!(padded(&[0xc0]), 32);
        // Not padding, whatever the opcode says.
        assert_eq!(padded(&[0x12, 0, 0, 0, 0, 0, 0, 1]), 32);
        assert!(without_padding(&[]).is_empty());
    }
}
