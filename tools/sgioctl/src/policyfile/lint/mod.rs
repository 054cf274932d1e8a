// SPDX-License-Identifier: GPL-2.0

//! What a policy says that is legal and most likely not meant.

mod ata;
mod decode;
mod grants;
mod meanings;
mod probe;
mod remark;
mod rules;

pub use self::{
    decode::{Decode, NAMES},
    grants::lint_grants,
    remark::{Remark, Severity},
};

use self::{remark::Remarks, rules::RuleLint};
use super::{
    impossible::impossible,
    near::Near,
    overlap::{overlap, Overlap},
    Block, Fault, Index, Maps, Place, Policies,
};
use crate::device::Device;
use std::collections::{BTreeMap, BTreeSet};

/// How many initiators of a unit are named.
const MAX_INITIATORS: usize = 4;

/// Looks at policies; `devices` are those there are now, if that is known.
pub fn lint(policies: &Policies, devices: Option<&[Device]>, decode: Decode) -> Vec<Remark> {
    let mut remarks = Remarks::default();
    let mut rules = RuleLint::new(policies, decode);
    let none: &[Device] = &[];
    let maps = Maps::of(devices.unwrap_or(none));
    for Fault {
        place,
        message,
        fix,
    } in &policies.warnings
    {
        remarks.warn(place, message, fix);
    }
    let mut near = None;
    let index = Index::new(&policies.blocks);
    // Per block: its devices, and the first block that each of them matches.
    let mut matched: Vec<Vec<(&Device, usize)>> = vec![Vec::new(); policies.blocks.len()];
    for device in devices.unwrap_or(none) {
        let blocks = index.blocks_of(device, &maps);
        for number in &blocks {
            if let (Some(of_block), Some(first)) = (matched.get_mut(*number), blocks.first()) {
                of_block.push((device, *first));
            }
        }
    }
    for ((number, block), matched) in policies.blocks.iter().enumerate().zip(matched) {
        // A device chooses what it reports, so that one that is there may look like none.
        let never = match matched.is_empty() {
            true => impossible(&block.selector),
            false => Vec::new(),
        };
        for (place, message, fix) in &never {
            remarks.warn(place, message, fix);
        }
        if let (Some(devices), true) = (devices, matched.is_empty() && never.is_empty()) {
            let near = near.get_or_insert_with(|| Near::of(devices));
            let wrong = near.wrong(&block.selector);
            for (place, message, fix) in &wrong {
                remarks.warn(place, message, fix);
            }
            if wrong.is_empty() {
                let fix = "nothing to do if it is still to come";
                remarks.note(&block.selector.place, "no device matches now", fix);
            }
        }
        says_nothing(block, &mut remarks);
        let devices: Vec<&Device> = matched.iter().map(|(device, _)| *device).collect();
        several(block, &devices, &mut remarks);
        nexuses(block, &devices, &mut remarks);
        switches(block, &mut remarks);
        overlaps(number, &policies.blocks, &matched, &index, &mut remarks);
        rules.of_block(block, &devices, &mut remarks);
    }
    for block in &policies.classes {
        rules.of_class(block, &mut remarks);
    }
    let mut remarks = remarks.0;
    remarks.sort();
    remarks.dedup();
    remarks
}

/// Only the first block that matches decides, so one that sets nothing gives the defaults.
fn says_nothing(block: &Block, remarks: &mut Remarks) {
    let lists = &block.own;
    let none = lists.deny.is_empty()
        && lists.rules.is_empty()
        && lists.allow.is_empty()
        && block.profiles.is_empty()
        && !block.has_settings;
    if none {
        let message =
            "this block only matches: its devices get the defaults of their class, and no \
                       later block is asked";
        let fix = "add profile, deny, rules or allow, or rules = \"\" if that is meant";
        remarks.warn(&block.place, message, fix);
    }
}

/// A pattern that was meant for the units of one product may match what another device says of
/// itself.
fn several(block: &Block, matched: &[&Device], remarks: &mut Remarks) {
    let keys = [&block.selector.wwid, &block.selector.by_id];
    let patterns = keys.into_iter().flatten();
    for key in patterns.filter(|key| key.value.is_glob()) {
        let units: BTreeSet<&str> = matched
            .iter()
            .map(|device| device.wwid.as_deref().unwrap_or("(no WWID)"))
            .collect();
        if units.len() < 2 {
            continue;
        }
        let products: BTreeSet<(&str, &str)> = matched
            .iter()
            .map(|device| (device.vendor.as_str(), device.model.as_str()))
            .collect();
        let count = units.len();
        if products.len() > 1 {
            let of = products.len();
            let message =
                format!("the pattern matches {count} logical units of {of} different products");
            let fix = "narrow it, add vendor and model, or write it out with exact = true";
            remarks.warn(&key.place, &message, fix);
        } else {
            let message = format!("the pattern matches {count} logical units");
            let fix = "nothing to do if that is meant";
            remarks.note(&key.place, &message, fix);
        }
    }
}

/// One logical unit may be reached by iSCSI and by SAS, and by sessions of several guests: who means one of them must
/// say so.
fn nexuses(block: &Block, matched: &[&Device], remarks: &mut Remarks) {
    let keys = &block.selector;
    let told = keys.hctl.is_some() || keys.interface.is_some() || keys.by_path.is_some();
    if told || keys.initiator.is_some() {
        return;
    }
    let mut units: BTreeMap<&str, Vec<&Device>> = BTreeMap::new();
    for device in matched {
        if let Some(wwid) = device.wwid.as_deref() {
            units.entry(wwid).or_default().push(device);
        }
    }
    for (wwid, devices) in units {
        let transports: BTreeSet<&str> = devices.iter().map(|d| d.transport.as_str()).collect();
        if transports.len() > 1 && keys.transport.is_none() && keys.target.is_none() {
            let list: Vec<&str> = transports.into_iter().collect();
            let message = format!("{wwid} is reached by {}: each is meant", list.join(" and "));
            let fix = "add transport, initiator or target, if only one of them is";
            remarks.note(&keys.place, &message, fix);
        }
        let initiators = devices.iter().filter_map(|d| d.ports.initiator.as_deref());
        let initiators: BTreeSet<&str> = initiators.collect();
        // What multipathd has joined is one disk; an initiator for each of its HBAs is usual.
        let maps = devices.iter().map(|device| device.multipath.as_ref());
        let maps: BTreeSet<Option<&str>> =
            maps.map(|map| map.map(|map| map.node.as_str())).collect();
        let joined = maps.len() == 1 && !maps.contains(&None);
        if initiators.len() < 2 || joined {
            continue;
        }
        let list: Vec<&str> = initiators.iter().take(MAX_INITIATORS).copied().collect();
        let more = match initiators.len() - list.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = format!(
            "{wwid} is reached by the initiators {}{more}, and no map joins them: each is meant",
            list.join(" and ")
        );
        let fix =
            "add initiator, if each is the disk of a guest of its own (admin-guide/initiators.md)";
        match keys.is_one_unit() {
            true => remarks.warn(&keys.place, &message, fix),
            false => remarks.note(&keys.place, &message, fix),
        }
    }
}

fn switches(block: &Block, remarks: &mut Remarks) {
    if block.unpriv_sgio.value {
        let message = "unpriv_sgio gives every command to everybody who can open the device, \
                       firmware and SANITIZE included; no rule is asked";
        let fix = "allow the commands that are needed";
        remarks.warn(&block.unpriv_sgio.place, message, fix);
    }
    if block.complain.value {
        let message = "complain lets through what is refused";
        let fix = "take it out when it is known what the workload sends";
        remarks.warn(&block.complain.place, message, fix);
    }
}

fn overlaps(
    number: usize,
    blocks: &[Block],
    matched: &[(&Device, usize)],
    index: &Index<'_>,
    remarks: &mut Remarks,
) {
    let Some(block) = blocks.get(number) else {
        return;
    };
    let fix = "narrow one of the selectors; only the first that matches decides";
    let place = &block.selector.place;
    // By the block that wins: the first device that matches both.
    let mut both: BTreeMap<usize, &Device> = BTreeMap::new();
    for (device, first) in matched.iter().filter(|(_, first)| *first < number) {
        both.entry(*first).or_insert(device);
    }
    let mut possible: Option<(&Place, usize)> = None;
    for before in index.before(number) {
        let Some(earlier) = blocks.get(before) else {
            continue;
        };
        if let Some(device) = both.get(&before) {
            let hctl = device.hctl;
            let message = format!("{hctl} matches {} too, which wins", earlier.place);
            remarks.warn(place, &message, fix);
            continue;
        }
        match overlap(&earlier.selector, &block.selector) {
            Overlap::None => {}
            Overlap::Possible => match &mut possible {
                Some((_, more)) => *more += 1,
                None => possible = Some((&earlier.place, 0)),
            },
            Overlap::Covers => {
                let message = format!("all of it matches {}, which wins", earlier.place);
                remarks.warn(place, &message, fix);
                // So does what follows it.
                break;
            }
        }
    }
    if let Some((first, more)) = possible {
        let more = match more {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let message = format!("a device might match {first} too{more}");
        remarks.note(place, &message, fix);
    }
}
