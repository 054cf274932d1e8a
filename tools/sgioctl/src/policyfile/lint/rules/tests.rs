// SPDX-License-Identifier: GPL-2.0

use super::super::{lint, NAMES};
use crate::{
    names,
    policyfile::{self, Profiles},
};
use sgio_policy::policy::{Class, Rule};

/// The warnings about a block with these keys, with what to do about each.
fn warnings(keys: &str) -> Vec<String> {
    of_class(Class::DISK, keys)
}

fn of_class(class: Class, keys: &str) -> Vec<String> {
    let source = format!(
        "[[device]]\nmatch = {{ wwid = \"naa.600140512345678901234567890abcde\", class = \"{}\" }}\n{keys}\n",
        class.name()
    );
    let profiles = Profiles::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
    let policies = policyfile::parse("x.toml", &source, profiles);
    let policies = policies.unwrap_or_else(|faults| panic!("{faults}"));
    let remarks = lint(&policies, None, NAMES).into_iter();
    remarks
        .filter(|remark| remark.severity == super::super::Severity::Warning)
        .map(|remark| format!("{}: {}", remark.message, remark.fix))
        .collect()
}

#[test]
fn a_profile_that_another_closes_is_told() {
    let found = warnings("profiles = [\"smart-ro\", \"smart-test\"]");
    assert!(
        found
            .iter()
            .any(|warning| warning.contains("profiles = [\"smart-test\", \"smart-ro\"]")),
        "{found:?}"
    );
    for right in [
        "profiles = [\"smart-test\", \"smart-ro\"]",
        "profiles = [\"smart-sct\", \"smart-test\", \"smart-ro\"]",
        "profiles = [\"disk-guest\", \"smart-ro\"]",
    ] {
        assert_eq!(warnings(right), Vec::<String>::new(), "{right}");
    }
}

/// How `deny` is walked around: by another protocol, and in another CDB.
#[test]
fn a_deny_that_another_cdb_walks_around_is_told() {
    let told = |keys: &str| {
        let found = warnings(keys);
        let walks = found
            .iter()
            .any(|warning| warning.contains("leaves other ways"));
        (walks, found)
    };
    for keys in [
        "deny = [\"85 [1]&1e=06 [14]=b4\"]\nallow = [\"w 85\"]",
        "deny = [\"85 [14]=b4\"]\nallow = [\"w a1\"]",
        "deny = [\"a1 [9]=b4\"]\nallow = [\"w 7f [7]=18 [8]=1f [9]=f0\"]",
        // Nothing reads the length in byte 7.
        "deny = [\"85\", \"a1\", \"7f [7]=18 [8]=1f [9]=f0\"]\nallow = [\"w 7f\"]",
        "deny = [\"85,a1\"]\nallow = [\"w 7f\"]",
        // The profile lets IDENTIFY DEVICE pass in two.
        "deny = [\"85 [14]=ec\"]\nprofile = \"smart-ro\"",
        "deny = [\"ata-pass-through-16\"]\nprofile = \"smart-ro\"",
    ] {
        let (walks, found) = told(keys);
        assert!(walks, "{keys}: {found:?}");
    }
    for keys in [
        "deny = [\"ata-pass-through-16:identify\"]\nprofile = \"smart-ro\"",
        "deny = [\"ata-pass-through-16:sanitize\"]\nallow = [\"w 85\", \"w a1\"]",
        "deny = [\"85\", \"a1\", \"7f [7]=18 [8]=1f [9]=f0\"]",
        // Nothing lets it pass in any way.
        "deny = [\"85 [1]&1e=06 [14]=b4\"]",
        "deny = [\"48\"]",
    ] {
        let (walks, found) = told(keys);
        assert!(!walks, "{keys}: {found:?}");
    }
}

#[test]
fn a_rule_that_matches_nothing_is_told() {
    for keys in [
        "rules = \"deny 85 [14]=ec [14]=f4\"",
        "rules = \"allow w 5f [1]&1f=00 [1]&1f=03\"",
    ] {
        let found = warnings(keys);
        let told = |warning: &String| warning.contains("matches no command: no value of byte");
        assert!(found.iter().any(told), "{keys}: {found:?}");
    }
    for keys in [
        "deny = [\"85 [14]=ec [14]=f4\"]",
        "allow = [\"w 5f [1]&1f=00 [1]&1f=03\"]",
    ] {
        let block = format!("[[device]]\nmatch = {{ class = \"disk\" }}\n{keys}\n");
        let profiles = Profiles::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
        let fault = policyfile::parse("x.toml", &block, profiles).err().unwrap();
        assert!(fault.to_string().contains("matches no command"), "{fault}");
    }
    let right = warnings("rules = \"deny 85 [14]&f0=e0 [14]&0f=0c\"");
    assert_eq!(right, Vec::<String>::new());
}

/// A note, which is no warning: most often it is what was meant.
#[test]
fn what_a_deny_of_an_unknown_cdb_leaves_is_told() {
    let source = "[[device]]\nmatch = { class = \"disk\" }\ndeny = [\"cdb:c1 e1 00\"]\n";
    let profiles = Profiles::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
    let policies = policyfile::parse("x.toml", source, profiles).unwrap();
    let told = lint(&policies, None, NAMES)
        .iter()
        .any(|remark| remark.message.contains("another byte 1 is left as it was"));
    assert!(told);
}

/// What `allow`, `learn` and `check` write for readers is nothing to warn of.
#[test]
fn the_rules_of_the_tool_itself_are_no_mistake() {
    for class in [
        Class::DISK,
        Class::TAPE,
        Class::CDROM,
        Class::CHANGER,
        Class::ENCLOSURE,
    ] {
        let mut lists: Vec<Vec<String>> = Vec::new();
        for name in names::all(class) {
            let rules = names::by_default(&name, class).unwrap_or_default();
            lists.push(rules.iter().map(Rule::to_string).collect());
            if let Ok(cdb) = names::cdb_of(&name, class) {
                if names::decode(&cdb, class).for_readers {
                    lists.push(vec![format!("allow r {}", names::exact(&cdb, class))]);
                }
            }
        }
        let mut source = String::new();
        for (number, rules) in lists.iter().enumerate() {
            let rules = rules.join("\n");
            let class = class.name();
            source += &format!(
                "[[device]]\nmatch = {{ wwid = \"naa.{number:016x}\", class = \"{class}\" }}\nrules = \"\"\"\n{rules}\n\"\"\"\n"
            );
        }
        let policies = policyfile::parse("x.toml", &source, Profiles::default());
        let policies = policies.unwrap_or_else(|faults| panic!("{faults}"));
        let remarks = lint(&policies, None, NAMES).into_iter();
        let told: Vec<String> = remarks
            .filter(|remark| remark.message.contains("allowed to readers"))
            .map(|remark| remark.message)
            .collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
    }
}

#[test]
fn a_cdb_of_a_profile_is_looked_at_too() {
    let keys = "profile = \"site\"\n[profile.site]\ndescription = \"x\"\nallow = [\"w c1 e1 01 02 03 04 05 06 00 00\"]";
    let found = warnings(keys);
    let told = |warning: &String| warning.contains("bytes 7, 8 and 9 may be anything");
    assert!(found.iter().any(told), "{found:?}");
}

#[test]
fn a_cdb_that_is_longer_than_a_rule_is_told() {
    let found = warnings("allow = [\"w c1 e1 01 02 03 04 05 06 00 00\"]");
    assert!(
        found
            .iter()
            .any(|warning| warning.contains("bytes 7, 8 and 9 may be anything")),
        "{found:?}"
    );
    assert_eq!(
        warnings("allow = [\"w c1 e1 01 02 03 00 00\"]"),
        Vec::<String>::new()
    );
}

#[test]
fn the_bytes_that_matter_are_those_of_the_item() {
    let found = warnings("allow = [\"w c2 e3 01 02 03 04 05 06 00 00\"]");
    let told = |warning: &String| warning.contains("\"w c2 [1]=e3\"");
    assert!(found.iter().any(told), "{found:?}");
}

/// A reservation destroys nothing, and keeps all others out.
#[test]
fn reservations_are_not_for_readers() {
    for action in 0..=8 {
        let found = warnings(&format!("rules = \"allow r 5f [1]&1f={action:02x}\""));
        let told = |warning: &String| {
            warning.contains("allowed to readers of a disk: persistent-reserve-out")
        };
        assert!(found.iter().any(told), "{found:?}");
    }
}
