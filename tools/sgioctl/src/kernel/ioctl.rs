// SPDX-License-Identifier: GPL-2.0

//! The one ioctl. The only unsafe code of the tool.

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
    pub(super) cdb_len: u32,
    pub(super) cdb: [u8; 32],
    pub(super) decision: u32,
    pub(super) layer: u32,
    pub(super) rule: u32,
    pub(super) complain: u32,
    pub(super) reserved: u32,
}

// As the C compiler lays it out, without padding.
const _: () = assert!(
    size_of::<Check>() == 88
        && offset_of!(Check, lun) == 16
        && offset_of!(Check, cdb) == 36
        && offset_of!(Check, decision) == 68
        && offset_of!(Check, reserved) == 84
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
