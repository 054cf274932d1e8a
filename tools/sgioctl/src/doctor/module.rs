// SPDX-License-Identifier: GPL-2.0

//! Is the module there, and is it the one that decides?

use super::{not_loaded, Facts, Finding};
use crate::output::printable;
use anyhow::Result;

const FUNCTION: &str = "scsi_cmd_allowed";

/// Tells whether the module is loaded.
pub(super) fn check(facts: &Facts<'_>, findings: &mut Vec<Finding>) -> Result<bool> {
    let root = facts.root;
    let Some(version) = root.attribute("/sys/kernel/sgio_filter/version") else {
        let (reason, advice) = not_loaded::why(root);
        let reason = reason.map(|reason| format!("; {reason}"));
        findings.push(Finding::problem(
            "module",
            format!(
                "the module sgio_filter is not loaded: the kernel's own list decides for all \
                 devices{}",
                reason.unwrap_or_default()
            ),
            advice,
        ));
        livepatches(facts, findings)?;
        return Ok(false);
    };
    findings.push(Finding::ok(
        "module",
        format!("the module sgio_filter is loaded (interface version {version})"),
    ));
    if version != "1" {
        findings.push(Finding::note(
            "module",
            format!("this sgioctl knows version 1 of the module's interface, not {version}"),
            "use the sgioctl that came with the module",
        ));
    }
    hook(facts, findings);
    entry_points(facts, findings);
    if !facts.probe {
        decisions(facts, findings);
    }
    livepatches(facts, findings)?;
    Ok(true)
}

/// The kernel lists the functions that are redirected.
fn hook(facts: &Facts<'_>, findings: &mut Vec<Finding>) {
    let path = "/sys/kernel/tracing/enabled_functions";
    let Some(text) = facts.root.attribute(path) else {
        findings.push(Finding::note(
            "hook",
            format!("{path} cannot be read or is empty: no telling whether the hook is armed"),
            "be root; mount -t tracefs tracefs /sys/kernel/tracing",
        ));
        return;
    };
    findings.push(if is_redirected(&text) {
        Finding::ok(
            "hook",
            format!("the kernel's {FUNCTION}() is redirected (ftrace)"),
        )
    } else {
        Finding::problem(
            "hook",
            format!("the kernel's {FUNCTION}() is not redirected: its own list decides"),
            "rmmod sgio_filter, modprobe sgio_filter, and look at the kernel log",
        )
    });
}

/// What could not be redirected: a setting that needs it does less than it seems.
fn entry_points(facts: &Facts<'_>, findings: &mut Vec<Finding>) {
    let text = facts.root.attribute("/sys/kernel/sgio_filter/entry_points");
    for line in text.iter().flat_map(|text| text.lines()) {
        let Some((name, state)) = line.split_once(' ') else {
            continue;
        };
        let (name, state) = (printable(name), printable(state.trim()));
        if state.starts_with("failed") {
            findings.push(Finding::problem(
                "hook",
                format!("the kernel's {name} could not be redirected ({state})"),
                "look at the kernel log, and at what else uses ftrace; see entry_points in \
                 Documentation/ABI/testing/sysfs-kernel-sgio_filter for what is not filtered then",
            ));
        }
    }
}

/// A line is `name (count) flags`, flags in columns of their own: `D` is a direct call, which the
/// module's jump is, `I` is IPMODIFY, which it uses where there are no jumps.
fn is_redirected(text: &str) -> bool {
    text.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some(FUNCTION)
            && words
                .take_while(|word| !word.starts_with("->") && !word.starts_with("tramp"))
                .any(|word| word == "I" || word == "D")
    })
}

/// A counter that moved is the proof that commands come this way.
fn decisions(facts: &Facts<'_>, findings: &mut Vec<Finding>) {
    let total: u64 = facts
        .devices
        .iter()
        .filter_map(|(_, running)| running.as_ref())
        .map(|running| {
            let stats = running.stats;
            stats.allowed + stats.privileged + stats.complained + stats.refused
        })
        .sum();
    findings.push(if total > 0 {
        Finding::ok(
            "decisions",
            format!("it has decided on {total} commands to the devices that are there now"),
        )
    } else {
        Finding::note(
            "decisions",
            "it has not decided on any command yet: that commands come this way is not proven",
            "run this without --no-probe",
        )
    });
}

/// Only one can redirect a function; and what a livepatch changes may call it in another way.
fn livepatches(facts: &Facts<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    let directory = "/sys/kernel/livepatch";
    for patch in facts.root.names(directory)? {
        let mut ours = false;
        for object in facts.root.names(format!("{directory}/{patch}"))? {
            let functions = facts.root.names(format!("{directory}/{patch}/{object}"))?;
            ours |= functions
                .iter()
                .any(|function| function.split(',').next() == Some(FUNCTION));
        }
        findings.push(if ours {
            Finding::problem(
                "livepatch",
                format!("the livepatch {patch} replaces {FUNCTION}()"),
                "take that livepatch out: the module cannot work beside it",
            )
        } else {
            Finding::note(
                "livepatch",
                format!("the livepatch {patch} is there; it does not replace {FUNCTION}()"),
                "run this again when livepatches change",
            )
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_tells_who_is_redirected() {
        for yes in [
            "scsi_cmd_allowed (1) R I     \tM \ttramp: 0xffffffffc0000000 (x+0x0/0x10)",
            "scsi_cmd_allowed [scsi_mod] (1) R   D   M \ttramp: ftrace_regs_caller+0x0/0x61",
            "vfs_read (1)\nscsi_cmd_allowed [scsi_mod] (1)  I",
            "scsi_cmd_allowed (2) R I D\t->ftrace_ops_list_func+0x0/0x1f0",
        ] {
            assert!(is_redirected(yes), "{yes}");
        }
        for no in [
            "",
            "scsi_cmd_allowed (1) R   \ttramp: I",
            "scsi_cmd_allowed_too (1) R I",
            "vfs_read (1) R I",
        ] {
            assert!(!is_redirected(no), "{no}");
        }
    }
}
