// SPDX-License-Identifier: GPL-2.0

//! Policy files: read, checked, resolved for devices, turned into a transaction.
//!
//! Input: the text of a file. There is no second reader of TOML to hold it against; what is checked is
//! what the file makes in the end, which must be what the kernel takes, in the order that
//! `Documentation/admin-guide/policy-files.md` promises.

use crate::{change::prints_rule, of_policy};
use reference::{rule::Line, transaction};
use sgio_policy::policy::Class;
use sgioctl::{
    device::{Device, Hctl, Multipath},
    policyfile::{self, lint, Block, Maps, Policies, Profiles, Resolved},
};
use std::sync::LazyLock;

static BUILT_IN: LazyLock<Profiles> =
    LazyLock::new(|| Profiles::built_in().expect("a test of the tool reads them"));

/// Checks one input.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match policyfile::parse("fuzz", text, BUILT_IN.clone()) {
        Ok(policies) => good(&policies),
        Err(faults) => {
            assert!(!faults.0.is_empty());
            let lines = 1 + text.matches('\n').count();
            for fault in &faults.0 {
                assert!(fault.place.line <= lines, "{fault}");
                assert_eq!(fault.place.line == 0, fault.place.column == 0, "{fault}");
                assert!(!fault.message.is_empty() && !fault.fix.is_empty());
                // It is shown as one line.
                assert!(!fault.fix.contains('\n'), "{fault}");
            }
        }
    }
}

fn good(policies: &Policies) {
    let devices: Vec<Device> = Class::ALL.into_iter().map(device).collect();
    lint::lint(policies, Some(&devices), lint::NAMES);
    taken(&policyfile::transaction::classes(policies), policies);

    let maps = Maps::of(&devices);
    for device in &devices {
        // The first block that matches decides.
        let mut matching = (policies.blocks.iter()).filter(|b| b.selector.matches(device, &maps));
        let Ok(resolved) = policies.resolve_some(&[device], &maps) else {
            continue;
        };
        decided(policies, &resolved[0], matching.next());
    }
}

/// A device of a class that some selectors may mean.
fn device(class: Class) -> Device {
    let code = class.type_code();
    Device {
        hctl: Hctl {
            host: u32::from(code),
            channel: 0,
            target: 0,
            lun: 1,
        },
        id: None,
        class,
        vendor: "ACME".into(),
        model: format!("model{}", code % 4),
        revision: "1".into(),
        wwid: (code % 2 == 0).then(|| format!("naa.600{code:02x}")),
        serial: (code % 3 == 0).then(|| "S1".into()),
        transport: ["iscsi", "fc"][usize::from(code % 2)].into(),
        nodes: Vec::new(),
        block: None,
        by_id: vec![format!("scsi-{code}")],
        by_path: Vec::new(),
        ports: Default::default(),
        multipath: (code == 0).then(|| Multipath {
            name: "mpatha".into(),
            node: "dm-0".into(),
            wwid: "360000".into(),
        }),
        unknown: Vec::new(),
    }
}

/// Of `deny`, `rules` and `allow` of the block, and then of its profiles; and nothing without a block.
fn decided(policies: &Policies, resolved: &Resolved<'_>, block: Option<&Block>) {
    let mut expected = Vec::new();
    if let Some(block) = block {
        let profiles = block.profiles.iter().map(|name| {
            let profile = policies.profiles.get(&name.value);
            &profile.expect("a profile that was resolved").lists
        });
        for lists in std::iter::once(&block.own).chain(profiles) {
            let class = resolved.device.class;
            let commands = |list: &[policyfile::At<policyfile::CommandItem>]| {
                list.iter()
                    .flat_map(|at| at.value.rules(class).expect("it was resolved"))
                    .collect::<Vec<_>>()
            };
            expected.extend(commands(&lists.deny));
            expected.extend(lists.rules.iter().map(|at| at.value));
            expected.extend(commands(&lists.allow));
        }
    }
    let rules: Vec<_> = resolved.entries().iter().map(|entry| entry.rule).collect();
    assert!(rules == expected);
    let switches = (resolved.settings.unpriv_sgio, resolved.settings.complain);
    assert_eq!(
        switches,
        block.map_or((false, false), |b| (b.unpriv_sgio.value, b.complain.value))
    );
    rules.iter().for_each(prints_rule);

    let text = policyfile::transaction::device(resolved, Some(1));
    let sections = transaction::parse(text.as_bytes()).expect("what the kernel takes");
    assert_eq!(sections.len(), 1);
    let switch = |name| sections[0].switches.get(name).copied();
    assert_eq!(switch("unpriv_sgio"), Some(switches.0));
    assert_eq!(switch("complain"), Some(switches.1));
    let change = sections[0].rules.as_ref().expect("always given");
    assert!(rules
        .iter()
        .map(permanent)
        .eq(change.rules().into_iter().cloned()));
}

/// The line of a rule of a file, which does not end.
fn permanent(rule: &sgio_policy::policy::Rule) -> Line {
    Line {
        rule: of_policy::rule(rule),
        seconds: None,
    }
}

/// The sections of all classes.
fn taken(text: &str, policies: &Policies) {
    let sections = transaction::parse(text.as_bytes()).expect("what the kernel takes");
    assert_eq!(sections.len(), 32);
    for (class, section) in Class::ALL.into_iter().zip(sections) {
        let block = policies.classes.iter().find(|block| block.class == class);
        let rules: Vec<Line> = match block.map(|block| &block.content) {
            Some(policyfile::ClassContent::Table(table)) => {
                assert_eq!(section.table, Some(table.as_str()));
                continue;
            }
            Some(policyfile::ClassContent::Rules(rules)) => {
                rules.iter().map(|at| permanent(&at.value)).collect()
            }
            None => Vec::new(),
        };
        let change = section.rules.expect("a class without a table");
        assert!(rules.iter().eq(change.rules()));
    }
}
