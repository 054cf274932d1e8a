// SPDX-License-Identifier: GPL-2.0

//! What a check tells.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Good to know, and perhaps meant so.
    Note,
    /// The filter does not do what it seems to do.
    Problem,
}

/// What a check found.
#[derive(Clone, Serialize, Debug)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Which check: a word for programs.
    pub check: &'static str,
    /// What was found.
    pub text: String,
    /// What to do.
    pub advice: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, text: impl Into<String>) -> Finding {
        Finding {
            level: Level::Ok,
            check,
            text: text.into(),
            advice: None,
        }
    }

    pub(super) fn note(
        check: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding {
            level: Level::Note,
            check,
            text: text.into(),
            advice: Some(advice.into()),
        }
    }

    pub(super) fn problem(
        check: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding {
            level: Level::Problem,
            ..Finding::note(check, text, advice)
        }
    }
}
