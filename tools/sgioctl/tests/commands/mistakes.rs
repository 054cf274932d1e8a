// SPDX-License-Identifier: GPL-2.0

//! Mistakes that people make, and what they are told to do about them.

use crate::common::{Spec, Tree};
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
            select("wwid = \"wwn-0x5000c500a1b2c3d4\""),
            "by_id = \"wwn-0x5000c500a1b2c3d4\"",
        ),
        (
            select("wwid = \"0x0014ee0000000001\""),
            "wwid = \"eui.0014ee0000000001\"",
        ),
        (select("wwid = \"0x6001405123456789\""), "the first half"),
        (
            block("unpriv_sgio = \"true\""),
            "write true, without quotes",
        ),
        (block("report_luns = true"), "report_luns = \"own\""),
        (block("unpriv = true"), "write unpriv_sgio"),
        (
            "[class.cdrom]\ntable = \"stock\"\n".into(),
            "name = \"cdrom\"",
        ),
        (
            "[[profile]]\ndescription = \"x\"\n".into(),
            "write [profile.NAME]",
        ),
        (
            "[[device]]\nmatch = { class = \"disk\",\n  vendor = \"ACME\" }\n".into(),
            "in one line",
        ),
        (
            block("rules = \"allow w persistent-reserve-out\""),
            "allow = [\"w persistent-reserve-out\"]",
        ),
        (block("rules = \"deny sanitize\""), "deny = [\"sanitize\"]"),
        (
            block("rules = \"allow w 5f [0x1]=00\""),
            "decimal, without 0x",
        ),
        (select("serial = \"S12*\""), "by_path"),
        (select("wwid = \"0x5000c50\""), "no WWN has so many digits"),
        (
            block("profiles = \"smart-ro\""),
            "profiles = [\"smart-ro\"]",
        ),
        ("include = \"x.toml\"\n".into(), "include = [\"x.toml\"]"),
        (
            "[profile.x]\ndescription = \"x\"\nclasses = \"tape\"\n".into(),
            "classes = [\"tape\"]",
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
            block("profile = [\"disk-guest\", \"smart-ro\"]"),
            "write profiles = [...]",
        ),
        (block("rules = [\"allow r 12\"]"), "one text, one a line"),
        (
            "[[device]]\nmatch = \"sdc\"\nallow = [\"5e\"]\n".into(),
            "'sgioctl show sdc' tells",
        ),
        (
            "[[device]]\nmacth = { class = \"disk\" }\n".into(),
            "did you mean match?",
        ),
        (block("alow = [\"5e\"]"), "did you mean allow?"),
        (block("unpriv-sgio = true"), "write unpriv_sgio"),
        (block("wwid = \"naa.6\""), "match = { wwid = ... }"),
        (select("device = \"/dev/sdc\""), "select by wwid"),
        (select("wwn = \"0x5000c500a1b2c3d4\""), "wwid = \"naa"),
        (select("product = \"LUN\""), "write model"),
        (
            "[[device]]\nmatch.class = \"disk\"\nallow = [\"5e\"]\n".into(),
            "write match = { class",
        ),
        (
            "[device.match]\nclass = \"disk\"\n".into(),
            "below [[device]]",
        ),
        (block("allow = [\"5Eh 00h\"]"), "without h: \"5e 00\""),
        (block("allow = [\"w 89h\"]"), "without h: \"89\""),
        (block("deny = [\"48h\"]"), "without h: \"48\""),
        (
            block("allow = [89]"),
            "write \"89\": opcodes stand in quotes",
        ),
        (block("deny = [0x48]"), "write \"0x48\": opcodes"),
        (select("hctl = 6"), "write it in quotes: \"6\""),
        (block("allow = [\"5e 0 0 0\"]"), "write '5e 00 00 00'"),
        (
            block("allow = [\"w Write same(16)\"]"),
            "did you mean write-same-16?",
        ),
        (
            block("allow = [\"READ KEYS\"]"),
            "did you mean persistent-reserve-in:read-keys",
        ),
        (block("profile = \"smart\""), "did you mean 'smart-ro' or"),
        (select("class = \"rom\""), "write \"cdrom\""),
        (select("class = \"CD/DVD\""), "write \"cdrom\""),
        (select("class = \"mediumx\""), "write \"changer\""),
        (select("hctl = \"[2:0:0:5]\""), "write hctl = \"2:0:0:5\""),
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

/// Behind a port of a SAS expander or an FC target, as `lsscsi -t` shows it.
fn with_a_port(tree: &Tree) {
    tree.device(&Spec {
        hctl: "3:0:0:0",
        through: "pci0000:00/0000:00:07.0/host3/port-3:0/end_device-3:0/target3:0:0",
        class: 0,
        vendor: "ACME",
        model: "SAS",
        wwid: Some("naa.5000c500a1b2c3d7"),
        nodes: &["block/sdd"],
        filter: Some((9, "")),
    });
    let port = "/sys/class/sas_device/end_device-3:0/sas_address";
    tree.write(port, "0x5000c500a1b2c3d5\n");
}

#[test]
fn identities_of_other_things_are_told() {
    let tree = Tree::usual();
    with_a_port(&tree);
    let mut failed = Vec::new();
    for (keys, fix) in [
        ("serial = \"s1234\"", "write serial = \"S1234\""),
        (
            "wwid = \"naa.5000c500a1b2c3d5\"",
            "write target = \"0x5000c500a1b2c3d5\"",
        ),
        (
            "target = \"naa.5000c500a1b2c3d5\"",
            "write target = \"0x5000c500a1b2c3d5\"",
        ),
        (
            "target = \"0x5000c500a1b2c3d7\"",
            "write wwid = \"naa.5000c500a1b2c3d7\"",
        ),
        (
            "exact = true, transport = \"SAS\"",
            "write transport = \"sas\"",
        ),
    ] {
        let text = format!("[[device]]\nmatch = {{ {keys} }}\nprofile = \"disk-guest\"\n");
        tree.write("/p.toml", &text);
        let output = tree.run(&["lint", tree.path("/p.toml").to_str().unwrap()]);
        let said = String::from_utf8(output.stdout).unwrap();
        if !said.contains(fix) {
            failed.push(format!("{keys}: {said}"));
        }
    }
    // Nothing is said where the spelling is one that is understood.
    for keys in [
        "serial = \"S1234\"",
        "target = \"5000c500a1b2c3d5\"",
        "target = \"50:00:c5:00:a1:b2:c3:d5\"",
        "wwid = \"NAA.5000C500A1B2C3D7\"",
        "transport = \"SAS\"",
    ] {
        let text = format!("[[device]]\nmatch = {{ {keys} }}\nprofile = \"disk-guest\"\n");
        tree.write("/p.toml", &text);
        let output = tree.run(&["lint", tree.path("/p.toml").to_str().unwrap()]);
        let said = String::from_utf8(output.stdout).unwrap();
        if said.contains("match") {
            failed.push(format!("{keys}: {said}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_command_line_that_is_nearly_right() {
    let tree = Tree::usual();
    with_a_port(&tree);
    let mut failed = Vec::new();
    for (arguments, fix) in [
        (
            &["allow", "sdc", "r", "89"][..],
            "write --read for any open",
        ),
        (&["allow", "sdc", "rw", "89"], "write --read for any open"),
        (&["deny", "sdc", "w", "89"], "deny needs neither"),
        (&["allow", "sdc", "5Eh", "00h"], "without h: 5e 00"),
        (&["allow", "sdc", "5Eh 00h"], "without h: 5e 00"),
        (&["check", "sdc", "5Eh", "00h"], "without h: 5e 00"),
        (&["explain", "12h"], "without h: 12"),
        (
            &["allow", "sdc", "5e", "0", "0", "0"],
            "write '5e 00 00 00'",
        ),
        (&["check", "sdc", "5e 0 0 0"], "write '5e 00 00 00'"),
        (&["explain", "0x5e,0x0,0x0"], "write '5e 00 00'"),
        (
            &["explain", "12 00 00 00 24 00 # INQUIRY"],
            "write '12 00 00 00 24 00'",
        ),
        (
            &["allow", "sdc", "12-00-00-00-24-00"],
            "write '12 00 00 00 24 00'",
        ),
        (&["check", "sdc", "\\x5e\\x00..."], "strace -s 64"),
        (
            &["allow", "sdc", "READ", "KEYS"],
            "write persistent-reserve-in:read-keys",
        ),
        (
            &["deny", "sdc", "Write same(16)"],
            "did you mean write-same-16?",
        ),
        (
            &["check", "sdc", "WRITE", "SAME", "(16)"],
            "write write-same-16",
        ),
        (
            &["explain", "PERSISTENT", "RESERVE", "OUT"],
            "write persistent-reserve-out",
        ),
        (
            &["explain", "SG_IO: 12 00 00 00 24 00"],
            "give them alone: '12 00 00 00 24 00'",
        ),
        (
            &["check", "--class", "rom", "inquiry"],
            "did you mean cdrom?",
        ),
        (&["profiles", "--class", "Tape"], "did you mean tape?"),
        (&["profiles", "smart"], "did you mean 'smart-ro' or"),
        (
            &["show", "nvme0n1"],
            "is an NVMe device, and no SCSI device",
        ),
        (&["show", "/dev/nvme0n1p1"], "is an NVMe device"),
        (
            &["allow", "mpatha (3600140512345678) dm-0 ACME,LUN", "89"],
            "give the map, mpatha",
        ),
        (
            &["show", "5000c500a1b2c3d7"],
            "did you mean naa.5000c500a1b2c3d7?",
        ),
        (
            &["show", "0x5000C500A1B2C3D7"],
            "did you mean naa.5000c500a1b2c3d7?",
        ),
        (
            &["allow", "35000c500a1b2c3d7", "89"],
            "did you mean naa.5000c500a1b2c3d7?",
        ),
        (&["show", "s1234-"], "did you mean t10.ATA"),
    ] {
        let errors = String::from_utf8(tree.run(arguments).stderr).unwrap();
        if !errors.contains(fix) {
            failed.push(format!("{arguments:?}: {errors}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
