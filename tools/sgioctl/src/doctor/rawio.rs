// SPDX-License-Identifier: GPL-2.0

//! Processes that no filter binds.

use super::{process::Process, Facts, Finding};
use crate::device::Device;

/// A process with the capability may send everything.
pub(super) fn check(facts: &Facts<'_>, findings: &mut Vec<Finding>) {
    let mut none = true;
    for process in &facts.processes {
        if !process.rawio || (process.is_root() && !facts.all) {
            continue;
        }
        none = false;
        let text = format!(
            "{} has CAP_SYS_RAWIO, or can raise it, and {} open: no filter binds it",
            process.describe(),
            names(facts, process).join(", ")
        );
        let finding = if process.is_root() {
            Finding::note("rawio", text, "fine, if it is one of the host's own")
        } else {
            Finding::problem(
                "rawio",
                text,
                "take the capability away (libvirt: rawio='no'; containers: not privileged, no \
                 SYS_RAWIO), and allow what it needs",
            )
        };
        let devices = devices(facts, process).into_iter();
        findings.push(finding.of_devices(devices).of_processes([process]));
    }
    if facts.unseen > 0 {
        findings.push(Finding::note(
            "rawio",
            format!(
                "{} processes could not be looked at: unknown whether they have CAP_SYS_RAWIO and a \
                 SCSI device open",
                facts.unseen
            ),
            "run this as root",
        ));
    } else if none {
        let but = if facts.all { "" } else { " but root's own" };
        findings.push(Finding::ok(
            "rawio",
            format!("no process{but} has CAP_SYS_RAWIO and a SCSI device open"),
        ));
    }
}

fn devices<'a>(facts: &'a Facts<'_>, process: &Process) -> Vec<&'a Device> {
    let of = |hctl| {
        let device = facts.devices.iter().find(|(device, _)| device.hctl == hctl);
        device.map(|(device, _)| device)
    };
    let opens = process.opens.iter();
    opens.filter_map(|open| of(open.hctl)).collect()
}

fn names(facts: &Facts<'_>, process: &Process) -> Vec<String> {
    let devices = devices(facts, process);
    devices.iter().map(|device| device.name()).collect()
}
