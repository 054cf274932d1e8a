// SPDX-License-Identifier: GPL-2.0

//! Records in the audit log.
//!
//! Not here: records with fields of their own types, user messages.
//!
//! C header: [`include/linux/audit.h`](srctree/include/linux/audit.h)

use crate::kernel::bindings;
use core::fmt::Write as _;
use kernel::prelude::*;

/// Whether the kernel audits at this moment.
#[inline(always)]
pub(crate) fn is_enabled() -> bool {
    #[cfg(CONFIG_AUDIT)]
    // SAFETY: A volatile read of one word, as READ_ONCE(): other CPUs may write it at the same time.
    return unsafe { (&raw const bindings::audit_enabled).read_volatile() } != 0;
    #[cfg(not(CONFIG_AUDIT))]
    false
}

/// Logs a record of type `AUDIT_KERNEL_OTHER`, which is the one for modules, in any context. What
/// is longer than [`MAX_TEXT`] is cut off. `text` must hold nothing that a sender chose, unless that
/// is encoded.
pub(crate) fn log_kernel_other(text: kernel::fmt::Arguments<'_>) {
    let mut buffer = Text {
        bytes: [0; Text::SIZE],
        len: 0,
    };
    // It never fails.
    let _ = buffer.write_fmt(text);
    // SAFETY: The last byte is never written to, so that the text ends with a zero. The function
    // copies it.
    unsafe { bindings::audit_log_kernel_other(buffer.bytes.as_ptr().cast()) };
}

/// The longest text that is logged whole, in bytes.
pub(crate) const MAX_TEXT: usize = Text::SIZE - 1;

/// A text that ends with a zero.
struct Text {
    bytes: [u8; Text::SIZE],
    len: usize,
}

impl Text {
    const SIZE: usize = 448;
}

impl core::fmt::Write for Text {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        let room = self.bytes.get_mut(self.len..MAX_TEXT);
        for (to, from) in room.unwrap_or_default().iter_mut().zip(s.as_bytes()) {
            *to = *from;
            self.len += 1;
        }
        Ok(())
    }
}

#[kunit_tests(sgio_filter_audit)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_with_a_zero() {
        let mut text = Text {
            bytes: [0; Text::SIZE],
            len: 0,
        };
        for _ in 0..Text::SIZE {
            let _ = text.write_str("ab");
        }
        assert_eq!(text.len, Text::SIZE - 1);
        assert_eq!(text.bytes.last(), Some(&0));
        assert!(text.bytes.starts_with(b"abab"));
    }
}
