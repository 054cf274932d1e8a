// SPDX-License-Identifier: GPL-2.0

//! A text that changes several devices and classes at once.
//!
//! ```text
//! text    := { section }
//! section := header { setting } [ 'rules' { line of rules } ]
//! header  := 'device' H:C:T:L [ 'id=' N ] | 'class' NAME
//! setting := 'unpriv_sgio' switch | 'complain' switch      of a device, in this order
//!          | 'report_luns' ( 'passthrough' | 'own' )
//!          | 'pr_exclusive' switch
//!          | 'filter_sg' switch
//!          | 'table' ( 'strict' | 'stock' )                of a class, without 'rules'
//! switch  := '0' | '1'
//! ```
//!
//! Words are separated by one blank. Outside of rules, empty lines and lines that begin with `#`
//! mean nothing. The lines of rules, up to the next header, are a text for [`Change`]; without a
//! rule they are a reset.

use super::{
    hctl::decimal,
    Change,
    Class,
    Hctl,
    ParseError,
    ParseErrorKind,
    ReportLuns,
    Table, //
};
use core::fmt::{
    Display,
    Formatter, //
};

/// What a section changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// The device at an address; only the one with that id, if one is given.
    Device(Hctl, Option<u64>),
    /// A class.
    Class(Class),
}

/// One section: what it names changes, everything else stays.
#[derive(Clone, Copy)]
pub struct Section<'a> {
    /// What changes.
    pub target: Target,
    /// The line of the header, counted from 1.
    pub line: u32,
    /// The device's `unpriv_sgio`.
    pub unpriv_sgio: Option<bool>,
    /// The device's `complain`.
    pub complain: Option<bool>,
    /// Who answers REPORT LUNS to the device.
    pub report_luns: Option<ReportLuns>,
    /// The `pr_exclusive` of the device's I_T nexus and logical unit.
    pub pr_exclusive: Option<bool>,
    /// Whether `/dev/sgN` is filtered however it is open.
    pub filter_sg: Option<bool>,
    /// The class's table.
    pub table: Option<Table>,
    /// The rules; [`Reset`](super::ChangeKind::Reset) if there is none in the text.
    pub rules: Option<Change<'a>>,
    /// The line of `rules`, which the lines of errors in [`Self::rules`] come behind.
    pub rules_line: u32,
}

/// What can be wrong besides the rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransactionErrorKind {
    /// Something stands before the first header.
    NoSection,
    /// The address is not four decimal numbers.
    Address,
    /// Something other than `id=N` follows the address.
    Id,
    /// There is no class of that name.
    Class,
    /// A line that is no setting of such a section, or comes too late or twice.
    Setting,
    /// A switch is neither `0` nor `1`.
    Switch,
    /// `report_luns` is neither `passthrough` nor `own`.
    ReportLuns,
    /// A table is neither `strict` nor `stock`.
    Table,
    /// A table and rules in one section.
    TableAndRules,
    /// A section that names nothing.
    Nothing,
    /// A rule.
    Rule(ParseErrorKind),
}

/// The first error of a text, with its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransactionError {
    /// The line, counted from 1.
    pub line: u32,
    /// The byte in the line, counted from 1.
    pub column: u32,
    /// What is wrong.
    pub kind: TransactionErrorKind,
}

impl Display for TransactionError {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        f.write_str(match self.kind {
            TransactionErrorKind::NoSection => "expected 'device H:C:T:L' or 'class NAME'",
            TransactionErrorKind::Address => "expected an address like 6:0:0:0",
            TransactionErrorKind::Id => "expected 'id=' and a decimal number",
            TransactionErrorKind::Class => "there is no such class",
            TransactionErrorKind::Setting => "expected a setting of the section, in its order",
            TransactionErrorKind::Switch => "expected 0 or 1",
            TransactionErrorKind::ReportLuns => "expected 'passthrough' or 'own'",
            TransactionErrorKind::Table => "expected 'strict' or 'stock'",
            TransactionErrorKind::TableAndRules => "a section has a table or rules, not both",
            TransactionErrorKind::Nothing => "the section changes nothing",
            TransactionErrorKind::Rule(kind) => return kind.fmt(f),
        })
    }
}

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

type Step<T> = Result<T, TransactionError>;

/// The sections of a text; ends behind the first error.
struct Sections<'a> {
    /// What is not read yet, and the number of its first line.
    rest: &'a [u8],
    number: u32,
    failed: bool,
}

impl<'a> Sections<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            number: 1,
            failed: false,
        }
    }

    /// The next line, without its newline, left where it is.
    fn peek(&self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        (!self.rest.is_empty()).then(|| self.rest.get(..end.unwrap_or(self.rest.len())))?
    }

    /// Steps over the next line.
    fn step(&mut self) {
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        self.rest = end
            .and_then(|end| self.rest.get(end + 1..))
            .unwrap_or_default();
        self.number = self.number.saturating_add(1);
    }

    /// The next line that means something, left where it is.
    fn peek_statement(&mut self) -> Option<&'a [u8]> {
        loop {
            let line = self.peek()?;
            if !line.is_empty() && line.first() != Some(&b'#') {
                return Some(line);
            }
            self.step();
        }
    }

    fn error<T>(&self, column: usize, kind: TransactionErrorKind) -> Step<T> {
        Err(TransactionError {
            line: self.number,
            column: u32::try_from(column).unwrap_or(u32::MAX),
            kind,
        })
    }

    /// What follows `word` and a blank, if the next statement begins so.
    fn argument(&mut self, word: &str) -> Option<&'a [u8]> {
        self.peek_statement()?
            .strip_prefix(word.as_bytes())?
            .strip_prefix(b" ")
    }

    fn target(&mut self) -> Step<Target> {
        if let Some(text) = self.argument("device") {
            let (address, id) = match text.iter().position(|byte| *byte == b' ') {
                Some(at) => (text.get(..at), text.get(at + 1..)),
                None => (Some(text), None),
            };
            let address = address.and_then(|text| core::str::from_utf8(text).ok()?.parse().ok());
            let Some(address) = address else {
                return self.error(8, TransactionErrorKind::Address);
            };
            let id = match id {
                None => None,
                Some(word) => match id_of(word) {
                    Some(id) => Some(id),
                    None => {
                        return self
                            .error(9 + text.len() - word.len() - 1, TransactionErrorKind::Id)
                    }
                },
            };
            return Ok(Target::Device(address, id));
        }
        let Some(name) = self.argument("class") else {
            return self.error(1, TransactionErrorKind::NoSection);
        };
        match core::str::from_utf8(name).ok().and_then(Class::from_name) {
            Some(class) => Ok(Target::Class(class)),
            None => self.error(7, TransactionErrorKind::Class),
        }
    }

    fn switch(&mut self, word: &str) -> Step<Option<bool>> {
        let value = match self.argument(word) {
            None => return Ok(None),
            Some(b"0") => false,
            Some(b"1") => true,
            Some(_) => return self.error(word.len() + 2, TransactionErrorKind::Switch),
        };
        self.step();
        Ok(Some(value))
    }

    fn table(&mut self) -> Step<Option<Table>> {
        let Some(name) = self.argument("table") else {
            return Ok(None);
        };
        let Some(table) = Table::from_name(name) else {
            return self.error(7, TransactionErrorKind::Table);
        };
        self.step();
        Ok(Some(table))
    }

    fn report_luns(&mut self) -> Step<Option<ReportLuns>> {
        let Some(name) = self.argument("report_luns") else {
            return Ok(None);
        };
        let Some(who) = ReportLuns::from_name(name) else {
            return self.error(13, TransactionErrorKind::ReportLuns);
        };
        self.step();
        Ok(Some(who))
    }

    /// Tells whether a header comes next.
    fn at_header(&mut self) -> bool {
        self.peek()
            .is_some_and(|line| line.starts_with(b"device ") || line.starts_with(b"class "))
    }

    /// The lines up to the next header, as rules.
    fn rules(&mut self) -> Step<Change<'a>> {
        let (text, first) = (self.rest, self.number);
        while self.peek().is_some() && !self.at_header() {
            self.step();
        }
        let text = text.get(..text.len() - self.rest.len()).unwrap_or_default();
        match Change::parse(text) {
            Err(ParseError {
                kind: ParseErrorKind::Empty | ParseErrorKind::NoRule,
                ..
            }) => Ok(Change::RESET),
            Err(error) => Err(TransactionError {
                line: first.saturating_add(error.line - 1),
                column: error.column,
                kind: TransactionErrorKind::Rule(error.kind),
            }),
            Ok(change) => Ok(change),
        }
    }

    fn section(&mut self) -> Step<Section<'a>> {
        let target = self.target()?;
        let line = self.number;
        self.step();
        let mut section = Section {
            target,
            line,
            unpriv_sgio: None,
            complain: None,
            report_luns: None,
            pr_exclusive: None,
            filter_sg: None,
            table: None,
            rules: None,
            rules_line: 0,
        };
        match target {
            Target::Device(..) => {
                section.unpriv_sgio = self.switch("unpriv_sgio")?;
                section.complain = self.switch("complain")?;
                section.report_luns = self.report_luns()?;
                section.pr_exclusive = self.switch("pr_exclusive")?;
                section.filter_sg = self.switch("filter_sg")?;
            }
            Target::Class(_) => section.table = self.table()?,
        }
        if self.peek_statement() == Some(b"rules") {
            if section.table.is_some() {
                return self.error(1, TransactionErrorKind::TableAndRules);
            }
            section.rules_line = self.number;
            self.step();
            section.rules = Some(self.rules()?);
        }
        if self.peek_statement().is_some() && !self.at_header() {
            return self.error(1, TransactionErrorKind::Setting);
        }
        let nothing = section.unpriv_sgio.is_none()
            && section.complain.is_none()
            && section.report_luns.is_none()
            && section.pr_exclusive.is_none()
            && section.filter_sg.is_none()
            && section.table.is_none()
            && section.rules.is_none();
        if nothing {
            return Err(TransactionError {
                line,
                column: 1,
                kind: TransactionErrorKind::Nothing,
            });
        }
        Ok(section)
    }
}

impl<'a> Iterator for Sections<'a> {
    type Item = Step<Section<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.peek_statement().is_none() {
            return None;
        }
        let section = self.section();
        self.failed = section.is_err();
        Some(section)
    }
}

/// `id=17`
fn id_of(word: &[u8]) -> Option<u64> {
    let number = core::str::from_utf8(word).ok()?.strip_prefix("id=")?;
    decimal(number).ok()
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_transaction))]
mod tests {
    use super::{
        super::{ChangeKind, Class},
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
