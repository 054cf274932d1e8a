// SPDX-License-Identifier: GPL-2.0

//! The running kernel's own list, read off its own function.

use crate::{
    kernel::scsi::cmd_allowed::{
        ask_kernel,
        CDB_BUFFER, //
    },
    policy::{
        Access,
        Action, //
        ByteSet,
        ListedRule,
        Rule,
        RuleStore,
    },
    state::rules::RuleVec,
};
use kernel::prelude::*;

/// Which opcodes the kernel allows to a process without capabilities, whatever the device.
pub(crate) struct Stock {
    /// With any open.
    any: ByteSet,
    /// With an open for writing.
    write: ByteSet,
}

/// What the bytes behind the opcode are filled with, to see that the kernel does not look at them.
const FILLS: [u8; 4] = [0x00, 0xff, 0x0a, 0x13];

impl Stock {
    /// Asks the kernel about all opcodes. The hook must not be armed.
    ///
    /// # Errors
    ///
    /// - `EOPNOTSUPP` if the kernel's answer depends on more than the opcode and the open mode, so
    ///   that it cannot be held in a table.
    /// - `ENOMEM`.
    pub(crate) fn of_running_kernel() -> Result<Self> {
        let mut stock = Self {
            any: ByteSet::EMPTY,
            write: ByteSet::EMPTY,
        };
        let mut uniform = true;

        ask_kernel(|allowed| {
            for (open_for_write, set) in [(false, &mut stock.any), (true, &mut stock.write)] {
                for opcode in 0..=u8::MAX {
                    let mut yes = 0;
                    for fill in FILLS {
                        let mut cdb = [fill; CDB_BUFFER];
                        cdb[0] = opcode;
                        yes += usize::from(allowed(&cdb, open_for_write));
                    }
                    if yes == FILLS.len() {
                        set.insert(opcode);
                    } else if yes != 0 {
                        uniform = false;
                    }
                }
            }
        })?;

        // An open for writing must allow at least what one for reading does.
        uniform &= stock.any.iter().all(|opcode| stock.write.contains(opcode));
        if !uniform {
            pr_err!("this kernel's list of SCSI commands depends on more than the opcode\n");
            return Err(EOPNOTSUPP);
        }
        Ok(stock)
    }

    /// The same as rules.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn rules(&self) -> Result<RuleVec> {
        let mut write_only = ByteSet::EMPTY;
        for opcode in self
            .write
            .iter()
            .filter(|opcode| !self.any.contains(*opcode))
        {
            write_only.insert(opcode);
        }
        let mut rules = RuleVec::new();
        for (access, set) in [(Access::Read, self.any), (Access::Write, write_only)] {
            if let Some(rule) = Rule::new(Action::Allow(access), set) {
                rules.push(ListedRule::permanent(rule))?;
            }
        }
        Ok(rules)
    }
}
