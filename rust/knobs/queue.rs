// SPDX-License-Identifier: GPL-2.0

//! `/sys/block/<disk>/queue/unpriv_sgio`, for disks that come and go.
//!
//! The directory is the disk's, not the device's, so that the file finds the device by the queue,
//! each time.
//!
//! ABI: `Documentation/ABI/testing/sysfs-block-unpriv_sgio`

use super::device::{
    show_unpriv_sgio,
    store_unpriv_sgio, //
};
use crate::{
    kernel::{
        block::QueueDirectory,
        scsi::queue_files::QueueFiles,
        sysfs::File, //
    },
    state::device::DeviceState,
    state::State,
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

static FILE: File<QueueDirectory> = File::writable(
    c"unpriv_sgio",
    |queue, page| show_unpriv_sgio(&*device(queue)?, page),
    |queue, write| store_unpriv_sgio(&*device(queue)?, write),
);

/// The device of a `queue` directory.
fn device(queue: &QueueDirectory) -> Result<Arc<DeviceState>> {
    // None if the device is on its way in or out.
    State::get()
        .and_then(|state| state.device(queue.queue()))
        .ok_or(ENODEV)
}

/// Gives all disks the file, for as long as the result lives.
///
/// # Errors
///
/// `ENOMEM`, `EINTR`.
pub(crate) fn queue_files() -> Result<QueueFiles> {
    QueueFiles::new(&FILE)
}
