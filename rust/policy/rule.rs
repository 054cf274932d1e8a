// SPDX-License-Identifier: GPL-2.0

//! A rule: which commands it matches, and whether it allows them. For its text see `parse.rs` and
//! `print.rs`.

use super::{
    ByteSet,
    Cdb,
    MAX_CDB, //
};

/// How many fields a rule may have.
pub const MAX_FIELDS: usize = 6;

/// What a command needs of the open file it is sent through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Any open will do (`r`).
    Read,
    /// The file must be open for writing (`w`).
    Write,
}

/// What a rule does with the commands it matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Allowed, given that access.
    Allow(Access),
    /// Refused.
    Deny,
}

/// A condition on one byte of the CDB: `byte & mask` must be one of `values`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field {
    byte: u8,
    mask: u8,
    values: ByteSet,
}

impl Field {
    /// Returns the condition, `None` if it is invalid.
    ///
    /// `byte` counts from 0 and is 1 to 31 (byte 0 is the opcode). `mask` is not 0. `values` is
    /// not empty and has no value with a bit outside the mask, which could never match.
    pub fn new(byte: u8, mask: u8, values: ByteSet) -> Option<Field> {
        let valid = (1..MAX_CDB).contains(&usize::from(byte))
            && mask != 0
            && !values.is_empty()
            && values.iter().all(|value| value & !mask == 0);
        valid.then_some(Field { byte, mask, values })
    }

    /// Returns the index of the byte, 1 to 31.
    pub fn byte(&self) -> u8 {
        self.byte
    }

    /// Returns the mask, 01h to ffh.
    pub fn mask(&self) -> u8 {
        self.mask
    }

    /// Returns the values looked for, all inside the mask.
    pub fn values(&self) -> &ByteSet {
        &self.values
    }
}

/// A rule: an action on the commands with certain opcodes and, where given, certain fields.
///
/// A rule looks at the CDB alone. The access is part of its action, not of what it matches: a
/// matching `allow w` refuses a file opened read-only, and no later rule is asked. So which rule
/// decides does not depend on how the device was opened, and a later, wider `allow r` does not remove
/// the need for a write open.
///
/// Fields are kept in a canonical order (by byte, mask, values), since all of them must hold:
/// rules that differ in the order of their fields only are equal.
// The three parts of the fields are kept apart to save their padding: 240 bytes instead of 280.
// Unused places are zero, which the derived equality relies on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    opcodes: ByteSet,
    values: [ByteSet; MAX_FIELDS],
    bytes: [u8; MAX_FIELDS],
    masks: [u8; MAX_FIELDS],
    nr_fields: u8,
    action: Action,
}

impl Rule {
    /// Returns the rule without fields on `opcodes`, `None` if there is no opcode.
    pub const fn new(action: Action, opcodes: ByteSet) -> Option<Rule> {
        if opcodes.is_empty() {
            return None;
        }
        Some(Rule {
            opcodes,
            values: [ByteSet::EMPTY; MAX_FIELDS],
            bytes: [0; MAX_FIELDS],
            masks: [0; MAX_FIELDS],
            nr_fields: 0,
            action,
        })
    }

    /// Adds a condition, so that the rule matches less; `None` beyond [`MAX_FIELDS`].
    pub fn with_field(mut self, field: Field) -> Option<Rule> {
        let order = |field: &Field| (field.byte, field.mask, field.values);
        let end = usize::from(self.nr_fields);
        let at = self
            .fields()
            .take_while(|other| order(other) <= order(&field))
            .count();

        insert(self.bytes.get_mut(at..=end)?, field.byte);
        insert(self.masks.get_mut(at..=end)?, field.mask);
        insert(self.values.get_mut(at..=end)?, field.values);
        self.nr_fields += 1;
        Some(self)
    }

    /// Returns what the rule does with the commands it matches.
    #[inline]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Returns the opcodes it is about, never none.
    pub const fn opcodes(&self) -> &ByteSet {
        &self.opcodes
    }

    /// Returns its conditions in canonical order.
    pub fn fields(&self) -> impl Iterator<Item = Field> + '_ {
        self.raw_fields().map(|(byte, mask, values)| Field {
            byte,
            mask,
            values: *values,
        })
    }

    /// Tells whether the rule is about this command: opcode and all fields match.
    ///
    /// A field may name a byte behind the end of the CDB. It is unknown what the device would see
    /// there, so the answer is the narrower one: a rule that allows does not match, a rule that denies
    /// does.
    #[inline]
    pub fn matches(&self, cdb: &Cdb<'_>) -> bool {
        let when_absent = matches!(self.action, Action::Deny);

        self.opcodes.contains(cdb.opcode())
            && self
                .raw_fields()
                .all(|(byte, mask, values)| match cdb.byte(byte) {
                    Some(value) => values.contains(value & mask),
                    None => when_absent,
                })
    }

    #[inline]
    fn raw_fields(&self) -> impl Iterator<Item = (u8, u8, &ByteSet)> {
        self.bytes
            .iter()
            .zip(&self.masks)
            .zip(&self.values)
            .take(usize::from(self.nr_fields))
            .map(|((byte, mask), values)| (*byte, *mask, values))
    }
}

/// Puts `value` in front of `places` and drops the last element.
fn insert<T>(places: &mut [T], value: T) {
    places.rotate_right(1);
    if let Some(first) = places.first_mut() {
        *first = value;
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_rule))]
mod tests {
    use super::super::{
        tests::support::{
            prints_as,
            rule, //
        },
        Access,
        Action,
        ByteSet,
        Cdb,
        Field,
        Rule,
        MAX_CDB,
        MAX_FIELDS, //
    };

    /// Whether the rule of a text matches a CDB.
    fn matches(text: &str, cdb: &[u8]) -> Option<bool> {
        Some(rule(text)?.matches(&Cdb::new(cdb)?))
    }

    #[test]
    fn size() {
        assert!(size_of::<Rule>() <= 256);
    }

    #[test]
    fn opcodes() {
        for opcode in 0..=255u8 {
            let expected = Some(matches!(opcode, 0x12 | 0x40..=0x4f | 0xff));
            assert_eq!(matches("allow r 12,40-4f,ff", &[opcode, 0x12]), expected);
        }
    }

    #[test]
    fn masks_and_ranges() {
        for value in 0..=255u8 {
            let cdb = [0x5f, value, 0, 0, 0, 0];
            for (text, expected) in [
                ("allow w 5f [1]=04", value == 4),
                ("allow w 5f [1]=04-06", (4..=6).contains(&value)),
                ("allow w 5f [1]=00-03,fe-ff", value <= 3 || value >= 0xfe),
                ("allow w 5f [1]&1f=06", value % 32 == 6),
                (
                    "allow w 5f [1]&1f=00-04,06",
                    matches!(value % 32, 0..=4 | 6),
                ),
                ("allow w 5f [1]&e0=20", value / 32 == 1),
                ("allow w 5f [1]&01=00", value % 2 == 0),
                ("allow w 5f [1]&80=80", value >= 0x80),
                ("deny 5f [1]&1f=06", value % 32 == 6),
                ("allow w 5f [2]=00", true),
                ("allow w 5e [1]=00-ff", false),
            ] {
                assert_eq!(matches(text, &cdb), Some(expected));
            }
        }
    }

    #[test]
    fn all_fields_must_hold() {
        let text = "allow w 7f [7]=18 [8]=00 [9]=0b-0d";
        for (at, value, expected) in [
            (1, 0xff, true),
            (7, 0x18, true),
            (7, 0x17, false),
            (8, 0x01, false),
            (9, 0x0a, false),
            (9, 0x0d, true),
            (9, 0x0e, false),
        ] {
            let mut cdb = [0; MAX_CDB];
            (cdb[0], cdb[7], cdb[9]) = (0x7f, 0x18, 0x0b);
            assert_eq!(matches(text, &cdb), Some(true));
            cdb[at] = value;
            assert_eq!(matches(text, &cdb), Some(expected));
        }
    }

    #[test]
    fn one_byte_twice() {
        let text = "allow r 12 [1]&0f=03 [1]&80=80";
        for value in 0..=255u8 {
            let expected = value % 16 == 3 && value >= 0x80;
            assert_eq!(matches(text, &[0x12, value]), Some(expected));
        }
    }

    #[test]
    fn absent_bytes_close() {
        // Whatever the length, a field behind the end keeps an allow rule from matching and makes
        // a deny rule match; opcode and the other fields count as always.
        let mut cdb = [0u8; MAX_CDB];
        cdb[0] = 0x9e;
        for len in 1..=MAX_CDB {
            let cdb = &cdb[..len];
            for byte in 1..MAX_CDB as u8 {
                let field = Field::new(byte, 0xff, ByteSet::from_bytes(&[0]));
                let other = Field::new(byte, 0xff, ByteSet::from_bytes(&[1]));
                let present = usize::from(byte) < len;
                for (action, field, expected) in [
                    (Action::Allow(Access::Read), field, present),
                    (Action::Allow(Access::Write), field, present),
                    (Action::Allow(Access::Read), other, false),
                    (Action::Deny, field, true),
                    (Action::Deny, other, !present),
                ] {
                    let rule = Rule::new(action, ByteSet::from_bytes(&[0x9e]));
                    let rule = rule.and_then(|rule| rule.with_field(field?));
                    let matched = rule.and_then(|rule| Some(rule.matches(&Cdb::new(cdb)?)));
                    assert_eq!(matched, Some(expected));
                }
            }
        }
        assert_eq!(matches("deny 9e [1]=05 [31]=00", &[0x9e, 4]), Some(false));
        assert_eq!(matches("deny 9e [1]=05 [31]=00", &[0x9e, 5]), Some(true));
        assert_eq!(matches("deny 9e [31]=00", &[0x9f]), Some(false));
    }

    #[test]
    fn equality_is_of_meaning() {
        for (one, other, equal) in [
            ("deny 7f [8]=00 [9]=0b", "deny 7f [9]=0b [8]=00", true),
            ("deny 12 [1]&01=00 [1]=02", "deny 12 [1]=02 [1]&01=00", true),
            ("deny 12 [1]=03 [1]=02", "deny 12 [1]=02 [1]=03", true),
            ("deny 10,11,12", "deny 10-12", true),
            ("deny 12", "allow r 12", false),
            ("allow w 12", "allow r 12", false),
            ("deny 12", "deny 12-13", false),
            ("deny 12", "deny 12 [1]=00-ff", false),
            ("deny 12 [1]=00", "deny 12 [2]=00", false),
            ("deny 12 [1]&1f=00", "deny 12 [1]=00", false),
            ("deny 12 [1]=00", "deny 12 [1]=01", false),
        ] {
            assert!(rule(one).is_some() && rule(other).is_some());
            assert!((rule(one) == rule(other)) == equal);
        }
    }

    #[test]
    fn constructors_refuse_what_is_invalid() {
        let zero = ByteSet::from_bytes(&[0]);
        assert!(Rule::new(Action::Deny, ByteSet::EMPTY).is_none());
        assert!(Field::new(0, 0xff, zero).is_none());
        assert!(Field::new(32, 0xff, zero).is_none());
        assert!(Field::new(1, 0, zero).is_none());
        assert!(Field::new(1, 0xff, ByteSet::EMPTY).is_none());
        assert!(Field::new(1, 0x1f, ByteSet::from_bytes(&[0x1f, 0x20])).is_none());
        assert!(Field::new(1, 0x1f, ByteSet::from_bytes(&[0x1f, 0x00])).is_some());
        assert!(Field::new(31, 0x01, zero).is_some());
    }

    #[test]
    fn fields_sort_and_end_at_six() {
        let zero = ByteSet::from_bytes(&[0]);
        let mut rule = Rule::new(Action::Deny, zero);
        for byte in [5, 1, 4, 2, 6, 3] {
            rule = rule.and_then(|rule| rule.with_field(Field::new(byte, 0xff, zero)?));
        }
        assert!(rule.is_some_and(|rule| rule.fields().count() == MAX_FIELDS));
        let text = "deny 00 [1]=00 [2]=00 [3]=00 [4]=00 [5]=00 [6]=00";
        assert!(rule.is_some_and(|rule| prints_as(&rule, text)));
        for byte in [1, 3, 7] {
            let seventh = rule.and_then(|rule| rule.with_field(Field::new(byte, 0xff, zero)?));
            assert!(seventh.is_none());
        }
    }
}
