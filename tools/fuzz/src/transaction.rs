// SPDX-License-Identifier: GPL-2.0

//! Texts of transactions.
//!
//! Input: the text.

use crate::change::same;
use reference::transaction::{self, GrantChange, Section, Target};
use sgio_policy::policy;

/// Checks one input.
pub fn check(data: &[u8]) {
    match (policy::Transaction::parse(data), transaction::parse(data)) {
        (Ok(transaction), Ok(expected)) => {
            let sections: Vec<policy::Section<'_>> = transaction.sections().collect();
            assert_eq!(sections.len(), expected.len());
            for (section, expected) in sections.iter().zip(&expected) {
                equal(section, expected, data);
            }
        }
        (Err(error), Err(line)) => {
            assert_eq!(error.line as usize, line, "{error}");
            let text = data.split(|byte| *byte == b'\n').nth(line - 1);
            let columns = 1..=text.map_or(0, <[u8]>::len) + 1;
            assert!(columns.contains(&(error.column as usize)), "{error}");
        }
        (Ok(_), Err(line)) => panic!("line {line} is wrong, and was taken"),
        (Err(error), Ok(_)) => panic!("nothing is wrong, and yet: {error}"),
    }
}

fn equal(section: &policy::Section<'_>, expected: &Section, text: &[u8]) {
    let target = match section.target {
        policy::Target::Device(address, id) => {
            let policy::Hctl {
                host,
                channel,
                target,
                lun,
            } = address;
            Target::Device([host, channel, target], lun, id)
        }
        policy::Target::Class(class) => Target::Class(class.type_code().into()),
    };
    assert_eq!(target, expected.target);
    assert_eq!(section.table.map(policy::Table::name), expected.table);
    for (name, _) in transaction::DEVICE {
        let switch = match *name {
            "unpriv_sgio" => section.unpriv_sgio,
            "complain" => section.complain,
            "report_luns" => section
                .report_luns
                .map(|who| who == policy::ReportLuns::Own),
            "pr_exclusive" => section.pr_exclusive,
            "filter_sg" => section.filter_sg,
            name => panic!("the policy has no {name}"),
        };
        assert_eq!(switch, expected.switches.get(name).copied(), "{name}");
    }

    let line = |number: u32| text.split(|byte| *byte == b'\n').nth(number as usize - 1);
    let header = line(section.line).unwrap_or_default();
    assert!(header.starts_with(b"device ") || header.starts_with(b"class "));
    match (&section.rules, &expected.rules) {
        (None, None) => (),
        (Some(rules), Some(expected)) => {
            assert_eq!(line(section.rules_line), Some(&b"rules"[..]));
            same(rules, expected);
        }
        (rules, _) => panic!("{:?}", rules.map(|rules| rules.kind())),
    }

    let grants: Vec<_> = section.grants.iter().collect();
    assert_eq!(grants.len(), expected.grants.len());
    assert_eq!(section.grants.is_empty(), grants.is_empty());
    for (change, expected) in grants.iter().zip(&expected.grants) {
        match (*change, expected) {
            (
                policy::GrantChange::Grant {
                    cgroup,
                    name,
                    lifetime,
                    rules,
                },
                GrantChange::Grant(holder, expected_name, seconds, expected_rules),
            ) => {
                assert_eq!((cgroup, name), (*holder, expected_name.as_bytes()));
                assert_eq!(lifetime.map(|time| u64::from(time.as_secs())), *seconds);
                same(&rules, expected_rules);
            }
            (
                policy::GrantChange::Revoke { cgroup, name },
                GrantChange::Revoke(holder, expected_name),
            ) => {
                let expected_name = expected_name.as_ref().map(String::as_bytes);
                assert_eq!((cgroup, name), (*holder, expected_name));
            }
            (policy::GrantChange::RevokeAll, GrantChange::RevokeAll) => (),
            (_, expected) => panic!("expected {expected:?}"),
        }
    }
}
