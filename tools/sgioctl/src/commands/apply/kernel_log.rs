// SPDX-License-Identifier: GPL-2.0

//! Messages in the kernel log, from where the journal has them: nobody looks at the output of what udev calls.

use crate::{output, root::Root};
use std::{fs::OpenOptions, io::Write as _};

/// Writes a line to the kernel log, and to standard error.
pub(super) fn log(root: &Root, text: &str) {
    output::note(text);
    kernel_log(root, text);
}

/// Writes a line to the kernel log.
pub(super) fn kernel_log(root: &Root, text: &str) {
    // Facility daemon, a warning.
    const PREFIX: &str = "<28>sgioctl: ";
    let line = format!("{PREFIX}{}\n", output::printable(text));
    // One write is one record, of less than 1 KiB.
    let line: String = line.chars().take(900).collect();
    let opened = OpenOptions::new().append(true).open(root.path("/dev/kmsg"));
    if let Ok(mut file) = opened {
        let _ = file.write_all(line.as_bytes());
    }
}
