// SPDX-License-Identifier: GPL-2.0

//! What is told of a decision: in the kernel log, in the audit log, by the tracepoint. What unprivileged
//! processes can cause in a log is rate-limited, for each device apart.

use super::{
    command::Command,
    outcome::Outcome,
    verdict::Verdict, //
};
use crate::{
    kernel::{
        audit,
        cgroup,
        ratelimit::RateLimit,
        scsi::cmd_allowed::Addressed,
        task::{
            self,
            Comm, //
        },
        trace, //
    },
    policy::{
        Class,
        Hctl,
        Layer,
        Reason, //
    },
    state::{
        device::DeviceState,
        log_limits::Suppressed, //
    },
};
use kernel::{
    current,
    fmt,
    prelude::*, //
};

/// What a command is for.
pub(super) struct Subject {
    pub(super) hctl: Hctl,
    pub(super) class: Class,
}

impl Subject {
    /// A device that is unknown: all numbers of its address are the greatest.
    pub(super) const UNKNOWN: Self = Self {
        hctl: Hctl {
            host: u32::MAX,
            channel: u32::MAX,
            target: u32::MAX,
            lun: u64::MAX,
        },
        class: Class::from_type(0x1f),
    };

    /// A device that is not in the map.
    pub(super) fn addressed(addressed: &Addressed<'_>) -> Self {
        let (device_type, address) = addressed.type_and_address();
        Self {
            hctl: address.into(),
            class: Class::from_type(device_type),
        }
    }

    /// A device that is known.
    pub(super) fn of(device: &DeviceState) -> Self {
        Self {
            hctl: device.hctl,
            class: device.class,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hctl == Self::UNKNOWN.hctl {
            f.write_str("unknown")
        } else {
            self.hctl.fmt(f)
        }
    }
}

/// For the tracepoint.
#[inline(always)]
pub(super) fn decided(
    subject: &Subject,
    command: &Command<'_>,
    verdict: &Verdict<'_>,
    outcome: Outcome,
) {
    trace::decision(
        #[cold]
        || {
            let (decision, layer, rule) = verdict.codes();
            trace::Decision {
                lun: subject.hctl.lun,
                host: subject.hctl.host,
                channel: subject.hctl.channel,
                target: subject.hctl.target,
                rule: rule.into(),
                class: subject.class.type_code(),
                outcome: outcome as u8,
                decision,
                layer,
                write: command.open_for_write,
                holder: verdict.holder.unwrap_or(0),
                cdb: *command.cdb,
            }
        },
    );
}

/// A refusal, for the audit log.
#[cold]
pub(super) fn refused(
    limit: &RateLimit,
    subject: &Subject,
    command: &Command<'_>,
    verdict: &Verdict<'_>,
) {
    if !audit::is_enabled() {
        return;
    }
    let Some(suppressed) = limit.admit() else {
        return;
    };
    let record = Record {
        subject,
        open_for_write: command.open_for_write,
        reason: verdict.decision.reason(),
        layer: verdict.decision.rule().map(|(layer, _)| layer),
        holder: verdict.holder.unwrap_or(0),
        cgroup: cgroup::id_of_current(),
        cdb: command.cdb,
        pid: current!().tgid(),
        uid: task::current_uid(),
        comm: Comm::of_current(),
        suppressed,
    };
    audit::log_kernel_other(fmt!("{record}"));
}

/// A record in the audit log. It is not longer than [`audit::MAX_TEXT`].
struct Record<'a, C: fmt::Display> {
    subject: &'a Subject,
    open_for_write: bool,
    reason: Reason,
    layer: Option<Layer>,
    holder: u64,
    cgroup: u64,
    cdb: &'a [u8],
    pid: i32,
    uid: u32,
    comm: C,
    suppressed: u32,
}

impl<C: fmt::Display> fmt::Display for Record<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_fmt(fmt!(
            "op=sgio dev={} class={} open={} decision={} layer={} holder={} cgroup={} cdb={:#} pid={} uid={} comm={:#} suppressed={}",
            self.subject,
            self.subject.class.name(),
            if self.open_for_write { "w" } else { "r" },
            self.reason.name(),
            self.layer.map_or("none", Layer::name),
            self.holder,
            self.cgroup,
            Hex(self.cdb),
            self.pid,
            self.uid,
            self.comm,
            self.suppressed,
        ))
    }
}

/// Something was let through that the filter would have refused.
#[cold]
pub(super) fn complain(limit: &RateLimit, subject: &Subject, command: &Command<'_>) {
    if let Some(suppressed) = limit.admit() {
        pr_notice!(
            "{}: complain: {} from {}[{}], open for {}{}\n",
            subject,
            Hex(command.cdb),
            Comm::of_current(),
            current!().tgid(),
            if command.open_for_write {
                "writing"
            } else {
                "reading"
            },
            Suppressed(suppressed),
        );
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

#[kunit_tests(sgio_filter_log)]
mod tests {
    use super::*;
    use crate::policy::MAX_CDB;
    use fmt::Write as _;

    /// Counts what is written to it.
    struct Length(usize);

    impl fmt::Write for Length {
        fn write_str(&mut self, s: &str) -> fmt::Result {
            self.0 += s.len();
            Ok(())
        }
    }

    #[test]
    fn no_record_is_cut_off() -> Result {
        let mut most = 0;
        for class in (0..=u8::MAX).map(Class::from_type) {
            for reason in Reason::ALL {
                let mut subject = Subject::UNKNOWN;
                subject.hctl.lun -= 1;
                subject.class = class;
                let record = Record {
                    subject: &subject,
                    open_for_write: true,
                    reason,
                    layer: Some(Layer::Device),
                    holder: u64::MAX,
                    cgroup: u64::MAX,
                    cdb: &[0xff; MAX_CDB],
                    pid: i32::MIN,
                    uid: u32::MAX,
                    // A name in hex is longer than one in quotes.
                    comm: "00112233445566778899AABBCCDDEE",
                    suppressed: u32::MAX,
                };
                let mut length = Length(0);
                length.write_fmt(fmt!("{record}"))?;
                most = most.max(length.0);
            }
        }
        assert!(most <= audit::MAX_TEXT);
        Ok(())
    }
}
