// SPDX-License-Identifier: GPL-2.0

//! The table of the fast path: the answer of a list of rules to an opcode, whatever the other bytes are.
//!
//! Most rules have no fields, so that the first one that mentions an opcode decides. The table has two
//! bytes for each opcode, with the answer where the opcode alone decides. For all others, the slow path
//! searches the list ([`Filter::first_match`]).
//!
//! The table does not know the time, so an opcode that a rule with a deadline may decide is for the slow
//! path. After the deadline, the first search that skips the rule updates the table
//! ([`FastTable::update`]).

use super::{
    opcode::{
        PERSISTENT_RESERVE_OUT,
        REPORT_LUNS, //
    },
    Access,
    Action,
    ByteSet,
    Filter,
    ListedRule,
    Time,
    MAX_RULES, //
};
use core::sync::atomic::{
    AtomicU16,
    Ordering::Relaxed, //
};

/// Opcodes that rules alone do not decide, because settings of the device come after them (`report_luns`,
/// `pr_exclusive`): the table has no answer for them.
const SETTINGS_DECIDE: [u8; 2] = [REPORT_LUNS, PERSISTENT_RESERVE_OUT];

/// The answer of a list of rules to an opcode: the number of the deciding rule in the low bits, above it
/// flags. An answer that needs no search has [`RULE`], with a flag for each kind of open it allows, or
/// [`UNMENTIONED`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FastAnswer(u16);

/// The number of bits of a rule's number.
const NUMBER: u32 = MAX_RULES.trailing_zeros();
/// The list has to be searched.
const UNKNOWN: u16 = 0;
/// Grants are to be asked, and if none allows, the list: a number without flags.
const GRANTS: u16 = 1;
/// The numbered rule decides.
const RULE: u16 = 1 << 0;
/// No rule mentions the opcode.
const UNMENTIONED: u16 = 1 << 1;
/// Allowed on an open for writing alone.
const WRITER: u16 = 1 << 2;
/// Allowed on any open. It is twice [`WRITER`], so that an open for writing makes this of that by addition.
const READER: u16 = 1 << 3;

const _: () = assert!(MAX_RULES.is_power_of_two() && NUMBER + 4 <= 16);

impl FastAnswer {
    /// Tells whether the rule [`Self::rule`] allows the command.
    #[inline(always)]
    pub const fn is_allowed(self, open_for_write: bool) -> bool {
        // In 32 bits, and without a shift by a variable: an instruction less on x86.
        let writer = (open_for_write as u32) << (NUMBER + WRITER.trailing_zeros());
        (self.0 as u32 + writer) & ((READER as u32) << NUMBER) != 0
    }

    /// Tells whether no rule mentions the opcode.
    #[inline(always)]
    pub const fn is_unmentioned(self) -> bool {
        self.0 & (UNMENTIONED << NUMBER) != 0
    }

    /// Tells whether the opcode alone decides, so that no search is needed.
    #[inline(always)]
    pub const fn is_known(self) -> bool {
        self.0 & ((RULE | UNMENTIONED) << NUMBER) != 0
    }

    /// Tells whether grants come before the list, which may allow the opcode but does not deny it.
    #[inline(always)]
    pub const fn is_left_to_grants(self) -> bool {
        self.0 == GRANTS
    }

    /// Returns the number of the rule that decides, if one does ([`Self::is_known`] and not
    /// [`Self::is_unmentioned`]).
    #[inline(always)]
    pub const fn rule(self) -> u16 {
        self.0 & (MAX_RULES as u16 - 1)
    }
}

impl FastAnswer {
    /// Returns the answer of a list in which this is the first rule that mentions the opcode.
    fn of(opcode: u8, first: Option<(u16, &ListedRule)>) -> FastAnswer {
        let Some((number, listed)) = first else {
            return FastAnswer(UNMENTIONED << NUMBER);
        };
        let rule = listed.rule();
        let known = match rule.action() {
            _ if SETTINGS_DECIDE.contains(&opcode) => UNKNOWN,
            _ if listed.is_timed() || rule.fields().next().is_some() => UNKNOWN,
            _ if usize::from(number) >= MAX_RULES => UNKNOWN,
            Action::Allow(Access::Write) => RULE | WRITER,
            Action::Allow(Access::Read) => RULE | READER,
            Action::Deny => RULE,
        };
        match known {
            UNKNOWN => FastAnswer(UNKNOWN),
            known => FastAnswer((known << NUMBER) | number),
        }
    }
}

/// The answers to all opcodes.
// Entries are independent, and a stale one is still right. Nothing else is ordered by them, so relaxed
// loads and stores (`READ_ONCE()`, `WRITE_ONCE()`) are enough.
pub struct FastTable([AtomicU16; 256]);

impl FastTable {
    /// Returns the table that leaves every opcode to the search.
    pub const fn unknown() -> FastTable {
        FastTable([const { AtomicU16::new(UNKNOWN) }; 256])
    }

    /// Fills in the answers of a filter.
    pub fn fill(&mut self, filter: &Filter<'_>) {
        for (opcode, place) in (0..=u8::MAX).zip(&mut self.0) {
            *place.get_mut() = FastAnswer::of(opcode, filter.mentioning(opcode).next()).0;
        }
    }

    /// Leaves these opcodes to grants. Where the list may deny one it is left to the search, since what the list denies is
    /// denied whatever grants say.
    pub fn leave_to_grants(&mut self, opcodes: &ByteSet) {
        for opcode in opcodes.iter() {
            let place = self.0[usize::from(opcode)].get_mut();
            let answer = FastAnswer(*place);
            *place = match answer.is_unmentioned() || answer.is_known() && answer.is_allowed(true) {
                true => GRANTS,
                false => UNKNOWN,
            };
        }
    }

    /// Updates the answer to an opcode after rules have ended; `filter` is that of [`Self::fill`].
    ///
    /// The new answer stays right, because a rule that has ended does not come back. A reader that
    /// still sees the old one takes the slow path.
    pub fn update(&self, filter: &Filter<'_>, opcode: u8, now: Time) {
        let mut left = filter
            .mentioning(opcode)
            .filter(|(_, listed)| listed.applies(|| now));
        let answer = FastAnswer::of(opcode, left.next());
        self.0[usize::from(opcode)].store(answer.0, Relaxed);
    }

    /// Returns the answer to an opcode.
    #[inline(always)]
    pub fn get(&self, opcode: u8) -> FastAnswer {
        FastAnswer(self.0[opcode as usize].load(Relaxed))
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_fast_table))]
mod tests {
    use super::super::{
        tests::support::{
            compile,
            compile_strict,
            Compiled, //
        },
        Access,
        Action,
        Cdb,
        Class,
        FastTable,
        Time,
        STOCK, //
    };

    fn table(filter: &Compiled) -> FastTable {
        let mut table = FastTable::unknown();
        table.fill(&filter.view());
        table
    }

    /// Tells whether a search agrees with the table for all CDBs; `None` if there is no filter.
    fn agrees(filter: Option<Compiled>) -> Option<bool> {
        let filter = filter?;
        agrees_at(&filter, &table(&filter), Time::ZERO)
    }

    /// The same at a time.
    fn agrees_at(filter: &Compiled, table: &FastTable, now: Time) -> Option<bool> {
        let mut agree = true;
        for opcode in 0..=u8::MAX {
            for fill in [0x00, 0x10, 0x5a, 0xff] {
                let mut cdb = [fill; 32];
                cdb[0] = opcode;
                let view = filter.view();
                let found = view.first_match(&Cdb::new(&cdb)?, || now);
                for open_for_write in [false, true] {
                    let answer = table.get(opcode);
                    if answer.is_unmentioned() {
                        agree &= found.is_none();
                    }
                    agree &= answer.is_known() || !answer.is_allowed(open_for_write);
                    if answer.is_known() && !answer.is_unmentioned() {
                        agree &= found.is_some_and(|(number, rule)| {
                            let allowed = match rule.action() {
                                Action::Allow(Access::Read) => true,
                                Action::Allow(Access::Write) => open_for_write,
                                Action::Deny => false,
                            };
                            answer.rule() == number
                                && answer.is_allowed(open_for_write) == allowed
                                && rule.fields().next().is_none()
                        });
                    }
                }
            }
        }
        Some(agree)
    }

    #[test]
    fn agrees_with_the_search() {
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
    fn a_rule_with_a_deadline_is_searched_for_until_it_ends() {
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
                    let answer = table.as_ref().zip(filter.as_ref()).map(|(table, filter)| {
                        table.update(&filter.view(), opcode, now);
                        table.get(opcode)
                    });
                    let known = answer
                        .filter(|answer| answer.is_known())
                        .map(|answer| (answer.is_allowed(false), answer.is_allowed(true)));
                    assert_eq!(known, expected);
                }
                let agrees = table
                    .as_ref()
                    .zip(filter.as_ref())
                    .and_then(|(table, filter)| agrees_at(filter, table, now));
                assert_eq!(agrees, Some(true));
                // One behind a permanent rule does not matter.
                let behind = table.as_ref().map(|table| table.get(0x2b));
                assert!(behind.is_some_and(|answer| answer.rule() == 5 && answer.is_allowed(false)));
            }
        }
    }

    #[test]
    fn has_answers_that_need_no_search() {
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
            // Settings decide, whatever the rules are.
            (0x5f, None),
            (0xa0, None),
        ] {
            let found = table.as_ref().and_then(|table| {
                let answer = table.get(opcode);
                let known = (
                    answer.rule(),
                    answer.is_allowed(false),
                    answer.is_allowed(true),
                );
                assert!(!answer.is_unmentioned());
                answer.is_known().then_some(known)
            });
            assert_eq!(found, expected);
        }
        let silent = table.map(|table| table.get(0x00));
        assert!(silent.is_some_and(|answer| answer.is_unmentioned() && answer.is_known()));
        assert!(silent.is_some_and(|answer| !answer.is_allowed(false) && !answer.is_allowed(true)));
    }
}
