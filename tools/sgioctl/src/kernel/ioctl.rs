// SPDX-License-Identifier: GPL-2.0

//! The two ioctls. The only unsafe code of the tool.

#![allow(unsafe_code)]

use rustix::ioctl::{ioctl, opcode, Opcode, Updater};
use std::{mem::offset_of, os::fd::AsFd};

/// `struct sgio_filter_check` of `rust/uapi/sgio_filter.h`.
#[derive(Default)]
#[repr(C)]
pub(super) struct Check {
    pub(super) size: u32,
    pub(super) flags: u32,
    pub(super) host: u32,
    pub(super) channel: u32,
    pub(super) lun: u64,
    pub(super) target: u32,
    pub(super) class: u32,
    pub(super) cgroup: u64,
    pub(super) cdb_len: u32,
    pub(super) cdb: [u8; 32],
    pub(super) decision: u32,
    pub(super) layer: u32,
    pub(super) rule: u32,
    pub(super) complain: u32,
    pub(super) reserved: u32,
    pub(super) holder: u64,
}

// As the C compiler lays it out, without padding.
const _: () = assert!(
    size_of::<Check>() == 104
        && offset_of!(Check, lun) == 16
        && offset_of!(Check, cgroup) == 32
        && offset_of!(Check, cdb) == 44
        && offset_of!(Check, decision) == 76
        && offset_of!(Check, holder) == 96
);

/// `SGIO_FILTER_IOC_CHECK`
const CHECK: Opcode = opcode::read_write::<Check>(0xbc, 0x01);

/// Asks; the answer is in the fields from `decision` on.
pub(super) fn check(node: impl AsFd, check: &mut Check) -> rustix::io::Result<()> {
    // SAFETY: An `Updater` must have an opcode whose ioctl reads and writes an object of the type
    // that it is given. CHECK is `_IOWR(0xbc, 0x01, struct sgio_filter_check)`, whose handler copies
    // exactly that structure in and out, and a driver that does not know this number answers
    // ENOTTY. `Check` has the structure's layout (asserted above), no padding, and is made of
    // integers, so that any bytes the kernel writes are a value of it.
    let updater = unsafe { Updater::<CHECK, Check>::new(check) };
    // SAFETY: The ioctl needs nothing but the above: it touches no memory but `*check`, which is
    // borrowed exclusively until it returns, and it changes nothing about the file descriptor.
    unsafe { ioctl(node, updater) }
}

/// `struct sg_io_v4` of `linux/bsg.h`.
#[derive(Default)]
#[repr(C)]
struct SgIoV4 {
    guard: i32,
    protocol: u32,
    subprotocol: u32,
    request_len: u32,
    request: u64,
    request_tag: u64,
    request_attr: u32,
    request_priority: u32,
    request_extra: u32,
    max_response_len: u32,
    response: u64,
    dout_iovec_count: u32,
    dout_xfer_len: u32,
    din_iovec_count: u32,
    din_xfer_len: u32,
    dout_xferp: u64,
    din_xferp: u64,
    timeout: u32,
    flags: u32,
    usr_ptr: u64,
    spare_in: u32,
    driver_status: u32,
    transport_status: u32,
    device_status: u32,
    retry_delay: u32,
    info: u32,
    duration: u32,
    response_len: u32,
    din_resid: i32,
    dout_resid: i32,
    generated_tag: u64,
    spare_out: u32,
    padding: u32,
}

// As the C compiler lays it out, without padding.
const _: () = assert!(
    size_of::<SgIoV4>() == 160
        && offset_of!(SgIoV4, response) == 48
        && offset_of!(SgIoV4, dout_xferp) == 72
        && offset_of!(SgIoV4, driver_status) == 108
        && offset_of!(SgIoV4, generated_tag) == 144
);

/// `SG_IO`: a number from before the scheme.
const SG_IO: Opcode = 0x2285;

/// Sends `cdb` to a node of bsg, with `length` bytes at the address `data` to the device.
pub(super) fn sg_io(node: impl AsFd, cdb: &[u8], data: u64, length: u32) -> rustix::io::Result<()> {
    let mut request = SgIoV4 {
        guard: i32::from(b'Q'),
        request_len: u32::try_from(cdb.len()).map_err(|_| rustix::io::Errno::INVAL)?,
        request: cdb.as_ptr().expose_provenance() as u64,
        dout_xfer_len: length,
        dout_xferp: data,
        timeout: 10_000,
        ..SgIoV4::default()
    };
    // SAFETY: An `Updater` must have an opcode whose ioctl reads and writes an object of the type
    // that it is given. SG_IO on a node of bsg reads and writes a `struct sg_io_v4`, whose layout
    // `SgIoV4` has (asserted above), without padding and made of integers. A driver that knows the
    // number with another structure (`struct sg_io_hdr` is smaller) refuses it by `guard`.
    let updater = unsafe { Updater::<SG_IO, SgIoV4>::new(&mut request) };
    // SAFETY: Beside `request`, which is borrowed exclusively until it returns, the ioctl reads
    // `request_len` bytes at `request`, which are those of `cdb`, and `length` bytes at `data`. It
    // writes to no other memory of the process: there is neither a response nor data from the
    // device.
    unsafe { ioctl(node, updater) }
}
