// SPDX-License-Identifier: GPL-2.0

//! Persistent reservations that come by the block layer (`struct pr_ops` of sd): `IOC_PR_*` on a disk or on a map of
//! dm-multipath, nfsd, nvmet, LIO.
//!
//! `block/ioctl.c` asks no more than how the file is open (`blkdev_pr_allowed()`), and sd makes the command itself.
//! So sd's functions are redirected. The CDB that is judged is the one that `sd_pr_out_command()` or
//! `sd_pr_in_command()` will send, as far as the block layer chooses it.
//!
//! Not here: reservations of NVMe, and what is sent by SG_IO.
//!
//! C headers: [`include/linux/pr.h`](srctree/include/linux/pr.h),
//! [`include/uapi/linux/pr.h`](srctree/include/uapi/linux/pr.h)

use super::cmd_allowed::{
    Addressed,
    CDB_BUFFER, //
};
use crate::kernel::{
    bindings,
    block::QueueId,
    driver_hook::DriverHook,
    ftrace::Redirect,
    in_flight::{
        self,
        InFlight, //
    },
    symbol,
};
use core::marker::PhantomData;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// Decides on persistent reservations.
pub(crate) trait PrAllowed: Send + Sync + 'static {
    /// Whether the current task may have this command sent. May sleep.
    fn pr_allowed(command: &PrCommand) -> bool;
}

/// A command that sd is about to make.
///
/// # Invariants
///
/// The queue is that of a disk of sd, which is open while the value lives.
pub(crate) struct PrCommand {
    queue: QueueId,
    /// The CDB, zero behind what is known of it.
    pub(crate) cdb: [u8; CDB_BUFFER],
    /// How many bytes of it are known.
    pub(crate) known: usize,
    /// Whether it changes anything: PERSISTENT RESERVE OUT.
    pub(crate) out: bool,
}

const PERSISTENT_RESERVE_IN: u8 = 0x5e;
const PERSISTENT_RESERVE_OUT: u8 = 0x5f;

/// Service actions of PERSISTENT RESERVE IN (SPC-6, 6.16) and OUT (SPC-6, 6.17).
mod sa {
    pub(super) const READ_KEYS: u8 = 0x00;
    pub(super) const READ_RESERVATION: u8 = 0x01;
    pub(super) const REGISTER: u8 = 0x00;
    pub(super) const RESERVE: u8 = 0x01;
    pub(super) const RELEASE: u8 = 0x02;
    pub(super) const CLEAR: u8 = 0x03;
    pub(super) const PREEMPT: u8 = 0x04;
    pub(super) const PREEMPT_AND_ABORT: u8 = 0x05;
    pub(super) const REGISTER_AND_IGNORE_EXISTING_KEY: u8 = 0x06;
}

/// What sd is asked for, as far as it goes into a CDB.
enum PersistentReserve {
    /// PERSISTENT RESERVE IN, with a service action.
    In(u8),
    /// PERSISTENT RESERVE OUT, with a service action and the type of reservation, if sd sends one.
    Out(u8, Option<bindings::pr_type>),
}

impl PersistentReserve {
    /// The CDB that `sd_pr_in_command()` or `sd_pr_out_command()` makes, and how many of its bytes are known: of
    /// PERSISTENT RESERVE IN, all but the allocation length.
    fn cdb(&self) -> ([u8; CDB_BUFFER], usize) {
        /// Bytes of the parameter list, in bytes 5 to 8 of the CDB.
        const PARAMETER_LIST: u8 = 24;

        let mut cdb = [0; CDB_BUFFER];
        match *self {
            Self::In(service_action) => {
                cdb[0] = PERSISTENT_RESERVE_IN;
                cdb[1] = service_action;
                (cdb, 2)
            }
            Self::Out(service_action, pr_type) => {
                cdb[0] = PERSISTENT_RESERVE_OUT;
                cdb[1] = service_action;
                if let Some(pr_type) = pr_type {
                    // The numbers of the types fit in a nibble.
                    //
                    // SAFETY: The function maps a number to a number, and any number that it does not know to 0.
                    cdb[2] = unsafe { bindings::block_pr_type_to_scsi(pr_type) } as u8;
                }
                cdb[8] = PARAMETER_LIST;
                (cdb, CDB_BUFFER)
            }
        }
    }
}

impl PrCommand {
    /// The device that it is for.
    pub(crate) fn addressed(&self) -> Addressed<'_> {
        // SAFETY: By the type invariant the queue is that of a SCSI device, and in use while `self` lives.
        unsafe { Addressed::new(self.queue, &self.cdb) }
    }

    /// The command that sd makes for a request about `bdev`.
    ///
    /// # Safety
    ///
    /// `bdev` is a disk of sd, which is open while the value lives.
    unsafe fn new(bdev: *mut bindings::block_device, request: &PersistentReserve) -> Self {
        let (cdb, known) = request.cdb();
        // INVARIANT: By the safety requirement `bdev` is a disk of sd, open while the value lives: its queue is that of a
        // SCSI device.
        Self {
            // SAFETY: By the safety requirement `bdev` is open, so it is valid, and has a queue, which is valid as
            // long.
            queue: unsafe { QueueId::new(bindings::bdev_get_queue(bdev)) },
            cdb,
            known,
            out: matches!(request, PersistentReserve::Out(..)),
        }
    }
}

static CALLS: InFlight = InFlight::none();

/// A redirected function for each of `struct pr_ops` that sd has: its name, its arguments after the disk, what they
/// ask for.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) => $request:expr;)*) => {
        /// What replaces sd's functions, by their names.
        mod replacement {
            use super::*;

            $(
                $(#[$doc])*
                ///
                /// # Safety
                ///
                /// Called in the place of sd's function of that name: `bdev` is a disk of sd, which is open until the
                /// call returns, and the others are arguments for that function.
                pub(super) unsafe extern "C" fn $name<T: PrAllowed>(
                    bdev: *mut bindings::block_device,
                    $($arg: $ty),*
                ) -> c_int {
                    let _call = CALLS.enter();
                    let request: fn($($ty),*) -> PersistentReserve = $request;
                    // SAFETY: By the safety requirement `bdev` is a disk of sd, open until this call returns. The value
                    // is dropped before: `pr_allowed()` gets a reference for its own time.
                    let command = unsafe { PrCommand::new(bdev, &request($($arg),*)) };
                    if !T::pr_allowed(&command) {
                        return EPERM.to_errno();
                    }
                    type Function = unsafe extern "C" fn(
                        *mut bindings::block_device,
                        $($ty),*
                    ) -> c_int;
                    let original = original::$name.load(Relaxed);
                    // SAFETY: The address is that of sd's function of that name; it was set before calls could
                    // arrive here, and sd does not go while one of its disks is open. That it has these arguments
                    // is assumed: they are those of `struct pr_ops` (include/linux/pr.h), by whose pointers it is
                    // called.
                    let original: Function = unsafe { core::mem::transmute(original) };
                    // SAFETY: By the safety requirement these are arguments for it. It is not redirected for
                    // callers in this module; since the call is counted until after it, it is not in tail
                    // position.
                    unsafe { original(bdev, $($arg),*) }
                }
            )*
        }

        /// The addresses of sd's functions.
        #[allow(non_upper_case_globals)]
        mod original {
            use super::*;

            $(pub(super) static $name: Atomic<usize> = Atomic::new(0);)*
        }

        /// Redirects all of them.
        ///
        /// # Safety
        ///
        /// What is returned is dropped before sd goes.
        unsafe fn redirect<T: PrAllowed>() -> Result<KVec<Pin<KBox<Redirect>>>> {
            let mut redirects = KVec::new();
            $({
                let name = kernel::c_str!(stringify!($name));
                let from = address_of(name)?;
                original::$name.store(from, Relaxed);
                let from = core::ptr::without_provenance(from);
                let to = (replacement::$name::<T> as *const ()).cast::<c_void>();
                // SAFETY: Both functions have the same signature (assumed of sd's, see above), and may sleep. When the
                // replacement sleeps it is counted, and waited for by `Hook::rest`. Every caller of sd
                // (block/ioctl.c, dm, nfsd, nvmet, LIO) has a disk of it open, until the call returns.
                let redirect = unsafe { Redirect::with_original(name, from, to) };
                redirects.push(KBox::pin_init(redirect, GFP_KERNEL)?, GFP_KERNEL)?;
            })*
            Ok(redirects)
        }
    };
}

/// While this object lives, `T` is asked.
#[pin_data]
pub(crate) struct Hook<T: PrAllowed> {
    // Dropped first; the drop of `rest` waits.
    _redirects: KVec<Pin<KBox<Redirect>>>,
    _rest: in_flight::Wait,
    _decider: PhantomData<T>,
}

impl<T: PrAllowed> DriverHook for Hook<T> {
    const DRIVER: &'static CStr = c"sd_mod";

    unsafe fn new() -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            if !is_there()? {
                return Err(ENOENT);
            }
            // If one fails, those before it are undone first.
            let rest = in_flight::Wait(&CALLS);
            // SAFETY: By the safety requirement of `new()` the hook, which keeps them, is dropped before sd goes.
            let redirects = unsafe { redirect::<T>()? };
            Ok(try_pin_init!(Self {
                _redirects: redirects,
                _rest: rest,
                _decider: PhantomData,
            }))
        })
    }
}

functions! {
    /// IOC_PR_REGISTER
    sd_pr_register(old_key: u64, new_key: u64, flags: u32) => |_, _, flags| {
        let service_action = if flags & bindings::PR_FL_IGNORE_KEY == 0 {
            sa::REGISTER
        } else {
            sa::REGISTER_AND_IGNORE_EXISTING_KEY
        };
        PersistentReserve::Out(service_action, None)
    };
    /// IOC_PR_RESERVE
    sd_pr_reserve(key: u64, pr_type: bindings::pr_type, flags: u32) => |_, pr_type, _| {
        PersistentReserve::Out(sa::RESERVE, Some(pr_type))
    };
    /// IOC_PR_RELEASE
    sd_pr_release(key: u64, pr_type: bindings::pr_type) => |_, pr_type| {
        PersistentReserve::Out(sa::RELEASE, Some(pr_type))
    };
    /// IOC_PR_PREEMPT, IOC_PR_PREEMPT_ABORT
    sd_pr_preempt(old_key: u64, new_key: u64, pr_type: bindings::pr_type, abort: bool) => |_, _, pr_type, abort| {
        let service_action = if abort { sa::PREEMPT_AND_ABORT } else { sa::PREEMPT };
        PersistentReserve::Out(service_action, Some(pr_type))
    };
    /// IOC_PR_CLEAR
    sd_pr_clear(key: u64) => |_| PersistentReserve::Out(sa::CLEAR, None);
    /// IOC_PR_READ_KEYS
    sd_pr_read_keys(keys: *mut bindings::pr_keys) => |_| PersistentReserve::In(sa::READ_KEYS);
    /// IOC_PR_READ_RESERVATION
    sd_pr_read_reservation(reservation: *mut bindings::pr_held_reservation) => |_| {
        PersistentReserve::In(sa::READ_RESERVATION)
    };
}

/// Whether sd is there.
fn is_there() -> Result<bool> {
    match symbol::address_of(c"sd_open") {
        Ok(_) => Ok(true),
        Err(ENOENT) => Ok(false),
        Err(e) => Err(e),
    }
}

/// The address of a function of sd's, which is there.
///
/// # Errors
///
/// `EOPNOTSUPP`: it has no function of that name that can be redirected.
fn address_of(name: &'static CStr) -> Result<usize> {
    symbol::address_of(name).map_err(|e| {
        pr_err!("{}() is not found ({:?})\n", name, e);
        EOPNOTSUPP
    })
}
