// SPDX-License-Identifier: GPL-2.0

//! A command that is decided on.

use crate::kernel::scsi::cmd_allowed::CDB_BUFFER;

/// What is to be sent, and how the file is open.
pub(super) struct Command<'a> {
    /// The CDB, zero behind its end.
    pub(super) cdb: &'a [u8; CDB_BUFFER],
    /// How many bytes of it are known; the others show as zero.
    pub(super) known: usize,
    pub(super) open_for_write: bool,
}
