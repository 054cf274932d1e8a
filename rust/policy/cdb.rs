// SPDX-License-Identifier: GPL-2.0

//! The command descriptor block (CDB) a decision is made on.
//!
//! References: SPC-5 4.2 "Command descriptor block".

/// The longest CDB that SG_IO, bsg and `struct scsi_cmnd` carry, in bytes.
pub const MAX_CDB: usize = 32;

/// A CDB: between 1 and [`MAX_CDB`] bytes, exactly those the sender gave.
///
/// A byte behind the end is not zero but absent; see [`Rule::matches`](super::Rule::matches) for what a
/// rule does then.
#[derive(Clone, Copy)]
pub struct Cdb<'a> {
    opcode: u8,
    bytes: &'a [u8],
}

impl<'a> Cdb<'a> {
    /// Takes `bytes` as a CDB; `None` if there is no byte or more than [`MAX_CDB`].
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Option<Cdb<'a>> {
        match bytes {
            [opcode, ..] if bytes.len() <= MAX_CDB => Some(Cdb {
                opcode: *opcode,
                bytes,
            }),
            _ => None,
        }
    }

    /// Takes the first `len` bytes of a command buffer; `None` if `len` is not in 1..=32.
    #[inline]
    pub fn from_buffer(buffer: &'a [u8; MAX_CDB], len: usize) -> Option<Cdb<'a>> {
        Cdb::new(buffer.get(..len)?)
    }

    /// Returns byte 0, the operation code.
    #[inline]
    pub const fn opcode(&self) -> u8 {
        self.opcode
    }

    /// Returns byte `index`, or `None` where the CDB has already ended.
    #[inline]
    pub fn byte(&self, index: u8) -> Option<u8> {
        self.bytes.get(usize::from(index)).copied()
    }

    /// Returns all bytes of the CDB.
    #[inline]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_cdb))]
mod tests {
    use super::{Cdb, MAX_CDB};

    #[test]
    fn lengths() {
        let buffer = [0x7fu8; MAX_CDB + 1];
        assert!(Cdb::new(&[]).is_none());
        assert!(Cdb::new(&buffer).is_none());
        for len in 1..=MAX_CDB {
            let cdb = Cdb::new(&buffer[..len]);
            assert!(cdb.is_some_and(|c| c.opcode() == 0x7f && c.bytes().len() == len));
            assert!(cdb.is_some_and(
                |c| (0..=255u8).all(|i| c.byte(i) == (usize::from(i) < len).then_some(0x7f))
            ));
        }
    }

    #[test]
    fn from_buffer_keeps_to_the_length() {
        let mut buffer = [0u8; MAX_CDB];
        buffer[0] = 0x9e;
        buffer[15] = 0x11;
        assert!(Cdb::from_buffer(&buffer, 0).is_none());
        assert!(Cdb::from_buffer(&buffer, 33).is_none());
        assert!(Cdb::from_buffer(&buffer, usize::MAX).is_none());
        assert!(Cdb::from_buffer(&buffer, 15).is_some_and(|c| c.byte(15).is_none()));
        assert!(Cdb::from_buffer(&buffer, 16).is_some_and(|c| c.byte(15) == Some(0x11)));
        assert!(Cdb::from_buffer(&buffer, 32).is_some_and(|c| c.byte(31) == Some(0)));
    }
}
