// SPDX-License-Identifier: GPL-2.0

//! What the `strict` tables are expected to say, class by class. Only compiled with the tests.
//!
//! Written from the lists of commands of each class and of the holes in the kernel's list, not
//! from the rules: a change of a table is made here as well.

use super::{
    super::{
        Class,
        MAX_CDB, //
    },
    support::Answer, //
};

/// What is expected of one class. Opcodes that are in none of the three lists are refused.
pub(super) struct Expected {
    pub(super) class: Class,
    /// Allowed on any open.
    pub(super) any: &'static [u8],
    /// Allowed on a write open.
    pub(super) write: &'static [u8],
    /// Depends on more than the opcode: the first case that fits, refused if none does.
    pub(super) cases: &'static [&'static [Case]],
}

/// An opcode with certain values in certain bytes: (index, mask, values).
pub(super) struct Case(u8, &'static [(usize, u8, &'static [u8])], Answer);

impl Expected {
    /// Returns what is expected of a command. The CDB is long enough for all cases.
    pub(super) fn answer(&self, cdb: &[u8; MAX_CDB]) -> Answer {
        let opcode = cdb[0];
        if self.any.contains(&opcode) {
            return Answer::Any;
        }
        if self.write.contains(&opcode) {
            return Answer::Write;
        }
        for Case(of, bytes, answer) in self.cases.iter().copied().flatten() {
            let fits =
                |(at, mask, values): &(usize, u8, &[u8])| values.contains(&(cdb[*at] & mask));
            if *of == opcode && bytes.iter().all(fits) {
                return *answer;
            }
        }
        Answer::Refused
    }

    /// Tells whether an opcode is in exactly one list, or in none.
    pub(super) fn is_consistent(&self, opcode: u8) -> bool {
        let cases = self.cases.iter().copied().flatten();
        let lists = [
            self.any.contains(&opcode),
            self.write.contains(&opcode),
            cases.into_iter().any(|Case(of, ..)| *of == opcode),
        ];
        lists.into_iter().filter(|listed| *listed).count() <= 1
    }
}

/// What all devices answer: LOG SENSE without SP, the descriptor of READ BUFFER, and the reports of
/// MAINTENANCE IN that SPC defines.
const REPORTS: &[Case] = &[
    Case(0x4d, &[(1, 0x01, &[0])], Answer::Any),
    Case(0x4d, &[], Answer::Write),
    Case(0x3c, &[(1, 0x1f, &[0x03, 0x0b])], Answer::Any),
];
const MAINTENANCE_IN: &[Case] = &[Case(
    0xa3,
    &[(1, 0x1f, &[0x05, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f])],
    Answer::Any,
)];

/// Starting for all, stopping and ejecting for writers.
const START_STOP: &[Case] = &[
    Case(0x1b, &[(4, 0xff, &[0x01, 0x11])], Answer::Any),
    Case(0x1b, &[], Answer::Write),
];

/// MODE SELECT of what is like a disk: with PF and without RTD.
const MODE_SELECT: &[Case] = &[
    Case(0x15, &[(1, 0x12, &[0x10])], Answer::Write),
    Case(0x55, &[(1, 0x12, &[0x10])], Answer::Write),
];

/// LOG SENSE where reading the TapeAlert page consumes it; in front of [`REPORTS`].
const TAPE_ALERT: &[Case] = &[Case(0x4d, &[(2, 0x3f, &[0x2e])], Answer::Write)];

/// SERVICE ACTION IN(16).
const READ_CAPACITY_16: &[Case] = &[Case(0x9e, &[(1, 0x1f, &[0x10])], Answer::Any)];
const READ_LONG_16: &[Case] = &[Case(0x9e, &[(1, 0x1f, &[0x11])], Answer::Any)];
const DISK_STATUS: &[Case] = &[Case(
    0x9e,
    &[(1, 0x1f, &[0x12, 0x13, 0x16, 0x17])],
    Answer::Any,
)];

const VARIABLE_LENGTH: &[Case] = &[
    Case(
        0x7f,
        &[
            (7, 0xff, &[0x18]),
            (8, 0xff, &[0x00]),
            (9, 0xff, &[0x09, 0x0a]),
        ],
        Answer::Any,
    ),
    Case(
        0x7f,
        &[
            (7, 0xff, &[0x18]),
            (8, 0xff, &[0x00]),
            (9, 0xff, &[0x0b, 0x0c, 0x0d]),
        ],
        Answer::Write,
    ),
];

const ZONES: &[Case] = &[
    Case(0x95, &[(1, 0x1f, &[0x00, 0x06, 0x07, 0x09])], Answer::Any),
    Case(0x94, &[(1, 0x1f, &[0x01, 0x02, 0x03, 0x04])], Answer::Write),
];

/// SEND KEY: a player's handshake for all, the rest for writers.
const SEND_KEY: &[Case] = &[
    Case(
        0xa3,
        &[(7, 0xff, &[0x00]), (10, 0x3f, &[0x01, 0x03, 0x3f])],
        Answer::Any,
    ),
    Case(
        0xa3,
        &[(7, 0xff, &[0x02]), (10, 0x3f, &[0x01, 0x02, 0x3f])],
        Answer::Any,
    ),
    Case(0xa3, &[], Answer::Write),
];

const DISK: Expected = Expected {
    class: Class::DISK,
    any: &[
        0x00, 0x03, 0x08, 0x12, 0x1a, 0x1c, 0x25, 0x28, 0x2b, 0x2f, 0x37, 0x3e, 0x5a, 0x88, 0x8c,
        0x8f, 0xa0, 0xa8, 0xaf, 0xb7,
    ],
    write: &[
        0x0a, 0x1e, 0x2a, 0x2e, 0x35, 0x41, 0x42, 0x8a, 0x8e, 0x91, 0x93, 0x9c, 0xaa, 0xae,
    ],
    cases: &[
        REPORTS,
        MODE_SELECT,
        MAINTENANCE_IN,
        START_STOP,
        READ_CAPACITY_16,
        READ_LONG_16,
        DISK_STATUS,
        VARIABLE_LENGTH,
        ZONES,
    ],
};

/// The classes that the standards define. All others are [`unknown`].
static DEFINED: [Expected; 19] = [
    DISK,
    Expected {
        class: Class::ZBC,
        ..DISK
    },
    Expected {
        class: Class::TAPE,
        any: &[
            0x00, 0x03, 0x08, 0x12, 0x1a, 0x1c, 0x44, 0x5a, 0x88, 0x8c, 0xa0,
        ],
        write: &[0x0a, 0x15, 0x19, 0x1b, 0x1e, 0x2b, 0x55, 0x8a, 0x8f],
        cases: &[TAPE_ALERT, REPORTS, MAINTENANCE_IN],
    },
    Expected {
        class: Class::PRINTER,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x5a, 0xa0],
        write: &[0x0a, 0x15, 0x1b, 0x55],
        cases: &[REPORTS, MAINTENANCE_IN],
    },
    Expected {
        class: Class::PROCESSOR,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x5a, 0xa0],
        write: &[0x08, 0x0a, 0x15, 0x55],
        cases: &[REPORTS, MAINTENANCE_IN],
    },
    Expected {
        class: Class::WORM,
        any: &[
            0x00, 0x03, 0x08, 0x12, 0x1a, 0x1c, 0x25, 0x28, 0x2b, 0x2f, 0x3e, 0x5a, 0x88, 0x8c,
            0x8f, 0xa0, 0xa8, 0xaf,
        ],
        write: &[0x0a, 0x1e, 0x2a, 0x2e, 0x35, 0x8a, 0x8e, 0x91, 0xaa, 0xae],
        cases: &[
            REPORTS,
            MODE_SELECT,
            MAINTENANCE_IN,
            START_STOP,
            READ_CAPACITY_16,
            READ_LONG_16,
        ],
    },
    Expected {
        class: Class::CDROM,
        any: &[
            0x00, 0x03, 0x08, 0x12, 0x1a, 0x1b, 0x1c, 0x23, 0x25, 0x28, 0x2b, 0x2f, 0x42, 0x43,
            0x44, 0x45, 0x46, 0x47, 0x48, 0x4a, 0x4b, 0x4e, 0x51, 0x52, 0x5a, 0x5c, 0xa0, 0xa4,
            0xa8, 0xac, 0xad, 0xb9, 0xba, 0xbc, 0xbe,
        ],
        write: &[
            0x04, 0x15, 0x1e, 0x2a, 0x2e, 0x35, 0x53, 0x54, 0x55, 0x58, 0x5b, 0x5d, 0xa1, 0xa6,
            0xa7, 0xaa, 0xb6, 0xbb, 0xbf,
        ],
        cases: &[REPORTS, SEND_KEY],
    },
    Expected {
        class: Class::SCANNER,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x25, 0x5a, 0xa0],
        write: &[0x15, 0x1b, 0x28, 0x2a, 0x55],
        cases: &[REPORTS, MAINTENANCE_IN],
    },
    Expected {
        class: Class::OPTICAL,
        any: &[
            0x00, 0x03, 0x08, 0x12, 0x1a, 0x1c, 0x25, 0x28, 0x2b, 0x2f, 0x37, 0x3e, 0x5a, 0x88,
            0x8c, 0x8f, 0xa0, 0xa8, 0xaf, 0xb7,
        ],
        write: &[0x0a, 0x1e, 0x2a, 0x2e, 0x35, 0x8a, 0x8e, 0x91, 0xaa, 0xae],
        cases: &[
            REPORTS,
            MODE_SELECT,
            MAINTENANCE_IN,
            START_STOP,
            READ_CAPACITY_16,
            READ_LONG_16,
        ],
    },
    Expected {
        class: Class::CHANGER,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x44, 0x5a, 0x8c, 0xa0],
        write: &[0x15, 0x1b, 0x1e, 0x2b, 0x37, 0x55],
        // REPORT ELEMENT INFORMATION has the number of READ CAPACITY(16).
        cases: &[TAPE_ALERT, REPORTS, MAINTENANCE_IN, READ_CAPACITY_16],
    },
    Expected {
        class: Class::COMMUNICATIONS,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x5a, 0xa0],
        write: &[0x08, 0x0a, 0x15, 0x28, 0x2a, 0x55, 0xa8, 0xaa],
        cases: &[REPORTS, MAINTENANCE_IN],
    },
    Expected {
        class: Class::RAID,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x5a, 0xa0],
        write: &[0x15, 0x1b, 0x55],
        cases: &[REPORTS, MAINTENANCE_IN],
    },
    Expected {
        class: Class::ENCLOSURE,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x5a, 0xa0],
        write: &[0x15, 0x55],
        cases: &[REPORTS, MAINTENANCE_IN],
    },
    Expected {
        class: Class::RBC,
        any: &[
            0x00, 0x03, 0x12, 0x1a, 0x1c, 0x25, 0x28, 0x2f, 0x5a, 0x88, 0x8c, 0x8f, 0xa0,
        ],
        write: &[0x1e, 0x2a, 0x2e, 0x35, 0x8a, 0x8e, 0x91],
        cases: &[
            REPORTS,
            MODE_SELECT,
            MAINTENANCE_IN,
            START_STOP,
            READ_CAPACITY_16,
        ],
    },
    Expected {
        class: Class::OCRW,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x25, 0x28, 0x2b, 0x5a, 0xa0],
        write: &[0x15, 0x1e, 0x2a, 0x2e, 0x35, 0x55],
        cases: &[REPORTS, MAINTENANCE_IN, START_STOP],
    },
    Expected {
        class: Class::BRIDGE,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x5a, 0xa0],
        write: &[0x15, 0x55],
        cases: &[REPORTS, MAINTENANCE_IN],
    },
    Expected {
        class: Class::OSD,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x5a, 0xa0],
        write: &[0x15, 0x1b, 0x1e, 0x55],
        cases: &[REPORTS, MAINTENANCE_IN],
    },
    Expected {
        class: Class::ADC,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x44, 0x5a, 0x8c, 0xa0],
        write: &[0x15, 0x1b, 0x55],
        cases: &[TAPE_ALERT, REPORTS, MAINTENANCE_IN],
    },
    Expected {
        class: Class::SECURITY,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x5a, 0xa0],
        write: &[0x15, 0x55],
        cases: &[REPORTS, MAINTENANCE_IN],
    },
];

/// Reserved types, well known logical units and devices of unknown type only report.
const fn unknown(class: Class) -> Expected {
    Expected {
        class,
        any: &[0x00, 0x03, 0x12, 0x1a, 0x1c, 0x5a, 0xa0],
        write: &[],
        cases: &[REPORTS, MAINTENANCE_IN],
    }
}

/// Returns what is expected of a class.
pub(super) fn expected(class: Class) -> Expected {
    let defined = DEFINED.iter().find(|expected| expected.class == class);
    defined.map_or(unknown(class), |expected| Expected { ..*expected })
}
