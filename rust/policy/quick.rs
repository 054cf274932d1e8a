// SPDX-License-Identifier: GPL-2.0

//! The answer that needs no search: what a list of rules says of an opcode, whatever the other bytes.
//!
//! Most rules have no fields, so that the first one that mentions an opcode decides. A table of two
//! bytes an opcode tells those from the rest; the rest is for [`Filter::first_match`].
//!
//! [`Filter::first_match`]: super::Filter::first_match

use super::{
    Access,
    Rule,
    Verdict,
    MAX_RULES, //
    REPORT_LUNS,
};

/// The opcode of PERSISTENT RESERVE OUT.
pub const PERSISTENT_RESERVE_OUT: u8 = 0x5f;

/// What rules are not the last to say about, since settings of a device come behind them
/// (`report_luns`, `pr_exclusive`): never surely allowed.
const SETTINGS_DECIDE: [u8; 2] = [REPORT_LUNS, PERSISTENT_RESERVE_OUT];

/// What a list of rules says of an opcode: a rule's number in the low bits, and above it what is
/// known. A rule that is known to decide has [`RULE`], and a bit for each opener that it allows it to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quick(u16);

const KNOWN: u32 = MAX_RULES.trailing_zeros();
/// It needs a search.
const UNKNOWN: u16 = 0;
/// Allowed to who may only read.
const READER: u16 = 1 << 0;
/// Allowed to who may write.
const WRITER: u16 = 1 << 1;
/// The numbered rule decides.
const RULE: u16 = 1 << 2;
/// No rule mentions it.
const SILENT: u16 = 1 << 3;

const _: () = assert!(MAX_RULES.is_power_of_two() && KNOWN + 4 <= 16);

impl Quick {
    /// Whether it is surely allowed, by [`Self::rule`].
    #[inline(always)]
    pub const fn is_allowed(self, open_for_write: bool) -> bool {
        (self.0 >> (KNOWN + open_for_write as u32)) & 1 != 0
    }

    /// Whether no rule mentions the opcode.
    #[inline(always)]
    pub const fn is_silent(self) -> bool {
        self.0 == SILENT << KNOWN
    }

    /// Whether a search would say nothing else.
    #[inline(always)]
    pub const fn is_known(self) -> bool {
        self.0 >= RULE << KNOWN
    }

    /// The number of the rule that decides, if it is known and not silent.
    #[inline(always)]
    pub const fn rule(self) -> u16 {
        self.0 & (MAX_RULES as u16 - 1)
    }
}

/// The answers for all opcodes.
pub struct QuickTable([Quick; 256]);

impl QuickTable {
    /// The table that knows nothing.
    pub const EMPTY: QuickTable = QuickTable([Quick(UNKNOWN); 256]);

    /// Makes the table that of `rules`.
    pub fn fill(&mut self, rules: &[Rule]) {
        self.0.fill(Quick(SILENT << KNOWN));
        // From the last to the first, which has the say.
        for (number, rule) in (0..MAX_RULES as u16).zip(rules).rev() {
            let known = match rule.verdict() {
                _ if rule.fields().next().is_some() => UNKNOWN,
                Verdict::Allow(Access::Write) => RULE | WRITER,
                Verdict::Allow(Access::Read) => RULE | WRITER | READER,
                Verdict::Deny => RULE,
            };
            for opcode in rule.opcodes().iter() {
                if let Some(place) = self.0.get_mut(usize::from(opcode)) {
                    *place = Quick((known << KNOWN) | number);
                }
            }
        }
        for opcode in SETTINGS_DECIDE {
            let place = &mut self.0[opcode as usize];
            if !place.is_silent() {
                *place = Quick(UNKNOWN);
            }
        }
        // What cannot be numbered is not known; there are no such lists.
        if rules.len() > MAX_RULES {
            self.0.fill(Quick(UNKNOWN));
        }
    }

    /// What is said of an opcode.
    #[inline(always)]
    pub const fn look(&self, opcode: u8) -> Quick {
        self.0[opcode as usize]
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_quick))]
mod tests {
    use super::super::{
        testing::{
            compile,
            compile_strict,
            Compiled, //
        },
        Access,
        Cdb,
        Class,
        QuickTable,
        Verdict,
        STOCK, //
    };

    fn table(filter: &Compiled) -> QuickTable {
        let mut table = QuickTable::EMPTY;
        table.fill(filter.view().rules());
        table
    }

    /// Whether no CDB makes the long way say anything else; `None` if there is no filter.
    fn agrees(filter: Option<Compiled>) -> Option<bool> {
        let filter = filter?;
        let table = table(&filter);
        let mut agree = true;
        for opcode in 0..=u8::MAX {
            for fill in [0x00, 0x10, 0x5a, 0xff] {
                let mut cdb = [fill; 32];
                cdb[0] = opcode;
                let view = filter.view();
                let found = view.first_match(&Cdb::new(&cdb)?);
                for open_for_write in [false, true] {
                    let quick = table.look(opcode);
                    if quick.is_silent() {
                        agree &= found.is_none();
                    }
                    agree &= quick.is_known() || !quick.is_allowed(open_for_write);
                    if quick.is_known() && !quick.is_silent() {
                        agree &= found.is_some_and(|(number, rule)| {
                            let allowed = match rule.verdict() {
                                Verdict::Allow(Access::Read) => true,
                                Verdict::Allow(Access::Write) => open_for_write,
                                Verdict::Deny => false,
                            };
                            quick.rule() == number
                                && quick.is_allowed(open_for_write) == allowed
                                && rule.fields().next().is_none()
                        });
                    }
                }
            }
        }
        Some(agree)
    }

    #[test]
    fn says_what_the_search_says() {
        for text in [
            "allow r 12\nallow w 2a\ndeny 48\nallow r 00-7f",
            "deny 12\nallow r 12",
            "allow r 12\ndeny 12",
            "allow w 5f [1]&1f=00-04,06\nallow w 5f",
            "allow r 9e [1]=10\nallow r 9e\ndeny 00-ff",
            "allow w 12\nallow r 12",
        ] {
            assert_eq!(agrees(compile(text)), Some(true));
        }
        assert_eq!(agrees(compile(STOCK)), Some(true));
        for class in Class::ALL {
            assert_eq!(agrees(compile_strict(class)), Some(true));
        }
    }

    #[test]
    fn knows_what_needs_no_search() {
        let text =
            "deny 48\nallow w 2a\nallow r 12,2a,48,5e\nallow r 9e [1]=10\nallow r 9e\nallow r 5f,a0";
        let table = compile(text).as_ref().map(table);
        // The rule, and whether it allows it to readers and writers; none, if it is not known.
        for (opcode, expected) in [
            (0x12, Some((2, true, true))),
            (0x2a, Some((1, false, true))),
            (0x48, Some((0, false, false))),
            (0x5e, Some((2, true, true))),
            (0x9e, None),
            // Settings decide, whatever the rules say.
            (0x5f, None),
            (0xa0, None),
        ] {
            let found = table.as_ref().and_then(|table| {
                let quick = table.look(opcode);
                let known = (
                    quick.rule(),
                    quick.is_allowed(false),
                    quick.is_allowed(true),
                );
                assert!(!quick.is_silent());
                quick.is_known().then_some(known)
            });
            assert_eq!(found, expected);
        }
        let silent = table.map(|table| table.look(0x00));
        assert!(silent.is_some_and(|quick| quick.is_silent() && quick.is_known()));
        assert!(silent.is_some_and(|quick| !quick.is_allowed(false) && !quick.is_allowed(true)));
    }
}
