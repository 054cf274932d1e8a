// SPDX-License-Identifier: GPL-2.0

//! Standing in for `scsi_cmd_allowed()`.
//!
//! The function has five callers (as of Linux 7.3), all with the CDB in kernel memory, where user
//! space cannot change it any more:
//!
//! - `scsi_fill_sghdr_rq()` (SG_IO, CDROM_SEND_PACKET), `sg_scsi_ioctl()`
//!   (SCSI_IOCTL_SEND_COMMAND), `scsi_bsg_sg_io_fn()` and `scsi_bsg_uring_cmd()`: the CDB is the
//!   `cmnd` of a `struct scsi_cmnd` just allocated for the device's queue, zero behind its end;
//! - `sg_allow_access()`: a buffer on the stack, which does not lead to the device ([`sg_sender`](super::sg_sender) does), and of
//!   which no more than the shortest CDB is surely initialised.
//!
//! It is exported, so that a module of another tree could call it. It is assumed, and cannot be checked, that one does so in one
//! of these ways: with a CDB on the stack, or in the command of a request.
//!
//! C header: [`include/scsi/scsi_ioctl.h`](srctree/include/scsi/scsi_ioctl.h)

use super::{
    callers,
    sg_sender::Sender,
    Address,
    Device,
    LunInCdb, //
};
use crate::kernel::{
    arch,
    bindings,
    block::QueueId,
    cred::without_capabilities,
    ftrace::Redirect, //
};
use core::marker::PhantomData;
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        rcu, //
    }, //
};

/// Bytes in `scsi_cmnd::cmnd`.
pub(crate) const CDB_BUFFER: usize = 32;

/// Decides in the place of `scsi_cmd_allowed()`. Called in process context; must not sleep. What may take a
/// lock, which sleeps under `CONFIG_PREEMPT_RT`, is called by an RCU reader.
pub(crate) trait CmdAllowed: 'static {
    /// Whether the current task may send `cdb`.
    fn cmd_allowed(cdb: RequestCdb<'_>, open_for_write: bool) -> bool;

    /// Whether the current task may send `cdb` by sg.
    fn sg_cmd_allowed(cdb: &SgCdb, open_for_write: bool) -> bool;
}

/// A CDB whose permission is asked, in the request that it is to be sent by.
///
/// # Invariants
///
/// The pointer is to the `cmnd` of a `struct scsi_cmnd` whose request was just allocated from the queue of a SCSI
/// device, and is not freed for `'a`.
#[derive(Clone, Copy)]
pub(crate) struct RequestCdb<'a>(*const u8, PhantomData<&'a u8>);

/// The device that a CDB is for.
///
/// # Invariants
///
/// The queue is that of a SCSI device, and in use for `'a`.
pub(crate) struct Addressed<'a> {
    queue: QueueId,
    cdb: &'a [u8; CDB_BUFFER],
}

/// A CDB from sg.
pub(crate) struct SgCdb {
    /// What is known of it.
    pub(crate) cdb: [u8; CDB_BUFFER],
    /// How much that is. What is not known shows as zero.
    pub(crate) known: usize,
}

/// How much of sg's buffer can be relied on. No CDB is shorter than 6 bytes. What is behind the end of a longer
/// one is zero as the device sees it, and in the buffer if the compiler clears what is on the stack.
const KNOWN_FROM_SG: usize = if cfg!(CONFIG_INIT_STACK_ALL_ZERO) {
    CDB_BUFFER
} else {
    6
};

impl<'a> RequestCdb<'a> {
    /// The CDB of a request.
    ///
    /// # Safety
    ///
    /// `request` was allocated by `scsi_alloc_request()`, has not been executed, and is not freed for `'a`.
    #[inline(always)]
    pub(super) unsafe fn of_request(request: *const bindings::request) -> Self {
        // INVARIANT: By the safety requirement `request` is one of SCSI, not executed yet, and valid for `'a`; the
        // `struct scsi_cmnd` follows it.
        Self(
            // SAFETY: The request and its command are one allocation.
            unsafe {
                request
                    .cast::<u8>()
                    .byte_add(bindings::SGIO_CDB_IN_REQUEST as usize)
            },
            PhantomData,
        )
    }

    /// The device that the command goes to.
    #[inline(always)]
    pub(crate) fn addressed(self) -> Addressed<'a> {
        // SAFETY: By the type invariant the `struct scsi_cmnd` follows its `struct request`, whose `q` never
        // changes.
        let queue = unsafe {
            let request = self.0.byte_sub(bindings::SGIO_CDB_IN_REQUEST as usize);
            (*request.cast::<bindings::request>()).q
        };
        // INVARIANT: By the type invariant the request is of the queue of a SCSI device; it holds the queue in use.
        Addressed {
            // SAFETY: The request holds its queue, so the queue is valid.
            queue: unsafe { QueueId::new(queue) },
            // SAFETY: By the type invariant this is `scsi_cmnd::cmnd`, of `CDB_BUFFER` bytes (`Hook::new()` checks),
            // initialised by `scsi_initialize_rq()` and not written to during the call.
            cdb: unsafe { &*self.0.cast() },
        }
    }
}

impl SgCdb {
    /// Where the command goes to, if that is known.
    pub(crate) fn sender(&self, guard: &rcu::Guard) -> Option<Sender> {
        Sender::current(guard)
    }
}

impl<'a> Addressed<'a> {
    /// # Safety
    ///
    /// `queue` is that of a SCSI device, and in use for `'a`.
    pub(super) unsafe fn new(queue: QueueId, cdb: &'a [u8; CDB_BUFFER]) -> Self {
        // INVARIANT: By the safety requirement the queue is that of a SCSI device and in use for `'a`.
        Self { queue, cdb }
    }

    /// The queue of the device.
    #[inline(always)]
    pub(crate) fn queue(&self) -> QueueId {
        self.queue
    }

    /// The CDB, zero behind its end.
    #[inline(always)]
    pub(crate) fn cdb(&self) -> &'a [u8; CDB_BUFFER] {
        self.cdb
    }

    /// The peripheral device type and the address of the queue's device, for a device that one knows nothing
    /// about.
    #[cold]
    pub(crate) fn type_and_address(&self) -> (u8, Address) {
        let device = self.device();
        (device.peripheral_device_type(), device.address())
    }

    /// What becomes of byte 1 of the CDB, for such a device.
    #[cold]
    pub(crate) fn lun_in_cdb(&self) -> LunInCdb {
        self.device().lun_in_cdb()
    }

    fn device(&self) -> &Device {
        let queue = self.queue.as_ptr().cast::<bindings::request_queue>();
        // SAFETY: By the type invariant the queue is that of a SCSI device, whose `queuedata` is the device for life,
        // and it is in use; a device is not released before its queue is out of use (`blk_mq_destroy_queue()` in
        // `__scsi_remove_device()`, or the last close of its disk).
        unsafe { &*(*queue).queuedata.cast::<Device>() }
    }
}

/// Calls `ask` with a function that asks the kernel's own `scsi_cmd_allowed()` about a CDB, as a process without
/// capabilities. While a [`Hook`] is armed, it is the hook that answers, as for a CDB of sg.
///
/// # Errors
///
/// `ENOMEM`.
pub(crate) fn ask_kernel(mut ask: impl FnMut(&dyn Fn(&[u8; CDB_BUFFER], bool) -> bool)) -> Result {
    without_capabilities(|| {
        ask(&|cdb, open_for_write| {
            // On the stack, wherever the caller has it: elsewhere an armed hook would take it for part of a request.
            let mut cdb = *cdb;
            // SAFETY: `cdb` is long enough for any CDB, and on the stack of this task.
            unsafe { bindings::scsi_cmd_allowed(cdb.as_mut_ptr(), open_for_write) }
        })
    })
}

/// While this object lives, `T` decides.
///
/// Dropping it waits until no task is in [`CmdAllowed::cmd_allowed`] any more.
#[pin_data]
pub(crate) struct Hook<T: CmdAllowed> {
    #[pin]
    redirect: Redirect,
    _decider: PhantomData<T>,
}

/// The CDB of a self-test that is under way, until it is seen.
static SELF_TEST: Atomic<*const u8> = Atomic::new(core::ptr::null());

/// A CDB that is on the stack of the current task: sg's, or that of the self-test.
///
/// # Safety
///
/// `cmd` is the buffer of `SG_MAX_CDB_SIZE` bytes that sg.c passes, of which the shortest CDB, or all if the compiler
/// clears what is on the stack, are initialised; or it has `CDB_BUFFER` initialised bytes.
#[cold]
#[inline(never)]
unsafe fn on_stack<T: CmdAllowed>(cmd: *const u8, open_for_write: bool) -> bool {
    if SELF_TEST.load(Relaxed) == cmd {
        SELF_TEST.store(core::ptr::null(), Relaxed);
        return false;
    }
    let mut cdb = [0; CDB_BUFFER];
    // SAFETY: By the safety requirement as many bytes are initialised.
    unsafe { core::ptr::copy_nonoverlapping(cmd, cdb.as_mut_ptr(), KNOWN_FROM_SG) };
    let cdb = SgCdb {
        cdb,
        known: KNOWN_FROM_SG,
    };
    T::sg_cmd_allowed(&cdb, open_for_write)
}

/// Calls `scsi_cmd_allowed()` as others do.
///
/// # Errors
///
/// `ENXIO` if the call does not arrive here.
fn self_test() -> Result {
    let mut cdb = [0; CDB_BUFFER];
    SELF_TEST.store(cdb.as_ptr(), Relaxed);
    // SAFETY: `cdb` is long enough for any CDB. It is on the stack, as that of sg.c.
    unsafe { bindings::scsi_cmd_allowed(cdb.as_mut_ptr(), false) };
    // One module is loaded once at a time, and the address is on our stack: nobody else clears it.
    if !SELF_TEST.xchg(core::ptr::null(), Full).is_null() {
        pr_err!("scsi_cmd_allowed() was redirected without effect\n");
        return Err(ENXIO);
    }
    Ok(())
}

impl<T: CmdAllowed> Hook<T> {
    /// Arms the hook, and tries it.
    ///
    /// # Errors
    ///
    /// Those of [`callers::prove_core`] and [`Redirect::new`]; `ENXIO` if calls do not arrive in spite of it;
    /// `EOPNOTSUPP` if the kernel's CDB buffer has another size than is known here.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        type Function = unsafe extern "C" fn(*mut u8, bool) -> bool;
        let from = bindings::scsi_cmd_allowed as Function as *const c_void;
        let to = Self::scsi_cmd_allowed as Function as *const c_void;
        try_pin_init!(Self {
            _: {
                // What is known here of the layout, from the headers as libclang reads them, against
                // what the C compiler makes of them.
                //
                // SAFETY: The helpers have no requirements.
                let same = unsafe {
                    bindings::sizeof_cdb() == CDB_BUFFER
                        && bindings::cdb_in_request() == bindings::SGIO_CDB_IN_REQUEST as usize
                };
                if !same {
                    return Err(EOPNOTSUPP);
                }
                callers::prove_core(bindings::scsi_ioctl as *const () as usize)?;
            },
            // SAFETY: Both functions are a `Function`, so they have the same signature. The new one does not sleep,
            // but for a lock as an RCU reader, by the contract of `CmdAllowed`.
            redirect <- unsafe { Redirect::new(c"scsi_cmd_allowed", from, to) },
            _: { self_test()? },
            _decider: PhantomData,
        })
    }

    /// # Safety
    ///
    /// Called in the place of the kernel's `scsi_cmd_allowed()`, by one of its callers.
    unsafe extern "C" fn scsi_cmd_allowed(cmd: *mut u8, open_for_write: bool) -> bool {
        if arch::is_on_stack(cmd) {
            // SAFETY: By the safety requirement a caller of `scsi_cmd_allowed()` has called. Of those in the kernel (see
            // the head of this file) sg.c alone passes a buffer on the stack, of `SG_MAX_CDB_SIZE` bytes; `self_test()` and
            // `ask_kernel()` pass `CDB_BUFFER` initialised ones.
            return unsafe { on_stack::<T>(cmd, open_for_write) };
        }
        // INVARIANT: By the safety requirement a caller of `scsi_cmd_allowed()` has called; all but sg.c pass the
        // `cmnd` of a request that they have just allocated by `scsi_alloc_request()` and that they free after the
        // call.
        T::cmd_allowed(RequestCdb(cmd, PhantomData), open_for_write)
    }
}

#[kunit_tests(sgio_filter_cmd_allowed)]
mod tests {
    use super::*;

    /// The hook is armed while tests run. It would take a CDB in the heap for part of a request, and follow what is
    /// before it.
    #[test]
    fn a_cdb_may_be_anywhere_when_the_kernel_is_asked() -> Result {
        let cdb = KBox::new([0u8; CDB_BUFFER], GFP_KERNEL)?;
        let mut allowed = true;
        ask_kernel(|ask| allowed = ask(&cdb, false))?;
        // For no known device.
        assert!(!allowed);
        Ok(())
    }
}
