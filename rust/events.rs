// SPDX-License-Identifier: GPL-2.0

//! What the filter says in the kernel log. All of it is rate-limited: unprivileged processes can
//! cause it.

use crate::{
    device::Device,
    kernel_ext::task::Comm,
    state::State, //
};
use kernel::{
    current,
    fmt,
    prelude::*, //
};

/// Something was let through that the filter would have refused.
#[cold]
pub(crate) fn complain(state: &State, device: &Device, cdb: &[u8], open_for_write: bool) {
    if state.complaints.allows() {
        pr_notice!(
            "{}: complain: {} from {}[{}], open for {}\n",
            device.hctl,
            Hex(cdb),
            Comm::of_current(),
            current!().tgid(),
            if open_for_write { "writing" } else { "reading" },
        );
    }
}

/// A text that was written to a knob was refused.
pub(crate) fn bad_text(state: &State, whose: &dyn fmt::Display, why: &dyn core::fmt::Display) {
    if state.mistakes.allows() {
        pr_warn!("{}: rules not changed: {}\n", whose, Plain(why));
    }
}

/// What the policy, which knows nothing of the kernel, can print.
struct Plain<'a>(&'a dyn core::fmt::Display);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A CDB, without the zeros at its end.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No CDB is shorter than 6 bytes.
        let len = self
            .0
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(6, |last| (last + 1).max(6));
        for (n, byte) in self.0.iter().take(len).enumerate() {
            write!(f, "{}{byte:02x}", if n == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}
