// SPDX-License-Identifier: GPL-2.0

//! The SCSI bus, and the look-up of a device by its address.
//!
//! C header: [`include/scsi/scsi_host.h`](srctree/include/scsi/scsi_host.h)

use super::Address;
use crate::kernel::{
    bindings,
    block::QueueId,
    device::bus::Bus, //
};
use kernel::prelude::*;

/// The queue of the device at an address, if there is one at this moment.
pub(crate) fn queue_at((host, channel, target, lun): Address) -> Option<QueueId> {
    // SAFETY: No requirements.
    let host = unsafe { bindings::scsi_host_lookup(host) };
    if host.is_null() {
        return None;
    }
    // SAFETY: `host` is valid.
    let sdev = unsafe { bindings::scsi_device_lookup(host, channel, target, lun) };
    let queue = (!sdev.is_null()).then(|| {
        // SAFETY: `sdev` is valid; its queue was set before it could be found. The reference
        // comes from the look-up.
        unsafe {
            let queue = QueueId::new((*sdev).request_queue);
            bindings::scsi_device_put(sdev);
            queue
        }
    });
    // SAFETY: The reference comes from the look-up.
    unsafe { bindings::scsi_host_put(host) };
    queue
}

/// The SCSI bus.
///
/// `scsi_bus_type` is not exported, so it is read off a host that is made for this and never added.
///
/// # Errors
///
/// `ENOMEM`.
pub(super) fn bus() -> Result<Bus> {
    struct Template(bindings::scsi_host_template);
    // SAFETY: It is constant.
    unsafe impl Sync for Template {}
    static TEMPLATE: Template = Template(pin_init::zeroed());

    // SAFETY: A template of zeros has no callbacks, which is enough for a host that is not added.
    let host = unsafe { bindings::scsi_host_alloc(&raw const TEMPLATE.0, 0) };
    if host.is_null() {
        return Err(ENOMEM);
    }
    // SAFETY: `host` is valid.
    let bus = unsafe { bindings::scsi_host_bus(host) };
    // SAFETY: The reference comes from `scsi_host_alloc()`.
    unsafe { bindings::scsi_host_put(host) };
    // SAFETY: `scsi_host_alloc()` sets the bus to `scsi_bus_type`, which stays registered until
    // scsi_mod, which this module uses symbols of, is unloaded.
    Ok(unsafe { Bus::from_raw(bus) })
}
