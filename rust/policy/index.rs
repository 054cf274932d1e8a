// SPDX-License-Identifier: GPL-2.0

//! The index of a list: for each opcode, the numbers of the rules that mention it, in order.
//!
//! The cost of a decision depends only on the number of rules that mention its opcode. The caller owns
//! the memory: it asks for the length ([`index_len`]), allocates, fills ([`fill_index`]) and looks up
//! ([`Filter`]).

use super::{
    Cdb,
    ListedRule,
    Rule,
    Time,
    MAX_RULES, //
};

/// Where the entries of each opcode start; those of opcode `n` end where `n + 1` starts.
pub type Start = [u32; 257];

/// The [`Start`] of a list without rules.
pub static EMPTY_START: Start = [0; 257];

/// The memory offered does not fit the rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexError;

/// Returns how many entries the index of these rules has: at most 256 a rule.
pub fn index_len(rules: &[ListedRule]) -> usize {
    rules
        .iter()
        .map(|listed| listed.rule().opcodes().len())
        .sum()
}

/// Fills the index of `rules`.
///
/// # Errors
///
/// [`IndexError`] if there are more than [`MAX_RULES`] rules or `entries` does not have exactly
/// [`index_len`] elements; what has been written is then of no use.
pub fn fill_index(
    rules: &[ListedRule],
    start: &mut Start,
    entries: &mut [u16],
) -> Result<(), IndexError> {
    if rules.len() > MAX_RULES || entries.len() != index_len(rules) {
        return Err(IndexError);
    }

    start.fill(0);
    for listed in rules {
        for opcode in listed.rule().opcodes().iter() {
            *start.get_mut(usize::from(opcode) + 1).ok_or(IndexError)? += 1;
        }
    }
    let mut sum = 0;
    for place in start.iter_mut() {
        sum += *place;
        *place = sum;
    }

    // While filling, each opcode's start is moved to where its next entry goes ...
    for (number, listed) in (0u16..).zip(rules) {
        for opcode in listed.rule().opcodes().iter() {
            let place = start.get_mut(usize::from(opcode)).ok_or(IndexError)?;
            *entries.get_mut(*place as usize).ok_or(IndexError)? = number;
            *place += 1;
        }
    }

    // ... and so ends up where the next opcode's start was.
    start.copy_within(..256, 1);
    start[0] = 0;
    Ok(())
}

/// A list of rules with its index: what commands are looked up in.
#[derive(Clone, Copy)]
pub struct Filter<'a> {
    rules: &'a [ListedRule],
    start: &'a Start,
    entries: &'a [u16],
}

impl<'a> Filter<'a> {
    /// The filter without rules, which matches nothing.
    pub const EMPTY: Filter<'static> = Filter {
        rules: &[],
        start: &EMPTY_START,
        entries: &[],
    };

    /// Puts rules and their index, as [`fill_index`] filled it, together.
    ///
    /// An index of other rules makes wrong answers, but never a panic.
    #[inline]
    pub const fn new(rules: &'a [ListedRule], start: &'a Start, entries: &'a [u16]) -> Filter<'a> {
        Filter {
            rules,
            start,
            entries,
        }
    }

    /// Returns the rules in their order, those that have ended too.
    #[inline]
    pub const fn rules(&self) -> &'a [ListedRule] {
        self.rules
    }

    /// Returns the first rule that applies and matches, and its number, counted from 0. A rule that
    /// ends asks for the time.
    ///
    /// Takes time in proportion to the rules that mention the opcode.
    #[inline]
    pub fn first_match(&self, cdb: &Cdb<'_>, now: impl Fn() -> Time) -> Option<(u16, &'a Rule)> {
        self.mentioning(cdb.opcode())
            .find(|(_, listed)| listed.applies(&now) && listed.rule().matches(cdb))
            .map(|(number, listed)| (number, listed.rule()))
    }

    /// Returns the rules that mention an opcode in their order, those that have ended too, with
    /// their numbers.
    #[inline]
    pub(super) fn mentioning(&self, opcode: u8) -> impl Iterator<Item = (u16, &'a ListedRule)> {
        let rules = self.rules;
        let first = self.start.get(usize::from(opcode));
        let end = self.start.get(usize::from(opcode) + 1);
        let numbers = match (first, end) {
            (Some(first), Some(end)) => self.entries.get(*first as usize..*end as usize),
            _ => None,
        };
        numbers
            .unwrap_or_default()
            .iter()
            .filter_map(move |number| Some((*number, rules.get(usize::from(*number))?)))
    }

    /// Returns the number that a rule has among those that apply at `now`: the number of its line in
    /// the list as it is printed.
    pub fn number_at(&self, number: u16, now: Time) -> u16 {
        let before = self.rules.get(..usize::from(number)).unwrap_or_default();
        let ended = before.iter().filter(|listed| !listed.applies(|| now));
        // There are no more than `number` of them.
        number - ended.count() as u16
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_index))]
mod tests {
    use super::super::{
        fill_index,
        index_len,
        tests::support::{
            compile,
            compile_list,
            rule,
            RuleVec, //
        },
        Cdb,
        Filter,
        IndexError,
        ListedRule,
        RuleStore,
        Time,
        EMPTY_START,
        MAX_CDB,
        MAX_RULES, //
    };

    /// The number of the first rule that matches; the outer `None` for a bad text or CDB.
    fn first(text: &str, cdb: &[u8]) -> Option<Option<u16>> {
        let filter = compile(text)?;
        let found = filter.view().first_match(&Cdb::new(cdb)?, || Time::ZERO);
        Some(found.map(|(number, _)| number))
    }

    #[test]
    fn the_first_match_wins() {
        for (text, cdb, expected) in [
            ("deny 12", &[0x12][..], Some(0)),
            ("deny 12", &[0x13], None),
            ("allow r 12\ndeny 12", &[0x12], Some(0)),
            ("deny 12\nallow r 12", &[0x12], Some(0)),
            ("deny 13\nallow r 12\ndeny 12", &[0x12], Some(1)),
            ("deny 00-11,13-ff\nallow r 00-ff", &[0x12], Some(1)),
            ("deny 00-11,13-ff\nallow r 00-ff", &[0xff], Some(0)),
            ("deny 9e [1]=18\nallow r 9e", &[0x9e, 0x18], Some(0)),
            ("deny 9e [1]=18\nallow r 9e", &[0x9e, 0x10], Some(1)),
            ("allow r 9e\ndeny 9e [1]=18", &[0x9e, 0x18], Some(0)),
            // A rule that needs a write open still wins over a later one for any open.
            ("allow w 9e\nallow r 9e", &[0x9e], Some(0)),
            // On a CDB without the byte an allow rule is passed over, a deny rule not.
            ("allow r 9e [1]=10\nallow w 9e", &[0x9e], Some(1)),
            ("deny 9e [1]=18\nallow r 9e", &[0x9e], Some(0)),
        ] {
            assert_eq!(first(text, cdb), Some(expected));
        }
    }

    #[test]
    fn variable_length() {
        let text = "allow r 7f [7]=18 [8]=00 [9]=09-0a\nallow w 7f [7]=18 [8]=00 [9]=0b-0d";
        for (length, high, low, expected) in [
            (0x18, 0x00, 0x08, None),
            (0x18, 0x00, 0x09, Some(0)),
            (0x18, 0x00, 0x0a, Some(0)),
            (0x18, 0x00, 0x0b, Some(1)),
            (0x18, 0x00, 0x0d, Some(1)),
            (0x18, 0x00, 0x0e, None),
            (0x18, 0x1f, 0xf0, None),
            (0x18, 0x01, 0x0b, None),
            (0x10, 0x00, 0x0b, None),
        ] {
            let mut cdb = [0; MAX_CDB];
            (cdb[0], cdb[7], cdb[8], cdb[9]) = (0x7f, length, high, low);
            assert_eq!(first(text, &cdb), Some(expected));
            assert_eq!(first(text, &cdb[..10]), Some(expected));
            // Without the whole service action nothing is allowed.
            for len in 1..10 {
                assert_eq!(first(text, &cdb[..len]), Some(None));
            }
        }
    }

    #[test]
    fn every_opcode_finds_its_rules() {
        // Below 20h rule 0 has the odd opcodes, rule 1 every fourth; rule 2 has all.
        let mut rules = RuleVec::new();
        for text in [
            "deny 01,03,05,07,09,0b,0d,0f,11,13,15,17,19,1b,1d,1f",
            "allow r 00,04,08,0c,10,14,18,1c",
            "allow w 00-ff",
        ] {
            assert!(rule(text)
                .map(ListedRule::permanent)
                .is_some_and(|rule| rules.push(rule).is_ok()));
        }
        assert_eq!(index_len(rules.rules()), 16 + 8 + 256);
        let filter = compile_list(rules);
        for opcode in 0..=255u8 {
            let found = filter.as_ref().and_then(|filter| {
                Some(
                    filter
                        .view()
                        .first_match(&Cdb::new(&[opcode])?, || Time::ZERO)?
                        .0,
                )
            });
            let expected = match opcode {
                0..0x20 if opcode % 2 == 1 => 0,
                0..0x20 if opcode % 4 == 0 => 1,
                _ => 2,
            };
            assert_eq!(found, Some(expected));
        }
    }

    #[test]
    fn numbers_of_lines() {
        let filter = compile("deny 01 for=5\ndeny 02\ndeny 03 for=3\ndeny 04\ndeny 05 for=5");
        for (second, expected) in [
            (0, [0, 1, 2, 3, 4]),
            (3, [0, 1, 2, 2, 3]),
            (5, [0, 0, 1, 1, 2]),
        ] {
            for (number, expected) in (0..).zip(expected) {
                let now = Time::from_nanos(second * 1_000_000_000);
                let found = filter
                    .as_ref()
                    .map(|filter| filter.view().number_at(number, now));
                assert_eq!(found, Some(expected));
            }
        }
        // A number that no rule has is no reason to panic.
        let found = filter.map(|filter| filter.view().number_at(9, Time::ZERO));
        assert_eq!(found, Some(9));
    }

    #[test]
    fn no_rules() {
        for opcode in 0..=255u8 {
            let cdb = [opcode];
            let found =
                Cdb::new(&cdb).map(|cdb| Filter::EMPTY.first_match(&cdb, || Time::ZERO).is_none());
            assert_eq!(found, Some(true));
        }
        let filter = compile_list(RuleVec::new());
        assert!(filter.is_some_and(|filter| filter.view().rules().is_empty()));
    }

    #[test]
    fn many_rules() {
        // 4095 rules that never match a zeroed CDB, and one that does, on all opcodes: the largest
        // index there is.
        let mut rules = RuleVec::new();
        let listed = |text| rule(text).map(ListedRule::permanent);
        let (other, last) = (listed("deny 00-ff [1]=01"), listed("allow r 00-ff [1]=00"));
        for number in 1..=MAX_RULES {
            let next = if number < MAX_RULES { other } else { last };
            assert!(next.is_some_and(|next| rules.push(next).is_ok()));
        }
        assert_eq!(index_len(rules.rules()), MAX_RULES * 256);
        let filter = compile_list(rules);
        assert!(filter.is_some());
        for opcode in [0x00, 0x12, 0xff] {
            let found = filter.as_ref().and_then(|filter| {
                let (number, _) = filter
                    .view()
                    .first_match(&Cdb::new(&[opcode, 0])?, || Time::ZERO)?;
                Some(usize::from(number))
            });
            assert_eq!(found, Some(MAX_RULES - 1));
        }
    }

    #[test]
    fn memory_of_the_wrong_size() {
        let mut start = EMPTY_START;
        let mut entries = [0u16; 4];
        let mut rules = RuleVec::new();
        let listed = rule("deny 12-14").map(ListedRule::permanent);
        assert!(listed.is_some_and(|rule| rules.push(rule).is_ok()));
        for (len, expected) in [
            (0, Err(IndexError)),
            (2, Err(IndexError)),
            (3, Ok(())),
            (4, Err(IndexError)),
        ] {
            let filled = fill_index(rules.rules(), &mut start, &mut entries[..len]);
            assert_eq!(filled, expected);
        }
    }

    #[test]
    fn an_index_of_other_rules_does_not_panic() {
        let mut start = EMPTY_START;
        start[0x12] = 7;
        start[0x13] = u32::MAX;
        let mut rules = RuleVec::new();
        let listed = rule("deny 12-14").map(ListedRule::permanent);
        assert!(listed.is_some_and(|rule| rules.push(rule).is_ok()));
        for opcode in 0..=255u8 {
            let filter = Filter::new(rules.rules(), &start, &[9, 9]);
            let cdb = [opcode];
            assert!(
                Cdb::new(&cdb).is_some_and(|cdb| filter.first_match(&cdb, || Time::ZERO).is_none())
            );
        }
        // It does not find a rule for an opcode that the rule does not mention.
        start = [1; 257];
        start[0] = 0;
        let filter = Filter::new(rules.rules(), &start, &[0]);
        assert!(Cdb::new(&[0]).is_some_and(|cdb| filter.first_match(&cdb, || Time::ZERO).is_none()));
    }
}
