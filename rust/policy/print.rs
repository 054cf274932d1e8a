// SPDX-License-Identifier: GPL-2.0

//! The canonical text of a rule: what the parser takes, in one way of writing only.
//!
//! Lower case, values ascending, neighbours merged into ranges (two of them too: `00-01`), the
//! mask left out when it is `ff`, one blank between the parts, no comment, no newline. Printing
//! what was parsed from it gives the same text.

use super::{
    Access,
    Action, //
    ByteSet,
    Field,
    Rule,
};
use core::fmt::{
    Display,
    Formatter,
    Result, //
};

impl Rule {
    /// A length in bytes that no canonical text exceeds, with a lifetime or without; the newline
    /// not counted.
    ///
    /// The longest set has every other value: 128 values with 127 commas.
    pub const MAX_TEXT: usize = {
        let set = 128 * 3 - 1;
        "allow w ".len()
            + set
            + super::MAX_FIELDS * (" [31]&fe=".len() + set)
            + " for=31622400".len()
    };
}

impl Display for Action {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Action::Allow(Access::Read) => "allow r",
            Action::Allow(Access::Write) => "allow w",
            Action::Deny => "deny",
        })
    }
}

impl Display for ByteSet {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut comma = "";
        for (first, last) in self.ranges() {
            write!(f, "{comma}{first:02x}")?;
            if last != first {
                write!(f, "-{last:02x}")?;
            }
            comma = ",";
        }
        Ok(())
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "[{}]", self.byte())?;
        if self.mask() != u8::MAX {
            write!(f, "&{:02x}", self.mask())?;
        }
        write!(f, "={}", self.values())
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} {}", self.action(), self.opcodes())?;
        for field in self.fields() {
            write!(f, " {field}")?;
        }
        Ok(())
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_print))]
mod tests {
    use super::super::{
        builtin::{
            strict,
            STOCK, //
        },
        tests::support::{
            prints_as,
            text_rule, //
        },
        Access,
        Action, //
        ByteSet,
        Change,
        Class,
        Field,
        Lifetime,
        Rule,
        TextRule,
    };
    use core::fmt::{
        Error,
        Result,
        Write, //
    };

    /// A text of limited size in place.
    struct Text {
        bytes: [u8; Rule::MAX_TEXT],
        len: usize,
    }

    impl Write for Text {
        fn write_str(&mut self, text: &str) -> Result {
            let end = self.len + text.len();
            let place = self.bytes.get_mut(self.len..end).ok_or(Error)?;
            place.copy_from_slice(text.as_bytes());
            self.len = end;
            Ok(())
        }
    }

    /// Prints a rule, reads that and compares; the length of the text, or `None`.
    #[inline(never)] // One buffer on the stack, not one for each call.
    fn round_trip(rule: &TextRule) -> Option<usize> {
        let mut text = Text {
            bytes: [0; Rule::MAX_TEXT],
            len: 0,
        };
        write!(text, "{rule}").ok()?;
        let printed = text.bytes.get(..text.len)?;
        let again = Change::parse(printed).ok()?.rules().next()?;
        let same = again == *rule && prints_as(&again, core::str::from_utf8(printed).ok()?);
        same.then_some(text.len)
    }

    #[test]
    fn actions() {
        for (action, text) in [
            (Action::Allow(Access::Read), "allow r 00"),
            (Action::Allow(Access::Write), "allow w 00"),
            (Action::Deny, "deny 00"),
        ] {
            let rule = Rule::new(action, ByteSet::from_bytes(&[0]));
            assert!(rule.is_some_and(|rule| prints_as(&rule, text)));
        }
    }

    #[test]
    fn sets() {
        for (values, text) in [
            (&[0x00][..], "00"),
            (&[0xff, 0x00], "00,ff"),
            (&[0x00, 0x01], "00-01"),
            (&[0x03, 0x01, 0x00, 0x04, 0x02], "00-04"),
            (&[0x3e, 0x3f, 0x40, 0x41, 0x43], "3e-41,43"),
            (&[0xfe, 0xff], "fe-ff"),
        ] {
            assert!(prints_as(&ByteSet::from_bytes(values), text));
        }
        assert!(prints_as(&ByteSet::FULL, "00-ff"));
        assert!(prints_as(&ByteSet::EMPTY, ""));
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for text in [
            "allow r 12",
            "allow w 5f [1]&1f=00-04,06",
            "deny 00-ff [31]&80=80",
            "allow w 7f [7]=18 [8]=00 [9]=09,0b-0d",
            "deny 48 [1]=00-ff [1]&01=00 [1]&02=00 [1]&04=00 [1]&08=00 [1]&10=00",
            "allow w 89 for=600",
            "deny 48 [1]=00 for=31622400",
        ] {
            assert!(text_rule(text).is_some_and(|rule| round_trip(&rule).is_some()));
        }
    }

    #[test]
    fn the_tables_are_read_back() {
        for class in Class::ALL {
            for text in strict(class) {
                let change = Change::parse(text.as_bytes());
                assert!(change
                    .is_ok_and(|change| change.rules().all(|rule| round_trip(&rule).is_some())));
            }
        }
        let change = Change::parse(STOCK.as_bytes());
        assert!(change.is_ok_and(|change| change.rules().all(|rule| round_trip(&rule).is_some())));
    }

    #[test]
    fn the_longest_text() {
        // Every other value: a set without neighbours. The masks here cost values, so the bound
        // is not quite reached.
        let mut odd = ByteSet::EMPTY;
        (0..=255u8)
            .filter(|v| v % 2 == 1)
            .for_each(|v| odd.insert(v));
        let longest = (26..32).try_fold(
            Rule::new(Action::Allow(Access::Write), odd),
            |rule, byte| Some(rule?.with_field(Field::new(byte, 0xff, odd)?)),
        );
        let longest = longest.flatten().map(|rule| TextRule {
            rule,
            lifetime: Some(Lifetime::MAX),
        });
        let len = longest.and_then(|rule| round_trip(&rule));
        assert_eq!(len, Some(Rule::MAX_TEXT - 6 * "&fe".len()));
    }
}
