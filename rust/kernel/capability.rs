// SPDX-License-Identifier: GPL-2.0

//! Capabilities, in the initial user namespace only.
//!
//! C header: [`include/linux/capability.h`](srctree/include/linux/capability.h)

use crate::kernel::bindings;
use kernel::{
    fs::file::LocalFile,
    prelude::*, //
};

/// A capability.
#[derive(Clone, Copy)]
pub(crate) struct Capability(c_int);

impl Capability {
    /// `CAP_SYS_RAWIO`, which lets a process send any SCSI command.
    pub(crate) const SYS_RAWIO: Self = Self(bindings::CAP_SYS_RAWIO as c_int);

    /// Whether the current task has the capability. A use is accounted (`PF_SUPERPRIV`) and a
    /// denial may be audited, so ask only when the answer decides.
    pub(crate) fn current_has(self) -> bool {
        // SAFETY: `capable()` requires a valid capability, and a task to ask about. The only value that can be made
        // of this type is `SYS_RAWIO`, which is valid; decisions and writes to files are made in a task's context.
        unsafe { bindings::capable(self.0) }
    }

    /// The same, where a denial is no refusal: it is not audited.
    pub(crate) fn current_has_quietly(self) -> bool {
        // SAFETY: As in `current_has()`; `init_user_ns` is a static.
        unsafe { bindings::ns_capable_noaudit(&raw mut bindings::init_user_ns, self.0) }
    }

    /// Whether the opener of `file` had the capability when it opened it.
    pub(crate) fn opener_had(self, file: &LocalFile) -> bool {
        // SAFETY: `file` is borrowed for the call, so valid, and with it the credentials of its opener;
        // `init_user_ns` is a static. The capability is valid as in `current_has()`.
        unsafe { bindings::file_ns_capable(file.as_ptr(), &raw mut bindings::init_user_ns, self.0) }
    }
}
