// SPDX-License-Identifier: GPL-2.0

//! The answer to one CDB, as it is printed.

use super::reason::why;
use crate::{names::Decoded, verdict::Policy};
use serde::Serialize;
use sgio_policy::policy::Decision;

/// The answer to one CDB through one kind of open file.
#[derive(Clone, Serialize, Debug)]
pub(super) struct Verdict {
    pub(super) open: &'static str,
    pub(super) allowed: bool,
    pub(super) decision: &'static str,
    pub(super) layer: Option<&'static str>,
    /// Counted from 0 in its layer.
    pub(super) rule: Option<u16>,
    pub(super) rule_text: Option<String>,
    pub(super) why: String,
}

/// Says in words what was decided.
pub(super) fn verdict(
    policy: &Policy,
    command: &Decoded,
    decision: Decision,
    write: bool,
) -> Verdict {
    let place = decision.rule();
    let rule_text = policy.rule(decision);
    Verdict {
        open: if write { "w" } else { "r" },
        allowed: decision.is_allowed(),
        decision: decision.reason().name(),
        layer: place.map(|(layer, _)| layer.name()),
        rule: place.map(|(_, number)| number),
        why: why(policy, command, decision, rule_text.as_deref()),
        rule_text,
    }
}
