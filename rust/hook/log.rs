// SPDX-License-Identifier: GPL-2.0

//! What the filter says: in the kernel log, in the audit log, by its tracepoint. What unprivileged
//! processes can cause in a log is rate-limited.

use crate::{
    hook::outcome::Outcome,
    hook::verdict::Verdict,
    kernel::{
        audit,
        scsi::cmd_allowed::CDB_BUFFER,
        task::{
            self,
            Comm, //
        },
        trace, //
    },
    state::device::Device,
    state::State, //
};
use kernel::{
    current,
    fmt,
    prelude::*, //
};

/// For the tracepoint.
#[inline(always)]
pub(crate) fn decided(
    device: &Device,
    cdb: &[u8; CDB_BUFFER],
    open_for_write: bool,
    verdict: &Verdict<'_>,
    outcome: Outcome,
) {
    trace::decision(
        #[cold]
        || {
            let (decision, layer, rule) = verdict.numbers();
            trace::Decision {
                lun: device.hctl.lun,
                host: device.hctl.host,
                channel: device.hctl.channel,
                target: device.hctl.target,
                rule: rule.into(),
                class: device.class.type_code(),
                outcome: outcome as u8,
                decision,
                layer,
                write: open_for_write,
                cdb: *cdb,
            }
        },
    );
}

/// A refusal, for the audit log.
#[cold]
pub(crate) fn refused(
    state: &State,
    device: &Device,
    cdb: &[u8],
    open_for_write: bool,
    verdict: &Verdict<'_>,
) {
    if !audit::is_enabled() || !state.audited.allows() {
        return;
    }
    let decision = match verdict.numbers().0 {
        3 => "denied",
        4 => "needs_write",
        5 => "own_luns",
        6 => "not_owner",
        _ => "no_rule",
    };
    let open = if open_for_write { "w" } else { "r" };
    audit::log_kernel_other(fmt!(
        "op=sgio dev={} class={} open={} decision={} cdb={:#} pid={} uid={} comm={:#}",
        device.hctl,
        device.class.name(),
        open,
        decision,
        Hex(cdb),
        current!().tgid(),
        task::current_uid(),
        Comm::of_current(),
    ));
}

/// Something was let through that the filter would have refused.
#[cold]
pub(crate) fn complain(state: &State, device: &Device, cdb: &[u8], open_for_write: bool) {
    if state.complaints.allows() {
        pr_notice!(
            "{}: complain: {} from {}[{}], open for {}\n",
            device.hctl,
            Hex(cdb),
            Comm::of_current(),
            current!().tgid(),
            if open_for_write { "writing" } else { "reading" },
        );
    }
}

/// A text that was written to a knob was refused.
pub(crate) fn bad_text(state: &State, whose: &dyn fmt::Display, why: &dyn core::fmt::Display) {
    if state.mistakes.allows() {
        pr_warn!("{}: rules not changed: {}\n", whose, Plain(why));
    }
}

/// What the policy, which knows nothing of the kernel, can print.
struct Plain<'a>(&'a dyn core::fmt::Display);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A CDB, without the zeros at its end; without blanks, if the alternate form is asked for.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No CDB is shorter than 6 bytes.
        let len = self
            .0
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(6, |last| (last + 1).max(6));
        for (n, byte) in self.0.iter().take(len).enumerate() {
            let blank = n != 0 && !f.alternate();
            write!(f, "{}{byte:02x}", if blank { " " } else { "" })?;
        }
        Ok(())
    }
}
