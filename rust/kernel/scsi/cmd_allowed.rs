// SPDX-License-Identifier: GPL-2.0

//! Standing in for `scsi_cmd_allowed()`.
//!
//! The function has five callers (as of Linux 7.3), all with the CDB in kernel memory, where user
//! space cannot change it any more:
//!
//! - `scsi_fill_sghdr_rq()` (SG_IO, CDROM_SEND_PACKET), `sg_scsi_ioctl()`
//!   (SCSI_IOCTL_SEND_COMMAND), `scsi_bsg_sg_io_fn()` and `scsi_bsg_uring_cmd()`: the CDB is the
//!   `cmnd` of a `struct scsi_cmnd` just allocated for the device's queue, zero behind its end;
//! - `sg_allow_access()`: a buffer on the stack, which does not lead to the device ([`sg`] does), and of
//!   which no more than the shortest CDB is surely initialised.
//!
//! It is exported: a module of another tree that calls it must do so in one of these ways.
//!
//! C header: [`include/scsi/scsi_ioctl.h`](srctree/include/scsi/scsi_ioctl.h)

use super::sg;
use crate::kernel::{
    bindings,
    block::QueueId,
    cred::without_capabilities,
    ftrace::Redirect, //
};
use core::marker::PhantomData;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Full,
        Relaxed, //
    }, //
};

/// Bytes in `scsi_cmnd::cmnd`.
pub(crate) const CDB_BUFFER: usize = 32;

/// Decides in the place of `scsi_cmd_allowed()`.
pub(crate) trait CmdAllowed: 'static {
    /// Whether the current task may send `cdb`. Called in process context; must not sleep, and must
    /// ask for [`Cdb::addressed`], and call [`Cdb::note_unaddressed`] without it. What may take a lock,
    /// which sleeps under `CONFIG_PREEMPT_RT`, is called by an RCU reader.
    fn cmd_allowed(cdb: Cdb<'_>, open_for_write: bool) -> bool;
}

/// A CDB whose permission is asked.
///
/// # Invariants
///
/// The pointer is the first argument of a call of `scsi_cmd_allowed()` that has not returned yet.
#[derive(Clone, Copy)]
pub(crate) struct Cdb<'a>(*const u8, PhantomData<&'a u8>);

/// The device that a CDB is for.
pub(crate) struct Addressed<'a> {
    /// The queue of the device.
    pub(crate) queue: QueueId,
    /// The CDB, zero behind its end.
    pub(crate) cdb: &'a [u8; CDB_BUFFER],
    /// How much of it is known; what is not known shows as zero.
    pub(crate) known: usize,
}

/// A CDB from sg.
pub(crate) struct FromSg {
    /// The call it is in, if that was seen.
    pub(crate) call: Option<sg::Call>,
    /// What is known of it.
    pub(crate) cdb: [u8; CDB_BUFFER],
    /// How much that is.
    pub(crate) known: usize,
}

/// How much of sg's buffer can be relied on. No CDB is shorter than 6 bytes. What is behind the end of a longer
/// one is zero as the device sees it, and in the buffer if the compiler clears what is on the stack.
const KNOWN_FROM_SG: usize = if cfg!(CONFIG_INIT_STACK_ALL_ZERO) {
    CDB_BUFFER
} else {
    6
};

impl<'a> Cdb<'a> {
    /// Byte 0.
    #[inline(always)]
    pub(crate) fn opcode(self) -> u8 {
        // SAFETY: By the type invariant; every caller passes a CDB of at least one byte.
        unsafe { *self.0 }
    }

    /// Which device the command goes to, if the CDB leads there.
    #[inline(always)]
    pub(crate) fn addressed(self) -> Option<Addressed<'a>> {
        if is_on_stack(self.0) {
            return None;
        }
        // SAFETY: By the type invariant, and since only sg.c passes a buffer on the stack, the CDB
        // is in a `struct scsi_cmnd`, which follows its `struct request`. The request was allocated
        // by the caller, which frees it after the call; its `q` never changes.
        let queue = unsafe {
            let request = self.0.byte_sub(bindings::SGIO_CDB_IN_REQUEST as usize);
            (*request.cast::<bindings::request>()).q
        };
        Some(Addressed {
            // SAFETY: The request holds its queue in use.
            queue: unsafe { QueueId::new(queue) },
            // SAFETY: As above, this is `scsi_cmnd::cmnd`, of `CDB_BUFFER` bytes (`new()` checks),
            // initialised by `scsi_initialize_rq()` and not written to during the call.
            cdb: unsafe { &*self.0.cast() },
            known: CDB_BUFFER,
        })
    }

    /// A CDB that does not lead to its device.
    #[cold]
    pub(crate) fn by_sg(self) -> FromSg {
        let mut cdb = [0; CDB_BUFFER];
        // SAFETY: By the type invariant, and since this is not in a `struct scsi_cmnd`, the CDB is in the
        // 252 bytes of sg.c, or in the `CDB_BUFFER` bytes of `self_test()`. As many as are copied are
        // initialised.
        unsafe { core::ptr::copy_nonoverlapping(self.0, cdb.as_mut_ptr(), KNOWN_FROM_SG) };
        FromSg {
            call: sg::Call::current(),
            cdb,
            known: KNOWN_FROM_SG,
        }
    }

    /// Notes a CDB that leads to no device, which that of the self-test is.
    #[cold]
    pub(crate) fn note_unaddressed(self) {
        self_test_seen(self.0);
    }
}

/// What `object_is_on_stack()` tells.
#[inline(always)]
fn is_on_stack(object: *const u8) -> bool {
    #[cfg(all(target_arch = "x86_64", CONFIG_SMP, CONFIG_THREAD_INFO_IN_TASK))]
    {
        let stack: usize;
        // SAFETY: `current` of x86-64, and its stack. Neither changes as long as this task runs.
        unsafe {
            core::arch::asm!(
                "mov {stack}, qword ptr gs:[rip + {current}]",
                "mov {stack}, qword ptr [{stack} + {offset}]",
                stack = out(reg) stack,
                current = sym bindings::const_current_task,
                offset = const core::mem::offset_of!(bindings::task_struct, stack),
                options(nostack, pure, readonly, preserves_flags),
            );
        }
        object.addr().wrapping_sub(stack) < bindings::SGIO_THREAD_SIZE as usize
    }
    #[cfg(not(all(target_arch = "x86_64", CONFIG_SMP, CONFIG_THREAD_INFO_IN_TASK)))]
    // SAFETY: The pointer is not dereferenced.
    unsafe {
        bindings::object_is_on_stack(object.cast())
    }
}

impl Addressed<'_> {
    /// The peripheral device type of the queue's device, for a device that one knows nothing about.
    #[cold]
    pub(crate) fn peripheral_device_type(&self) -> u8 {
        let queue = self.queue.as_ptr().cast::<bindings::request_queue>();
        // SAFETY: The callers allocate their requests from the queues of SCSI devices
        // (`scsi_alloc_request()`), whose `queuedata` is the device for life. The request holds the
        // queue in use until after the call, and a device is not released before its queue is out
        // of use (`blk_mq_destroy_queue()` in `__scsi_remove_device()`).
        unsafe { (*(*queue).queuedata.cast::<bindings::scsi_device>()).type_ }
    }
}

/// Asks the kernel's own `scsi_cmd_allowed()` about each of `cdbs`, as a process without
/// capabilities. To be called before a [`Hook`] is armed.
///
/// # Errors
///
/// `ENOMEM`.
pub(crate) fn ask_kernel(
    mut ask: impl FnMut(&dyn Fn(&mut [u8; CDB_BUFFER], bool) -> bool),
) -> Result {
    without_capabilities(|| {
        ask(&|cdb, open_for_write| {
            // SAFETY: `cdb` is long enough for any CDB.
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

/// The CDB of a self-test that is under way, and afterwards null if it was seen.
static SELF_TEST: Atomic<*const u8> = Atomic::new(core::ptr::null());

/// Notes a CDB that has arrived here.
#[cold]
fn self_test_seen(cdb: *const u8) {
    if SELF_TEST.load(Relaxed) == cdb {
        SELF_TEST.store(core::ptr::null(), Relaxed);
    }
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
    /// Those of [`Redirect::new`]; `ENXIO` if calls do not arrive in spite of it; `EOPNOTSUPP` if
    /// the kernel's CDB buffer has another size than is known here.
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
            },
            // SAFETY: Both functions have the same signature (above). The new one does not sleep, but
            // for a lock as an RCU reader, by the contract of `CmdAllowed`.
            redirect <- unsafe { Redirect::new(c"scsi_cmd_allowed", from, to) },
            _: { self_test()? },
            _decider: PhantomData,
        })
    }

    /// # Safety
    ///
    /// Called in the place of the kernel's `scsi_cmd_allowed()`, by one of its callers.
    unsafe extern "C" fn scsi_cmd_allowed(cmd: *mut u8, open_for_write: bool) -> bool {
        // INVARIANT: `cmd` is the argument of the redirected call, which returns when we do.
        T::cmd_allowed(Cdb(cmd, PhantomData), open_for_write)
    }
}
