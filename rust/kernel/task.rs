// SPDX-License-Identifier: GPL-2.0

//! The current task, for messages.
//!
//! C header: [`include/linux/sched.h`](srctree/include/linux/sched.h)

use crate::kernel::bindings;
use kernel::{
    fmt,
    prelude::*, //
};

/// The real uid of the current task, in the initial user namespace.
pub(crate) fn current_uid() -> u32 {
    // SAFETY: The current task and the initial namespace are valid.
    unsafe {
        let uid = bindings::task_uid(bindings::get_current());
        bindings::from_kuid(&raw mut bindings::init_user_ns, uid)
    }
}

/// The name of a task (`comm`), as it was at one moment.
pub(crate) struct Comm([u8; bindings::TASK_COMM_LEN as usize]);

impl Comm {
    /// That of the current task.
    pub(crate) fn of_current() -> Self {
        let mut comm = [0; bindings::TASK_COMM_LEN as usize];
        // SAFETY: The buffer has `TASK_COMM_LEN` bytes.
        unsafe { bindings::get_current_comm(comm.as_mut_ptr().cast::<c_char>()) };
        Self(comm)
    }
}

impl fmt::Display for Comm {
    /// A task can name itself as it likes, so that only what is plain is shown as it is: escaped,
    /// or, in the alternate form, as in the audit log: in quotes, or all of it in hex.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = || self.0.iter().take_while(|byte| **byte != 0);
        if !f.alternate() {
            return name().try_for_each(|byte| write!(f, "{}", core::ascii::escape_default(*byte)));
        }
        let plain = name().all(|byte| matches!(byte, b'!'..=b'~') && *byte != b'"');
        if !plain {
            return name().try_for_each(|byte| write!(f, "{byte:02X}"));
        }
        f.write_str("\"")?;
        name().try_for_each(|byte| write!(f, "{}", char::from(*byte)))?;
        f.write_str("\"")
    }
}
