// SPDX-License-Identifier: GPL-2.0

//! Processes that are one initiator to the storage.

use super::{process::Process, Facts, Finding};
use crate::{device::Device, output::printable, verdict};
use std::collections::BTreeMap;

pub(super) fn check(facts: &Facts<'_>, findings: &mut Vec<Finding>) {
    find(facts, findings, |device, write| {
        may_reserve(facts, device, write)
    });
}

/// Whether any service action of PERSISTENT RESERVE OUT (SPC-5 6.17) is allowed.
fn may_reserve(facts: &Facts<'_>, device: &Device, write: bool) -> bool {
    let Ok(policy) = verdict::Policy::running(facts.root, device) else {
        return false;
    };
    (0x00..=0x08).any(|action| {
        let cdb = [0x5f, action, 0, 0, 0, 0, 0, 0, 24, 0];
        policy
            .decide(&cdb, write)
            .is_ok_and(|decision| decision.is_allowed())
    })
}

/// The array knows initiators, not processes: two that send through one host are one to it. What
/// one registers and reserves is then the other's too.
fn find(
    facts: &Facts<'_>,
    findings: &mut Vec<Finding>,
    may_reserve: impl Fn(&Device, bool) -> bool,
) {
    // By logical unit and host: the processes that may reserve it.
    let mut nexuses: BTreeMap<(String, u32), Vec<&Process>> = BTreeMap::new();
    for (device, running) in &facts.devices {
        // One owner at a time; CAP_SYS_RAWIO gets around that.
        let guarded = running
            .as_ref()
            .is_some_and(|running| running.settings.pr_exclusive);
        let unit = device
            .wwid
            .clone()
            .unwrap_or_else(|| device.hctl.to_string());
        // For reading and for writing, asked once a device, and only if a process has it open.
        let mut allowed = [None; 2];
        for process in facts.processes.iter().filter(|process| !process.is_root()) {
            let Some(open) = process.opens.iter().find(|open| open.hctl == device.hctl) else {
                continue;
            };
            let allowed = allowed.get_mut(usize::from(open.write));
            let may = process.rawio
                || !guarded
                    && allowed.is_some_and(|allowed| {
                        *allowed.get_or_insert_with(|| may_reserve(device, open.write))
                    });
            let sharers = nexuses.entry((unit.clone(), device.hctl.host)).or_default();
            if may && !sharers.iter().any(|other| other.pid == process.pid) {
                sharers.push(process);
            }
        }
    }
    for ((unit, host), sharers) in nexuses {
        if sharers.len() < 2 {
            continue;
        }
        let of_unit = facts.devices.iter().map(|(device, _)| device);
        let of_unit = of_unit.filter(|device| {
            let own = device
                .wwid
                .clone()
                .unwrap_or_else(|| device.hctl.to_string());
            device.hctl.host == host && own == unit
        });
        let named: Vec<String> = sharers.iter().map(|sharer| sharer.describe()).collect();
        let finding = Finding::problem(
            "nexus",
            format!(
                "{} may all reserve {} through host{host}: to the array they are one initiator, \
                 and no reservation keeps them apart",
                named.join(", "),
                printable(&unit)
            ),
            "give each an I_T nexus of its own (NPIV, an iSCSI session, another HBA), or let one of \
             them only reserve: 'sgioctl set DEV pr-exclusive on'",
        );
        findings.push(finding.of_devices(of_unit).of_processes(sharers));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::process::Open, *};
    use crate::{doctor::Level, root::Root};
    use sgio_policy::policy::Class;
    use std::path::Path;

    fn device(hctl: &str) -> Device {
        Device {
            hctl: hctl.parse().unwrap(),
            id: None,
            class: Class::DISK,
            vendor: String::new(),
            model: String::new(),
            revision: String::new(),
            wwid: Some("naa.5".into()),
            serial: None,
            transport: "fc".into(),
            nodes: Vec::new(),
            block: None,
            by_id: Vec::new(),
            by_path: Vec::new(),
            ports: Default::default(),
            multipath: None,
            unknown: Vec::new(),
        }
    }

    fn process(pid: u32, uid: u32, hctl: &str, write: bool) -> Process {
        Process {
            pid,
            name: "qemu".into(),
            uid,
            rawio: false,
            container: false,
            opens: vec![Open {
                hctl: hctl.parse().unwrap(),
                write,
            }],
        }
    }

    /// The findings where PERSISTENT RESERVE OUT is allowed to those who may write.
    fn sharing(processes: Vec<Process>) -> Vec<Finding> {
        let root = Root::new(Path::new("/nowhere"));
        let facts = Facts {
            root: &root,
            devices: ["6:0:0:0", "6:0:1:0", "7:0:0:0"]
                .map(|hctl| (device(hctl), None))
                .into(),
            processes,
            unseen: 0,
            all: false,
            probe: false,
        };
        let mut findings = Vec::new();
        find(&facts, &mut findings, |_, write| write);
        findings
    }

    #[test]
    fn two_senders_on_one_host_are_one_initiator() {
        let found = sharing(vec![
            process(10, 107, "6:0:0:0", true),
            process(11, 107, "6:0:1:0", true),
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].level, Level::Problem);
        assert!(found[0].text.contains("qemu[10]") && found[0].text.contains("host6"));
    }

    #[test]
    fn senders_that_cannot_meet_are_no_problem() {
        let one = || process(10, 107, "6:0:0:0", true);
        // Another host, no right to reserve, root's own, the same process.
        for other in [
            process(11, 107, "7:0:0:0", true),
            process(11, 107, "6:0:0:0", false),
            process(11, 0, "6:0:0:0", true),
            process(10, 107, "6:0:1:0", true),
        ] {
            assert!(sharing(vec![one(), other.clone()]).is_empty(), "{other:?}");
        }
        let mut privileged = process(11, 107, "6:0:0:0", false);
        privileged.rawio = true;
        assert_eq!(sharing(vec![one(), privileged]).len(), 1);
    }
}
