// SPDX-License-Identifier: GPL-2.0

//! Errors in a text of rules or of a transaction, and their messages. The module returns `-EINVAL` for all of them.

use core::fmt::{
    Display,
    Formatter,
    Result, //
};

/// The first error of a text, with its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: u32,
    /// The byte in the line, counted from 1; one behind the last where something is missing.
    pub column: u32,
    /// What is wrong.
    pub kind: ParseErrorKind,
}

/// What can be wrong with a text of rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParseErrorKind {
    /// The text has no byte.
    Empty,
    /// The text has lines, but no rule.
    NoRule,
    /// A byte that is neither printable ASCII nor a tab.
    Character(u8),
    /// Lines with and without a `+` or `-` in front stand in one text.
    MixedPrefixes,
    /// The line does not begin with `allow` or `deny`.
    Action,
    /// `allow` is not followed by `r` or `w`.
    Access,
    /// No two hex digits where a value must stand.
    Hex,
    /// A range whose end is below its start.
    Descending,
    /// Something follows a value that is neither `,` nor `-` nor a blank.
    AfterValue,
    /// Something other than a field follows the opcodes.
    Field,
    /// A field on byte 0.
    OpcodeByte,
    /// A field whose byte is not a decimal number from 1 to 31.
    FieldByte,
    /// A field without `]` behind the number.
    Bracket,
    /// A mask of 00.
    Mask,
    /// A field without `=`.
    Equals,
    /// A value with bits outside the mask.
    OutsideMask,
    /// More fields than a rule can have.
    TooManyFields,
    /// A lifetime that is not a decimal number from 1 to 31622400.
    Lifetime,
    /// Something other than a comment follows the lifetime.
    AfterLifetime,
}

impl Display for ParseErrorKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Empty => "the text is empty (an empty line alone resets the rules)",
            Self::NoRule => "there is no rule in the text (an empty line alone resets the rules)",
            Self::Character(byte) => {
                return write!(f, "byte 0x{byte:02x} is not a printable ASCII character");
            }
            Self::MixedPrefixes => "either every rule begins with + or -, or none does",
            Self::Action => "expected 'allow r', 'allow w' or 'deny'",
            Self::Access => "expected 'r' or 'w' after 'allow'",
            Self::Hex => "expected exactly two hex digits",
            Self::Descending => "the range ends below its start",
            Self::AfterValue => "expected ',', '-' or a blank after the value",
            Self::Field => "expected a field like '[1]&1f=00-04' or 'for=SECONDS'",
            Self::OpcodeByte => "byte 0 is the opcode and cannot be a field",
            Self::FieldByte => "the byte of a field must be a decimal number from 1 to 31",
            Self::Bracket => "expected ']' after the number of the byte",
            Self::Mask => "mask 00 leaves nothing to compare",
            Self::Equals => "expected '='",
            Self::OutsideMask => "the value has bits outside the mask and can never match",
            Self::TooManyFields => "a rule can have at most 6 fields",
            Self::Lifetime => "the seconds of 'for=' must be a decimal number from 1 to 31622400",
            Self::AfterLifetime => "nothing can follow 'for=SECONDS'",
        })
    }
}

impl Display for ParseError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.kind
        )
    }
}

// The sentences above have the numbers in them.
const _: () = assert!(super::MAX_FIELDS == 6 && super::Lifetime::MAX.as_secs() == 31_622_400);

/// What is wrong with the line of a grant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GrantFault {
    /// Neither `cgroup=` and a decimal number from 1, nor for `revoke` `all`.
    Cgroup,
    /// `name=` with none of 1 to [`MAX_GRANT_NAME`](super::MAX_GRANT_NAME) letters, digits and `-_.:@/+\`.
    Name,
    /// `for=` with no number of seconds from 1 to 31622400.
    Lifetime,
    /// Something else.
    Word,
}

impl GrantFault {
    /// Returns what was expected.
    pub const fn expected(self) -> &'static str {
        match self {
            GrantFault::Cgroup => "expected 'cgroup=' and the id of a cgroup, a decimal number",
            GrantFault::Name => "expected 'name=' and up to 64 of A-Z a-z 0-9 - _ . : @ / + \\",
            GrantFault::Lifetime => "expected 'for=' and a number of seconds, 1 to 31622400",
            GrantFault::Word => "expected 'name=' or 'for=', each once and in this order",
        }
    }
}

/// What can be wrong with a transaction, besides its rules.
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
    /// The line of a grant.
    Grant(GrantFault),
    /// A grant without rules, or with rules that edit.
    GrantRules,
    /// A rule.
    Rule(ParseErrorKind),
}

/// The first error of a transaction, with its place.
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
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
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
            TransactionErrorKind::Grant(fault) => fault.expected(),
            TransactionErrorKind::GrantRules => "a grant needs rules, without + or - in front",
            TransactionErrorKind::Rule(kind) => return kind.fmt(f),
        })
    }
}
