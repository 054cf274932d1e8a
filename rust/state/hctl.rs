// SPDX-License-Identifier: GPL-2.0

//! The address of a device: from the kernel to the policy's type, and into messages.

use crate::{
    kernel::scsi,
    policy::Hctl, //
};
use kernel::fmt;

impl From<&scsi::Device> for Hctl {
    fn from(device: &scsi::Device) -> Self {
        device.address().into()
    }
}

impl fmt::Display for Hctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}
