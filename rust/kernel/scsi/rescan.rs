// SPDX-License-Identifier: GPL-2.0

//! Being told when the kernel reads anew what a SCSI device is.
//!
//! `scsi_rescan_device()` is where it takes over another identity of a device that it knows: for the file
//! `rescan`, for drivers of hosts, and when the device reports that its INQUIRY data have changed. The
//! function is redirected, since no event of the kernel tells of it when it is done.
//!
//! C header: [`include/scsi/scsi_host.h`](srctree/include/scsi/scsi_host.h)

use super::Device;
use crate::kernel::{
    bindings,
    ftrace::Redirect,
    in_flight::{
        self,
        InFlight, //
    },
};
use core::marker::PhantomData;
use kernel::{
    prelude::*,
    types::Opaque, //
};

/// What wants to know of rescans. Several devices, and one device several times, may be rescanned in parallel.
pub(crate) trait RescanClient: 'static {
    /// What a rescan that has begun is remembered by.
    type Begun;

    /// The device may become another one from here on.
    fn begin(device: &Device) -> Self::Begun;

    /// The kernel has read what it wanted to know.
    fn end(device: &Device, begun: Self::Begun);
}

/// While this object lives, `C` is told.
///
/// Dropping it waits for all rescans that began while it lived.
#[pin_data]
pub(crate) struct Hook<C: RescanClient> {
    // Dropped first; the drop of `rest` waits.
    #[pin]
    redirect: Redirect,
    rest: in_flight::Wait,
    _client: PhantomData<fn() -> C>,
}

static RESCANS: InFlight = InFlight::none();

impl<C: RescanClient> Hook<C> {
    /// Arms the hook. A rescan that is under way is not told of.
    ///
    /// # Errors
    ///
    /// Those of [`Redirect::new`].
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        type Function = unsafe extern "C" fn(*mut bindings::scsi_device) -> c_int;
        let from = bindings::scsi_rescan_device as Function as *const c_void;
        let to = Self::scsi_rescan_device as Function as *const c_void;
        try_pin_init!(Self {
            // SAFETY: Both functions are a `Function`, so have the same signature, and may sleep. When the
            // replacement sleeps it is counted, and waited for by `rest`.
            redirect <- unsafe { Redirect::with_original(c"scsi_rescan_device", from, to) },
            rest: in_flight::Wait(&RESCANS),
            _client: PhantomData,
        })
    }

    /// # Safety
    ///
    /// Called in the place of the kernel's `scsi_rescan_device()`, by one of its callers.
    unsafe extern "C" fn scsi_rescan_device(sdev: *mut bindings::scsi_device) -> c_int {
        let _call = RESCANS.enter();
        // SAFETY: By the safety requirement this is a call of `scsi_rescan_device()`, whose caller has a reference to
        // the device until it returns. That the device has been added to its bus, as the type invariant of `Device`
        // asks for, does not follow: the event of a device that is still being found (`scsi_evt_thread()`) may come
        // before. Such a device is not known to `C`, which looks it up by its queue, that `scsi_alloc_sdev()` has set
        // before anything could be sent to it, and uses nothing else of it.
        let device = unsafe { &*Opaque::cast_from(sdev).cast::<Device>() };
        let begun = C::begin(device);
        // SAFETY: By the safety requirement, this is an argument for that function, which is not
        // redirected for callers in this module.
        let ret = unsafe { bindings::scsi_rescan_device_from_here(sdev) };
        C::end(device, begun);
        ret
    }
}
