// SPDX-License-Identifier: GPL-2.0

//! Tests of the built-in tables: `strict` says what is expected, class by class, and `stock` is the
//! list of the kernel.

#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_strict))]
mod tests {
    use super::super::{
        super::{
            Class,
            MAX_CDB,
            STOCK, //
        },
        expect::expected,
        support::{
            answer,
            compile,
            compile_strict,
            Answer, //
        },
    };

    /// The bytes that are varied, one at a time, over all values. In the kernel, where it may be
    /// an emulated one, byte 1 for all opcodes and the others for those that have a case on them.
    const BYTES: &[usize] = &[1, 2, 4, 7, 8, 9, 10, 14];

    fn is_varied(opcode: u8, byte: usize) -> bool {
        cfg!(test) || byte == 1 || matches!(opcode, 0x1b | 0x4d | 0x7f | 0xa3)
    }

    /// Calls `look` with every CDB of the sweep; ends with the first that it complains of.
    fn sweep<T>(mut look: impl FnMut(&[u8; MAX_CDB]) -> Option<T>) -> Option<T> {
        for opcode in 0..=255u8 {
            // Byte 7: additional length of a 32-byte CDB, and key class of SEND KEY.
            for byte7 in [0x00, 0x02, 0x18] {
                if byte7 != 0 && !matches!(opcode, 0x7f | 0xa3) {
                    continue;
                }
                let mut base = [0; MAX_CDB];
                base[0] = opcode;
                base[7] = byte7;
                for byte in BYTES.iter().filter(|byte| is_varied(opcode, **byte)) {
                    let mut cdb = base;
                    for value in 0..=255u8 {
                        cdb[*byte] = value;
                        let found = look(&cdb);
                        if found.is_some() {
                            return found;
                        }
                    }
                }
            }
        }
        None
    }

    /// The first CDB that a class answers otherwise than expected, with that answer.
    fn surprise(class: Class) -> Option<([u8; MAX_CDB], Answer)> {
        let expected = expected(class);
        let filter = compile_strict(class);
        sweep(|cdb| {
            let answer = match &filter {
                Some(filter) => answer(filter.view(), cdb),
                None => Answer::Absurd,
            };
            let good = answer == expected.answer(cdb) && expected.is_consistent(cdb[0]);
            (!good).then_some((*cdb, answer))
        })
    }

    #[test]
    fn disk() {
        assert_eq!(surprise(Class::DISK), None);
    }

    #[test]
    fn tape() {
        assert_eq!(surprise(Class::TAPE), None);
    }

    #[test]
    fn printer() {
        assert_eq!(surprise(Class::PRINTER), None);
    }

    #[test]
    fn processor() {
        assert_eq!(surprise(Class::PROCESSOR), None);
    }

    #[test]
    fn worm() {
        assert_eq!(surprise(Class::WORM), None);
    }

    #[test]
    fn cdrom() {
        assert_eq!(surprise(Class::CDROM), None);
    }

    #[test]
    fn scanner() {
        assert_eq!(surprise(Class::SCANNER), None);
    }

    #[test]
    fn optical() {
        assert_eq!(surprise(Class::OPTICAL), None);
    }

    #[test]
    fn changer() {
        assert_eq!(surprise(Class::CHANGER), None);
    }

    #[test]
    fn communications() {
        assert_eq!(surprise(Class::COMMUNICATIONS), None);
    }

    #[test]
    fn raid() {
        assert_eq!(surprise(Class::RAID), None);
    }

    #[test]
    fn enclosure() {
        assert_eq!(surprise(Class::ENCLOSURE), None);
    }

    #[test]
    fn rbc() {
        assert_eq!(surprise(Class::RBC), None);
    }

    #[test]
    fn ocrw() {
        assert_eq!(surprise(Class::OCRW), None);
    }

    #[test]
    fn bridge() {
        assert_eq!(surprise(Class::BRIDGE), None);
    }

    #[test]
    fn osd() {
        assert_eq!(surprise(Class::OSD), None);
    }

    #[test]
    fn adc() {
        assert_eq!(surprise(Class::ADC), None);
    }

    #[test]
    fn security() {
        assert_eq!(surprise(Class::SECURITY), None);
    }

    #[test]
    fn zbc() {
        assert_eq!(surprise(Class::ZBC), None);
    }

    #[test]
    fn wlun_reserved_and_unknown() {
        for code in [
            0x0a, 0x0b, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
        ] {
            assert_eq!(surprise(Class::from_type(code)), None);
        }
    }

    /// All service actions of a 32-byte CDB, not only those one byte away from zero.
    #[test]
    fn service_actions_of_variable_length() {
        for class in [Class::DISK, Class::ZBC, Class::OSD, Class::CDROM] {
            let expected = expected(class);
            let filter = compile_strict(class);
            for action in 0..=0xffffu16 {
                let mut cdb = [0; MAX_CDB];
                (cdb[0], cdb[7]) = (0x7f, 0x18);
                [cdb[8], cdb[9]] = action.to_be_bytes();
                let found = filter.as_ref().map(|filter| answer(filter.view(), &cdb));
                assert_eq!(found, Some(expected.answer(&cdb)));
            }
        }
    }

    const STOCK_ANY: &[u8] = &[
        0x00, 0x03, 0x08, 0x12, 0x1a, 0x1b, 0x1c, 0x23, 0x25, 0x28, 0x2b, 0x2f, 0x37, 0x3c, 0x3e,
        0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x4a, 0x4b, 0x4d, 0x4e, 0x51, 0x52, 0x5a, 0x5c,
        0x88, 0x8f, 0x95, 0x9e, 0xa0, 0xa3, 0xa4, 0xa8, 0xac, 0xad, 0xb9, 0xba, 0xbc, 0xbe,
    ];
    const STOCK_WRITE: &[u8] = &[
        0x04, 0x0a, 0x0d, 0x15, 0x19, 0x1e, 0x2a, 0x2e, 0x35, 0x3f, 0x41, 0x4c, 0x53, 0x54, 0x55,
        0x58, 0x5b, 0x5d, 0x8a, 0x93, 0x94, 0xa1, 0xa2, 0xa6, 0xa7, 0xaa, 0xae, 0xb6, 0xbb, 0xbf,
        0xea,
    ];

    fn stock_answer(opcode: u8) -> Answer {
        if STOCK_ANY.contains(&opcode) {
            Answer::Any
        } else if STOCK_WRITE.contains(&opcode) {
            Answer::Write
        } else {
            Answer::Refused
        }
    }

    #[test]
    fn stock() {
        assert_eq!((STOCK_ANY.len(), STOCK_WRITE.len()), (44, 31));
        let filter = compile(STOCK);
        let surprise = sweep(|cdb| {
            let found = filter.as_ref().map(|filter| answer(filter.view(), cdb));
            (found != Some(stock_answer(cdb[0]))).then_some(*cdb)
        });
        assert_eq!(surprise, None);
    }

    /// Where a class allows more than the kernel's list: nowhere but here.
    const WIDER: &[(u8, &[Class])] = &[
        (0x7f, &[Class::DISK, Class::ZBC]),
        (
            0x8c,
            &[
                Class::DISK,
                Class::ZBC,
                Class::TAPE,
                Class::WORM,
                Class::OPTICAL,
                Class::CHANGER,
                Class::RBC,
                Class::ADC,
            ],
        ),
        (
            0x8e,
            &[
                Class::DISK,
                Class::ZBC,
                Class::WORM,
                Class::OPTICAL,
                Class::RBC,
            ],
        ),
        (
            0x91,
            &[
                Class::DISK,
                Class::ZBC,
                Class::WORM,
                Class::OPTICAL,
                Class::RBC,
            ],
        ),
        (0x9c, &[Class::DISK, Class::ZBC]),
        (
            0xaf,
            &[Class::DISK, Class::ZBC, Class::WORM, Class::OPTICAL],
        ),
        (0xb7, &[Class::DISK, Class::ZBC, Class::OPTICAL]),
    ];

    #[test]
    fn strict_is_not_wider_than_stock() {
        for class in Class::ALL {
            let filter = compile_strict(class);
            let wider = sweep(|cdb| {
                let found = filter.as_ref().map(|filter| answer(filter.view(), cdb));
                let within = match (found, stock_answer(cdb[0])) {
                    (Some(Answer::Any), stock) => stock == Answer::Any,
                    (Some(Answer::Write), stock) => stock != Answer::Refused,
                    (Some(Answer::Refused), _) => true,
                    (Some(Answer::Absurd) | None, _) => false,
                };
                let mut argued = WIDER
                    .iter()
                    .filter(|(opcode, classes)| *opcode == cdb[0] && classes.contains(&class));
                (!within && argued.next().is_none()).then_some(*cdb)
            });
            assert_eq!(wider, None);
        }
    }
}
