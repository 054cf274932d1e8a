// SPDX-License-Identifier: GPL-2.0

//! Commands of the sg driver when they are executed.
//!
//! sg does no permission check for write(2), for an SG_IO on a file that is open for both reading and writing, nor
//! about scanners. All that it sends goes through one call of `blk_execute_rq_nowait()`, by which the request has its
//! CDB and its queue. That function is redirected for sg's requests, which are known by how they end
//! (`sg_rq_end_io()`). What is refused is ended in the place of the device, with CHECK CONDITION, ILLEGAL REQUEST,
//! ACCESS DENIED - NO ACCESS RIGHTS (05h/20h/02h, SPC-6 annex E): it is too late for an error of the system call.
//!
//! Not here: requests of other drivers.
//!
//! C header: [`include/linux/blk-mq.h`](srctree/include/linux/blk-mq.h)

use super::{
    cmd_allowed::RequestCdb,
    sg_sender::Sender, //
};
use crate::kernel::{
    arch::Trampoline,
    bindings,
    driver_hook::DriverHook,
    ftrace::{
        CallFilter,
        Redirect, //
    },
    in_flight::{
        self,
        InFlight, //
    },
    symbol,
    sync::{
        load::Load,
        rcu_sched, //
    },
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

/// A decision of the fast path.
pub(crate) struct SgFastDecision {
    /// The command goes to the device. If not, it is not known yet whether it does.
    pub(crate) allowed: bool,
    /// The task is to be preempted, which has been put off.
    pub(crate) resched: bool,
}

/// Decides on what sg executes.
pub(crate) trait SgAllowed: Send + Sync + 'static {
    /// The decision of the fast path. About what it allows, [`Self::sg_allowed`] is not asked.
    fn decide_fast(cdb: RequestCdb<'_>) -> SgFastDecision;

    /// Whether the current task may have `cdb` sent. `sender` is known if it is an SG_IO on a file that is not open
    /// for both. May sleep.
    fn sg_allowed(cdb: RequestCdb<'_>, sender: Option<Sender>) -> bool;
}

/// `sg_rq_end_io()`, since the hook was first there.
#[export_name = "sgio_sg_rq_end_io"]
static SG_RQ_END_IO: Atomic<usize> = Atomic::new(0);

/// A [`decide`].
type Decide = for<'a> unsafe fn(*mut bindings::request, RequestCdb<'a>) -> bool;

/// Its address, since the hook was first there.
static DECIDE: Atomic<usize> = Atomic::new(0);

static CALLS: InFlight = InFlight::none();

/// The requests of sg.
struct OfSg;

impl CallFilter for OfSg {
    #[inline(always)]
    unsafe fn selects(request: usize) -> bool {
        let request: *const bindings::request = core::ptr::with_exposed_provenance(request);
        // SAFETY: By the safety requirement `blk_execute_rq_nowait()` has just been called with `request`, which its
        // caller has prepared and which nobody has executed, so it is valid.
        let end_io = unsafe { (*request).end_io }.map_or(0, |end_io| end_io as usize);
        end_io == SG_RQ_END_IO.load_once()
    }

    fn trampoline() -> Option<Trampoline> {
        Trampoline::of_blk_execute_rq_nowait()
    }
}

/// Whether a request of sg is to be executed; if not, it has been ended.
///
/// Called by the trampoline, as an ordinary function.
///
/// # Safety
///
/// `request` is one of sg, about to be executed, while the hook is there.
#[export_name = "sgio_sg_request_goes_on"]
unsafe extern "C" fn goes_on(request: *mut bindings::request) -> bool {
    // SAFETY: The integer must be the address of a `Decide`. Nothing is stored in `DECIDE` but the address of a
    // `decide::<T>`, which is one, whatever `T` is, and is never taken back. It is not zero any more: by the safety
    // requirement the hook is there, and `Hook::new()` stores the address before it redirects calls (ftrace orders the
    // store before the change of the code). The function is this module's, which is not unloaded while the hook is
    // there.
    let decide: Decide = unsafe { core::mem::transmute(DECIDE.load_once()) };
    // SAFETY: By the safety requirement it is a request of sg, not executed yet; sg allocates its requests by `scsi_alloc_request()`.
    let cdb = unsafe { RequestCdb::of_request(request) };
    // SAFETY: By the safety requirement it is a request of sg, about to be executed, while the hook is there; `cdb` is that
    // of the request.
    unsafe { decide(request, cdb) }
}

/// The same, of whatever decides.
///
/// # Safety
///
/// `request` is one of sg, about to be executed, while the hook is there; `cdb` is that of the request.
unsafe fn decide<T: SgAllowed>(request: *mut bindings::request, cdb: RequestCdb<'_>) -> bool {
    match T::decide_fast(cdb) {
        SgFastDecision {
            allowed: true,
            resched: false,
        } => true,
        // Called last, by a jump: so the rest needs no stack.
        //
        // SAFETY: By the safety requirement the request is one of sg, about to be executed, and `cdb` its CDB.
        fast => unsafe { decide_in_full::<T>(request, cdb, fast) },
    }
}

/// # Safety
///
/// `request` is one of sg, about to be executed, while the hook is there; `cdb` is that of the request.
#[cold]
#[inline(never)]
unsafe fn decide_in_full<T: SgAllowed>(
    request: *mut bindings::request,
    cdb: RequestCdb<'_>,
    fast: SgFastDecision,
) -> bool {
    if fast.resched {
        rcu_sched::resched();
    }
    if fast.allowed {
        return true;
    }
    let _call = CALLS.enter();
    let sender = Sender::current(&rcu::read_lock());
    let allowed = T::sg_allowed(cdb, sender);
    if !allowed {
        // SAFETY: By the safety requirement the request is one of sg and about to be executed. The caller does not
        // execute it when this returns false, so nobody else ends it, and it is ended once. It can be ended: sg has
        // set its `end_io` (`sg_common_write()`; that is what the request is known by, see `OfSg`) and the data for
        // that (`sg_start_req()`), and its command has a sense buffer of `SCSI_SENSE_BUFFERSIZE` bytes for life
        // (`scsi_mq_init_request()`).
        unsafe { bindings::sg_refuse(request) };
    }
    allowed
}

/// # Safety
///
/// Called in the place of `blk_execute_rq_nowait()`, for a request of sg.
unsafe extern "C" fn blk_execute_rq_nowait(request: *mut bindings::request, at_head: bool) {
    let _call = CALLS.enter();
    // SAFETY: By the safety requirement it is a request of sg, about to be executed; calls arrive here while the hook is
    // there.
    if unsafe { goes_on(request) } {
        // SAFETY: By the safety requirement these are arguments for that function, which is not redirected for
        // callers in this module; since the call is counted until after it, it is not in tail position.
        unsafe { bindings::blk_execute_rq_nowait(request, at_head) };
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

    unsafe fn new() -> impl PinInit<Self, Error> {
        type Function = unsafe extern "C" fn(*mut bindings::request, bool);

        pin_init::pin_init_scope(|| {
            // ENOENT means that sg is not loaded; another sg than the one known is EOPNOTSUPP, below.
            symbol::address_of(c"sg_open")?;
            let end_io = symbol::address_of(c"sg_rq_end_io").map_err(|_| EOPNOTSUPP)?;
            SG_RQ_END_IO.store(end_io, Relaxed);
            DECIDE.store(decide::<T> as Decide as usize, Relaxed);
            let from = bindings::blk_execute_rq_nowait as Function as *const c_void;
            let to = blk_execute_rq_nowait as Function as *const c_void;
            Ok(try_pin_init!(Self {
                // SAFETY: Both functions have the same signature (above), and may sleep. When the replacement, or what
                // the trampoline asks, sleeps, it is counted, and waited for by `rest`. The filter and the trampoline
                // are those of `blk_execute_rq_nowait()`.
                redirect <- unsafe {
                    Redirect::with_original_if::<OfSg>(c"blk_execute_rq_nowait", from, to)
                },
                rest: in_flight::Wait(&CALLS),
                _decider: PhantomData,
            }))
        })
    }
}
