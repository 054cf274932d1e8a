// SPDX-License-Identifier: GPL-2.0

//! SCSI: devices, and the functions of the kernel by which commands reach them.
//!
//! Not here: hosts, targets, commands of our own.

mod bus;
mod callers;
pub(crate) mod cmd_allowed;
mod device;
pub(crate) mod device_events;
mod lun_in_cdb;
pub(crate) mod pr_ops;
pub(crate) mod queue_files;
pub(crate) mod rescan;
pub(crate) mod sg_io_reply;
pub(crate) mod sg_request;
pub(crate) mod sg_sender;

use bus::bus;
pub(crate) use {
    bus::queue_at,
    device::{
        Address,
        Device,
        DeviceId,
        DeviceRef, //
    },
    lun_in_cdb::LunInCdb,
};
