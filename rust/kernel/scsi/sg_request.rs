// SPDX-License-Identifier: GPL-2.0

//! Commands of the sg driver when they are executed.
//!
//! sg asks nobody about what comes by write(2), nor about an SG_IO on a file that is open for both reading and writing, nor
//! about scanners. All that it sends goes through one call of `blk_execute_rq_nowait()`, by which the request has its
//! CDB and its queue. That function is redirected for sg's requests, which are known by how they end
//! (`sg_rq_end_io()`). What is refused is ended in the place of the device, with CHECK CONDITION, ILLEGAL REQUEST, ACCESS
//! DENIED - NO ACCESS RIGHTS (05h/20h/02h, SPC-6 annex E): it is too late for an error of the system call.
//!
//! Not here: requests of other drivers.
//!
//! C header: [`include/linux/blk-mq.h`](srctree/include/linux/blk-mq.h)

use super::{
    cmd_allowed::Cdb,
    sg::Sender, //
};
use crate::kernel::{
    bindings,
    driver_hook::DriverHook,
    ftrace::{
        Diverts,
        Redirect, //
    },
    in_flight::{
        self,
        InFlight, //
    },
    symbol,
};
use core::marker::PhantomData;
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        rcu, //
    },
};

/// Decides on what sg executes.
pub(crate) trait SgAllowed: Send + Sync + 'static {
    /// Whether this surely goes to the device; then it is not asked about any more. Called by ftrace: it calls nothing that
    /// can be traced.
    fn surely_allowed(cdb: Cdb<'_>) -> bool;

    /// Whether the current task may have `cdb` sent. `sender` is known if it is an SG_IO on a file that is not open for
    /// both. May sleep.
    fn sg_allowed(cdb: Cdb<'_>, sender: Option<Sender>) -> bool;
}

/// `sg_rq_end_io()`, while the hook is there.
static SG_RQ_END_IO: Atomic<usize> = Atomic::new(0);

static CALLS: InFlight = InFlight::none();

/// The requests of sg that do not surely go to the device.
struct NotSure<T>(PhantomData<T>);

impl<T: SgAllowed> Diverts for NotSure<T> {
    #[inline(always)]
    fn diverts(request: usize) -> bool {
        let request: *const bindings::request = core::ptr::with_exposed_provenance(request);
        // SAFETY: The first argument of `blk_execute_rq_nowait()` is a request that the caller has prepared.
        let end_io = unsafe { (*request).end_io }.map_or(0, |end_io| end_io as usize);
        if end_io != SG_RQ_END_IO.load(Relaxed) {
            return false;
        }
        // SAFETY: The requests that end by `sg_rq_end_io()` are sg's, which allocates them by `scsi_alloc_request()`.
        let cdb = unsafe { Cdb::of_request(request) };
        !T::surely_allowed(cdb)
    }
}

/// # Safety
///
/// Called in the place of `blk_execute_rq_nowait()`, for a request of sg.
unsafe extern "C" fn blk_execute_rq_nowait<T: SgAllowed>(
    request: *mut bindings::request,
    at_head: bool,
) {
    let _call = CALLS.enter();
    let sender = Sender::current(&rcu::read_lock());
    // SAFETY: By the safety requirement; sg allocates its requests by `scsi_alloc_request()`.
    let cdb = unsafe { Cdb::of_request(request) };
    if T::sg_allowed(cdb, sender) {
        // SAFETY: By the safety requirement these are arguments for that function, which is not redirected for
        // callers in this module; since the call is counted until after it, it is not in tail position.
        unsafe { bindings::blk_execute_rq_nowait(request, at_head) };
    } else {
        // SAFETY: By the safety requirement the request is ready to be executed, which it is not; so it may be ended.
        unsafe { bindings::sg_refuse(request) };
    }
}

/// While this object lives, `T` is asked.
#[pin_data]
pub(crate) struct Hook<T: SgAllowed> {
    // Dropped first; the drop of `rest` waits.
    #[pin]
    redirect: Redirect,
    rest: in_flight::Wait,
    _decider: PhantomData<T>,
}

impl<T: SgAllowed> DriverHook for Hook<T> {
    const DRIVER: &'static CStr = c"sg";

    fn new() -> impl PinInit<Self, Error> {
        type Function = unsafe extern "C" fn(*mut bindings::request, bool);

        pin_init::pin_init_scope(|| {
            let end_io = symbol::address_of(c"sg_rq_end_io")?;
            SG_RQ_END_IO.store(end_io, Relaxed);
            let from = bindings::blk_execute_rq_nowait as Function as *const c_void;
            let to = blk_execute_rq_nowait::<T> as Function as *const c_void;
            Ok(try_pin_init!(Self {
                // SAFETY: Both functions have the same signature (above), and may sleep. When the replacement
                // sleeps it is counted, and waited for by `rest`.
                redirect <- unsafe {
                    Redirect::with_original_if::<NotSure<T>>(c"blk_execute_rq_nowait", from, to)
                },
                rest: in_flight::Wait(&CALLS),
                _decider: PhantomData,
            }))
        })
    }
}
