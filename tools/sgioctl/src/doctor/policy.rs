// SPDX-License-Identifier: GPL-2.0

//! What is in force, and where it is wider or other than one may think.

use super::{Facts, Finding};
use crate::{
    device::Device,
    policyfile::{load, ClassContent, Maps, Place, Policies, DEFAULT_DIRECTORY},
    running,
    settings::Settings,
};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(facts: &Facts<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    let files = match facts.root.path(DEFAULT_DIRECTORY).is_dir() {
        // What is wrong with them is told where they are compared.
        true => load(facts.root, &[]).unwrap_or_default(),
        false => Policies::default(),
    };
    classes(facts, &files, findings)?;
    switches(facts, &files, findings);
    maps(facts, findings);
    Ok(())
}

/// Of the classes that there are devices of.
fn classes(facts: &Facts<'_>, files: &Policies, findings: &mut Vec<Finding>) -> Result<()> {
    // What a file says is changed there: by hand it would differ from the file, which is a problem too.
    let said = |class, table: &str| {
        let block = files.classes.iter().find(|block| block.class == class)?;
        let same = match &block.content {
            ClassContent::Table(name) => name == table,
            ClassContent::Rules(_) => table == "custom",
        };
        same.then(|| as_in(&block.place, "[[class]]"))
    };
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
                said(class, "stock").unwrap_or_else(|| {
                    format!("echo strict > /sys/kernel/sgio_filter/classes/{name}/table")
                }),
            )),
            table => findings.push(Finding::note(
                "table",
                format!("{name}: a {table} table is in force"),
                said(class, table).unwrap_or_else(|| {
                    format!("read /sys/kernel/sgio_filter/classes/{name}/rules")
                }),
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

/// What to do about what a file says.
fn as_in(place: &Place, what: &str) -> String {
    format!("{place} says so: if that is not meant, change its {what}, then 'sgioctl apply'")
}

fn switches(facts: &Facts<'_>, files: &Policies, findings: &mut Vec<Finding>) {
    let mut quiet = true;
    let devices: Vec<Device> = facts
        .devices
        .iter()
        .map(|(device, _)| device.clone())
        .collect();
    let maps = Maps::of(&devices);
    let block = |device: &Device| files.blocks.get(files.block_of(device, &maps)?);
    for (device, running) in &facts.devices {
        let name = device.full_name();
        let Some(running) = running else {
            let finding = Finding::problem(
                "filter",
                format!("{name} has no filter"),
                "look at the kernel log; the kernel's own list decides for it",
            );
            findings.push(finding.of_devices([device]));
            continue;
        };
        if running.settings.complain {
            quiet = false;
            let finding = Finding::problem(
                "complain",
                format!("{name} refuses nothing: complain is on"),
                match block(device).filter(|block| block.complain.value) {
                    Some(block) => as_in(&block.complain.place, "complain"),
                    None => format!("sgioctl complain {} off", device.hctl),
                },
            );
            findings.push(finding.of_devices([device]));
        }
        if running.settings.unpriv_sgio {
            quiet = false;
            let finding = Finding::note(
                "unpriv",
                format!("{name} is open to everybody who can open it: unpriv_sgio is on"),
                match block(device).filter(|block| block.unpriv_sgio.value) {
                    Some(block) => as_in(&block.unpriv_sgio.place, "unpriv_sgio"),
                    None => format!(
                        "if that is not meant: sgioctl set {} unpriv off, and allow what is needed",
                        device.hctl
                    ),
                },
            );
            findings.push(finding.of_devices([device]));
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
        let initiators = paths.iter().map(|(device, _)| &device.ports.initiator);
        let initiators: BTreeSet<&str> = initiators.filter_map(|name| name.as_deref()).collect();
        let is_iscsi = |(device, _): &(&Device, _)| device.transport == "iscsi";
        let multipath = "multipathd must not take these disks (admin-guide/initiators.md)";
        let finding = if differs && initiators.len() > 1 {
            // Two HBAs of one host are two initiators as well; open-iscsi gives all sessions the host's own name,
            // unless an interface has another.
            let fix = match paths.iter().all(is_iscsi) {
                true => format!("if each is for a guest of its own, {multipath}; else apply a policy that names the WWID"),
                false => format!(
                    "if each is for a guest of its own, {multipath}; else apply a policy that names the WWID, \
                     or 'sgioctl reset {map}' and allow on {map}"
                ),
            };
            let initiators: Vec<&str> = initiators.into_iter().collect();
            Finding::problem(
                "multipath",
                format!(
                    "the paths of {map} have a policy and an initiator each: {} ({}); the answer depends on the path",
                    names.join(", "),
                    initiators.join(", ")
                ),
                fix,
            )
        } else if differs {
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
        };
        findings.push(finding.of_devices(paths.iter().map(|(device, _)| *device)));
    }
}
