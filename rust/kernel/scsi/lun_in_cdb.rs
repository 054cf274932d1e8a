// SPDX-License-Identifier: GPL-2.0

//! The LUN in a CDB, where SCSI-2 had it.

use kernel::prelude::*;

/// What the kernel writes into byte 1 of each CDB that a device is sent, after it has asked whether the CDB is allowed: to
/// devices of SCSI-2 and older, the LUN in bits 5 to 7 (`scsi_dispatch_cmd()`); to others nothing.
#[derive(Clone, Copy)]
pub(crate) struct LunInCdb {
    kept: u8,
    lun: u8,
}

impl LunInCdb {
    pub(super) fn new(is_written: bool, lun: u64) -> Self {
        match is_written {
            true => Self {
                kept: 0x1f,
                // As the kernel does: what does not fit is lost.
                lun: (lun as u8) << 5,
            },
            false => Self { kept: 0xff, lun: 0 },
        }
    }

    /// The CDB as the device gets it.
    #[inline]
    pub(crate) fn sent<const N: usize>(self, cdb: &[u8; N]) -> [u8; N] {
        let mut sent = *cdb;
        if let Some(byte) = sent.get_mut(1) {
            *byte = *byte & self.kept | self.lun;
        }
        sent
    }
}

#[kunit_tests(sgio_filter_lun_in_cdb)]
mod tests {
    use super::*;

    #[test]
    fn byte_1_is_as_the_device_gets_it() {
        let mut cdb = [0xff; 32];
        assert!(LunInCdb::new(false, 3).sent(&cdb) == cdb);
        for (lun, byte) in [(0, 0x1f), (3, 0x7f), (7, 0xff), (8, 0x1f), (0xc001, 0x3f)] {
            cdb[1] = byte;
            assert!(LunInCdb::new(true, lun).sent(&[0xff; 32]) == cdb);
        }
    }
}
