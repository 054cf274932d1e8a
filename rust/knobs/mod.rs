// SPDX-License-Identifier: GPL-2.0

//! The files in sysfs and `/dev/sgio_filter`, and what all of them have in common.
//!
//! What they mean, and every error they give: `Documentation/ABI/testing/`.

mod class;
mod control_device;
mod device;
mod grants;
mod queue;
mod root;
mod sweep;
mod transaction;

pub(crate) use self::{
    control_device::Control,
    device::directory,
    queue::queue_files,
    root::Root,
    sweep::Sweeper, //
};

use crate::{
    hook::entry_points::EntryPoints,
    kernel::{
        capability::Capability,
        ratelimit::RateLimit,
        sysfs::{
            Page,
            Write, //
        }, //
    },
    policy::{
        Action,
        ApplyError,
        Change,
        ListedRule,
        RuleStore,
        PERSISTENT_RESERVE_IN,
        PERSISTENT_RESERVE_OUT, //
    },
    state::{
        filter::{
            CompiledFilter,
            Rules, //
        },
        log_limits::Suppressed,
        rules::{
            now,
            RuleVec, //
        },
        stats::Stats, //
    },
};
use kernel::{
    fmt::{
        self,
        Write as _, //
    },
    prelude::*, //
};

/// The text of a write that is permitted and whole.
///
/// # Errors
///
/// `EPERM` if the file was opened without `CAP_SYS_RAWIO`, `EFBIG` if the text may be a piece of a
/// longer one.
fn accept<'a>(write: &Write<'a>) -> Result<&'a [u8]> {
    if !Capability::SYS_RAWIO.opener_had(write.file()) {
        return Err(EPERM);
    }
    if write.may_be_a_piece() {
        return Err(EFBIG);
    }
    Ok(write.text())
}

/// A switch: `0` or `1`, perhaps with a newline.
///
/// # Errors
///
/// `EINVAL` for everything else.
fn switch(text: &[u8]) -> Result<bool> {
    match word(text) {
        b"0" => Ok(false),
        b"1" => Ok(true),
        _ => Err(EINVAL),
    }
}

/// A text without the one newline that may end it.
fn word(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\n").unwrap_or(text)
}

fn show_switch(value: bool, page: &mut Page<'_>) -> Result {
    Ok(writeln!(page, "{}", u8::from(value))?)
}

/// Prints the rules that apply, so that they can be written back: no rules are an empty line.
fn show_rules(rules: &Rules, page: &mut Page<'_>) -> Result {
    show_each(rules, page, |_, _, _| Ok(()))
}

/// Prints how often each rule that applies decided, and the rule.
fn show_hits(rules: &Rules, page: &mut Page<'_>) -> Result {
    show_each(rules, page, |filter, number, page| {
        // Of one width, so that a list that is read in pieces fits together.
        Ok(write!(page, "{:>20} ", filter.hits(number))?)
    })
}

/// Prints each rule that applies, behind what `prefix` prints for its number.
fn show_each(
    rules: &Rules,
    page: &mut Page<'_>,
    prefix: impl Fn(&CompiledFilter, usize, &mut Page<'_>) -> Result,
) -> Result {
    // Not under the RCU lock: there may be many, and anybody can read them.
    let Some(filter) = rules.get() else {
        return Ok(writeln!(page)?);
    };
    let now = now();
    let mut any = false;
    for (number, listed) in filter.view().rules().iter().enumerate() {
        let Some(rule) = listed.at(now) else {
            continue;
        };
        any = true;
        prefix(&filter, number, page)?;
        writeln!(page, "{rule}")?;
        if page.is_full() {
            break;
        }
    }
    if !any {
        writeln!(page)?;
    }
    Ok(())
}

/// Prints how often each outcome was that of a command.
fn show_stats(stats: &Stats, page: &mut Page<'_>) -> Result {
    for (name, value) in stats.named() {
        writeln!(page, "{name} {value}")?;
    }
    Ok(())
}

/// Reads a text of rules. What is wrong with it goes to the kernel log, with the name of `whose`.
///
/// # Errors
///
/// `EINVAL`.
fn parse<'a>(limit: &RateLimit, whose: &dyn fmt::Display, text: &'a [u8]) -> Result<Change<'a>> {
    Change::parse(text).map_err(|e| {
        log_mistake(limit, whose, &e);
        EINVAL
    })
}

/// Tells in the kernel log why a text that was written was refused, with the name of `whose`.
fn log_mistake(limit: &RateLimit, whose: &dyn fmt::Display, why: &dyn core::fmt::Display) {
    if let Some(suppressed) = limit.admit() {
        pr_warn!(
            "{}: rules not changed: {}{}\n",
            whose,
            Plain(why),
            Suppressed(suppressed)
        );
    }
}

/// What the policy, which knows nothing of the kernel, can print.
struct Plain<'a>(&'a dyn core::fmt::Display);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Sees to it that rules bind wherever they say that they do: a rule that denies PERSISTENT RESERVE does so also for
/// `IOC_PR_*`.
///
/// # Errors
///
/// Those of [`EntryPoints::arm_reservations`].
fn arm_for(rules: &RuleVec) -> Result {
    let denies = |listed: &ListedRule| {
        let rule = listed.rule();
        rule.action() == Action::Deny
            && [PERSISTENT_RESERVE_IN, PERSISTENT_RESERVE_OUT]
                .into_iter()
                .any(|opcode| rule.opcodes().contains(opcode))
    };
    if rules.rules().iter().any(denies) {
        EntryPoints::arm_reservations()?;
    }
    Ok(())
}

/// The list that `change` makes of `old`. To be called with `State::writers` held.
///
/// # Errors
///
/// `ENOENT`, `ENOSPC` and `ENOMEM`, as the ABI describes them.
fn apply(
    limit: &RateLimit,
    whose: &dyn fmt::Display,
    change: &Change<'_>,
    old: &Rules,
) -> Result<RuleVec> {
    let mut rules = match old.get() {
        Some(old) => RuleVec::copy_of(old.view().rules())?,
        None => RuleVec::new(),
    };
    change.apply(&mut rules, now()).map_err(|e| {
        log_mistake(limit, whose, &e);
        match e {
            ApplyError::Invalid(_) => EINVAL,
            ApplyError::NotFound { .. } => ENOENT,
            ApplyError::TooMany { .. } => ENOSPC,
            ApplyError::Store(e) => e,
        }
    })?;
    Ok(rules)
}

/// Names of logical units come from devices, those of cgroups from users: only what is plain is
/// printed as it is.
fn write_escaped(page: &mut Page<'_>, text: &[u8]) -> Result {
    for byte in text {
        write!(page, "{}", core::ascii::escape_default(*byte))?;
    }
    Ok(())
}

#[kunit_tests(sgio_filter_knobs)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_0_or_1() {
        for (text, expected) in [
            (&b"0"[..], Ok(false)),
            (b"1", Ok(true)),
            (b"0\n", Ok(false)),
            (b"1\n", Ok(true)),
            (b"", Err(EINVAL)),
            (b"\n", Err(EINVAL)),
            (b"1\n\n", Err(EINVAL)),
            (b" 1", Err(EINVAL)),
            (b"1 ", Err(EINVAL)),
            (b"01", Err(EINVAL)),
            (b"2", Err(EINVAL)),
            (b"-1", Err(EINVAL)),
            (b"y", Err(EINVAL)),
            (b"1\0", Err(EINVAL)),
        ] {
            assert!(switch(text) == expected);
        }
    }
}
