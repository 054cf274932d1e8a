// SPDX-License-Identifier: GPL-2.0

//! What is in force, and where it is wider or other than one may think.

use super::{Facts, Finding};
use crate::{device::Device, running, settings::Settings};
use anyhow::Result;
use std::collections::BTreeMap;

pub(super) fn check(facts: &Facts<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    classes(facts, findings)?;
    switches(facts, findings);
    maps(facts, findings);
    Ok(())
}

/// Of the classes that there are devices of.
fn classes(facts: &Facts<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    let mut classes: Vec<_> = facts
        .devices
        .iter()
        .map(|(device, _)| device.class)
        .collect();
    classes.sort_by_key(|class| class.type_code());
    classes.dedup();
    let mut strict = Vec::new();
    for class in classes {
        let Some(running) = running::class(facts.root, class)? else {
            continue;
        };
        let name = class.name();
        match running.table.as_str() {
            "strict" => strict.push(name),
            "stock" => findings.push(Finding::note(
                "table",
                format!("{name}: the kernel's own list is in force, with its holes"),
                format!("echo strict > /sys/kernel/sgio_filter/classes/{name}/table"),
            )),
            table => findings.push(Finding::note(
                "table",
                format!("{name}: a {table} table is in force"),
                format!("read /sys/kernel/sgio_filter/classes/{name}/rules"),
            )),
        }
    }
    if !strict.is_empty() {
        findings.push(Finding::ok(
            "table",
            format!("the corrected table is in force for {}", strict.join(", ")),
        ));
    }
    Ok(())
}

fn switches(facts: &Facts<'_>, findings: &mut Vec<Finding>) {
    let mut quiet = true;
    for (device, running) in &facts.devices {
        let name = device.full_name();
        let Some(running) = running else {
            findings.push(Finding::problem(
                "filter",
                format!("{name} has no filter"),
                "look at the kernel log; the kernel's own list decides for it",
            ));
            continue;
        };
        if running.settings.complain {
            quiet = false;
            findings.push(Finding::problem(
                "complain",
                format!("{name} refuses nothing: complain is on"),
                format!("sgioctl complain {} off", device.hctl),
            ));
        }
        if running.settings.unpriv_sgio {
            quiet = false;
            findings.push(Finding::note(
                "unpriv",
                format!("{name} is open to everybody who can open it: unpriv_sgio is on"),
                format!(
                    "if that is not meant: sgioctl set {} unpriv off, and allow what is needed",
                    device.hctl
                ),
            ));
        }
    }
    if quiet {
        findings.push(Finding::ok(
            "switches",
            "no device has unpriv_sgio or complain on",
        ));
    }
}

/// A command through a map takes any path.
fn maps(facts: &Facts<'_>, findings: &mut Vec<Finding>) {
    type Policy<'a> = (Settings, &'a str);
    type Paths<'a> = Vec<(&'a Device, Policy<'a>)>;
    let mut maps: BTreeMap<&str, Paths<'_>> = BTreeMap::new();
    for (device, running) in &facts.devices {
        if let (Some(map), Some(running)) = (&device.multipath, running) {
            let policy = (running.settings, running.rules.as_str());
            maps.entry(&map.name).or_default().push((device, policy));
        }
    }
    for (map, paths) in maps {
        let differs = paths.windows(2).any(|pair| match pair {
            [(_, one), (_, other)] => one != other,
            _ => false,
        });
        let names: Vec<String> = paths.iter().map(|(device, _)| device.full_name()).collect();
        findings.push(if differs {
            Finding::problem(
                "multipath",
                format!(
                    "the paths of {map} differ in their policy: {}; the answer depends on the path",
                    names.join(", ")
                ),
                format!(
                    "compare them by 'sgioctl show {map}', then 'sgioctl reset {map}' and allow \
                     on {map}, or apply a policy that names the WWID"
                ),
            )
        } else {
            Finding::ok(
                "multipath",
                format!(
                    "the paths of {map} have the same policy: {}",
                    names.join(", ")
                ),
            )
        });
    }
}
