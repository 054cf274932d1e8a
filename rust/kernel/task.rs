// SPDX-License-Identifier: GPL-2.0

//! The current task, for messages.
//!
//! C header: [`include/linux/sched.h`](srctree/include/linux/sched.h)

use crate::kernel_ext::bindings;
use kernel::{
    fmt,
    prelude::*, //
};

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
    /// A task can name itself as it likes, so that only what is plain is shown as it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.iter().take_while(|byte| **byte != 0);
        for byte in name {
            write!(f, "{}", core::ascii::escape_default(*byte))?;
        }
        Ok(())
    }
}
