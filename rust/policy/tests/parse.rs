// SPDX-License-Identifier: GPL-2.0

//! Tests of the grammar: what a line means, and which mistake is found where.

#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_parse))]
mod tests {
    use super::super::{
        super::{
            Change,
            ParseError,
            ParseErrorKind,
            RuleStore,
            Time, //
        },
        support::{
            lists_as,
            prints_as,
            rule,
            text_rule,
            RuleVec, //
        },
    };

    /// What is wrong with a text, `None` if nothing is.
    fn error(text: &[u8]) -> Option<(u32, u32, ParseErrorKind)> {
        match Change::parse(text) {
            Ok(_) => None,
            Err(ParseError { line, column, kind }) => Some((line, column, kind)),
        }
    }

    #[test]
    fn good_lines() {
        for (text, canonical) in [
            ("allow r 12", "allow r 12"),
            ("allow w 42\n", "allow w 42"),
            ("deny 48\n\n", "deny 48"),
            (" \tallow\t r  \t12 \t", "allow r 12"),
            ("allow r 12# why", "allow r 12"),
            ("allow r 12 # why, [1]=00 and so on", "allow r 12"),
            ("# first\n\n \t\nallow r 12", "allow r 12"),
            ("deny 00-ff", "deny 00-ff"),
            ("deny 00-00", "deny 00"),
            ("deny FF,aB,Cd", "deny ab,cd,ff"),
            ("deny 04,03,02,01,00", "deny 00-04"),
            ("deny 10-1f,18-2f,30", "deny 10-30"),
            ("allow w 5f [1]&1f=00-04,06", "allow w 5f [1]&1f=00-04,06"),
            ("allow r 85 [14]=EC,b0", "allow r 85 [14]=b0,ec"),
            ("allow r 12 [1]&FF=00", "allow r 12 [1]=00"),
            ("allow r 12 [31]=00", "allow r 12 [31]=00"),
            ("allow r 12 [9]=00 [1]=01", "allow r 12 [1]=01 [9]=00"),
            (
                "allow r 12 [1]&01=01 [1]&02=02",
                "allow r 12 [1]&01=01 [1]&02=02",
            ),
            ("deny 12 [1]&80=80,00# x", "deny 12 [1]&80=00,80"),
            ("allow w 89 for=1", "allow w 89 for=1"),
            ("allow w 89\tfor=31622400 ", "allow w 89 for=31622400"),
            ("deny 48 for=600# why", "deny 48 for=600"),
            ("deny 48 # for=600", "deny 48"),
            ("deny 48 [1]=01,00 for=9", "deny 48 [1]=00-01 for=9"),
        ] {
            assert!(text_rule(text).is_some_and(|rule| prints_as(&rule, canonical)));
        }
    }

    #[test]
    fn bad_lines() {
        use ParseErrorKind as E;
        for (text, column, kind) in [
            ("allow", 6, E::Access),
            ("allow x 12", 7, E::Access),
            ("allow rw 12", 7, E::Access),
            ("allow 12", 7, E::Access),
            ("allowr 12", 1, E::Action),
            ("Allow r 12", 1, E::Action),
            ("permit r 12", 1, E::Action),
            ("12", 1, E::Action),
            ("denyx 12", 1, E::Action),
            ("deny r 12", 6, E::Hex),
            ("deny", 5, E::Hex),
            ("deny # 12", 6, E::Hex),
            ("allow r", 8, E::Hex),
            ("allow r 1", 9, E::Hex),
            ("allow r 123", 9, E::Hex),
            ("allow r 0x12", 9, E::Hex),
            ("allow r g0", 9, E::Hex),
            ("allow r 12,", 12, E::Hex),
            ("allow r 12, 13", 12, E::Hex),
            ("allow r ,12", 9, E::Hex),
            ("allow r 12-", 12, E::Hex),
            ("allow r 12-1", 12, E::Hex),
            ("allow r 10,13-12", 12, E::Descending),
            ("allow r 10-20-30", 14, E::AfterValue),
            ("allow r 12;13", 11, E::AfterValue),
            ("allow r 12[1]=00", 11, E::AfterValue),
            ("allow r 12 13", 12, E::Field),
            ("allow r 12 allow r 13", 12, E::Field),
            ("allow r 12 - deny 13", 12, E::Field),
            ("allow r 12 []=00", 13, E::FieldByte),
            ("allow r 12 [0]=00", 13, E::OpcodeByte),
            ("allow r 12 [00]=00", 13, E::FieldByte),
            ("allow r 12 [01]=00", 13, E::FieldByte),
            ("allow r 12 [32]=00", 13, E::FieldByte),
            ("allow r 12 [256]=00", 13, E::FieldByte),
            ("allow r 12 [257]=00", 13, E::FieldByte),
            ("allow r 12 [99999999999999999999]=00", 13, E::FieldByte),
            ("allow r 12 [-1]=00", 13, E::FieldByte),
            ("allow r 12 [a]=00", 13, E::FieldByte),
            ("allow r 12 [ 1]=00", 13, E::FieldByte),
            ("allow r 12 [1", 14, E::Bracket),
            ("allow r 12 [1 ]=00", 14, E::Bracket),
            ("allow r 12 [1]", 15, E::Equals),
            ("allow r 12 [1] =00", 15, E::Equals),
            ("allow r 12 [1]00", 15, E::Equals),
            ("allow r 12 [1]&=00", 16, E::Hex),
            ("allow r 12 [1]&1=00", 16, E::Hex),
            ("allow r 12 [1]&00=00", 16, E::Mask),
            ("allow r 12 [1]&1f", 18, E::Equals),
            ("allow r 12 [1]&1f&1f=00", 18, E::Equals),
            ("allow r 12 [1]=", 16, E::Hex),
            ("allow r 12 [1]= 00", 16, E::Hex),
            ("allow r 12 [1]=0", 16, E::Hex),
            ("allow r 12 [1]=00,", 19, E::Hex),
            ("allow r 12 [1]=05-04", 16, E::Descending),
            ("allow r 12 [1]=00[2]=00", 18, E::AfterValue),
            ("allow r 12 [1]&1f=20", 19, E::OutsideMask),
            ("allow r 12 [1]&f0=00-f0", 19, E::OutsideMask),
            ("allow r 12 [1]&1f=00,1f,ff", 19, E::OutsideMask),
            ("allow w 89 for", 12, E::Field),
            ("allow w 89 for =5", 12, E::Field),
            ("allow w 89 For=5", 12, E::Field),
            ("allow w 89 for=", 16, E::Lifetime),
            ("allow w 89 for= 5", 16, E::Lifetime),
            ("allow w 89 for=0", 16, E::Lifetime),
            ("allow w 89 for=05", 16, E::Lifetime),
            ("allow w 89 for=-1", 16, E::Lifetime),
            ("allow w 89 for=+1", 16, E::Lifetime),
            ("allow w 89 for=1.5", 16, E::Lifetime),
            ("allow w 89 for=1s", 16, E::Lifetime),
            ("allow w 89 for=0x10", 16, E::Lifetime),
            ("allow w 89 for=1,2", 16, E::Lifetime),
            ("allow w 89 for=31622401", 16, E::Lifetime),
            ("allow w 89 for=99999999999", 16, E::Lifetime),
            ("allow w 89 for=4294967297", 16, E::Lifetime),
            ("allow w 89 for=18446744073709551617", 16, E::Lifetime),
            ("allow w 89 for=5 for=5", 18, E::AfterLifetime),
            ("allow w 89 for=5 [1]=00", 18, E::AfterLifetime),
            ("allow w 89 for=5 6", 18, E::AfterLifetime),
            ("allow w for=5", 9, E::Hex),
            ("allow w 89for=5", 9, E::Hex),
            ("allow w 89 [1]=00for=5", 16, E::Hex),
            ("+ + allow r 12", 3, E::Action),
            ("-+allow r 12", 2, E::Action),
            ("+", 2, E::Action),
        ] {
            assert_eq!(error(text.as_bytes()), Some((1, column, kind)));
        }
    }

    #[test]
    fn bad_characters() {
        for byte in (0..=255u8).filter(|byte| !matches!(byte, b'\t' | b'\n' | b' '..=b'~')) {
            let mut text = *b"deny 12 # ?\nallow";
            text[10] = byte;
            assert_eq!(error(&text), Some((1, 11, ParseErrorKind::Character(byte))));
        }
        // A line that DOS ended is not a rule with a strange end, but an error.
        assert_eq!(
            error(b"deny 12\r\n"),
            Some((1, 8, ParseErrorKind::Character(b'\r')))
        );
        assert_eq!(
            error(b"deny 12\0"),
            Some((1, 8, ParseErrorKind::Character(0)))
        );
    }

    #[test]
    fn a_cut_text_is_never_another_rule() {
        // However it is cut inside a word, the rest is an error: only ends of words are ends.
        let text = "allow w 5f,8a [1]&1f=00-04,06 [12]=a0";
        let words = [10, 13, 23, 26, 29, 37];
        for end in 1..=text.len() {
            let cut = &text[..end];
            let whole = words.contains(&end) || cut.ends_with(' ') && end > 9;
            assert_eq!(rule(cut).is_some(), whole);
        }
    }

    #[test]
    fn the_place_of_an_error() {
        use ParseErrorKind as E;
        for (text, line, column, kind) in [
            ("deny 1", 1, 6, E::Hex),
            ("\n\ndeny 1\n", 3, 6, E::Hex),
            ("deny 11\n# x\n\tdeny 1\ndeny 2", 3, 7, E::Hex),
            ("deny 11\nx\ny", 2, 1, E::Action),
            ("deny 11\n+deny 12", 2, 1, E::MixedPrefixes),
            ("+deny 11\n\n  deny 12", 3, 3, E::MixedPrefixes),
            (
                "-deny 11\n+deny 12\ndeny 13\n-deny 1",
                3,
                1,
                E::MixedPrefixes,
            ),
            ("", 1, 1, E::Empty),
            ("\n\n", 1, 1, E::NoRule),
            (" \n", 1, 1, E::NoRule),
            ("# nothing", 1, 1, E::NoRule),
            ("# nothing\n", 1, 1, E::NoRule),
        ] {
            assert_eq!(error(text.as_bytes()), Some((line, column, kind)));
        }
    }

    #[test]
    fn fields_up_to_six() {
        let text = "deny 7f [7]=18 [8]=00 [9]=09 [10]&e0=20 [11]=00 [12]=00";
        assert!(rule(text).is_some_and(|rule| prints_as(&rule, text)));
        assert_eq!(
            error(b"deny 7f [7]=18 [8]=00 [9]=09 [10]&e0=20 [11]=00 [12]=00 [13]=00"),
            Some((1, 57, ParseErrorKind::TooManyFields))
        );
    }

    /// Two pages and more of one line: blanks, then a list that says the same a thousand times.
    static LONG: [u8; 9000] = {
        let mut text = [b' '; 9000];
        let (action, item) = (b"allow r ", b"00,");
        let mut at = 0;
        while at < 3008 {
            text[4096 + at] = if at < 8 {
                action[at]
            } else {
                item[(at - 8) % 3]
            };
            at += 1;
        }
        text[4096 + 3007] = b'#';
        text
    };

    /// As long, of empty lines, a rule in the last.
    static MANY: [u8; 9000] = {
        let mut text = [b'\n'; 9000];
        let rule = b"deny 48";
        let mut at = 0;
        while at < rule.len() {
            text[9000 - rule.len() + at] = rule[at];
            at += 1;
        }
        text
    };

    #[test]
    fn long_lines_and_many_lines() {
        for (text, canonical) in [(&LONG, "allow r 00\n"), (&MANY, "deny 48\n")] {
            let mut store = RuleVec::new();
            assert!(Change::parse(text)
                .is_ok_and(|change| change.apply(&mut store, Time::ZERO).is_ok()));
            assert!(lists_as(store.rules(), canonical));
        }
        assert_eq!(
            error(&LONG[..4096 + 3006]),
            Some((1, 4096 + 3006, ParseErrorKind::Hex))
        );
        assert_eq!(error(&MANY[..8999]), Some((8994, 6, ParseErrorKind::Hex)));
        assert_eq!(error(&MANY[..8993]), Some((1, 1, ParseErrorKind::NoRule)));
    }

    #[test]
    fn sentences() {
        for (text, sentence) in [
            (
                "deny 4",
                "line 1, column 6: expected exactly two hex digits",
            ),
            (
                "\ndeny 4\u{7f}",
                "line 2, column 7: byte 0x7f is not a printable ASCII character",
            ),
            (
                "deny 48 [1]=00 [2]=0 [3]=0 [4]=0",
                "line 1, column 20: expected exactly two hex digits",
            ),
        ] {
            let error = Change::parse(text.as_bytes()).err();
            assert!(error.is_some_and(|error| prints_as(&error, sentence)));
        }
    }
}
