// SPDX-License-Identifier: GPL-2.0

//! What decides on a command, and who is told.

mod command;
pub(crate) mod entry_points;
mod fast_path;
mod granted_path;
mod log;
pub(crate) mod outcome;
pub(crate) mod report_luns;
mod slow_path;
pub(crate) mod verdict;

use self::fast_path::FastDecision;
use crate::kernel::scsi::{
    cmd_allowed::{
        CmdAllowed,
        RequestCdb,
        SgCdb, //
    },
    pr_ops::{
        PrAllowed,
        PrCommand, //
    },
    sg_request::{
        SgAllowed,
        SgFastDecision, //
    },
    sg_sender::Sender,
};

/// Decides by the current [`State`](crate::state::State).
pub(crate) struct Decider;

impl CmdAllowed for Decider {
    #[inline]
    fn cmd_allowed(cdb: RequestCdb<'_>, open_for_write: bool) -> bool {
        // What is called here is called last, by a jump: so the fast path needs no stack.
        match fast_path::decide(cdb, open_for_write) {
            FastDecision::Allowed { resched: false } => true,
            FastDecision::Allowed { resched: true } => fast_path::allowed_after_resched(),
            FastDecision::NotAllowed { resched } => slow_path::by_capability(cdb, resched),
            FastDecision::NotAllowedAudited { resched } => {
                slow_path::by_capability_audited(cdb, open_for_write, resched)
            }
            FastDecision::Granted { resched } => granted_path::decide(cdb, open_for_write, resched),
            FastDecision::Unknown { resched } => slow_path::decide(cdb, open_for_write, resched),
        }
    }

    fn sg_cmd_allowed(cdb: &SgCdb, open_for_write: bool) -> bool {
        slow_path::decide_from_sg(cdb, open_for_write)
    }
}

impl PrAllowed for Decider {
    fn pr_allowed(command: &PrCommand) -> bool {
        slow_path::decide_on_reservation(command)
    }
}

impl SgAllowed for Decider {
    #[inline(always)]
    fn decide_fast(cdb: RequestCdb<'_>) -> SgFastDecision {
        fast_path::decide_on_sg_request(cdb)
    }

    fn sg_allowed(cdb: RequestCdb<'_>, sender: Option<Sender>) -> bool {
        slow_path::decide_on_sg_request(cdb, sender)
    }
}
