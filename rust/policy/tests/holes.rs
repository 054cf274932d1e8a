// SPDX-License-Identifier: GPL-2.0

//! Tests of the `strict` tables by command: each hole of the kernel's list is there under `stock` and
//! closed under `strict`, and what ordinary programs send still passes.

#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_holes))]
mod tests {
    use super::super::{
        super::{
            Class,
            MAX_CDB,
            STOCK, //
        },
        support::{
            answer,
            compile,
            compile_strict,
            Answer::{
                self,
                Any,
                Refused,
                Write, //
            },
            Compiled, //
        },
    };

    // The letters of T10's list of operation codes; Z is ours.
    const D: Class = Class::DISK;
    const T: Class = Class::TAPE;
    const L: Class = Class::PRINTER;
    const W: Class = Class::WORM;
    const R: Class = Class::CDROM;
    const S: Class = Class::SCANNER;
    const O: Class = Class::OPTICAL;
    const M: Class = Class::CHANGER;
    const A: Class = Class::RAID;
    const E: Class = Class::ENCLOSURE;
    const B: Class = Class::RBC;
    const K: Class = Class::OCRW;
    const V: Class = Class::ADC;
    const F: Class = Class::OSD;
    const Z: Class = Class::ZBC;

    /// Both tables of a class.
    struct Tables {
        stock: Compiled,
        strict: Compiled,
    }

    impl Tables {
        fn of(class: Class) -> Option<Tables> {
            Some(Tables {
                stock: compile(STOCK)?,
                strict: compile_strict(class)?,
            })
        }

        /// What `stock` and `strict` say to a CDB, given as the bytes that are not zero.
        fn answers(&self, bytes: &[(usize, u8)]) -> Option<(Answer, Answer)> {
            let mut cdb = [0; MAX_CDB];
            for (at, value) in bytes {
                *cdb.get_mut(*at)? = *value;
            }
            let len = match cdb[0] >> 5 {
                0 => 6,
                1 | 2 => 10,
                3 => MAX_CDB,
                4 => 16,
                _ => 12,
            };
            let cdb = cdb.get(..len)?;
            let answers = (
                answer(self.stock.view(), cdb),
                answer(self.strict.view(), cdb),
            );
            Some(answers)
        }
    }

    /// The same, for one command of a class.
    fn answers(class: Class, bytes: &[(usize, u8)]) -> Option<(Answer, Answer)> {
        Tables::of(class)?.answers(bytes)
    }

    /// Commands that a reader may send although they are no reads.
    #[test]
    fn holes_for_readers() {
        for (classes, bytes, strict) in [
            // SANITIZE: overwrite, block erase, crypto erase, exit failure mode.
            (
                &[D, Z, B, O, T, M, E][..],
                &[(0, 0x48), (1, 0x01)][..],
                Refused,
            ),
            (&[D, Z, B], &[(0, 0x48), (1, 0x02)], Refused),
            (&[D, Z, B], &[(0, 0x48), (1, 0x03)], Refused),
            (&[D, Z, B], &[(0, 0x48), (1, 0x83)], Refused),
            (&[D, Z, B], &[(0, 0x48), (1, 0x1f)], Refused),
            // SERVICE ACTION IN(16): STREAM CONTROL, BACKGROUND CONTROL, REMOVE ELEMENT AND TRUNCATE,
            // RESTORE ELEMENTS AND REBUILD, REMOVE ELEMENT AND MODIFY ZONES.
            (&[D, Z, B, O, W], &[(0, 0x9e), (1, 0x14)], Refused),
            (&[D, Z, B, O, W], &[(0, 0x9e), (1, 0x15)], Refused),
            (&[D, Z, B, O, W], &[(0, 0x9e), (1, 0x18)], Refused),
            (&[D, Z, B, O, W], &[(0, 0x9e), (1, 0x19)], Refused),
            (&[D, Z, B, O, W], &[(0, 0x9e), (1, 0x1a)], Refused),
            (&[D, Z, B, O, W], &[(0, 0x9e), (1, 0xf8)], Refused),
            // UNMAP, XPWRITE(10), XDREAD(10).
            (&[D, Z], &[(0, 0x42)], Write),
            (&[D, Z], &[(0, 0x42), (1, 0x01)], Write),
            (&[D, Z], &[(0, 0x51)], Refused),
            (&[D, Z], &[(0, 0x52)], Refused),
            // MAINTENANCE OUT: SET IDENTIFYING INFORMATION, SET TARGET PORT GROUPS, CHANGE ALIASES, SET
            // PRIORITY, SET TIMESTAMP, MANAGEMENT PROTOCOL OUT.
            (&[D, T, M, A, E, Z, B, V], &[(0, 0xa4), (1, 0x06)], Refused),
            (&[D, T, M, A, E, Z, B, V], &[(0, 0xa4), (1, 0x0a)], Refused),
            (&[D, T, M, A, E, Z, B, V], &[(0, 0xa4), (1, 0x0b)], Refused),
            (&[D, T, M, A, E, Z, B, V], &[(0, 0xa4), (1, 0x0e)], Refused),
            (&[D, T, M, A, E, Z, B, V], &[(0, 0xa4), (1, 0x0f)], Refused),
            (&[D, T, M, A, E, Z, B, V], &[(0, 0xa4), (1, 0x10)], Refused),
            // MAINTENANCE IN beyond the reports; SEND KEY with an RPC structure (the region code).
            (&[D, T, M, A, E, Z, B, V], &[(0, 0xa3), (1, 0x10)], Refused),
            (&[D, T, M, A, E, Z, B, V], &[(0, 0xa3), (1, 0x1f)], Refused),
            (&[A], &[(0, 0xa3), (1, 0x00)], Refused),
            (&[R], &[(0, 0xa3), (10, 0x06)], Write),
            (&[R], &[(0, 0xa3), (7, 0x02), (10, 0x06)], Write),
            (&[R], &[(0, 0xa3), (7, 0x20), (10, 0x01)], Write),
            (&[R], &[(0, 0xa3)], Write),
            // ZONE ACTIVATE.
            (&[D, Z], &[(0, 0x95), (1, 0x08)], Refused),
            (&[D, Z], &[(0, 0x95), (1, 0x88)], Refused),
            // START STOP UNIT: stop, eject, load, STANDBY, SLEEP-like power conditions.
            (&[D, Z, W, O, B, K, A, F], &[(0, 0x1b)], Write),
            (&[D, Z, W, O, B, K, A, F], &[(0, 0x1b), (4, 0x02)], Write),
            (&[D, Z, W, O, B, K, A, F], &[(0, 0x1b), (4, 0x03)], Write),
            (&[D, Z, W, O, B, K, A, F], &[(0, 0x1b), (4, 0x30)], Write),
            (&[D, Z, W, O, B, K, A, F], &[(0, 0x1b), (4, 0x31)], Write),
            // STOP PRINT, SCAN, LOAD UNLOAD, OPEN/CLOSE IMPORT/EXPORT ELEMENT.
            (&[L, S, T, V, M], &[(0, 0x1b)], Write),
            (&[L, S, T, V, M], &[(0, 0x1b), (4, 0x01)], Write),
            // LOCATE(10), POSITION TO ELEMENT, INITIALIZE ELEMENT STATUS WITH RANGE, ERASE(12).
            (&[T, M], &[(0, 0x2b)], Write),
            (&[M], &[(0, 0x37)], Write),
            (&[O, D], &[(0, 0xac)], Refused),
            // READ BUFFER: header and data, vendor, data, echo buffer, microcode status, expander, error
            // history.
            (&[D, T, R, M, E, Z], &[(0, 0x3c), (1, 0x00)], Refused),
            (&[D, T, R, M, E, Z], &[(0, 0x3c), (1, 0x01)], Refused),
            (&[D, T, R, M, E, Z], &[(0, 0x3c), (1, 0x02)], Refused),
            (&[D, T, R, M, E, Z], &[(0, 0x3c), (1, 0x0a)], Refused),
            (&[D, T, R, M, E, Z], &[(0, 0x3c), (1, 0x0f)], Refused),
            (&[D, T, R, M, E, Z], &[(0, 0x3c), (1, 0x1a)], Refused),
            (&[D, T, R, M, E, Z], &[(0, 0x3c), (1, 0x1c)], Refused),
            // READ(10) of scanners, VERIFY(16) of tapes, LOG SENSE of the TapeAlert page.
            (&[S], &[(0, 0x28)], Write),
            (&[T], &[(0, 0x8f)], Write),
            (&[T, M, V], &[(0, 0x4d), (2, 0x2e)], Write),
            (&[T, M, V], &[(0, 0x4d), (2, 0x6e)], Write),
            // REDUNDANCY GROUP IN, SPARE IN, VOLUME SET IN.
            (&[D, M, A, E], &[(0, 0xba)], Refused),
            (&[D, M, A, E], &[(0, 0xbc)], Refused),
            (&[D, M, A, E], &[(0, 0xbe)], Refused),
            // LOG SENSE that saves.
            (&[D, T, M, E, Z], &[(0, 0x4d), (1, 0x01)], Write),
        ] {
            for class in classes {
                assert_eq!(answers(*class, bytes), Some((Any, strict)));
            }
        }
    }

    /// Commands that a writer may send although they do more than writing to the medium.
    #[test]
    fn holes_for_writers() {
        for (classes, bytes) in [
            // ATA PASS-THROUGH(12).
            (&[D, Z, B][..], &[(0, 0xa1)][..]),
            // Vendor specific.
            (&[D, T, L, W, R, M, Z], &[(0, 0x0d)]),
            (&[D, T, L, W, R, M, Z], &[(0, 0xea)]),
            (&[D, L, W, R, O, Z], &[(0, 0x19)]),
            // SECURITY PROTOCOL IN.
            (&[D, T, R, V, Z], &[(0, 0xa2)]),
            // EXCHANGE MEDIUM, MOVE MEDIUM ATTACHED, SEND VOLUME TAG.
            (&[M, D], &[(0, 0xa6)]),
            (&[D, T, W, O, M], &[(0, 0xa7)]),
            (&[M, D], &[(0, 0xb6)]),
            // REDUNDANCY GROUP OUT, VOLUME SET OUT.
            (&[D, W, O, M, A, E], &[(0, 0xbb)]),
            (&[D, W, O, M, A, E], &[(0, 0xbf)]),
            // XDWRITEREAD(10), ERASE(16), FORMAT UNIT, FORMAT MEDIUM, LOG SELECT, WRITE LONG(10).
            (&[D, Z], &[(0, 0x53)]),
            (&[T], &[(0, 0x93)]),
            (&[D, O, Z, B, T, L], &[(0, 0x04)]),
            (&[D, T, M, E, R, Z], &[(0, 0x4c)]),
            (&[D, W, O, Z], &[(0, 0x3f)]),
            // MODE SELECT(6), (10) of vendor specific parameters, and of all defaults.
            (&[D, Z, W, O, B], &[(0, 0x15)]),
            (&[D, Z, W, O, B], &[(0, 0x55), (1, 0x01)]),
            (&[D, Z, W, O, B], &[(0, 0x55), (1, 0x12)]),
            // SEND CUE SHEET is MMC's alone; SEQUENTIALIZE ZONE and ZBC OUT's reserved actions.
            (&[D, T, M, E], &[(0, 0x5d)]),
            (&[D, Z], &[(0, 0x94), (1, 0x10)]),
            (&[D, Z], &[(0, 0x94), (1, 0x00)]),
        ] {
            for class in classes {
                assert_eq!(answers(*class, bytes), Some((Write, Refused)));
            }
        }
    }

    /// What the kernel refuses and must stay refused: the place to allow it is a rule of the device.
    #[test]
    fn closed_as_ever() {
        const CLOSED: &[u8] = &[
            0x3b, // WRITE BUFFER
            0x5e, 0x5f, // PERSISTENT RESERVE IN, OUT
            0x83, 0x84, // third-party copy
            0x85, // ATA PASS-THROUGH(16)
            0x89, 0x8b, // COMPARE AND WRITE, ORWRITE
            0x8d, // WRITE ATTRIBUTE
            0x1d, // SEND DIAGNOSTIC
            0x16, 0x17, 0x56, 0x57, // RESERVE, RELEASE
            0x7e, 0x9d, 0x9f,
            0xa9, // extended CDB, SERVICE ACTION BIDIRECTIONAL, OUT(16), OUT(12)
            0x86, 0x87, 0xb5, // ACCESS CONTROL IN, OUT, SECURITY PROTOCOL OUT
            0xa5, 0xb8, // MOVE MEDIUM, READ ELEMENT STATUS
            0xc0, 0xd5, 0xd8, 0xdf, 0xf1, 0xff, // vendor specific
        ];
        for class in Class::ALL {
            let tables = Tables::of(class);
            for opcode in CLOSED {
                let found = tables.as_ref().and_then(|t| t.answers(&[(0, *opcode)]));
                assert_eq!(found, Some((Refused, Refused)));
            }
        }
    }

    /// What programs and guest kernels send to a disk in normal life.
    #[test]
    fn disks_work() {
        for class in [D, Z] {
            for (bytes, strict) in [
                // Any open: INQUIRY, REPORT LUNS, TEST UNIT READY, REQUEST SENSE, READ CAPACITY(10), (16),
                // GET LBA STATUS, MODE SENSE(6), (10), LOG SENSE, REPORT TARGET PORT GROUPS (with the
                // extended header too), REPORT SUPPORTED OPERATION CODES.
                (&[(0, 0x12), (1, 0x01), (2, 0x83)][..], Any),
                (&[(0, 0xa0)], Any),
                (&[(0, 0x00)], Any),
                (&[(0, 0x03)], Any),
                (&[(0, 0x25)], Any),
                (&[(0, 0x9e), (1, 0x10)], Any),
                (&[(0, 0x9e), (1, 0x12)], Any),
                (&[(0, 0x9e), (1, 0x16)], Any),
                (&[(0, 0x9e), (1, 0x17)], Any),
                (&[(0, 0x1a), (2, 0x3f)], Any),
                (&[(0, 0x5a), (2, 0x3f)], Any),
                (&[(0, 0x4d), (2, 0x40)], Any),
                (&[(0, 0xa3), (1, 0x0a)], Any),
                (&[(0, 0xa3), (1, 0x2a)], Any),
                (&[(0, 0xa3), (1, 0x0c)], Any),
                (&[(0, 0xa3), (1, 0x05)], Any),
                // READ(6), (10), (12), (16), (32), READ DEFECT DATA(10), (12), READ ATTRIBUTE, VERIFY.
                (&[(0, 0x08)], Any),
                (&[(0, 0x28)], Any),
                (&[(0, 0xa8)], Any),
                (&[(0, 0x88)], Any),
                (&[(0, 0x7f), (7, 0x18), (9, 0x09)], Any),
                (&[(0, 0x7f), (7, 0x18), (9, 0x0a)], Any),
                (&[(0, 0x37)], Any),
                (&[(0, 0xb7)], Any),
                (&[(0, 0x8c)], Any),
                (&[(0, 0x2f), (1, 0x02)], Any),
                (&[(0, 0x8f)], Any),
                // sd spins a disk up, reads its zones.
                (&[(0, 0x1b), (1, 0x01), (4, 0x01)], Any),
                (&[(0, 0x1b), (1, 0x01), (4, 0x11)], Any),
                (&[(0, 0x95)], Any),
                (&[(0, 0x95), (1, 0x09)], Any),
                // Write open: UNMAP, WRITE SAME(10), (16) with and without UNMAP, SYNCHRONIZE CACHE(10), (16).
                (&[(0, 0x42)], Write),
                (&[(0, 0x41)], Write),
                (&[(0, 0x41), (1, 0x08)], Write),
                (&[(0, 0x93), (1, 0x08)], Write),
                (&[(0, 0x35)], Write),
                (&[(0, 0x91)], Write),
                // WRITE(6), (10), (12), (16), (32), WRITE AND VERIFY(32), WRITE SAME(32), WRITE ATOMIC(16).
                (&[(0, 0x0a)], Write),
                (&[(0, 0x2a)], Write),
                (&[(0, 0xaa)], Write),
                (&[(0, 0x8a)], Write),
                (&[(0, 0x7f), (7, 0x18), (9, 0x0b)], Write),
                (&[(0, 0x7f), (7, 0x18), (9, 0x0c)], Write),
                (&[(0, 0x7f), (7, 0x18), (9, 0x0d)], Write),
                (&[(0, 0x9c)], Write),
                // MODE SELECT(6), (10), PREVENT ALLOW MEDIUM REMOVAL, RESET WRITE POINTER.
                (&[(0, 0x15), (1, 0x11)], Write),
                (&[(0, 0x55), (1, 0x11)], Write),
                (&[(0, 0x1e), (4, 0x01)], Write),
                (&[(0, 0x94), (1, 0x04)], Write),
            ] {
                let found = answers(class, bytes).map(|(_, strict)| strict);
                assert_eq!(found, Some(strict));
            }
        }
    }

    /// What players, rippers and recording programs send, with the same open as ever.
    #[test]
    fn optical_drives_work() {
        for opcode in [
            0x00, 0x03, 0x12, 0x1a, 0x1b, 0x23, 0x25, 0x28, 0x2b, 0x42, 0x43, 0x44, 0x45, 0x46,
            0x47, 0x48, 0x4a, 0x4b, 0x4e, 0x51, 0x52, 0x5a, 0x5c, 0xa4, 0xa8, 0xac, 0xad, 0xb9,
            0xba, 0xbc, 0xbe,
        ] {
            assert_eq!(answers(R, &[(0, opcode)]), Some((Any, Any)));
        }
        for opcode in [
            0x04, 0x15, 0x1e, 0x2a, 0x2e, 0x35, 0x53, 0x54, 0x55, 0x58, 0x5b, 0x5d, 0xa1, 0xa6,
            0xa7, 0xaa, 0xb6, 0xbb, 0xbf,
        ] {
            assert_eq!(answers(R, &[(0, opcode)]), Some((Write, Write)));
        }
        // Eject and load; the handshakes of CSS (challenge, KEY2) and AACS (host certificate, host key).
        for bytes in [
            &[(0, 0x1b), (4, 0x02)][..],
            &[(0, 0x1b), (4, 0x03)],
            &[(0, 0xa3), (10, 0x41)],
            &[(0, 0xa3), (10, 0xc3)],
            &[(0, 0xa3), (7, 0x02), (10, 0x01)],
            &[(0, 0xa3), (7, 0x02), (10, 0x82)],
        ] {
            assert_eq!(answers(R, bytes), Some((Any, Any)));
        }
    }

    /// Every device reports, whatever its type.
    #[test]
    fn all_report() {
        for class in Class::ALL {
            for bytes in [
                &[(0, 0x00)][..],
                &[(0, 0x03)],
                &[(0, 0x12)],
                &[(0, 0xa0)],
                &[(0, 0x1a)],
                &[(0, 0x1c)],
                &[(0, 0x5a)],
                &[(0, 0x4d)],
                &[(0, 0x3c), (1, 0x03)],
            ] {
                assert_eq!(answers(class, bytes), Some((Any, Any)));
            }
        }
    }
}
