// SPDX-License-Identifier: GPL-2.0

//! What the administrator would type to allow a command: as narrow as the command, and enough.

use super::{subject::Subject, verdict::Verdict};
use crate::names::{self, Decoded};
use anyhow::Result;
use serde::Serialize;
use sgio_policy::policy::{Access, Decision};

/// What is proposed; nothing where the command is allowed, or where no rule would allow it.
#[derive(Serialize, Default, Debug)]
pub(super) struct Advice {
    /// The command line that allows it with an open that was asked about.
    pub(super) to_allow: Option<String>,
    /// The same for files that are open for writing, where the question was about readers, who are not to have it.
    pub(super) to_allow_writers: Option<String>,
    /// What there is to say about it.
    pub(super) advice_note: Option<String>,
}

const NOT_FOR_READERS: &str =
    "it destroys or changes something, or takes it from others, or its effect is unknown: no rule for readers is \
     proposed; open the device for writing";
const INSIDE: &str =
    "an extended CDB has another command in it, at a place that a rule cannot look for: no rule is proposed";
const UNKNOWN: &str =
    "no table knows what it does: the rule has the bytes that were sent, as many as a rule has room for";

impl Advice {
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if let Some(command) = &self.to_allow {
            text += &format!("  to allow it: {command}\n");
        }
        if let Some(note) = &self.advice_note {
            text += &format!("  note: {note}\n");
        }
        if let Some(command) = &self.to_allow_writers {
            text += &format!("  with a write open: {command}\n");
        }
        text
    }
}

pub(super) fn of(
    subject: &Subject,
    cdb: &[u8],
    command: &Decoded,
    opens: &[bool],
    verdicts: &[Verdict],
) -> Result<Advice> {
    let class = subject.policy.class;
    let refused = verdicts.iter().filter(|verdict| !verdict.allowed);
    // The answer of the filter itself, or another owner, is nothing that a rule changes.
    let beside_rules = |verdict: &Verdict| matches!(verdict.decision, "own_luns" | "not_owner");
    if refused.clone().next().is_none() || refused.clone().any(beside_rules) {
        return Ok(Advice::default());
    }

    if command.name.as_deref() == Some("extended-cdb") {
        return Ok(Advice {
            advice_note: Some(INSIDE.to_owned()),
            ..Advice::default()
        });
    }
    let exact = names::exact(cdb, class);
    let harmless = names::default_access(&exact, class)? == Access::Read;
    let writers_may = subject.policy.decide(cdb, true)?.is_allowed();
    let allow = |access: Access| -> Result<Option<String>> {
        let rule = names::rules(&exact, class, Some(access))?;
        // Asked again with the rule in force.
        let with = subject.policy.with_rules_in_front(&rule)?;
        let helps = |write: bool| with.decide(cdb, write).map(Decision::is_allowed);
        if !helps(access == Access::Write)? {
            return Ok(None);
        }
        let what = match &command.name {
            Some(name) if names::rules(name, class, Some(access))? == rule => name.clone(),
            _ => format!("'{exact}'"),
        };
        let device = subject.device;
        let device = device.map_or_else(|| "DEV".to_owned(), |device| device.to_string());
        let open = match access {
            Access::Read => "--read",
            Access::Write => "--write",
        };
        Ok(Some(format!("sgioctl allow {device} {open} {what}")))
    };

    let mut advice = Advice::default();
    match opens {
        [true] => advice.to_allow = allow(Access::Write)?,
        [false] if command.for_readers => advice.to_allow = allow(Access::Read)?,
        [false] => {
            advice.advice_note = Some(NOT_FOR_READERS.to_owned());
            if !writers_may {
                advice.to_allow_writers = allow(Access::Write)?;
            }
        }
        _ if harmless => advice.to_allow = allow(Access::Read)?,
        // Opening it for writing is enough.
        _ if writers_may => (),
        _ => advice.to_allow = allow(Access::Write)?,
    }
    let proposed = advice.to_allow.is_some() || advice.to_allow_writers.is_some();
    if proposed {
        let unknown = (!command.known).then(|| UNKNOWN.to_owned());
        let open = names::left_open(&[cdb], class);
        let notes = [advice.advice_note.take(), unknown, open];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        advice.advice_note = (!notes.is_empty()).then(|| notes.join("; "));
    }
    Ok(advice)
}
