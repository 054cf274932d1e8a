// SPDX-License-Identifier: GPL-2.0

//! The sections of a transaction's text, read one after the other.

use super::{
    grant::{
        self,
        Header, //
    },
    hctl::decimal,
    Change,
    ChangeKind,
    Class,
    GrantChange,
    Hctl,
    ParseError,
    ParseErrorKind,
    ReportLuns,
    Table,
    TransactionError,
    TransactionErrorKind, //
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
    /// What happens to the device's grants.
    pub grants: GrantChanges<'a>,
}

/// What a section does to the grants on its device, in order.
#[derive(Clone, Copy, Default)]
pub struct GrantChanges<'a> {
    text: &'a [u8],
    first: u32,
}

impl<'a> GrantChanges<'a> {
    /// Tells whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the changes.
    pub fn iter(&self) -> impl Iterator<Item = GrantChange<'a>> {
        let mut text = Sections {
            rest: self.text,
            number: self.first,
            failed: false,
        };
        core::iter::from_fn(move || {
            text.peek_statement()?;
            text.grant().ok()
        })
    }
}

type Step<T> = Result<T, TransactionError>;

/// The sections of a text; ends behind the first error.
pub(super) struct Sections<'a> {
    /// What is not read yet, and the number of its first line.
    rest: &'a [u8],
    number: u32,
    failed: bool,
}

impl<'a> Sections<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
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

    /// Tells whether a grant or a revocation comes next.
    fn at_grant(&self) -> bool {
        self.peek().is_some_and(grant::is_header)
    }

    /// The lines up to the next header or grant, as rules.
    fn rules(&mut self) -> Step<Change<'a>> {
        let (text, first) = (self.rest, self.number);
        while self.peek().is_some() && !self.at_header() && !self.at_grant() {
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

    /// The grants and revocations that come next.
    fn grants(&mut self) -> Step<GrantChanges<'a>> {
        self.peek_statement();
        let (text, first) = (self.rest, self.number);
        while self.peek_statement().is_some() && self.at_grant() {
            self.grant()?;
        }
        let text = text.get(..text.len() - self.rest.len()).unwrap_or_default();
        Ok(GrantChanges { text, first })
    }

    fn grant(&mut self) -> Step<GrantChange<'a>> {
        let line = self.number;
        let header = match grant::header(self.peek_statement().unwrap_or_default()) {
            Ok(header) => header,
            Err((at, fault)) => return self.error(at + 1, TransactionErrorKind::Grant(fault)),
        };
        self.step();
        match header {
            Header::Revoke { cgroup, name } => Ok(GrantChange::Revoke { cgroup, name }),
            Header::RevokeAll => Ok(GrantChange::RevokeAll),
            Header::Grant {
                cgroup,
                name,
                lifetime,
            } => match self.rules()? {
                rules if rules.kind() == ChangeKind::Replace => Ok(GrantChange::Grant {
                    cgroup,
                    name,
                    lifetime,
                    rules,
                }),
                _ => Err(TransactionError {
                    line,
                    column: 1,
                    kind: TransactionErrorKind::GrantRules,
                }),
            },
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
            grants: GrantChanges::default(),
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
        if matches!(target, Target::Device(..)) {
            section.grants = self.grants()?;
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
            && section.rules.is_none()
            && section.grants.is_empty();
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
