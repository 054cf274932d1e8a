// SPDX-License-Identifier: GPL-2.0

//! Selectors that can mean the same device, as far as they alone tell.

use super::{At, Pattern, Selector};

/// How two selectors lie to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Overlap {
    /// No device can match both.
    None,
    /// Some device might.
    Possible,
    /// What matches the second matches the first.
    Covers,
}

/// Compares two selectors.
pub(super) fn overlap(first: &Selector, second: &Selector) -> Overlap {
    fn exact<T: PartialEq>(first: &Option<At<T>>, second: &Option<At<T>>) -> Overlap {
        match (first, second) {
            (None, _) => Overlap::Covers,
            (Some(_), None) => Overlap::Possible,
            (Some(a), Some(b)) if a.value == b.value => Overlap::Covers,
            _ => Overlap::None,
        }
    }
    fn glob(first: &Option<At<Pattern>>, second: &Option<At<Pattern>>) -> Overlap {
        match (first, second) {
            (None, _) => Overlap::Covers,
            (Some(_), None) => Overlap::Possible,
            (Some(a), Some(b)) => match (a.value.is_glob(), b.value.is_glob()) {
                // A pattern as a text: what it stands for matches if its own `*` does.
                _ if a.value == b.value || a.value.matches(&b.value.0) => Overlap::Covers,
                (false, false) => Overlap::None,
                (false, true) if !b.value.matches(&a.value.0) => Overlap::None,
                (true, false) => Overlap::None,
                _ if apart(&a.value.0, &b.value.0) => Overlap::None,
                _ => Overlap::Possible,
            },
        }
    }
    let keys = [
        glob(&first.wwid, &second.wwid),
        exact(&first.serial, &second.serial),
        glob(&first.vendor, &second.vendor),
        glob(&first.model, &second.model),
        exact(&first.class, &second.class),
        exact(&first.hctl, &second.hctl),
        exact(&first.transport, &second.transport),
        // A device has several links: two that differ may still be of one device.
        match glob(&first.by_id, &second.by_id) {
            Overlap::None => Overlap::Possible,
            other => other,
        },
        // One map may be given by name and by WWID.
        match exact(&first.multipath, &second.multipath) {
            Overlap::None => Overlap::Possible,
            other => other,
        },
    ];
    if keys.contains(&Overlap::None) {
        Overlap::None
    } else if keys.contains(&Overlap::Possible) {
        Overlap::Possible
    } else {
        Overlap::Covers
    }
}

/// Tells whether what stands before the first `*` already keeps two patterns apart.
fn apart(first: &str, second: &str) -> bool {
    let start = |text: &str| text.split('*').next().unwrap_or_default().to_owned();
    let (first, second) = (start(first), start(second));
    !first.starts_with(&second) && !second.starts_with(&first)
}
