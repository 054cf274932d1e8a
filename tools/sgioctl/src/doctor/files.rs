// SPDX-License-Identifier: GPL-2.0

//! Do the policy files say what is in force?

use super::{Facts, Finding};
use crate::{
    applied,
    device::Device,
    output::{on_off, printable},
    policyfile::{
        lint::{lint, Severity, NAMES},
        load, ClassContent, Fault, Maps, Policies, Resolved, DEFAULT_DIRECTORY,
    },
    running::{self, Running},
    time,
};
use anyhow::Result;

const CHECK: &str = "policy";
/// How many devices are named in one finding.
const MAX_NAMES: usize = 8;

pub(super) fn check(facts: &Facts<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    timed(facts, findings);
    if !facts.root.path(DEFAULT_DIRECTORY).is_dir() {
        return Ok(());
    }
    let policies = match load(facts.root, &[]) {
        Ok(policies) => policies,
        Err(faults) => {
            broken(&faults.0, findings);
            return Ok(());
        }
    };
    let devices: Vec<Device> = facts.devices.iter().map(|(d, _)| d.clone()).collect();
    linted(&policies, &devices, findings);
    classes(facts, &policies, findings)?;
    filter_sg(facts, &policies, findings)?;
    let chosen: Vec<&Device> = devices.iter().collect();
    match policies.resolve_apart(&chosen, &Maps::of(&devices)) {
        Ok((resolved, misfits)) => {
            self::misfits(&misfits, findings);
            drift(facts, &policies, &resolved, findings);
        }
        Err(faults) => broken(&faults.0, findings),
    }
    Ok(())
}

/// The first of them, and how many more there are.
fn first_of(faults: &[Fault]) -> String {
    let first = faults.first().map(ToString::to_string).unwrap_or_default();
    match faults.len() {
        0 | 1 => first,
        count => format!("{first} (and {} more)", count - 1),
    }
}

/// Devices of a class that their block is not for.
fn misfits(faults: &[Fault], findings: &mut Vec<Finding>) {
    if faults.is_empty() {
        return;
    }
    let first = first_of(faults);
    findings.push(Finding::problem(
        CHECK,
        format!("a device gets nothing of its block but what that denies: {first}"),
        "narrow the block's match, by class for example, or give the device a block of its own",
    ));
}

/// What is wrong with any file keeps all of them from being put in force.
fn broken(faults: &[Fault], findings: &mut Vec<Finding>) {
    let first = first_of(faults);
    findings.push(Finding::problem(
        CHECK,
        format!("no policy file is put in force, since one is wrong: {first}"),
        "correct it ('sgioctl lint' tells all), then 'sgioctl apply'",
    ));
}

fn linted(policies: &Policies, devices: &[Device], findings: &mut Vec<Finding>) {
    let found = lint(policies, Some(devices), NAMES);
    let warnings = found.iter().filter(|f| f.severity == Severity::Warning);
    let count = warnings.count() + policies.warnings.len();
    if count > 0 {
        findings.push(Finding::note(
            CHECK,
            format!("'sgioctl lint' warns of {count} places in {DEFAULT_DIRECTORY}"),
            "look at them, and at what each advises",
        ));
    }
}

fn classes(facts: &Facts<'_>, policies: &Policies, findings: &mut Vec<Finding>) -> Result<()> {
    for block in &policies.classes {
        let Some(running) = running::class(facts.root, block.class)? else {
            continue;
        };
        let as_wanted = match &block.content {
            ClassContent::Table(table) => running.table == *table,
            ClassContent::Rules(rules) => {
                let wanted: Vec<String> = rules.iter().map(|rule| rule.value.to_string()).collect();
                running.rules == wanted.join("\n")
            }
        };
        if !as_wanted {
            findings.push(Finding::problem(
                CHECK,
                format!(
                    "the rules of class {} are not those of {}",
                    block.class.name(),
                    block.place
                ),
                APPLY,
            ));
        }
    }
    Ok(())
}

fn filter_sg(facts: &Facts<'_>, policies: &Policies, findings: &mut Vec<Finding>) -> Result<()> {
    let Some(wanted) = &policies.filter_sg else {
        return Ok(());
    };
    if running::filter_sg(facts.root)? != Some(wanted.value) {
        let (place, on) = (&wanted.place, on_off(wanted.value));
        let text = format!("filter_sg of all devices is not {on}, as {place} has it");
        findings.push(Finding::problem(CHECK, text, APPLY));
    }
    Ok(())
}

const APPLY: &str = "'sgioctl diff' tells what differs, 'sgioctl apply' puts the files in force";

fn drift(
    facts: &Facts<'_>,
    policies: &Policies,
    resolved: &[Resolved<'_>],
    findings: &mut Vec<Finding>,
) {
    let (mut as_wanted, mut differing, mut more, mut by_hand) =
        (0, Vec::new(), Vec::new(), Vec::new());
    for (state, (device, running)) in resolved.iter().zip(&facts.devices) {
        let Some(running) = running else { continue };
        let wanted = applied::wanted(&state.settings, state.rules());
        if applied::state(running) == wanted {
            as_wanted += usize::from(state.block.is_some());
        } else if applied::state(&without_timed(running)) == wanted {
            as_wanted += usize::from(state.block.is_some());
            more.push(device);
        } else if state.block.is_some() {
            differing.push(device);
        } else {
            by_hand.push(device);
        }
    }
    if !differing.is_empty() {
        let text = format!(
            "the policy of the files is not in force on {}",
            devices_named(&differing)
        );
        let finding = Finding::problem(CHECK, text, APPLY);
        findings.push(finding.of_devices(differing.iter().copied()));
    }
    if !by_hand.is_empty() {
        let finding = Finding::note(
            CHECK,
            format!(
                "no file has what is in force on {}",
                devices_named(&by_hand)
            ),
            "it ends with the device; 'sgioctl show DEV --policy' makes a file of it, and 'sgioctl apply' takes it \
             away, as what a file had that is not there any more",
        );
        findings.push(finding.of_devices(by_hand));
    }
    if !more.is_empty() {
        let text = format!(
            "{} {}, besides the policy of the files, rules that end by themselves",
            devices_named(&more),
            if more.len() == 1 { "has" } else { "have" },
        );
        findings.push(Finding::ok(CHECK, text).of_devices(more));
    }
    let blocks = policies.blocks.len() + policies.classes.len() + policies.grants.len();
    if blocks > 0 && differing.is_empty() {
        findings.push(Finding::ok(
            CHECK,
            format!("the policy files are in force, on {as_wanted} devices"),
        ));
    }
}

fn devices_named(devices: &[&Device]) -> String {
    let full: Vec<String> = devices.iter().map(|device| device.full_name()).collect();
    names(&full)
}

fn names(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(MAX_NAMES).map(|n| printable(n)).collect();
    if names.len() > MAX_NAMES {
        shown.push(format!("{} more", names.len() - MAX_NAMES));
    }
    shown.join(", ")
}

/// What stays of a device's rules.
fn without_timed(running: &Running) -> Running {
    let rules: Vec<&str> = running
        .rules
        .lines()
        .enumerate()
        .filter(|(number, _)| running.seconds_left(*number).is_none())
        .map(|(_, rule)| rule)
        .collect();
    Running {
        rules: rules.join("\n"),
        timed: Vec::new(),
        ..running.clone()
    }
}

/// What ends when.
fn timed(facts: &Facts<'_>, findings: &mut Vec<Finding>) {
    for (device, running) in &facts.devices {
        let Some(running) = running else { continue };
        let ending: Vec<String> = running
            .rules
            .lines()
            .enumerate()
            .filter_map(|(number, rule)| {
                let left = running.seconds_left(number)?;
                Some(format!("'{rule}' in {}", time::words(left)))
            })
            .collect();
        if !ending.is_empty() {
            let (name, ending) = (printable(&device.full_name()), names(&ending));
            let finding = Finding::ok("timed", format!("{name} loses {ending}"));
            findings.push(finding.of_devices([device]));
        }
    }
}
