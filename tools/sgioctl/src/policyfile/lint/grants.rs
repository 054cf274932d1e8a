// SPDX-License-Identifier: GPL-2.0

//! What `[[grant]]` blocks say that is most likely not meant.

use super::{
    super::{
        impossible::impossible,
        near::Near,
        overlap::{overlap, Overlap},
        At, GrantBlock, Maps, Policies, Present,
    },
    remark::{Remark, Remarks},
    rules::RuleLint,
    Decode,
};
use crate::device::Device;

/// Looks at the grants of policies; `devices` and `present` are what there is now, as far as that is known.
pub fn lint_grants(
    policies: &Policies,
    devices: Option<&[Device]>,
    present: Option<&Present>,
    decode: Decode,
) -> Vec<Remark> {
    let mut remarks = Remarks::default();
    let mut rules = RuleLint::new(policies, decode);
    let none: &[Device] = &[];
    let maps = Maps::of(devices.unwrap_or(none));
    for (number, grant) in policies.grants.iter().enumerate() {
        let selector = &grant.block.selector;
        let matched = devices.unwrap_or(none).iter();
        let matched: Vec<&Device> = matched.filter(|d| selector.matches(d, &maps)).collect();
        if let (Some(devices), true) = (devices, matched.is_empty()) {
            let mut wrong = impossible(selector);
            if wrong.is_empty() {
                wrong = Near::of(devices).wrong(selector);
            }
            for (place, message, fix) in &wrong {
                remarks.warn(place, message, fix);
            }
            if wrong.is_empty() {
                let fix = "nothing to do if it is still to come";
                remarks.note(&selector.place, "no device matches now", fix);
            }
        }
        super::several(&grant.block, &matched, &mut remarks);
        super::nexuses(&grant.block, &matched, &mut remarks);
        rules.of_block(&grant.block, &matched, &mut remarks);
        if let Some(present) = present {
            holders(grant, present.of_block(number).len(), &mut remarks);
        }
        shadowed(&policies.grants, number, &mut remarks);
    }
    remarks.0
}

fn holders(grant: &GrantBlock, count: usize, remarks: &mut Remarks) {
    let At { value, place } = &grant.to;
    match count {
        0 => {
            let message = format!("there is no {value} now");
            let fix = "nothing to do if it is still to come: it gets its grant then";
            remarks.note(place, &message, fix);
        }
        2.. if value.is_glob() => {
            let message = format!("{value} means {count} holders now: each gets the grant");
            remarks.note(place, &message, "nothing to do if that is meant");
        }
        _ => {}
    }
}

/// For each holder and device, only the first block that matches both decides.
fn shadowed(grants: &[GrantBlock], number: usize, remarks: &mut Remarks) {
    let Some(grant) = grants.get(number) else {
        return;
    };
    for earlier in grants.iter().take(number) {
        if !earlier.to.value.covers(&grant.to.value) {
            continue;
        }
        let place = &earlier.block.place;
        let fix = "put the narrower one first, or join them; only the first that matches decides";
        match overlap(&earlier.block.selector, &grant.block.selector) {
            Overlap::None => {}
            Overlap::Possible => {
                let message = format!("a holder and a device might match {place} too");
                remarks.note(&grant.block.place, &message, fix);
            }
            Overlap::Covers => {
                let message = format!("all of it matches {place}, which wins");
                remarks.warn(&grant.block.place, &message, fix);
            }
        }
        return;
    }
}
