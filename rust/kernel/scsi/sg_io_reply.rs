// SPDX-License-Identifier: GPL-2.0

//! Answering SG_IO in the place of a SCSI device.
//!
//! `scsi_ioctl()`, which the drivers sd, sr, ch and st call for the ioctls that all SCSI devices have, is
//! redirected. An SG_IO that nobody here answers is the kernel's own as before, which reads
//! everything from user space again: an answer is no decision on what is sent to the device.
//!
//! Not here: bsg, SG_IO of the sg driver, SCSI_IOCTL_SEND_COMMAND, CDROM_SEND_PACKET.
//!
//! C header: [`include/scsi/scsi_ioctl.h`](srctree/include/scsi/scsi_ioctl.h)

use super::cmd_allowed::CDB_BUFFER;
use crate::kernel::{
    bindings,
    block::QueueId,
    ftrace::Redirect,
    in_flight::{
        self,
        InFlight, //
    },
};
use core::{
    marker::PhantomData,
    mem::MaybeUninit, //
};
use kernel::{
    iov::IovIterDest,
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

/// Bytes of the shortest CDB that SG_IO takes (`scsi_fill_sghdr_rq()`).
const SHORTEST_CDB: usize = 6;

/// Answers commands.
pub(crate) trait Answer: 'static {
    /// The reply to a command of the current task, if it is not for the device: `cdb` has `len` bytes and
    /// is zero behind them. User space may change it at any time; this is a copy. May sleep.
    fn answer(
        queue: QueueId,
        cdb: &[u8; CDB_BUFFER],
        len: usize,
        open_for_write: bool,
    ) -> Option<Reply>;
}

/// What a device would have replied.
pub(crate) enum Reply {
    /// GOOD, and as many of the first bytes.
    Good([u8; 16], usize),
    /// CHECK CONDITION, and sense data.
    CheckCondition([u8; 18]),
}

/// While this object lives, `T` is asked first.
///
/// Dropping it waits for all calls of `scsi_ioctl()` that came while it lived: for as long as their
/// commands take.
#[pin_data]
pub(crate) struct Hook<T: Answer> {
    // Dropped first; the drop of `rest` waits.
    #[pin]
    redirect: Redirect,
    rest: in_flight::Wait,
    _answer: PhantomData<T>,
}

static CALLS: InFlight = InFlight::none();

impl<T: Answer> Hook<T> {
    /// Arms the hook.
    ///
    /// # Errors
    ///
    /// Those of [`Redirect::new`].
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        type Function =
            unsafe extern "C" fn(*mut bindings::scsi_device, bool, c_int, *mut c_void) -> c_int;
        let from = bindings::scsi_ioctl as Function as *const c_void;
        let to = Self::scsi_ioctl as Function as *const c_void;
        try_pin_init!(Self {
            // SAFETY: Both functions are a `Function`, so have the same signature, and may sleep. When the
            // replacement sleeps it is counted, and waited for by `rest`.
            redirect <- unsafe { Redirect::with_original(c"scsi_ioctl", from, to) },
            rest: in_flight::Wait(&CALLS),
            _answer: PhantomData,
        })
    }

    /// # Safety
    ///
    /// Called in the place of the kernel's `scsi_ioctl()`, by one of its callers.
    unsafe extern "C" fn scsi_ioctl(
        sdev: *mut bindings::scsi_device,
        open_for_write: bool,
        cmd: c_int,
        arg: *mut c_void,
    ) -> c_int {
        let _call = CALLS.enter();
        if cmd == bindings::SG_IO as c_int {
            // SAFETY: By the safety requirement this is a call of `scsi_ioctl()`, whose caller (a driver, about a file
            // that is open) has a reference to the device; a device has its queue, which is valid, for life.
            let queue = unsafe { QueueId::new((*sdev).request_queue) };
            if let Some(result) = answer::<T>(queue, open_for_write, arg) {
                return result.map_or_else(|e| e.to_errno(), |()| 0);
            }
        }
        // SAFETY: By the safety requirement, these are arguments for that function, which is
        // not redirected for callers in this module.
        unsafe { bindings::scsi_ioctl_from_here(sdev, open_for_write, cmd, arg) }
    }
}

/// The result of SG_IO, if there is a reply. What is wrong with the arguments is for the kernel's own function
/// to say.
fn answer<T: Answer>(queue: QueueId, open_for_write: bool, arg: *mut c_void) -> Option<Result> {
    let mut hdr = bindings::sg_io_hdr::default();
    // SAFETY: `hdr` may be written to. `arg` may be anything: what is no address of user space is an error
    // (`copy_from_user()`).
    if unsafe { bindings::get_sg_io_hdr(&raw mut hdr, arg) } != 0 {
        return None;
    }
    let to_user = matches!(
        hdr.dxfer_direction,
        bindings::SG_DXFER_FROM_DEV | bindings::SG_DXFER_TO_FROM_DEV
    );
    let len = usize::from(hdr.cmd_len);
    if len < SHORTEST_CDB {
        return None;
    }
    if hdr.interface_id != c_int::from(b'S') || (hdr.dxfer_len != 0 && !to_user) {
        return None;
    }
    let mut cdb = [0; CDB_BUFFER];
    UserSlice::new(UserPtr::from_ptr(hdr.cmdp.cast()), len)
        .reader()
        .read_slice(cdb.get_mut(..len)?)
        .ok()?;
    let reply = T::answer(queue, &cdb, len, open_for_write)?;
    Some(complete(&mut hdr, &reply, arg))
}

/// Hands out a reply, as `scsi_complete_sghdr_rq()` does.
fn complete(hdr: &mut bindings::sg_io_hdr, reply: &Reply, arg: *mut c_void) -> Result {
    hdr.status = 0;
    hdr.masked_status = 0;
    hdr.msg_status = 0;
    hdr.host_status = 0;
    hdr.driver_status = 0;
    hdr.sb_len_wr = 0;
    hdr.info = 0;
    hdr.duration = 0;
    let mut left = hdr.dxfer_len;
    match reply {
        Reply::Good(data, len) => {
            let data = data.get(..*len).unwrap_or(data);
            let data = data.get(..usize::try_from(hdr.dxfer_len)?).unwrap_or(data);
            left -= u32::try_from(write_data(hdr, data)?)?;
        }
        Reply::CheckCondition(sense) => {
            hdr.status = 2;
            hdr.masked_status = 1;
            hdr.driver_status = bindings::DRIVER_SENSE as u16;
            hdr.info = bindings::SG_INFO_CHECK;
            if !hdr.sbp.is_null() {
                let len = sense.len().min(hdr.mx_sb_len.into());
                UserSlice::new(UserPtr::from_ptr(hdr.sbp.cast()), len)
                    .writer()
                    .write_slice(sense.get(..len).unwrap_or(sense))?;
                hdr.sb_len_wr = u8::try_from(len)?;
            }
        }
    }
    hdr.resid = c_int::try_from(left)?;
    // SAFETY: `hdr` is valid. `arg` may be anything: what is no address of user space is an error (`copy_to_user()`).
    if unsafe { bindings::put_sg_io_hdr(hdr, arg) } != 0 {
        return Err(EFAULT);
    }
    Ok(())
}

/// Writes to the buffer, or to as many of the buffers as there are, and returns how much.
fn write_data(hdr: &bindings::sg_io_hdr, data: &[u8]) -> Result<usize> {
    if data.is_empty() {
        return Ok(0);
    }
    if hdr.iovec_count == 0 {
        UserSlice::new(UserPtr::from_ptr(hdr.dxferp), data.len())
            .writer()
            .write_slice(data)?;
        return Ok(data.len());
    }
    let mut one = bindings::iovec::default();
    let mut vectors = &raw mut one;
    let mut iter = MaybeUninit::uninit();
    // SAFETY: `vectors` points to memory for one and, like `iter`, may be written to. `dxferp` may be anything: what is
    // no address of user space is an error. (The function knows of 32-bit callers.)
    let total = unsafe {
        bindings::import_iovec(
            bindings::ITER_DEST as c_int,
            hdr.dxferp.cast(),
            hdr.iovec_count.into(),
            1,
            &raw mut vectors,
            iter.as_mut_ptr(),
        )
    };
    if total < 0 {
        return Err(Error::from_errno(i32::try_from(total)?));
    }
    // SAFETY: `import_iovec()` made a destination of it, which may refer to `vectors` until below.
    let dest = unsafe { IovIterDest::from_raw(iter.as_mut_ptr()) };
    let fits = data.get(..usize::try_from(total)?).unwrap_or(data);
    let copied = dest.copy_to_iter(fits);
    // SAFETY: `import_iovec()` allocated this, or has set it to null.
    unsafe { bindings::kfree(vectors.cast()) };
    if copied == fits.len() {
        Ok(copied)
    } else {
        Err(EFAULT)
    }
}
