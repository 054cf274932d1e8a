// SPDX-License-Identifier: GPL-2.0

//! What the checks look at.

use super::process::{self, Process};
use crate::{
    device::{self, Device},
    root::Root,
    running::{self, Running},
};
use anyhow::Result;

/// What the checks look at.
pub struct Facts<'a> {
    /// Where the system is.
    pub root: &'a Root,
    /// The devices, and what is in force on them.
    pub devices: Vec<(Device, Option<Running>)>,
    /// The processes that have any of them open.
    pub processes: Vec<Process>,
    /// How many processes could not be looked at.
    pub unseen: usize,
    /// Tell of root's processes too.
    pub all: bool,
    /// Ask as an unprivileged process too.
    pub probe: bool,
}

impl<'a> Facts<'a> {
    /// Looks around.
    ///
    /// # Errors
    ///
    /// A sysfs or procfs that cannot be read.
    pub fn gather(root: &'a Root, all: bool, probe: bool) -> Result<Facts<'a>> {
        let devices = device::scan(root)?;
        let process::Openers { processes, unseen } = process::scan(root, &devices)?;
        let running = running::devices(root, &devices)?;
        let devices = devices.into_iter().zip(running).collect();
        Ok(Facts {
            root,
            devices,
            processes,
            unseen,
            all,
            // Files that take the place of a system decide nothing.
            probe: probe && root.is_live(),
        })
    }
}
