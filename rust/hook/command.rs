// SPDX-License-Identifier: GPL-2.0

//! A command that is decided on.

use crate::kernel::{
    capability::Capability,
    scsi::cmd_allowed::CDB_BUFFER, //
};

/// What is to be sent, and how the file is open.
pub(super) struct Command<'a> {
    /// The CDB, zero behind its end.
    pub(super) cdb: &'a [u8; CDB_BUFFER],
    /// How many bytes of it are known; the others show as zero.
    pub(super) known: usize,
    pub(super) open_for_write: bool,
    /// Whether the sender has `CAP_SYS_RAWIO`, if it was asked already.
    pub(super) privileged: Option<bool>,
}

impl Command<'_> {
    /// Whether the sender has `CAP_SYS_RAWIO`. The capability is asked for once: a use is accounted, and a denial may be
    /// audited.
    pub(super) fn is_privileged(&self) -> bool {
        self.privileged
            .unwrap_or_else(|| Capability::SYS_RAWIO.current_has())
    }
}
