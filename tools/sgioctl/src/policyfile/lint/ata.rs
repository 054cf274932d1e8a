// SPDX-License-Identifier: GPL-2.0

//! Rules that deny an ATA command in one of the CDBs that carry it, or with one protocol, while another passes.

use super::{
    super::{planned_class, Origin, PlacedRule, Policies},
    probe::{matches, probes},
    remark::Remarks,
};
use crate::{
    names,
    verdict::{Policy, Tables},
};
use anyhow::Result;
use sgio_policy::policy::{Action, Class, Rule, MAX_CDB, STOCK};
use std::collections::BTreeSet;

/// Looks at the rules of a block, with those of the class behind them.
pub(super) fn walked_around(
    entries: &[PlacedRule],
    class: Class,
    policies: &Policies,
    remarks: &mut Remarks,
) {
    let denies =
        |entry: &&PlacedRule| entry.rule.action() == Action::Deny && entry.origin == Origin::Own;
    let mut policy = None;
    for entry in entries.iter().filter(denies) {
        let forms = names::ata_forms(&entry.rule, class);
        if forms.is_empty() {
            continue;
        }
        let policy = policy.get_or_insert_with(|| with_class(entries, class, policies));
        let Ok(policy) = policy else {
            return;
        };
        let mut found: BTreeSet<String> = BTreeSet::new();
        for (form, protocol) in &forms {
            for cdb in candidates(form, entries) {
                let passes = |cdb: &[u8; MAX_CDB]| {
                    policy
                        .decide(cdb, true)
                        .is_ok_and(|decision| decision.is_allowed())
                };
                let passing = (0..16).map(|number| {
                    let mut cdb = cdb;
                    let byte = &mut cdb[usize::from(*protocol)];
                    *byte = (*byte & !PROTOCOL) | (number << 1);
                    cdb
                });
                let passing = passing.filter(|cdb| matches(form, cdb));
                for cdb in passing.filter(passes) {
                    let name = names::decode(&cdb, class).name;
                    found.insert(name.unwrap_or_else(|| form.to_string()));
                }
            }
        }
        if found.is_empty() {
            continue;
        }
        let more = if found.len() > 3 { ", ..." } else { "" };
        let some: Vec<String> = found.into_iter().take(3).collect();
        let message = format!(
            "'{}' leaves other ways for the same ATA commands, which pass: {}{more}",
            entry.rule,
            some.join(", ")
        );
        let fix = "deny the command by its name, which denies it however it is sent, or the other CDBs too: \
                   85, a1, 7f [8]=1f [9]=f0";
        remarks.warn(&entry.place, &message, fix);
    }
}

/// The bits of the protocol.
const PROTOCOL: u8 = 0x1e;

/// CDBs of a form: with zeros in all bytes that it leaves open, and with what the rules that allow want there.
fn candidates(form: &Rule, entries: &[PlacedRule]) -> Vec<[u8; MAX_CDB]> {
    let mut found = probes(form);
    let allows = entries.iter().map(|entry| &entry.rule);
    for rule in allows.filter(|rule| rule.action() != Action::Deny) {
        let of_form = |cdb: &[u8; MAX_CDB]| form.opcodes().contains(cdb[0]);
        let mut cdbs: Vec<[u8; MAX_CDB]> = probes(rule).into_iter().filter(of_form).collect();
        for field in form.fields() {
            let byte = usize::from(field.byte());
            let mask = field.mask();
            let values: Vec<u8> = field.values().iter().collect();
            let with = |cdb: &[u8; MAX_CDB]| {
                let cdb = *cdb;
                values.clone().into_iter().map(move |value| {
                    let mut cdb = cdb;
                    cdb[byte] = (cdb[byte] & !mask) | value;
                    cdb
                })
            };
            cdbs = cdbs.iter().flat_map(with).take(MAX_CANDIDATES).collect();
        }
        found.extend(cdbs);
    }
    // Nothing reads the length of a CDB of 32 bytes.
    let long =
        |cdb: &&[u8; MAX_CDB]| cdb[0] == 0x7f && form.fields().all(|field| field.byte() != 7);
    let other_length = |cdb: &[u8; MAX_CDB]| {
        let mut cdb = *cdb;
        cdb[7] = 0;
        cdb
    };
    let lengths: Vec<[u8; MAX_CDB]> = found.iter().filter(long).map(other_length).collect();
    found.extend(lengths);
    found
}

/// So many CDBs of a form and a rule are looked at.
const MAX_CANDIDATES: usize = 4096;

/// The policy of the rules, in front of those that the class has by the files, or by default.
fn with_class(entries: &[PlacedRule], class: Class, policies: &Policies) -> Result<Policy> {
    let tables = Tables {
        strict: true,
        stock: STOCK.to_owned(),
    };
    let rules: Vec<String> = entries.iter().map(|entry| entry.rule.to_string()).collect();
    planned_class(policies, class, &tables)?.with_device_rules(&(rules.join("\n") + "\n"))
}
