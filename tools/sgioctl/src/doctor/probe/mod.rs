// SPDX-License-Identifier: GPL-2.0

//! Does the hook decide, now, on commands to this device?
//!
//! The kernel is asked three ways. What it *would* answer: `SGIO_FILTER_IOC_CHECK`. What it *does*
//! answer: a process without privileges asks for the same command by SG_IO, and stops at a buffer
//! that is not there, behind the permission check and before the device. And who answered: the
//! device's `stats` count what the filter decides, and nothing else moves them. The command is one
//! on which the kernel's own list would answer otherwise, where there is such a one.

mod child;

use super::{Facts, Finding};
use crate::{
    device::{class_name, Device, Hctl},
    kernel::{self, sg_io::KernelAnswer, Whose},
    root::Root,
    running::{self, Stats},
    verdict::Policy,
};
use anyhow::{anyhow, Result};
use serde::Serialize;
use sgio_policy::policy::{Class, Decision, STOCK};

/// Each takes a process; one that does not answer is waited for some seconds.
const MAX_PROBES: usize = 256;
/// More than that do not answer: something is wrong with the system, and more will not help.
const MAX_SILENT: usize = 3;

/// Commands that only read, in every command set that has them: READ TOC/PMA/ATIP, GET
/// CONFIGURATION, READ CAPACITY(16), PERSISTENT RESERVE IN: READ KEYS. They are not executed; if
/// they were, they would do no harm.
const HARMLESS: [&[u8]; 4] = [
    &[0x43, 0, 0, 0, 0, 0, 0, 0, 4, 0],
    &[0x46, 0, 0, 0, 0, 0, 0, 0, 8, 0],
    &[0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0],
    &[0x5e, 0, 0, 0, 0, 0, 0, 0, 8, 0],
];

/// What it says about a device.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeResult {
    /// The hook decided.
    Pass,
    /// The hook did not decide, or not as the kernel says that it would.
    Fail,
    /// No telling.
    Unknown,
}

/// The probe of one device.
#[derive(Clone, Serialize, Debug)]
pub struct Probe {
    /// Its address.
    pub device: Hctl,
    /// Its class.
    #[serde(serialize_with = "class_name")]
    pub class: Class,
    /// What was found.
    pub result: ProbeResult,
    /// Why, in words.
    pub reason: String,
    /// The command, in hexadecimal digits; none was chosen if that failed.
    pub cdb: Option<String>,
    /// The kernel's own list would have answered otherwise.
    pub differs_from_stock: bool,
}

/// What the kernel was seen to do.
struct Probed {
    /// It would let the command pass, by its own word (`complain` included).
    expected: bool,
    /// The kernel's own list would.
    stock: bool,
    /// What the child was told.
    answer: KernelAnswer,
    /// How many decisions the filter has counted on this device during the probe.
    counted: u64,
}

/// Probes the devices that have a filter, one after the other.
pub(super) fn check(facts: &Facts<'_>, findings: &mut Vec<Finding>) -> Vec<Probe> {
    let mut probes = Vec::new();
    let mut silent = 0;
    for (device, running) in &facts.devices {
        if running.is_none() || probes.len() == MAX_PROBES || silent == MAX_SILENT {
            continue;
        }
        let mut cdb = None;
        let (result, reason, differs) = match one(facts.root, device, &mut cdb) {
            Ok(seen) => judge(&seen),
            Err(error) => {
                silent += usize::from(error.is::<child::Silent>());
                (ProbeResult::Unknown, format!("{error:#}"), false)
            }
        };
        probes.push(Probe {
            device: device.hctl,
            class: device.class,
            result,
            reason,
            cdb: cdb.map(hex),
            differs_from_stock: differs,
        });
    }
    tell(facts, &probes, findings);
    probes
}

/// Asks; `chosen` is the command.
fn one(root: &Root, device: &Device, chosen: &mut Option<&'static [u8]>) -> Result<Probed> {
    awake(root, device)?;
    let node = child::open(device)?;
    let before = running(root, device)?;
    let mut best: Option<(&[u8], Decision, bool)> = None;
    for cdb in HARMLESS {
        let decision = kernel::check(Whose::Device(device.hctl), cdb, false, None)?.0;
        let stock = by_stock(device.class, cdb)?;
        let differs = (decision.is_allowed() || before.settings.complain) != stock;
        if differs || best.is_none() {
            best = Some((cdb, decision, stock));
        }
        if differs {
            break;
        }
    }
    let (cdb, decision, stock) = best.ok_or_else(|| anyhow!("no command to ask for"))?;
    *chosen = Some(cdb);

    let answer = child::ask(node, &hex(cdb))?;

    let after = running(root, device)?;
    let again = kernel::check(Whose::Device(device.hctl), cdb, false, None)?.0;
    if again != decision
        || after.id != before.id
        || after.settings.complain != before.settings.complain
    {
        return Err(anyhow!(
            "its policy changed during the probe: run this again"
        ));
    }
    Ok(Probed {
        expected: decision.is_allowed() || before.settings.complain,
        stock,
        answer,
        counted: total(&after.stats).saturating_sub(total(&before.stats)),
    })
}

/// Even what is not executed waits for a queue that is stopped, and wakes a device that sleeps.
fn awake(root: &Root, device: &Device) -> Result<()> {
    let attribute =
        |name: &str| root.attribute(format!("/sys/bus/scsi/devices/{}/{name}", device.hctl));
    match attribute("state").as_deref() {
        Some("running") | None => (),
        Some(state) => return Err(anyhow!("the device is not running ({state})")),
    }
    match attribute("power/runtime_status").as_deref() {
        Some("suspended" | "suspending" | "resuming") => {
            Err(anyhow!("the device sleeps, and asking would wake it"))
        }
        _ => Ok(()),
    }
}

fn running(root: &Root, device: &Device) -> Result<running::Running> {
    running::device(root, device.hctl)?
        .ok_or_else(|| anyhow!("the filter went away during the probe"))
}

fn by_stock(class: Class, cdb: &[u8]) -> Result<bool> {
    let policy = Policy::of_class(class, Some(STOCK))?;
    Ok(policy.decide(cdb, false)?.is_allowed())
}

fn total(stats: &Stats) -> u64 {
    stats.allowed + stats.privileged + stats.complained + stats.refused
}

fn hex(cdb: &[u8]) -> String {
    cdb.iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The result, why, and whether the kernel's own list would have answered otherwise.
fn judge(seen: &Probed) -> (ProbeResult, String, bool) {
    let word = |allowed| if allowed { "allowed" } else { "refused" };
    let differs = seen.expected != seen.stock;
    let answer = match seen.answer {
        KernelAnswer::Allowed => true,
        KernelAnswer::Refused => false,
        KernelAnswer::Error(errno) => {
            let reason = format!("the probe ended with another error: {errno}");
            return (ProbeResult::Unknown, reason, differs);
        }
        KernelAnswer::Sent => {
            let reason = "the probe was not stopped at its buffer".to_owned();
            return (ProbeResult::Unknown, reason, differs);
        }
    };
    let (expected, got) = (word(seen.expected), word(answer));
    if answer == seen.expected && seen.counted > 0 {
        let stock = if differs {
            format!("; the kernel's own list says {}", word(seen.stock))
        } else {
            "; the kernel's own list says the same".to_owned()
        };
        return (
            ProbeResult::Pass,
            format!("{got}, as the filter says, and counted by it{stock}"),
            differs,
        );
    }
    let reason = match (answer == seen.expected, seen.counted > 0) {
        (true, _) => format!("{got}, as the filter says, but the filter did not decide it"),
        (false, true) => format!("{got}, where the filter says {expected}"),
        (false, false) if answer == seen.stock => {
            format!("{got}, by the kernel's own list, where the filter says {expected}")
        }
        (false, false) => {
            format!("{got}, where the filter says {expected}, and the filter did not decide it")
        }
    };
    // A refusal that nobody counted may be of a security module or of seccomp, in front.
    let other = !answer && seen.counted == 0 && seen.stock;
    let result = if other {
        ProbeResult::Unknown
    } else {
        ProbeResult::Fail
    };
    (result, reason, differs)
}

fn device<'a>(facts: &'a Facts<'_>, probe: &Probe) -> Option<&'a Device> {
    let mut devices = facts.devices.iter().map(|(device, _)| device);
    devices.find(|device| device.hctl == probe.device)
}

/// One line for all that are well, one for each of the others.
fn tell(facts: &Facts<'_>, probes: &[Probe], findings: &mut Vec<Finding>) {
    let of = |result| probes.iter().filter(move |probe| probe.result == result);
    let passed = of(ProbeResult::Pass).count();
    if passed > 0 {
        let differing = of(ProbeResult::Pass).filter(|probe| probe.differs_from_stock);
        findings.push(Finding::ok(
            "probe",
            format!(
                "the hook decides, proven by an unprivileged probe of {passed} of {} devices; on {} \
                 of them the kernel's own list would have answered otherwise",
                facts.devices.len(),
                differing.count()
            ),
        ));
    }
    for probe in of(ProbeResult::Fail) {
        let finding = Finding::problem(
            "probe",
            format!(
                "the hook does not decide for {}: {}",
                probe.device, probe.reason
            ),
            "rmmod sgio_filter, modprobe sgio_filter, and run this again; look at the kernel log",
        );
        findings.push(finding.of_devices(device(facts, probe)));
    }
    for probe in of(ProbeResult::Unknown) {
        findings.push(
            Finding::note(
                "probe",
                format!(
                    "could not tell whether the hook decides for {}: {}",
                    probe.device, probe.reason
                ),
                "mend that, and run this again as root",
            )
            .of_devices(device(facts, probe)),
        );
    }
    let filtered = facts
        .devices
        .iter()
        .filter(|(_, running)| running.is_some());
    let left = filtered.count().saturating_sub(probes.len());
    if left > 0 {
        findings.push(Finding::note(
            "probe",
            format!("{left} more devices were not probed (at most {MAX_PROBES} are)"),
            "the hook is one for all devices",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    fn result(expected: bool, stock: bool, answer: KernelAnswer, counted: u64) -> ProbeResult {
        judge(&Probed {
            expected,
            stock,
            answer,
            counted,
        })
        .0
    }

    #[test]
    fn only_the_filters_own_answer_is_a_pass() {
        use KernelAnswer::{Allowed, Error, Refused, Sent};
        use ProbeResult::{Fail, Pass, Unknown};
        for (expected, stock, answer, counted, wanted) in [
            (false, true, Refused, 1, Pass),
            (true, false, Allowed, 7, Pass),
            (true, true, Allowed, 1, Pass),
            // The kernel's own list decided.
            (false, true, Allowed, 0, Fail),
            (true, false, Refused, 0, Fail),
            (true, true, Allowed, 0, Fail),
            (false, false, Refused, 0, Fail),
            // It decided otherwise than it says.
            (false, true, Allowed, 1, Fail),
            (true, true, Refused, 1, Fail),
            // Neither the filter nor the kernel's list refused it.
            (false, true, Refused, 0, Unknown),
            (true, true, Refused, 0, Unknown),
            (true, true, Sent, 1, Unknown),
            (false, true, Error(Errno::ACCESS), 0, Unknown),
        ] {
            let got = result(expected, stock, answer, counted);
            assert_eq!(got, wanted, "{expected} {stock} {answer:?} {counted}");
        }
    }

    #[test]
    fn each_class_has_a_command_that_tells_the_lists_apart() {
        for code in 0..=0x1f {
            let class = Class::from_type(code);
            let strict = Policy::of_class(class, None).unwrap();
            assert!(
                HARMLESS.iter().any(|cdb| {
                    let filter = strict.decide(cdb, false).unwrap().is_allowed();
                    filter != by_stock(class, cdb).unwrap()
                }),
                "{}",
                class.name()
            );
        }
    }
}
