// SPDX-License-Identifier: GPL-2.0

//! Reads of kernel memory at addresses that may be wrong: a bad one is an error, and no fault.
//!
//! C header: [`include/linux/uaccess.h`](srctree/include/linux/uaccess.h)

use crate::kernel::bindings;
use kernel::{
    prelude::*,
    transmute::FromBytes, //
};

/// The value at an address, if it can be read.
pub(crate) fn read<T: Default + FromBytes>(addr: usize) -> Option<T> {
    let mut value = T::default();
    // SAFETY: The destination is valid for as many bytes, which may have any content; the source may be anything.
    let ret = unsafe {
        bindings::copy_from_kernel_nofault(
            (&raw mut value).cast(),
            core::ptr::without_provenance(addr),
            size_of::<T>(),
        )
    };
    (ret == 0).then_some(value)
}

/// The `len` bytes from an address on.
///
/// # Errors
///
/// `EFAULT` if they cannot be read; `ENOMEM`.
pub(crate) fn read_bytes(addr: usize, len: usize) -> Result<KVec<u8>> {
    let mut bytes = KVec::from_elem(0, len, GFP_KERNEL)?;
    // SAFETY: The destination is valid for `len` bytes, which may have any content; the source may be anything.
    let ret = unsafe {
        bindings::copy_from_kernel_nofault(
            bytes.as_mut_ptr().cast(),
            core::ptr::without_provenance(addr),
            len,
        )
    };
    if ret != 0 {
        return Err(EFAULT);
    }
    Ok(bytes)
}

#[kunit_tests(sgio_filter_nofault)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_read() -> Result {
        let there = [1u8, 2, 3, 4];
        let addr = core::hint::black_box(&there).as_ptr().addr();
        assert_eq!(read::<u32>(addr), Some(u32::from_ne_bytes(there)));
        assert!(read_bytes(addr, 4)?[..] == there);
        Ok(())
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let nowhere = usize::MAX - 4095;
        assert_eq!(read::<u32>(nowhere), None);
        assert!(read_bytes(nowhere, 4).err() == Some(EFAULT));
    }
}
