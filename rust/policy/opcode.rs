// SPDX-License-Identifier: GPL-2.0

//! Opcodes that the filter itself knows. What all others mean is a matter of the rules.

/// The opcode of PERSISTENT RESERVE IN (SPC-5 6.16).
pub const PERSISTENT_RESERVE_IN: u8 = 0x5e;

/// The opcode of PERSISTENT RESERVE OUT (SPC-5 6.17).
pub const PERSISTENT_RESERVE_OUT: u8 = 0x5f;

/// The opcode of REPORT LUNS (SPC-5 6.33).
pub const REPORT_LUNS: u8 = 0xa0;
