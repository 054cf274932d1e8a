// SPDX-License-Identifier: GPL-2.0

//! What the policy has, in the reference's types.

use reference::{
    rule::{Action, Field, Line, Rule},
    text::Listed,
};
use sgio_policy::policy;

/// A rule.
pub(crate) fn rule(rule: &policy::Rule) -> Rule {
    let mut fields: Vec<Field> = rule
        .fields()
        .map(|field| Field {
            byte: field.byte().into(),
            mask: field.mask(),
            values: field.values().iter().collect(),
        })
        .collect();
    fields.sort();
    Rule {
        action: match rule.action() {
            policy::Action::Allow(policy::Access::Read) => Action::AllowRead,
            policy::Action::Allow(policy::Access::Write) => Action::AllowWrite,
            policy::Action::Deny => Action::Deny,
        },
        opcodes: rule.opcodes().iter().collect(),
        fields,
    }
}

/// A rule of a text.
pub(crate) fn line(text: &policy::TextRule) -> Line {
    Line {
        rule: rule(&text.rule),
        seconds: text.lifetime.map(|lifetime| lifetime.as_secs().into()),
    }
}

/// A rule of a list.
pub(crate) fn listed(listed: &policy::ListedRule) -> Listed {
    Listed {
        rule: rule(listed.rule()),
        end: listed.deadline().map(policy::Time::as_nanos),
    }
}
