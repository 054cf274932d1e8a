// SPDX-License-Identifier: GPL-2.0

//! SG_IO that stops before the device: it asks the kernel's permission check, and nothing else.
//!
//! On `/dev/bsg/H:C:T:L` the check comes before the buffer is looked at, so that a buffer that is
//! not there tells the answers apart: EPERM is a refusal, EFAULT is what follows a permission.

use super::ioctl;
use rustix::io::Errno;
use std::os::fd::AsFd;

/// Page 1: below `vm.mmap_min_addr`, and nothing of this program is mapped there. A transfer
/// *to* the device is set up from it, so it must be read before there is anything to be sent.
const NOT_MAPPED: u64 = 4096;
const LENGTH: u32 = 512;

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KernelAnswer {
    /// The permission check let it pass; the buffer stopped it.
    Allowed,
    /// The permission check refused it.
    Refused,
    /// Something else ended it.
    Error(Errno),
    /// It was sent: the buffer was there after all.
    Sent,
}

/// Asks whether the kernel would let the caller send `cdb`; `device` is open on `/dev/bsg/...`.
pub fn ask(device: impl AsFd, cdb: &[u8]) -> KernelAnswer {
    match ioctl::sg_io(device, cdb, NOT_MAPPED, LENGTH) {
        Err(Errno::FAULT) => KernelAnswer::Allowed,
        Err(Errno::PERM) => KernelAnswer::Refused,
        Err(errno) => KernelAnswer::Error(errno),
        Ok(()) => KernelAnswer::Sent,
    }
}
