// SPDX-License-Identifier: GPL-2.0

use super::{super::lint, NAMES};
use crate::policyfile::{self, Profiles};

/// The warnings about a block with these keys, with what to do about each.
fn warnings(keys: &str) -> Vec<String> {
    let source = format!(
        "[[device]]\nmatch = {{ wwid = \"naa.600140512345678\", class = \"disk\" }}\n{keys}\n"
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
