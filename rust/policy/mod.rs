// SPDX-License-Identifier: GPL-2.0

//! The policy: which SCSI commands a process without `CAP_SYS_RAWIO` may send through SG_IO.
//!
//! One source, compiled into the kernel module and into the user-space tool, so that what the
//! tool answers is what the kernel decides. It is pure: no input or output, no allocation, no
//! kernel interface, no `unsafe`. The crate that includes it owns the memory ([`RuleStore`], the arrays
//! of an [`index`](fill_index)), the locking, and the capability check.
//!
//! It has three entry points:
//!
//! * text to policy: [`Change::parse`] checks a whole text, [`Change::apply`] then changes a list
//!   of [`Rule`]s, [`fill_index`] indexes the list by opcode;
//! * text to policies: [`Transaction::parse`] checks a text that changes several devices and
//!   classes, each by a [`Change`];
//! * policy and command to answer: [`decide()`] on a [`DevicePolicy`] and a [`Cdb`], at a [`Time`] if a
//!   rule that ends is asked.
//!
//! # The language
//!
//! ```text
//! allow r 12                       # any open
//! allow w 5f [1]&1f=00-04,06       # open for writing; byte 1 under mask 1f in {00..04, 06}
//! allow r 7f [7]=18 [8]=00 [9]=09  # all fields must hold: READ(32)
//! deny  48,c0-ff
//! deny  48 for=600                 # for the next 600 seconds
//!
//! line    := [ '+' | '-' ] action opcodes { field } [ 'for=' seconds ] [ '#' comment ]
//! action  := 'allow r' | 'allow w' | 'deny'
//! opcodes := items
//! field   := '[' N ']' [ '&' HH ] '=' items      N: decimal, 1 to 31; HH: 01 to ff
//! items   := item { ',' item }
//! item    := HH | HH '-' HH                      two hex digits, either case; ascending
//! seconds := N                                   decimal, 1 to 31622400
//! ```
//!
//! One rule is one line of printable ASCII. Words are separated by blanks or tabs; inside a list
//! or a field there are none. See [`Rule`] for what a rule matches, [`Change`] for what a
//! text does to a list, [`decide()`] for which rule decides, [`strict`] and [`STOCK`] for the built-in
//! tables, and [`ListedRule`] for rules with a deadline.
//!
//! # Building
//!
//! All paths are relative to this module, because its crate differs from build to build. The tests of
//! a file stand in it, those of the built-in tables and of the grammar in `tests/`; they run by KUnit in the kernel and by
//! `cargo test` outside.

mod apply;
mod builtin;
mod byteset;
mod cdb;
mod change;
mod class;
mod decide;
mod decision;
mod error;
mod fast_table;
mod grant;
mod hctl;
mod index;
mod lines;
mod opcode;
mod parse;
mod print;
mod report_luns;
mod rule;
mod scan;
mod section;
mod time;
mod transaction;

#[cfg(any(test, CONFIG_KUNIT))]
mod tests;

pub use self::{
    apply::{
        ApplyError,
        RuleStore,
        MAX_RULES, //
    },
    builtin::{
        load,
        strict,
        Table,
        STOCK, //
    },
    byteset::{
        ByteSet,
        Ranges, //
    },
    cdb::{
        Cdb,
        MAX_CDB, //
    },
    change::{
        Change,
        ChangeKind, //
    },
    class::Class,
    decide::{
        allowed_by_grant,
        decide,
        decide_with_grants,
        DevicePolicy, //
    },
    decision::{
        Decision,
        Layer,
        Reason, //
    },
    error::{
        GrantFault,
        ParseError,
        ParseErrorKind,
        TransactionError,
        TransactionErrorKind, //
    },
    fast_table::{
        FastAnswer,
        FastTable, //
    },
    grant::{
        GrantChange,
        MAX_GRANTS,
        MAX_GRANT_NAME, //
    },
    hctl::{
        Hctl,
        HctlError, //
    },
    index::{
        fill_index,
        index_len,
        Filter,
        IndexError,
        Start,
        EMPTY_START, //
    },
    opcode::{
        PERSISTENT_RESERVE_IN,
        PERSISTENT_RESERVE_OUT,
        REPORT_LUNS, //
    },
    parse::Edit,
    report_luns::{
        report_own_lun,
        OwnLun,
        ReportLuns,
        REPORT_LUNS_CDB, //
    },
    rule::{
        Access,
        Action,
        Field,
        Rule,
        MAX_FIELDS, //
    },
    section::{
        GrantChanges,
        Section,
        Target, //
    },
    time::{
        Lifetime,
        ListedRule,
        TextRule,
        Time, //
    },
    transaction::Transaction,
};
