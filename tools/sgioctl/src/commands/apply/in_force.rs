// SPDX-License-Identifier: GPL-2.0

//! Puts a transaction in force, with retries when devices come or go, and remembers it.

use super::prepared::Prepared;
use crate::{
    applied,
    device::Hctl,
    kernel::{self, Stopped},
    output,
    policyfile::transaction,
    root::Root,
    running,
};
use anyhow::{anyhow, Context as _, Result};
use std::{collections::BTreeSet, thread, time::Duration};

/// How many times a transaction is tried when devices come or go, and the pause between.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// What is said where a second look found nothing that could be done.
const PARTLY: &str = "a part of the policy is in force, since an earlier try";

/// Does what `prepare` says, which is asked again if a device came or went, and remembers it. What is longer than one
/// transaction can be goes in parts, the classes first.
pub(super) fn put_in_force(
    root: &Root,
    prepare: impl Fn() -> Result<Prepared>,
) -> Result<Prepared> {
    let mut tries = 1;
    let mut partly = false;
    let prepared = loop {
        let said = |error: anyhow::Error| match partly {
            true => error.context(PARTLY),
            false => error,
        };
        let prepared = prepare().map_err(said)?;
        if !is_still_so(root, &prepared).map_err(said)? {
            if tries >= TRIES {
                let what = "what is in force was changed again and again";
                return Err(said(match partly {
                    true => anyhow!("{what} ({tries} tries)"),
                    false => anyhow!("{what} ({tries} tries): nothing was changed by this"),
                }));
            }
            tries += 1;
            continue;
        }
        // What narrows comes first, what widens last.
        if prepared.filter_sg == Some(true) {
            running::set_filter_sg(root, true).context("nothing was changed")?;
        }
        let parts = transaction::parts(&prepared.transaction, kernel::MAX_TRANSACTION);
        let Err(Stopped { done, reason }) = kernel::transact_all(root, &parts) else {
            break prepared;
        };
        // A device has gone, or another one has its address.
        if tries < TRIES && (kernel::device_changed(&reason) || kernel::holder_gone(&reason)) {
            tries += 1;
            partly |= done > 0;
            thread::sleep(PAUSE);
            continue;
        }
        let (sent, left) = parts.split_at(done);
        remember(root, &prepared, sent, left);
        let state = match partly && done == 0 {
            true => PARTLY.to_owned(),
            false => in_force(&prepared, sent, left),
        };
        return Err(reason).context(match tries {
            1 => state,
            _ => format!("{state} ({tries} tries)"),
        });
    };
    if prepared.filter_sg == Some(false) {
        running::set_filter_sg(root, false).context("all else is in force")?;
    }
    if tries > 1 {
        output::note(&format!("devices came or went: done at try {tries}"));
    }
    remember(root, &prepared, &[&prepared.transaction], &[]);
    Ok(prepared)
}

/// What a transaction that failed has left, in words: the parts before it are in force.
fn in_force(prepared: &Prepared, sent: &[&str], left: &[&str]) -> String {
    if sent.is_empty() {
        return match prepared.filter_sg {
            Some(true) => "filter_sg of all devices is 1 now, and nothing else was changed",
            _ => "nothing was changed",
        }
        .to_owned();
    }
    let (count, all) = (devices_in(sent), prepared.devices.len());
    let devices = match prepared.devices.get(..count).and_then(<[_]>::last) {
        Some(last) => format!("{count} of {all} devices, up to {},", last.device),
        None => format!("none of {all} devices"),
    };
    let classes = match has_classes(left) {
        true => "some classes",
        false => "the classes",
    };
    let number = sent.len() + 1;
    let parts = sent.len() + left.len();
    format!("{classes} and {devices} are in force; part {number} of {parts} and what follows it were not changed")
}

fn devices_in(parts: &[&str]) -> usize {
    parts
        .iter()
        .map(|part| transaction::count_devices(part))
        .sum()
}

fn has_classes(parts: &[&str]) -> bool {
    let mut lines = parts.iter().flat_map(|part| part.lines());
    lines.any(|line| line.starts_with("class "))
}

/// Remembers what those parts of the transaction have put in force. What cannot be remembered counts as set by hand: an
/// event leaves it alone.
fn remember(root: &Root, prepared: &Prepared, sent: &[&str], left: &[&str]) {
    if sent.is_empty() {
        return;
    }
    let classes = prepared.classes.iter().filter(|_| !has_classes(left));
    // The devices of what is left, in the order of the transaction; their records are those of what is not in force.
    let waiting = prepared.devices.iter().skip(devices_in(sent));
    let waiting: BTreeSet<Hctl> = waiting.map(|device| device.device).collect();
    let mut remembered = prepared
        .records
        .iter()
        .filter(|(hctl, _)| !waiting.contains(hctl))
        .map(|(hctl, record)| record.write(root, *hctl))
        .chain(
            prepared
                .given
                .iter()
                .filter(|(hctl, _)| !waiting.contains(hctl))
                .map(|(hctl, given)| given.write(root, *hctl)),
        )
        .chain(classes.map(|classes| classes.write(root)));
    if let Some(Err(error)) = remembered.find(Result::is_err) {
        output::note(&format!(
            "in force, but not remembered for later events: {error:#}"
        ));
    }
}

/// Tells whether what an event has seen on the devices that it sets is still in force: it may have been written
/// to a knob since. The kernel has no word for it, so that the moment between this look and the write is left.
fn is_still_so(root: &Root, prepared: &Prepared) -> Result<bool> {
    for (hctl, seen) in &prepared.seen {
        let now = running::device(root, *hctl)?;
        if now.is_none_or(|now| applied::state(&now) != *seen) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::{super::prepared::AppliedDevice, *};

    #[test]
    fn a_part_that_fails_says_what_is_in_force() {
        let device = |lun: u64| AppliedDevice {
            device: format!("1:0:0:{lun}").parse().unwrap(),
            block: None,
            rules: 0,
            grants: 0,
        };
        let prepared = Prepared {
            devices: (0..3).map(device).collect(),
            ..Prepared::default()
        };
        let parts = [
            "class disk\nrules\n\n",
            "class tape\nrules\n\ndevice 1:0:0:0 id=1\nrules\n\ndevice 1:0:0:1 id=2\nrules\n\n",
            "device 1:0:0:2 id=3\nrules\n\n",
        ];
        let state = |done: usize| in_force(&prepared, &parts[..done], &parts[done..]);
        assert_eq!(state(0), "nothing was changed");
        assert_eq!(
            state(1),
            "some classes and none of 3 devices are in force; part 2 of 3 and what follows it were not changed"
        );
        assert_eq!(
            state(2),
            "the classes and 2 of 3 devices, up to 1:0:0:1, are in force; part 3 of 3 and what follows it were not \
             changed"
        );
    }
}
