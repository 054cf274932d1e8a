// SPDX-License-Identifier: GPL-2.0

//! Mistakes that people make, and what they are told to do about them.

use sgioctl::policyfile::{self, Profiles};

#[test]
fn the_message_names_the_fix() {
    let block = |line: &str| format!("[[device]]\nmatch = {{ class = \"disk\" }}\n{line}\n");
    let select = |keys: &str| format!("[[device]]\nmatch = {{ {keys} }}\nrules = \"\"\n");
    let mut failed: Vec<String> = Vec::new();
    for (source, fix) in [
        (
            "[device]\nmatch = { class = \"disk\" }\n".to_owned(),
            "write [[device]]",
        ),
        (
            "[class]\nname = \"disk\"\ntable = \"stock\"\n".into(),
            "write [[class]]",
        ),
        (block("complain = yes"), "true or false"),
        (block("complain = True"), "true or false"),
        (block("complain = \"on\""), "true or false"),
        (block("unpriv_sgio = FALSE"), "true or false"),
        (block("// the guest needs it"), "begins with #"),
        (block("complain = true // for now"), "begins with #"),
        (block("; the guest needs it"), "begins with #"),
        (block("complain = true;"), "no ; is needed"),
        (block("allow = [\u{201c}5e\u{201d}]"), "straight quotes"),
        (block("allow = [\u{2018}5e\u{2019}]"), "straight quotes"),
        (block("allow = [\"rw 5e\"]"), "write \"r 5e\""),
        (block("allow = [\"R 5e\"]"), "write \"r 5e\""),
        (block("Allow = [\"5e\"]"), "small letters"),
        (select("class = \"Disk\""), "write \"disk\""),
        (
            select("wwid = \"0x5000c500a1b2c3d4\""),
            "wwid = \"naa.5000c500a1b2c3d4\"",
        ),
        (
            select("wwid = \"wwn-0x5000c500\""),
            "by_id = \"wwn-0x5000c500\"",
        ),
        (select("wwid = \"naa.6001405?\""), "only * stands"),
        (select("vendor = \"[AB]CME\""), "only * stands"),
        (select("serial = \"S*\""), "write it out"),
        (
            block("rules = \"allow r 12; allow r 5e\""),
            "on a line of its own",
        ),
        (block("rules = \"allow r 12 // INQUIRY\""), "begins with #"),
        (block("rules = \"; INQUIRY\""), "begins with #"),
        (block("rules = \"allow rw 5e\""), "write 'allow r 5e'"),
        (block("rules = \"ALLOW R 5E\""), "'allow r 5e'"),
        (block("rules = \"Allow r 5e\""), "'allow r 5e'"),
        (block("rules = \"allow R 5e\""), "'allow r 5e'"),
        (
            block("rules = \"allow 5e\""),
            "'allow r 5e' (any open) or 'allow w 5e'",
        ),
        (block("rules = \"deny w 5e\""), "write 'deny 5e'"),
        (
            block("profile = \"disk-gest\""),
            "did you mean 'disk-guest'?",
        ),
        (
            block("profile = \"Disk-Guest-PR\""),
            "did you mean 'disk-guest-pr'?",
        ),
        (block("unpriv_sgio = 1"), "write true for 1"),
        (block("allow = \"5e\""), "write a list, in brackets"),
        (
            block("profiles = \"disk-guest\""),
            "write a list, in brackets",
        ),
        (
            "[[devices]]\nmatch = { class = \"disk\" }\n".into(),
            "write [[device]]",
        ),
        (
            "[[device]]\nmatch: { class = \"disk\" }\n".into(),
            "write = between a key and its value",
        ),
        (
            "[[device]]\nmatch = { class: \"disk\" }\n".into(),
            "write = between a key and its value",
        ),
        (
            "[[class]]\nname = \"disk\"\ntable = \"Strict\"\n".into(),
            "\"strict\"",
        ),
    ] {
        let faults = policyfile::parse("x", &source, Profiles::built_in().unwrap());
        let text = match faults {
            Ok(_) => "accepted".to_owned(),
            Err(faults) => faults.to_string(),
        };
        if !text.contains(fix) {
            failed.push(format!("{source}{text}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
