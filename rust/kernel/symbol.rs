// SPDX-License-Identifier: GPL-2.0

//! The addresses of functions that are not exported, and the names of addresses.
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
    let offset = Text::new().place_of(at).ok_or(EINVAL)?.offset;
    at.checked_sub(offset).ok_or(EINVAL)
}

/// Where an address is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// The symbol before it.
    pub(crate) name: &'a str,
    /// How far it is from that.
    pub(crate) offset: usize,
    /// How many bytes that symbol has, up to the next.
    pub(crate) size: usize,
}

/// Room for what the kernel says of an address.
pub(crate) struct Text([u8; bindings::SGIO_KSYM_SYMBOL_LEN as usize]);

impl Text {
    /// Empty.
    pub(crate) fn new() -> Self {
        Self([0; bindings::SGIO_KSYM_SYMBOL_LEN as usize])
    }

    /// The place of `at`, if it is in the code of the kernel or of a module.
    pub(crate) fn place_of(&mut self, at: usize) -> Option<Place<'_>> {
        // SAFETY: The buffer has `KSYM_SYMBOL_LEN` bytes.
        let len = unsafe { bindings::sprint_symbol(self.0.as_mut_ptr().cast(), at) };
        Place::parse(self.0.get(..usize::try_from(len).ok()?)?)
    }
}

impl<'a> Place<'a> {
    /// The place in `name+0xOFFSET/0xSIZE [module]`.
    fn parse(text: &'a [u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?;
        let (name, rest) = text.split_once("+0x")?;
        let (offset, rest) = rest.split_once("/0x")?;
        let size = rest.split(' ').next()?;
        Some(Self {
            name,
            offset: usize::from_str_radix(offset, 16).ok()?,
            size: usize::from_str_radix(size, 16).ok()?,
        })
    }
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
    fn an_address_has_a_name() -> Result {
        let known = bindings::scsi_ioctl as *const () as usize;
        let mut text = Text::new();
        let place = text.place_of(known + 1).ok_or(EINVAL)?;
        assert_eq!(place.name, "scsi_ioctl");
        assert_eq!(place.offset, 1);
        assert!(place.size > 1);
        assert!(text.place_of(0).is_none());
        Ok(())
    }

    #[test]
    fn places_are_read() {
        let place = |name, offset, size| Some(Place { name, offset, size });
        assert!(Place::parse(b"sg_ioctl+0x4/0x1c0 [sg]") == place("sg_ioctl", 4, 0x1c0));
        assert!(Place::parse(b"sg_io.isra.0+0x0/0x8") == place("sg_io.isra.0", 0, 8));
        assert!(Place::parse(b"0xffffffffc0000000").is_none());
        assert!(Place::parse(b"sg_ioctl+0x4").is_none());
    }
}
