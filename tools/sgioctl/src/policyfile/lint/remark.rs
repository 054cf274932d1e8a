// SPDX-License-Identifier: GPL-2.0

//! What a look at policies finds.

use super::super::{Fault, Place};
use serde::Serialize;

/// How bad a remark is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing would be applied.
    Error,
    /// Most likely a mistake, or dangerous.
    Warning,
    /// Good to know.
    Note,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
pub struct Remark {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl From<Fault> for Remark {
    fn from(fault: Fault) -> Remark {
        Remark {
            place: fault.place,
            severity: Severity::Error,
            message: fault.message,
            fix: fault.fix,
        }
    }
}

/// All that was found.
#[derive(Default)]
pub(super) struct Remarks(pub(super) Vec<Remark>);

impl Remarks {
    fn add(&mut self, severity: Severity, place: &Place, message: &str, fix: &str) {
        self.0.push(Remark {
            place: place.clone(),
            severity,
            message: message.to_owned(),
            fix: fix.to_owned(),
        });
    }

    pub(super) fn warn(&mut self, place: &Place, message: &str, fix: &str) {
        self.add(Severity::Warning, place, message, fix);
    }

    pub(super) fn note(&mut self, place: &Place, message: &str, fix: &str) {
        self.add(Severity::Note, place, message, fix);
    }
}
