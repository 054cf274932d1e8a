// SPDX-License-Identifier: GPL-2.0

//! Selectors that can mean the same device, as far as they alone tell.

use super::{spelling, At, Pattern, Selector};
use crate::device::nexus::Ports;

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
                _ if a.value == b.value || covers(&a.value, &b.value) => Overlap::Covers,
                (false, false) => Overlap::None,
                (false, true) if !b.value.matches(a.value.text()) => Overlap::None,
                (true, false) => Overlap::None,
                _ if apart(a.value.text(), b.value.text()) => Overlap::None,
                _ => Overlap::Possible,
            },
        }
    }
    // Texts that have several spellings, unless they mean themselves alone.
    let spelled = |key: fn(&Selector) -> &Option<At<String>>, same: fn(&str, &str) -> bool| match (
        key(first),
        key(second),
    ) {
        (None, _) => Overlap::Covers,
        (Some(_), None) => Overlap::Possible,
        (Some(a), Some(b)) => match (first.exact, second.exact) {
            (true, true) if a.value == b.value => Overlap::Covers,
            (true, false) if same(&a.value, &b.value) => Overlap::Possible,
            (false, _) if same(&a.value, &b.value) => Overlap::Covers,
            _ => Overlap::None,
        },
    };
    // The identity of a unit first: of many blocks, most differ in that.
    let mut found = Overlap::Covers;
    for number in 0..13 {
        let key = match number {
            0 => glob(&first.wwid, &second.wwid),
            1 => spelled(|s| &s.serial, spelling::same_serial),
            2 => exact(&first.hctl, &second.hctl),
            3 => exact(&first.class, &second.class),
            4 => spelled(|s| &s.transport, spelling::same_transport),
            5 => glob(&first.vendor, &second.vendor),
            6 => glob(&first.model, &second.model),
            // A device has several links: two that differ may still be of one device.
            7 => possible(glob(&first.by_id, &second.by_id)),
            8 => possible(glob(&first.by_path, &second.by_path)),
            9 => spelled(|s| &s.initiator, Ports::same),
            10 => exact(&first.interface, &second.interface),
            11 => spelled(|s| &s.target, Ports::same),
            // One map may be given by name and by WWID.
            _ => possible(exact(&first.multipath, &second.multipath)),
        };
        match key {
            Overlap::None => return Overlap::None,
            Overlap::Possible => found = Overlap::Possible,
            Overlap::Covers => {}
        }
    }
    found
}

fn possible(overlap: Overlap) -> Overlap {
    match overlap {
        Overlap::None => Overlap::Possible,
        other => other,
    }
}

/// Tells whether all that `second` means is meant by `first`. A WWID has two spellings, and a literal
/// one of them: what a text covers of another text need not be covered of a literal.
fn covers(first: &Pattern, second: &Pattern) -> bool {
    !first.is_literal() && first.matches(second.text())
}

/// Tells whether what stands before the first `*` already keeps two patterns apart.
fn apart(first: &str, second: &str) -> bool {
    let start = |text: &str| text.split('*').next().unwrap_or_default().to_owned();
    let (first, second) = (start(first), start(second));
    !first.starts_with(&second) && !second.starts_with(&first)
}
