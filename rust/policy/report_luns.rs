// SPDX-License-Identifier: GPL-2.0

//! An answer to REPORT LUNS that names one logical unit: the one that was asked.
//!
//! A device passes on what its target says, which is every logical unit that the host can reach
//! there. References: SPC-4 6.33 "REPORT LUNS command", SPC-4 4.5.3 "Fixed format sense data",
//! SAM-5 4.7 "Logical unit number (LUN)".

use super::{
    opcode::REPORT_LUNS,
    Cdb, //
};

/// The length of a REPORT LUNS CDB.
pub const REPORT_LUNS_CDB: usize = 12;

/// Who answers REPORT LUNS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReportLuns {
    /// The device.
    Passthrough,
    /// The filter, see [`report_own_lun()`].
    Own,
}

impl ReportLuns {
    /// Both of them.
    pub const ALL: [ReportLuns; 2] = [ReportLuns::Passthrough, ReportLuns::Own];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            ReportLuns::Passthrough => "passthrough",
            ReportLuns::Own => "own",
        }
    }

    /// Finds one by its name.
    pub fn from_name(name: &[u8]) -> Option<ReportLuns> {
        ReportLuns::ALL
            .into_iter()
            .find(|one| one.name().as_bytes() == name)
    }
}

/// What the initiator gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnLun {
    /// GOOD, and as many of the first bytes.
    Data([u8; 16], usize),
    /// CHECK CONDITION, and this sense data: ILLEGAL REQUEST, INVALID FIELD IN CDB.
    InvalidField([u8; 18]),
}

impl OwnLun {
    const INVALID_FIELD: Self = {
        let mut sense = [0; 18];
        sense[0] = 0x70; // current, fixed format
        sense[2] = 0x05; // ILLEGAL REQUEST
        sense[7] = 10; // additional length
        sense[12] = 0x24; // INVALID FIELD IN CDB
        sense[15] = 0xc0; // SKSV: the field pointer is valid; C/D: it is of the CDB
        sense[17] = 2; // SELECT REPORT
        Self::InvalidField(sense)
    };
}

/// Answers a REPORT LUNS to the logical unit `lun`, as the kernel numbers it; `None` if `cdb` is none,
/// or is cut short.
pub fn report_own_lun(cdb: &Cdb<'_>, lun: u64) -> Option<OwnLun> {
    let bytes = cdb.bytes().get(..REPORT_LUNS_CDB)?;
    if cdb.opcode() != REPORT_LUNS {
        return None;
    }
    let lun = lun_bytes(lun);
    // Extended logical unit addressing, well-known logical unit (SAM-5 4.7.7.5).
    let well_known = lun[0] == 0xc1;
    let listed = match bytes.get(2)? {
        0x00 => !well_known,
        0x01 => well_known,
        0x02 => true,
        _ => return Some(OwnLun::INVALID_FIELD),
    };
    let mut data = [0; 16];
    let mut len = 8;
    if listed {
        // LUN LIST LENGTH, which does not count itself.
        data[3] = 8;
        data[8..].copy_from_slice(&lun);
        len = 16;
    }
    // A length that was cut off is not seen in the data (SPC-4 4.2.5.6).
    let allocation = u32::from_be_bytes(bytes.get(6..10)?.try_into().ok()?);
    Some(OwnLun::Data(
        data,
        len.min(usize::try_from(allocation).unwrap_or(usize::MAX)),
    ))
}

/// A LUN as it goes over the wire: four levels of two bytes each. The kernel numbers LUNs by putting the first
/// level lowest (`scsilun_to_int()`), and keeps the bits of the addressing method.
fn lun_bytes(lun: u64) -> [u8; 8] {
    let mut bytes = [0; 8];
    for (level, place) in bytes.chunks_exact_mut(2).enumerate() {
        let [.., high, low] = (lun >> (16 * level)).to_be_bytes();
        place.copy_from_slice(&[high, low]);
    }
    bytes
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_report_luns))]
mod tests {
    use super::{
        super::Cdb,
        report_own_lun,
        OwnLun,
        ReportLuns, //
    };

    /// The answer to a CDB with these fields.
    fn ask(select: u8, allocation: u32, lun: u64) -> Option<OwnLun> {
        let mut cdb = [0; 12];
        cdb[0] = 0xa0;
        cdb[2] = select;
        cdb[6..10].copy_from_slice(&allocation.to_be_bytes());
        report_own_lun(&Cdb::new(&cdb)?, lun)
    }

    #[test]
    fn one_lun_in_its_own_format() {
        for (lun, wire) in [
            (0, [0, 0, 0, 0, 0, 0, 0, 0]),
            (5, [0, 5, 0, 0, 0, 0, 0, 0]),
            // Flat space addressing of LUN 300.
            (0x412c, [0x41, 0x2c, 0, 0, 0, 0, 0, 0]),
            // Two levels.
            (0x0007_4001, [0x40, 0x01, 0x00, 0x07, 0, 0, 0, 0]),
            (0x0807_0605_0403_0201, [2, 1, 4, 3, 6, 5, 8, 7]),
        ] {
            let mut expected = [0; 16];
            expected[3] = 8;
            expected[8..].copy_from_slice(&wire);
            for select in [0, 2] {
                assert_eq!(ask(select, 8192, lun), Some(OwnLun::Data(expected, 16)));
            }
            // It is not a well-known one.
            assert_eq!(ask(1, 8192, lun), Some(OwnLun::Data([0; 16], 8)));
        }
    }

    #[test]
    fn well_known_lun() {
        // The REPORT LUNS well-known logical unit, C101h.
        let mut expected = [0; 16];
        expected[3] = 8;
        expected[8..10].copy_from_slice(&[0xc1, 0x01]);
        for select in [1, 2] {
            assert_eq!(ask(select, 16, 0xc101), Some(OwnLun::Data(expected, 16)));
        }
        assert_eq!(ask(0, 16, 0xc101), Some(OwnLun::Data([0; 16], 8)));
    }

    #[test]
    fn allocation_length_cuts_off() {
        for (allocation, len) in [(0, 0), (3, 3), (8, 8), (15, 15), (16, 16), (u32::MAX, 16)] {
            // The list is as long as ever.
            let answer = ask(0, allocation, 3);
            assert!(matches!(answer, Some(OwnLun::Data(data, n)) if n == len && data[3] == 8));
        }
    }

    #[test]
    fn unknown_select_report() {
        for select in 3..=255 {
            let sense = match ask(select, 16, 0) {
                Some(OwnLun::InvalidField(s)) => Some((s[0], s[2], s[12], s[13])),
                _ => None,
            };
            assert_eq!(sense, Some((0x70, 5, 0x24, 0)));
        }
    }

    #[test]
    fn not_report_luns() {
        for cdb in [&[0xa0; 11][..], &[0x12; 12], &[0xa1; 12]] {
            let answer = Cdb::new(cdb).and_then(|cdb| report_own_lun(&cdb, 0));
            assert_eq!(answer, None);
        }
    }

    #[test]
    fn names() {
        for one in ReportLuns::ALL {
            assert_eq!(ReportLuns::from_name(one.name().as_bytes()), Some(one));
        }
        assert_eq!(ReportLuns::from_name(b"Own"), None);
    }
}
