// SPDX-License-Identifier: GPL-2.0

//! The answer that needs no search: what a list of rules says of an opcode, whatever the other bytes.
//!
//! Most rules have no fields, so that the first one that mentions an opcode decides. A table of two
//! bytes an opcode tells those from the rest; the rest is for [`Filter::first_match`].
//!
//! A rule that ends is part of the rest, so that no table knows the time. After it has ended, the
//! first search that passes it over brings the table up to date ([`QuickTable::update`]).

use super::{
    opcode::{
        PERSISTENT_RESERVE_OUT,
        REPORT_LUNS, //
    },
    Access,
    Filter,
    ListedRule,
    Time,
    Verdict,
    MAX_RULES, //
};
use core::sync::atomic::{
    AtomicU16,
    Ordering::Relaxed, //
};

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
        self.0 & (SILENT << KNOWN) != 0
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

impl Quick {
    /// What is said of an opcode by a list whose first rule that mentions it is this one.
    fn of(opcode: u8, first: Option<(u16, &ListedRule)>) -> Quick {
        let Some((number, listed)) = first else {
            return Quick(SILENT << KNOWN);
        };
        let rule = listed.rule();
        let known = match rule.verdict() {
            _ if SETTINGS_DECIDE.contains(&opcode) => UNKNOWN,
            _ if listed.is_timed() || rule.fields().next().is_some() => UNKNOWN,
            _ if usize::from(number) >= MAX_RULES => UNKNOWN,
            Verdict::Allow(Access::Write) => RULE | WRITER,
            Verdict::Allow(Access::Read) => RULE | WRITER | READER,
            Verdict::Deny => RULE,
        };
        match known {
            UNKNOWN => Quick(UNKNOWN),
            known => Quick((known << KNOWN) | number),
        }
    }
}

/// The answers for all opcodes.
// Each is of its own, and as good as the one that replaces it: nothing else is ordered by them, so
// that relaxed loads and stores (`READ_ONCE()`, `WRITE_ONCE()`) are enough.
pub struct QuickTable([AtomicU16; 256]);

impl QuickTable {
    /// Returns the table that knows nothing.
    pub const fn unknown() -> QuickTable {
        QuickTable([const { AtomicU16::new(UNKNOWN) }; 256])
    }

    /// Makes the table that of a filter's rules.
    pub fn fill(&mut self, filter: &Filter<'_>) {
        for (opcode, place) in (0..=u8::MAX).zip(&mut self.0) {
            *place.get_mut() = Quick::of(opcode, filter.mentioning(opcode).next()).0;
        }
    }

    /// Takes account of rules of the filter, which is that of [`Self::fill`], that have ended at `now`
    /// and mention an opcode. While they apply, the table does not change.
    ///
    /// What it then says stays right, since no rule comes back. Who still sees what it said before
    /// makes a search.
    pub fn update(&self, filter: &Filter<'_>, opcode: u8, now: Time) {
        let mut left = filter
            .mentioning(opcode)
            .filter(|(_, listed)| listed.applies(|| now));
        let quick = Quick::of(opcode, left.next());
        self.0[usize::from(opcode)].store(quick.0, Relaxed);
    }

    /// What is said of an opcode.
    #[inline(always)]
    pub fn look(&self, opcode: u8) -> Quick {
        Quick(self.0[opcode as usize].load(Relaxed))
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_quick))]
mod tests {
    use super::super::{
        tests::support::{
            compile,
            compile_strict,
            Compiled, //
        },
        Access,
        Cdb,
        Class,
        QuickTable,
        Time,
        Verdict,
        STOCK, //
    };

    fn table(filter: &Compiled) -> QuickTable {
        let mut table = QuickTable::unknown();
        table.fill(&filter.view());
        table
    }

    /// Whether no CDB makes the long way say anything else; `None` if there is no filter.
    fn agrees(filter: Option<Compiled>) -> Option<bool> {
        let filter = filter?;
        agrees_at(&filter, &table(&filter), Time::ZERO)
    }

    /// The same at a time.
    fn agrees_at(filter: &Compiled, table: &QuickTable, now: Time) -> Option<bool> {
        let mut agree = true;
        for opcode in 0..=u8::MAX {
            for fill in [0x00, 0x10, 0x5a, 0xff] {
                let mut cdb = [fill; 32];
                cdb[0] = opcode;
                let view = filter.view();
                let found = view.first_match(&Cdb::new(&cdb)?, || now);
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
    fn a_rule_that_ends_is_searched_for_and_then_forgotten() {
        let text = "allow r 12,5f,a0 for=5\nallow w 13 for=9\ndeny 12-14,48 for=7\nallow r 2a [1]=00 for=5\n\
                    allow w 12,2a,48\nallow r 14,2b\nallow r 2b for=5";
        let filter = compile(text);
        let table = filter.as_ref().map(table);
        // The second, and the opcodes that are known then: allowed to readers, writers.
        const NOTHING: Option<(bool, bool)> = Some((false, false));
        for (second, expected) in [
            (0, [None, None, None, None, None, None, None]),
            (4, [None, None, None, None, None, None, None]),
            (
                5,
                [
                    None,
                    None,
                    None,
                    Some((false, true)),
                    None,
                    NOTHING,
                    NOTHING,
                ],
            ),
            (
                7,
                [
                    Some((false, true)),
                    None,
                    Some((true, true)),
                    Some((false, true)),
                    Some((false, true)),
                    NOTHING,
                    NOTHING,
                ],
            ),
            (
                9,
                [
                    Some((false, true)),
                    NOTHING,
                    Some((true, true)),
                    Some((false, true)),
                    Some((false, true)),
                    NOTHING,
                    NOTHING,
                ],
            ),
        ] {
            for nanos in [0, 999_999_999] {
                let now = Time::from_nanos(second * 1_000_000_000 + nanos);
                let opcodes = [0x12, 0x13, 0x14, 0x2a, 0x48, 0x5f, 0xa0];
                for (opcode, expected) in opcodes.into_iter().zip(expected) {
                    let quick = table.as_ref().zip(filter.as_ref()).map(|(table, filter)| {
                        table.update(&filter.view(), opcode, now);
                        table.look(opcode)
                    });
                    let known = quick
                        .filter(|quick| quick.is_known())
                        .map(|quick| (quick.is_allowed(false), quick.is_allowed(true)));
                    assert_eq!(known, expected);
                }
                let agrees = table
                    .as_ref()
                    .zip(filter.as_ref())
                    .and_then(|(table, filter)| agrees_at(filter, table, now));
                assert_eq!(agrees, Some(true));
                // One behind a permanent rule does not matter.
                let behind = table.as_ref().map(|table| table.look(0x2b));
                assert!(behind.is_some_and(|quick| quick.rule() == 5 && quick.is_allowed(false)));
            }
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
