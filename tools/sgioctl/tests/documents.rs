// SPDX-License-Identifier: GPL-2.0

//! Every rule in a document does what the sentence around it promises.
//!
//! Rules are found by their look, in the README, below Documentation, in the samples and the manual
//! pages. Each needs an entry in `documents/promises.rs` that repeats the sentence and says what
//! follows from it; a change of the rule or of the sentence makes the test ask again. Rules on ATA
//! PASS-THROUGH are looked at wherever they are, profiles included.

#[path = "documents/ata.rs"]
mod ata;
#[path = "documents/find.rs"]
mod find;
#[path = "documents/promises.rs"]
mod promises;
mod rules;

use find::{documents, rules_in, Found, TOP};
use promises::{Meaning, Promise, PROMISES};
use rules::{answer_of, commands, sample, Table};
use sgio_policy::policy::{strict, Access, Class, Rule, STOCK};
use sgioctl::{
    names,
    policyfile::{parse, Profiles},
};
use std::{fs, path::Path};

/// What is wrong with the rules of these documents.
fn complaints(documents: &[(String, String)], promises: &[Promise]) -> Vec<String> {
    let all: Vec<Found> = documents
        .iter()
        .flat_map(|(file, text)| rules_in(file, text))
        .collect();
    let mut complaints = Vec::new();
    let profiles = Profiles::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
    let is_a_profiles = |rule: &Rule| {
        let mut built_in = profiles.iter();
        built_in.any(|(_, profile)| profile.lists.rules.iter().any(|own| own.value == *rule))
    };
    for found in &all {
        let at = format!("{}:{}: {}", found.file, found.line, found.text);
        // The table of the profiles' own rules; tools/testing/scenarios/37-programs.sh holds it against what is in force.
        if found.file.ends_with("admin-guide/profiles.md") {
            if !is_a_profiles(&found.rule) {
                complaints.push(format!("{at}: no built-in profile has it"));
            }
            continue;
        }
        complaints
            .extend(ata::complaint(&found.rule, &found.file).map(|what| format!("{at}: {what}")));
        if found.file.contains("/profiles/") {
            continue; // Each has its reasons in it, and tests of its own.
        }
        let promised = |promise: &&Promise| {
            promise.file == found.file
                && promise.rule == found.text
                && found.around.contains(promise.sentence)
        };
        match promises.iter().find(promised) {
            None => complaints.push(format!(
                "{at}: no promise (add what it does to documents/promises.rs)"
            )),
            Some(promise) => complaints
                .extend(kept(&promise.meaning, &found.rule).map(|what| format!("{at}: {what}"))),
        }
    }
    for promise in promises {
        let same = |found: &&Found| promise.file == found.file && promise.rule == found.text;
        let mut those = all.iter().filter(same);
        if !those.any(|found| found.around.contains(promise.sentence)) {
            complaints.push(format!("{}: {} is not there", promise.file, promise.rule));
        }
    }
    complaints
}

/// What is not as promised.
fn kept(meaning: &Meaning, rule: &Rule) -> Option<String> {
    match meaning {
        Meaning::Syntax => None,
        Meaning::Commands(class, commands) => {
            let found = names::of_rule(rule, *class);
            (found != *commands).then(|| format!("it is '{found}', not '{commands}'"))
        }
        Meaning::Ata(commands) => {
            let found = ata::commands(rule);
            (found != *commands).then(|| format!("it is '{found}', not '{commands}'"))
        }
    }
}

#[test]
fn every_rule_in_a_document_does_what_is_promised() {
    let complaints = complaints(&documents(), PROMISES);
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// Each of these mistakes in a document is found.
#[test]
fn mistakes_in_documents_are_found() {
    for (file, right, wrong, complaint) in [
        (
            "Documentation/admin-guide/knobs.md",
            "85 [1]=08 [2]&08=08 [14]=ec'",
            "85 [14]=ec'",
            "85 [14]=ec: ec with protocol 0",
        ),
        (
            "tools/sgioctl/profiles/smart-ro.toml",
            "[2]&08=08 [3]=00 [4]=00 [14]=2f",
            "[3]=00 [4]=00 [14]=2f",
            "[14]=2f: 2f with data to the device",
        ),
        (
            "tools/sgioctl/profiles/smart-ro.toml",
            "[3]=00 [4]=00 [14]=2f",
            "[3]=00 [14]=2f",
            "2f with feature 01 for readers",
        ),
        (
            "tools/sgioctl/profiles/smart-ro.toml",
            "[3]=00 [4]=00 [14]=2f",
            "[4]=00 [14]=2f",
            "2f with a feature in byte 3",
        ),
        (
            "samples/rules/cluster-disk",
            "allow w 89   ",
            "allow w 8a   ",
            "allow w 8a: no promise",
        ),
        (
            "samples/rules/cluster-disk",
            "# COMPARE AND WRITE",
            "# COMPARE AND COPY",
            "allow w 89: no promise",
        ),
        (
            "Documentation/admin-guide/rules.md",
            "`allow r 5e`",
            "`allow r 5e,5f`",
            "allow r 5e,5f: no promise",
        ),
        (
            "Documentation/admin-guide/profiles.md",
            "`allow w 4d`",
            "`allow w 4c-4d`",
            "allow w 4c-4d: no built-in profile has it",
        ),
        (
            "Documentation/admin-guide/rules.md",
            "`allow w c1 [1]=e1`",
            "nothing",
            "allow w c1 [1]=e1 is not there",
        ),
    ] {
        let mut documents = documents();
        let (_, text) = documents.iter_mut().find(|(name, _)| name == file).unwrap();
        let changed = text.replacen(right, wrong, 1);
        assert_ne!(changed, *text, "{right}");
        *text = changed;
        let found = complaints(&documents, PROMISES);
        assert!(
            found.iter().any(|found| found.contains(complaint)),
            "{complaint}: {found:?}"
        );
    }
    let promise = Promise {
        meaning: Meaning::Commands(Class::DISK, "write-10"),
        ..PROMISES
            .iter()
            .find(|p| p.rule == "allow w 89")
            .unwrap()
            .clone()
    };
    let found = complaints(&documents(), &[promise]);
    let wrong = "it is 'compare-and-write', not 'write-10'";
    assert!(found.iter().any(|found| found.contains(wrong)), "{found:?}");
}

/// The commands that write, of any class, which a list of rules lets pass in front of a table.
fn writing(list: &str) -> Vec<String> {
    let list = Table::new(&[list]);
    // Service actions that only read; on a class that does not have them they are nothing.
    let reads: Vec<Rule> = [Class::DISK, Class::CHANGER]
        .into_iter()
        .flat_map(|class| {
            commands(class)
                .into_iter()
                .map(move |command| (class, command))
        })
        .filter(|(_, (_, rule))| rule.fields().next().is_some())
        .filter(|(class, (name, _))| names::default_access(name, *class).unwrap() == Access::Read)
        .map(|(_, (_, rule))| rule)
        .collect();
    let mut passing = Vec::new();
    for class in Class::ALL {
        let tables = [Table::new(strict(class)), Table::new(&[STOCK])];
        for (name, rule) in commands(class) {
            let whole = rule.fields().next().is_none();
            let same = reads
                .iter()
                .filter(|read| whole && read.opcodes() == rule.opcodes());
            let same: Vec<Rule> = same.copied().collect();
            let writes = |cdb: &[u8; 32]| {
                let passes = |table| answer_of(Some(&list), table, cdb) != '-';
                tables.iter().any(passes) && names::decode(cdb, class).destructive
            };
            if sample(&rule, &same, &list.rules).iter().any(writes) {
                passing.push(format!("{name} on {}", class.name()));
            }
        }
    }
    passing
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(TOP).join(file)).unwrap()
}

/// "nothing that writes, whatever the class allows".
#[test]
fn what_is_read_only_lets_nothing_pass_that_writes() {
    assert_eq!(writing(&read("samples/rules/read-only")), [""; 0]);
    // What the guide once had.
    let passing = writing("deny 04,0a,2a,2e,3f,41,42,8a,8e,93,aa,ae");
    for known in [
        "write-atomic-16 on disk",
        "reset-write-pointer on zbc",
        "write-32 on disk",
        "write-same-32 on disk",
    ] {
        assert!(
            passing.iter().any(|name| name == known),
            "{known}: {passing:?}"
        );
    }
}

/// "what it is and no data: inquiry pages, capacity, health, and nothing else whatever its class
/// allows".
#[test]
fn what_is_for_auditors_lets_nothing_else_pass() {
    let list = Table::new(&[&read("samples/rules/read-only-audit")]);
    for table in [Table::new(strict(Class::DISK)), Table::new(&[STOCK])] {
        let mut passing = Vec::new();
        for (name, rule) in commands(Class::DISK) {
            let named = |cdb| names::decode(cdb, Class::DISK).name.as_ref() == Some(&name);
            let passes = |cdb| answer_of(Some(&list), &table, cdb) != '-' && named(cdb);
            if sample(&rule, &[], &list.rules).iter().any(passes) {
                passing.push(name.clone());
            }
        }
        passing.sort();
        let expected = [
            "inquiry",
            "log-sense:read",
            "mode-sense-10",
            "mode-sense-6",
            "read-capacity-10",
            "read-capacity-16",
            "report-luns",
            "request-sense",
            "test-unit-ready",
        ];
        assert_eq!(passing, expected);
    }
}

/// The examples of the guides are policy files that can be read.
#[test]
fn policy_files_in_documents_are_valid() {
    let mut examples = 0;
    for (file, text) in documents() {
        let plain = text.replace("\\-", "-");
        let mut example = String::new();
        for line in plain.lines().chain(["end"]) {
            let toml = line
                .strip_prefix("    ")
                .or_else(|| file.contains("/man/").then_some(line));
            match toml.filter(|toml| !toml.starts_with('.')) {
                Some(toml) => example += &format!("{}\n", toml.trim_end()),
                None if line.trim().is_empty() => example.push('\n'),
                None => {
                    let example = std::mem::take(&mut example);
                    if example
                        .lines()
                        .any(|line| ["[[device]]", "[[class]]"].contains(&line))
                    {
                        examples += 1;
                        let policy =
                            parse(&file, &toml_of(&example), Profiles::built_in().unwrap());
                        assert!(
                            policy.is_ok(),
                            "{file}: {:?}\n{example}",
                            policy.err().map(|e| e.to_string())
                        );
                    }
                }
            }
        }
    }
    assert!(examples >= 3, "{examples}");
}

/// From the first line that is TOML on, without the included files, which are not there.
fn toml_of(example: &str) -> String {
    let begins = |line: &&str| line.starts_with('[') || line.starts_with("include");
    let lines = example.lines().skip_while(|line| !begins(line));
    lines
        .filter(|line| !line.starts_with("include"))
        .fold(String::new(), |text, line| text + line + "\n")
}
