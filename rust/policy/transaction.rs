// SPDX-License-Identifier: GPL-2.0

//! A text that changes several devices and classes at once.
//!
//! ```text
//! text    := { section }
//! section := header { setting } [ 'rules' { line of rules } ] { grant | revoke }
//! header  := 'device' H:C:T:L [ 'id=' N ] | 'class' NAME
//! setting := 'unpriv_sgio' switch | 'complain' switch      of a device, in this order
//!          | 'report_luns' ( 'passthrough' | 'own' )
//!          | 'pr_exclusive' switch
//!          | 'filter_sg' switch
//!          | 'table' ( 'strict' | 'stock' )                of a class, without 'rules'
//! switch  := '0' | '1'
//! grant   := 'grant cgroup=' ID [ 'name=' NAME ] [ 'for=' SECONDS ] { line of rules }     of a device
//! revoke  := 'revoke cgroup=' ID [ 'name=' NAME ] | 'revoke all'
//! ```
//!
//! Words are separated by one blank. Outside of rules, empty lines and lines that begin with `#`
//! mean nothing. The lines of rules, up to the next header, are a text for [`Change`]; without a
//! rule they are a reset.

use super::{
    section::Sections,
    Section,
    TransactionError, //
};

/// A text that has been checked as a whole.
#[derive(Clone, Copy)]
pub struct Transaction<'a>(&'a [u8]);

impl<'a> Transaction<'a> {
    /// Checks a text. That no device comes twice is for the caller to see, who knows the devices.
    ///
    /// # Errors
    ///
    /// The first error of the text.
    pub fn parse(text: &'a [u8]) -> Result<Transaction<'a>, TransactionError> {
        for section in Sections::new(text) {
            section?;
        }
        Ok(Transaction(text))
    }

    /// Returns the sections in their order.
    pub fn sections(&self) -> impl Iterator<Item = Section<'a>> {
        Sections::new(self.0).filter_map(Result::ok)
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_transaction))]
mod tests {
    use super::super::{
        ChangeKind,
        Class,
        GrantChange,
        Hctl,
        ReportLuns,
        Table,
        Target,
        Transaction,
        TransactionErrorKind as Kind, //
    };

    /// The place and kind of the error of a text.
    fn fault(text: &str) -> Option<(u32, u32, Kind)> {
        Transaction::parse(text.as_bytes())
            .err()
            .map(|e| (e.line, e.column, e.kind))
    }

    #[test]
    fn reads_grants() {
        let text = "device 6:0:0:0\nunpriv_sgio 0\nrules\ndeny 48\n\n\
            # of a guest\ngrant cgroup=42 name=libvirt:db for=9\nallow w 5f [1]=00\n# two\nallow w 5e\n\
            \nrevoke cgroup=7 name=x\nrevoke all\ngrant cgroup=43\nallow r 5e\n\
            device 6:0:0:1 id=3\nrevoke cgroup=7";
        let transaction = Transaction::parse(text.as_bytes());
        assert!(transaction.is_ok());
        let Ok(transaction) = transaction else { return };
        let mut sections = transaction.sections();
        let first = sections.next();
        assert!(first.is_some_and(|section| section.rules.is_some_and(|r| r.rules().count() == 1)));
        let Some(first) = first else { return };
        let mut grants = first.grants.iter();
        assert!(matches!(
            grants.next(),
            Some(GrantChange::Grant { cgroup: 42, name: b"libvirt:db", lifetime: Some(_), rules })
                if rules.rules().count() == 2
        ));
        assert!(matches!(
            grants.next(),
            Some(GrantChange::Revoke {
                cgroup: 7,
                name: Some(b"x")
            })
        ));
        assert!(matches!(grants.next(), Some(GrantChange::RevokeAll)));
        assert!(matches!(
            grants.next(),
            Some(GrantChange::Grant { cgroup: 43, name: b"", lifetime: None, rules })
                if rules.rules().count() == 1
        ));
        assert!(grants.next().is_none());
        assert!(sections
            .next()
            .is_some_and(|section| !section.grants.is_empty()
                && section.grants.iter().count() == 1
                && section.rules.is_none()));
        assert!(sections.next().is_none());
    }

    #[test]
    fn says_what_is_wrong_with_a_grant() {
        use super::super::{GrantFault, ParseErrorKind};
        for (text, line, column, kind) in [
            (
                "device 6:0:0:0\ngrant cgroup=x\nallow r 12",
                2,
                7,
                Kind::Grant(GrantFault::Cgroup),
            ),
            ("device 6:0:0:0\ngrant cgroup=1", 2, 1, Kind::GrantRules),
            (
                "device 6:0:0:0\ngrant cgroup=1\n\n# nothing\n",
                2,
                1,
                Kind::GrantRules,
            ),
            (
                "device 6:0:0:0\ngrant cgroup=1\n+allow r 12",
                2,
                1,
                Kind::GrantRules,
            ),
            (
                "device 6:0:0:0\n\ngrant cgroup=1\nallow r 12\nallow x 12",
                5,
                7,
                Kind::Rule(ParseErrorKind::Access),
            ),
            (
                "device 6:0:0:0\nrevoke all\nrules\nallow r 12",
                3,
                1,
                Kind::Setting,
            ),
            (
                "device 6:0:0:0\nrevoke all\nallow r 12",
                3,
                1,
                Kind::Setting,
            ),
            ("class disk\nrevoke all", 2, 1, Kind::Setting),
            (
                "class disk\nrules\nallow r 12\ngrant cgroup=1\nallow r 12",
                4,
                1,
                Kind::Setting,
            ),
        ] {
            assert_eq!(fault(text), Some((line, column, kind)));
        }
    }

    #[test]
    fn reads_all_sections() {
        let text = "# a comment\n\n\
            device 6:0:1:18446744073709551615 id=17\nunpriv_sgio 0\ncomplain 1\n\
            report_luns own\npr_exclusive 1\nfilter_sg 1\n\
            rules\nallow r 5e\n# of the rules\n\nallow w 5f [1]=00\n\n\
            device 4294967295:2:3:4\nrules\n\
            class disk\ntable stock\n\
            class tape\n\nrules\n+deny 48";
        let transaction = Transaction::parse(text.as_bytes());
        assert!(transaction.is_ok());
        let Ok(transaction) = transaction else { return };
        let mut sections = transaction.sections();

        let address = Hctl {
            host: 6,
            channel: 0,
            target: 1,
            lun: u64::MAX,
        };
        let first = sections.next();
        assert!(
            first.is_some_and(|s| s.target == Target::Device(address, Some(17))
                && s.line == 3
                && s.unpriv_sgio == Some(false)
                && s.complain == Some(true)
                && s.report_luns == Some(ReportLuns::Own)
                && s.pr_exclusive == Some(true)
                && s.filter_sg == Some(true)
                && s.table.is_none()
                && s.rules_line == 9
                && s.rules
                    .is_some_and(|r| r.kind() == ChangeKind::Replace && r.rules().count() == 2))
        );
        let address = Hctl {
            host: u32::MAX,
            channel: 2,
            target: 3,
            lun: 4,
        };
        assert!(sections
            .next()
            .is_some_and(|s| s.target == Target::Device(address, None)
                && s.unpriv_sgio.is_none()
                && s.complain.is_none()
                && s.report_luns.is_none()
                && s.pr_exclusive.is_none()
                && s.rules.is_some_and(|r| r.kind() == ChangeKind::Reset)));
        assert!(sections
            .next()
            .is_some_and(|s| s.target == Target::Class(Class::DISK)
                && s.table == Some(Table::Stock)
                && s.rules.is_none()));
        assert!(sections
            .next()
            .is_some_and(|s| s.target == Target::Class(Class::TAPE)
                && s.table.is_none()
                && s.rules.is_some_and(|r| r.kind() == ChangeKind::Edit)));
        assert!(sections.next().is_none());
    }

    #[test]
    fn says_where_the_first_error_is() {
        for (text, line, column, kind) in [
            ("unpriv_sgio 1\n", 1, 1, Kind::NoSection),
            ("# x\n\nallow r 12\n", 3, 1, Kind::NoSection),
            ("device\n", 1, 1, Kind::NoSection),
            ("device 6:0:0\nrules\n", 1, 8, Kind::Address),
            ("device 6:0:0:0:0\nrules\n", 1, 8, Kind::Address),
            ("device 6:0:0:x\nrules\n", 1, 8, Kind::Address),
            ("device 6:0:0:+1\nrules\n", 1, 8, Kind::Address),
            ("device 6:0:0:\nrules\n", 1, 8, Kind::Address),
            ("device 4294967296:0:0:0\nrules\n", 1, 8, Kind::Address),
            ("device  6:0:0:0\nrules\n", 1, 8, Kind::Address),
            ("device 6:0:0:0 17\nrules\n", 1, 16, Kind::Id),
            ("device 6:0:0:0 id=\nrules\n", 1, 16, Kind::Id),
            ("device 6:0:0:0 id=1 \nrules\n", 1, 16, Kind::Id),
            ("class floppy\nrules\n", 1, 7, Kind::Class),
            ("class disk \nrules\n", 1, 7, Kind::Class),
            ("device 6:0:0:0\n", 1, 1, Kind::Nothing),
            (
                "device 6:0:0:0\ndevice 6:0:0:1\nrules\n",
                1,
                1,
                Kind::Nothing,
            ),
            ("device 6:0:0:0\nunpriv_sgio 2\n", 2, 13, Kind::Switch),
            ("device 6:0:0:0\ncomplain yes\n", 2, 10, Kind::Switch),
            (
                "device 6:0:0:0\ncomplain 1\nunpriv_sgio 1\n",
                3,
                1,
                Kind::Setting,
            ),
            (
                "device 6:0:0:0\ncomplain 1\ncomplain 1\n",
                3,
                1,
                Kind::Setting,
            ),
            ("device 6:0:0:0\nreport_luns all\n", 2, 13, Kind::ReportLuns),
            ("device 6:0:0:0\npr_exclusive own\n", 2, 14, Kind::Switch),
            (
                "device 6:0:0:0\npr_exclusive 1\nreport_luns own\n",
                3,
                1,
                Kind::Setting,
            ),
            ("class disk\nreport_luns own\n", 2, 1, Kind::Setting),
            ("device 6:0:0:0\ntable strict\n", 2, 1, Kind::Setting),
            ("device 6:0:0:0\nrules \n", 2, 1, Kind::Setting),
            ("class disk\nunpriv_sgio 1\n", 2, 1, Kind::Setting),
            ("class disk\ntable loose\n", 2, 7, Kind::Table),
            (
                "class disk\ntable stock\nrules\n",
                3,
                1,
                Kind::TableAndRules,
            ),
        ] {
            assert_eq!(fault(text), Some((line, column, kind)));
        }
        let wrong = fault("device 6:0:0:0\nrules\nallow r 12\nallow x 12\n");
        assert!(wrong.is_some_and(
            |(line, column, kind)| (line, column) == (4, 7) && matches!(kind, Kind::Rule(_))
        ));
        let late = fault("class disk\nrules\nallow r 12\nclass tape\nrules\ntable stock\n");
        assert!(late.is_some_and(|(line, _, kind)| line == 6 && matches!(kind, Kind::Rule(_))));
    }

    #[test]
    fn nothing_is_a_transaction() {
        for text in ["", "\n", "# nothing\n", "\n\n# nothing"] {
            let transaction = Transaction::parse(text.as_bytes());
            assert!(transaction.is_ok_and(|t| t.sections().next().is_none()));
        }
    }
}
