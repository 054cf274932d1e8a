// SPDX-License-Identifier: GPL-2.0

//! The addresses of functions that are not exported.
//!
//! A kprobe that is never armed is the way that modules have to look up a symbol: its registration finds the
//! function and changes no code.
//!
//! Not here: data, symbols that several functions share.
//!
//! C headers: [`include/linux/kprobes.h`](srctree/include/linux/kprobes.h),
//! [`include/linux/kallsyms.h`](srctree/include/linux/kallsyms.h)

use crate::kernel::bindings;
use kernel::{
    error::to_result,
    prelude::*, //
};

/// The address of the function `name`, of the kernel or of a module that is loaded or being loaded.
///
/// # Errors
///
/// - `ENOENT`: there is no such function.
/// - `EOPNOTSUPP`: the kernel has no kprobes.
/// - `EINVAL`: the function cannot be probed, or its address not be told.
pub(crate) fn address_of(name: &'static CStr) -> Result<usize> {
    let mut at = 0;
    // SAFETY: `name` ends with a zero, and `at` can be written to.
    to_result(unsafe { bindings::kprobe_address(name.as_char_ptr(), &raw mut at) })?;
    // A probe may stand behind the first instruction, which marks the target of an indirect branch.
    at.checked_sub(offset_in_function(at)?).ok_or(EINVAL)
}

/// How far an address is from the beginning of its function.
fn offset_in_function(at: usize) -> Result<usize> {
    let mut text = [0u8; bindings::SGIO_KSYM_SYMBOL_LEN as usize];
    // SAFETY: The buffer has `KSYM_SYMBOL_LEN` bytes.
    let len = unsafe { bindings::sprint_symbol(text.as_mut_ptr().cast(), at) };
    let text = text.get(..usize::try_from(len)?).ok_or(EINVAL)?;
    parse_offset(text).ok_or(EINVAL)
}

/// The offset in `name+0xOFFSET/0xSIZE [module]`.
fn parse_offset(text: &[u8]) -> Option<usize> {
    let text = core::str::from_utf8(text).ok()?;
    let (_, rest) = text.split_once("+0x")?;
    let (offset, _) = rest.split_once("/0x")?;
    usize::from_str_radix(offset, 16).ok()
}

#[kunit_tests(sgio_filter_symbol)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_an_exported_function_is_its_address() -> Result {
        let known = bindings::scsi_ioctl as *const () as usize;
        assert_eq!(address_of(c"scsi_ioctl")?, known);
        Ok(())
    }

    #[test]
    fn a_function_that_is_not_there_is_not_found() {
        assert!(address_of(c"sgio_filter_no_such_function") == Err(ENOENT));
    }

    #[test]
    fn offsets_are_read() {
        assert_eq!(parse_offset(b"sg_ioctl+0x4/0x1c0 [sg]"), Some(4));
        assert_eq!(parse_offset(b"sg_ioctl+0x0/0x1c0"), Some(0));
        assert_eq!(parse_offset(b"0xffffffffc0000000"), None);
    }
}
