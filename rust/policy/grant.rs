// SPDX-License-Identifier: GPL-2.0

//! Grants, as a transaction writes them: rules on a device for one holder, which is a cgroup.
//!
//! ```text
//! grant  := 'grant cgroup=' ID [ ' name=' NAME ] [ ' for=' SECONDS ]     its rules are the lines behind it
//! revoke := 'revoke cgroup=' ID [ ' name=' NAME ] | 'revoke all'
//! ```

use super::{
    hctl::decimal,
    Change,
    GrantFault,
    Lifetime, //
};

/// How many grants a device may have.
pub const MAX_GRANTS: usize = 4096;

/// The longest name of a grant, in bytes.
pub const MAX_GRANT_NAME: usize = 64;

/// What a section does to the grants on its device.
#[derive(Clone, Copy)]
pub enum GrantChange<'a> {
    /// Makes a grant, or replaces the one that has the same holder and name.
    Grant {
        /// The id of the holder's cgroup.
        cgroup: u64,
        /// Who makes it; may be empty.
        name: &'a [u8],
        /// How long it applies; `None`: until its holder or its device is gone, or it is revoked.
        lifetime: Option<Lifetime>,
        /// Its rules: [`ChangeKind::Replace`](super::ChangeKind::Replace).
        rules: Change<'a>,
    },
    /// Takes grants of a holder back.
    Revoke {
        /// The id of the holder's cgroup.
        cgroup: u64,
        /// The one of that name; `None`: all.
        name: Option<&'a [u8]>,
    },
    /// Takes all grants on the device back.
    RevokeAll,
}

/// The line that begins a grant or takes grants back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Header<'a> {
    Grant {
        cgroup: u64,
        name: &'a [u8],
        lifetime: Option<Lifetime>,
    },
    Revoke {
        cgroup: u64,
        name: Option<&'a [u8]>,
    },
    RevokeAll,
}

/// Tells whether a line is about grants.
pub(super) fn is_header(line: &[u8]) -> bool {
    [&b"grant"[..], b"revoke"].into_iter().any(|word| {
        line.strip_prefix(word)
            .is_some_and(|rest| matches!(rest, [] | [b' ', ..]))
    })
}

/// Reads such a line.
///
/// # Errors
///
/// The index of the wrong word in the line, and what is wrong with it.
pub(super) fn header(line: &[u8]) -> Result<Header<'_>, (usize, GrantFault)> {
    let mut words = Words { line, at: 0 };
    let gives = words.next() == Some((0, b"grant"));
    let (at, word) = words.next().unwrap_or((line.len(), b""));
    if !gives && word == b"all" {
        return match words.next() {
            None => Ok(Header::RevokeAll),
            Some((at, _)) => Err((at, GrantFault::Word)),
        };
    }
    let cgroup = number(word, b"cgroup=")
        .filter(|id| *id != 0)
        .ok_or((at, GrantFault::Cgroup))?;

    let mut next = words.next();
    let mut name = None;
    if let Some((at, word)) = next {
        if let Some(text) = word.strip_prefix(b"name=") {
            name = Some(text).filter(|text| is_name(text));
            name.ok_or((at, GrantFault::Name))?;
            next = words.next();
        }
    }
    let mut lifetime = None;
    if let Some((at, word)) = next.filter(|(_, word)| gives && word.starts_with(b"for=")) {
        lifetime = number(word, b"for=").and_then(Lifetime::from_secs);
        lifetime.ok_or((at, GrantFault::Lifetime))?;
        next = words.next();
    }
    if let Some((at, _)) = next {
        return Err((at, GrantFault::Word));
    }
    Ok(match gives {
        true => Header::Grant {
            cgroup,
            name: name.unwrap_or_default(),
            lifetime,
        },
        false => Header::Revoke { cgroup, name },
    })
}

/// A decimal number behind `prefix`, without a leading zero.
fn number<T: core::str::FromStr>(word: &[u8], prefix: &[u8]) -> Option<T> {
    let digits = core::str::from_utf8(word.strip_prefix(prefix)?).ok()?;
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    decimal(digits).ok()
}

/// Tells whether a text can be the name of a grant.
fn is_name(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:@/+\\".contains(byte);
    (1..=MAX_GRANT_NAME).contains(&text.len()) && text.iter().all(plain)
}

/// The words of a line, between single blanks, with their places.
struct Words<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Words<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.line.get(self.at..)?;
        let end = rest.iter().position(|byte| *byte == b' ');
        let word = rest.get(..end.unwrap_or(rest.len()))?;
        let found = (self.at, word);
        // Behind the last word nothing is left, not even an empty one.
        self.at = end.map_or(usize::MAX, |end| self.at + end + 1);
        Some(found)
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_grant))]
mod tests {
    use super::{
        header,
        is_header,
        GrantFault::{
            self,
            Cgroup,
            Lifetime as Seconds,
            Name,
            Word, //
        },
        Header::{
            self,
            Grant,
            Revoke,
            RevokeAll, //
        },
        Lifetime,
        MAX_GRANT_NAME, //
    };

    #[test]
    fn reads_lines() {
        let long = [b'x'; MAX_GRANT_NAME];
        for (line, expected) in [
            (
                "grant cgroup=1",
                Grant {
                    cgroup: 1,
                    name: b"",
                    lifetime: None,
                },
            ),
            (
                "grant cgroup=18446744073709551615 name=libvirt:db-1 for=600",
                Grant {
                    cgroup: u64::MAX,
                    name: b"libvirt:db-1",
                    lifetime: Lifetime::from_secs(600),
                },
            ),
            (
                "grant cgroup=7 for=31622400",
                Grant {
                    cgroup: 7,
                    name: b"",
                    lifetime: Some(Lifetime::MAX),
                },
            ),
            (
                "revoke cgroup=7",
                Revoke {
                    cgroup: 7,
                    name: None,
                },
            ),
            (
                "revoke cgroup=7 name=a\\x2db.service",
                Revoke {
                    cgroup: 7,
                    name: Some(b"a\\x2db.service"),
                },
            ),
            ("revoke all", RevokeAll),
        ] as [(&str, Header<'_>); 6]
        {
            assert!(is_header(line.as_bytes()));
            assert_eq!(header(line.as_bytes()), Ok(expected));
        }
        let mut line = [0; 20 + MAX_GRANT_NAME];
        line[..20].copy_from_slice(b"grant cgroup=1 name=");
        line[20..].copy_from_slice(&long);
        assert!(header(&line).is_ok());
    }

    #[test]
    fn says_what_is_wrong() {
        for (line, at, fault) in [
            ("grant", 5, Cgroup),
            ("grant ", 6, Cgroup),
            ("grant cgroup=", 6, Cgroup),
            ("grant cgroup=0", 6, Cgroup),
            ("grant cgroup=07", 6, Cgroup),
            ("grant cgroup=+7", 6, Cgroup),
            ("grant cgroup=18446744073709551616", 6, Cgroup),
            ("grant all", 6, Cgroup),
            ("grant  cgroup=1", 6, Cgroup),
            ("grant cgroup=1 ", 15, Word),
            ("grant cgroup=1 name=", 15, Name),
            ("grant cgroup=1 name=a,b", 15, Name),
            ("grant cgroup=1 name=\u{e4}", 15, Name),
            ("grant cgroup=1 for=0", 15, Seconds),
            ("grant cgroup=1 for=31622401", 15, Seconds),
            ("grant cgroup=1 for=1 name=a", 21, Word),
            ("grant cgroup=1 name=a name=b", 22, Word),
            ("revoke", 6, Cgroup),
            ("revoke all cgroup=1", 11, Word),
            ("revoke cgroup=1 for=1", 16, Word),
        ] as [(&str, usize, GrantFault); 20]
        {
            assert!(is_header(line.as_bytes()));
            assert_eq!(header(line.as_bytes()), Err((at, fault)));
        }
        let mut line = [b'x'; 21 + MAX_GRANT_NAME];
        line[..20].copy_from_slice(b"grant cgroup=1 name=");
        assert_eq!(header(&line), Err((15, Name)));
        for line in ["", "grants", "rules", "revoked all", " grant cgroup=1"] {
            assert!(!is_header(line.as_bytes()));
        }
    }
}
