// SPDX-License-Identifier: GPL-2.0

//! Policy files from end to end, on devices that are made up.
//!
//! `BLESS=1` writes the expected outputs anew; look at the difference before keeping it.

use proptest::prelude::*;
use sgio_policy::{
    filter::{CompiledFilter, RuleVec},
    policy::{
        decide, load as load_rules, strict, Cdb, Change, Class, DevicePolicy, ReportLuns, Time,
        STOCK,
    },
};
use sgioctl::{
    device::{Device, Multipath},
    policyfile::{compare, lint, load, parse, transaction, Index, Maps, Policies, Profiles},
    root::Root,
    verdict::Policy,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

fn device(hctl: &str, class: Class, wwid: &str) -> Device {
    Device {
        id: None,
        hctl: hctl.parse().unwrap(),
        class,
        vendor: "LIO-ORG".into(),
        model: "disk0".into(),
        revision: "4.0".into(),
        wwid: Some(wwid.into()),
        serial: Some("S1".into()),
        transport: "iscsi".into(),
        nodes: vec![],
        block: None,
        by_id: vec!["scsi-1".into()],
        by_path: vec![],
        ports: Default::default(),
        multipath: None,
        unknown: vec![],
    }
}

/// A disk, two paths of a map of which the second is not in it yet, and a tape.
fn devices() -> Vec<Device> {
    let mut path = device("2:0:0:0", Class::DISK, "naa.5000A");
    path.multipath = Some(Multipath {
        name: "mpatha".into(),
        node: "dm-0".into(),
        wwid: "35000a".into(),
    });
    vec![
        device("1:0:0:0", Class::DISK, "naa.60014051"),
        path,
        device("3:0:0:0", Class::DISK, "naa.5000a"),
        device("4:0:0:0", Class::TAPE, "naa.60014052"),
    ]
}

fn read(path: &Path) -> Result<Policies, String> {
    load(&Root::new(Path::new("tests/no-root")), &[path.to_owned()]).map_err(|f| f.to_string())
}

/// Writes `source` to a file of its own and loads it.
fn read_text(name: &str, source: &str) -> Result<Policies, String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = directory.join(format!("{name}.toml"));
    fs::write(&path, source).unwrap();
    read(&path)
}

fn whole(policies: &Policies) -> Result<String, String> {
    let devices = devices();
    let resolved = policies.resolve(&devices).map_err(|f| f.to_string())?;
    let sections = resolved.iter().zip(1..);
    let mut text = transaction::classes(policies);
    text.extend(sections.map(|(state, id)| transaction::device(state, Some(id))));
    Ok(text)
}

fn golden(directory: &str, outcome: fn(&Path) -> String) {
    let mut paths: Vec<PathBuf> = fs::read_dir(Path::new("tests/policies").join(directory))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let found = outcome(&path) + "\n";
        let expected = path.with_extension("expected");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        let text = fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(found, text, "{}", path.display());
    }
}

#[test]
fn bad_files_are_refused_with_place_and_fix() {
    golden("bad", |path| match read(path) {
        Ok(_) => format!("{} is accepted", path.display()),
        Err(faults) => faults,
    });
}

#[test]
fn good_files_make_this_transaction() {
    golden("good", |path| {
        read(path).and_then(|p| whole(&p)).unwrap_or_else(|e| e)
    });
}

#[test]
fn what_only_the_devices_show_is_refused_too() {
    golden("resolve", |path| {
        let policies = read(path).unwrap_or_else(|e| panic!("{e}"));
        whole(&policies).err().unwrap_or_default()
    });
}

#[test]
fn one_bad_file_of_a_directory_is_enough() {
    let faults = read(Path::new("tests/policies/bad")).err().unwrap();
    assert!(faults.contains("rules.toml:8:21: "), "{faults}");
    assert!(faults.contains("unknown-key.toml:4:1: "), "{faults}");
}

fn compiled(texts: &[&str]) -> Arc<CompiledFilter> {
    let mut rules = RuleVec::new();
    assert!(load_rules(texts, &mut rules).is_ok());
    CompiledFilter::compile(rules).ok().unwrap()
}

fn policy(class: Class, table: &[&str], rules: Option<&str>) -> Policy {
    Policy {
        unpriv_sgio: false,
        complain: false,
        report_luns: ReportLuns::Passthrough,
        class,
        device_rules: rules.map(|rules| compiled(&[rules])),
        class_rules: compiled(table),
    }
}

/// What a profile makes of a CDB: `r` any open, `w` write open, `-` nobody.
fn verdict(policy: &Policy, cdb: &[u8]) -> char {
    let mut padded = [0; 32];
    padded[..cdb.len()].copy_from_slice(cdb);
    let state = DevicePolicy {
        unpriv: policy.unpriv_sgio,
        own_luns: false,
        device: policy.device_rules.as_ref().map(|filter| filter.view()),
        class: policy.class_rules.view(),
    };
    let allowed =
        |write| decide(&state, &Cdb::new(&padded).unwrap(), write, || Time::ZERO).is_allowed();
    match (allowed(false), allowed(true)) {
        (true, _) => 'r',
        (false, true) => 'w',
        (false, false) => '-',
    }
}

fn profile_rules(name: &str) -> String {
    let profiles = Profiles::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
    let profile = profiles.get(name).unwrap();
    assert!(profile.lists.deny.is_empty() && profile.lists.allow.is_empty());
    assert!(!profile.description.is_empty() && profile.why.len() > 80);
    let rules = profile.lists.rules.iter();
    let lines: Vec<String> = rules.map(|rule| rule.value.to_string()).collect();
    lines.join("\n") + "\n"
}

fn ata16(protocol: u8, flags: u8, feature: u8, command: u8) -> Vec<u8> {
    let mut cdb = vec![0; 16];
    (cdb[0], cdb[1], cdb[2], cdb[4], cdb[14]) = (0x85, protocol, flags, feature, command);
    cdb
}

fn ata12(protocol: u8, flags: u8, feature: u8, command: u8) -> Vec<u8> {
    let mut cdb = vec![0; 12];
    (cdb[0], cdb[1], cdb[2], cdb[3], cdb[9]) = (0xa1, protocol, flags, feature, command);
    cdb
}

fn self_test(kind: u8) -> Vec<u8> {
    let mut cdb = ata16(0x06, 0x20, 0xd4, 0xb0);
    cdb[8] = kind;
    cdb
}

fn write_log(log: u8) -> Vec<u8> {
    let mut cdb = ata16(0x0a, 0x06, 0xd6, 0xb0);
    cdb[8] = log;
    cdb
}

fn long(action: u8) -> Vec<u8> {
    let mut cdb = vec![0; 32];
    (cdb[0], cdb[7], cdb[9]) = (0x7f, 0x18, action);
    cdb
}

#[test]
fn profiles_open_what_they_say() {
    const DISK: Class = Class::DISK;
    let table: Vec<(&str, Class, Vec<u8>, char)> = vec![
        ("disk-guest", DISK, vec![0x42], 'w'),
        ("disk-guest", DISK, vec![0x89], 'w'),
        ("disk-guest", DISK, vec![0x91], 'w'),
        ("disk-guest", DISK, vec![0x90], 'r'),
        ("disk-guest", DISK, long(0x09), 'r'),
        ("disk-guest", DISK, long(0x0d), 'w'),
        ("disk-guest", DISK, vec![0x5f, 0], '-'),
        ("disk-guest", DISK, vec![0x48, 3], '-'),
        ("disk-guest", DISK, vec![0x83], '-'),
        ("disk-guest", DISK, vec![0x04], '-'),
        ("disk-guest-pr", DISK, vec![0x5e, 0], 'r'),
        ("disk-guest-pr", DISK, vec![0x5e, 4], '-'),
        ("disk-guest-pr", DISK, vec![0x5f, 5], 'w'),
        ("disk-guest-pr", DISK, vec![0x5f, 6], 'w'),
        ("disk-guest-pr", DISK, vec![0x5f, 7], '-'),
        ("disk-guest-pr", DISK, vec![0x5f, 8], '-'),
        ("disk-guest-pr", DISK, vec![0x16], '-'),
        ("disk-guest-pr", Class::ZBC, vec![0x89], 'w'),
        // What smartctl, ata_id and hdparm send.
        ("smart-ro", DISK, ata16(0x08, 0x0e, 0, 0xec), 'r'),
        ("smart-ro", DISK, ata16(0x08, 0x2e, 0, 0xec), 'r'),
        ("smart-ro", DISK, ata16(0x08, 0x0e, 0xd0, 0xb0), 'r'),
        ("smart-ro", DISK, ata16(0x08, 0x0e, 0xd5, 0xb0), 'r'),
        ("smart-ro", DISK, ata16(0x06, 0x20, 0xda, 0xb0), 'r'),
        ("smart-ro", DISK, ata16(0x09, 0x0e, 0, 0x2f), 'r'),
        ("smart-ro", DISK, ata16(0x06, 0x20, 0, 0xe5), 'r'),
        ("smart-ro", DISK, ata12(0x08, 0x0e, 0, 0xec), 'r'),
        ("smart-ro", DISK, ata12(0x08, 0x0e, 0xd1, 0xb0), 'r'),
        ("smart-ro", DISK, ata12(0x06, 0x20, 0xda, 0xb0), 'r'),
        ("smart-ro", DISK, vec![0x4d, 0], 'r'),
        // What changes something, or has another direction or protocol.
        ("smart-ro", DISK, ata16(0x08, 0x06, 0, 0xec), '-'),
        ("smart-ro", DISK, ata16(0x0a, 0x06, 0xd6, 0xb0), '-'),
        ("smart-ro", DISK, ata16(0x0a, 0x0e, 0xd0, 0xb0), '-'),
        ("smart-ro", DISK, ata16(0x0c, 0x0e, 0, 0xec), '-'),
        ("smart-ro", DISK, ata16(0x06, 0x20, 0xd4, 0xb0), '-'),
        ("smart-ro", DISK, ata16(0x06, 0x20, 0xd8, 0xb0), '-'),
        ("smart-ro", DISK, ata16(0x06, 0x20, 0xd9, 0xb0), '-'),
        ("smart-ro", DISK, ata16(0x06, 0x20, 0, 0xe0), '-'),
        ("smart-ro", DISK, ata16(0x0a, 0x06, 0, 0xf4), '-'),
        ("smart-ro", DISK, ata12(0x0a, 0x06, 0xd6, 0xb0), '-'),
        ("smart-ro", DISK, ata12(0x06, 0x20, 0xd9, 0xb0), '-'),
        ("storage-mgmt", DISK, vec![0x55], 'w'),
        ("storage-mgmt", DISK, vec![0x3b, 5], 'w'),
        ("storage-mgmt", DISK, vec![0x3c, 0x1c], 'w'),
        ("storage-mgmt", DISK, vec![0x3c, 0x03], 'r'),
        ("storage-mgmt", DISK, vec![0x1d], 'w'),
        ("storage-mgmt", Class::RAID, vec![0xa4, 0x0a], 'w'),
        ("storage-mgmt", DISK, vec![0xa4, 0x1f], '-'),
        ("storage-mgmt", DISK, vec![0x48, 1], '-'),
        ("storage-mgmt", DISK, vec![0x04], '-'),
        ("storage-mgmt", DISK, vec![0x5f, 0], '-'),
        ("optical-rip", Class::CDROM, vec![0xd8], 'r'),
        ("optical-rip", Class::CDROM, vec![0xf1], '-'),
        ("optical-rip", Class::CDROM, vec![0xf1, 0x06], 'r'),
        ("optical-rip", Class::CDROM, vec![0xd5], 'r'),
        // redumper: OmniDrive, and Kreon's lock states; never the firmware of the same opcode.
        (
            "optical-rip",
            Class::CDROM,
            vec![0xc0, 0x0a, 0, 0, 0, 0, 0, 0, 0, 1],
            'r',
        ),
        ("optical-rip", Class::CDROM, vec![0xc0, 0x80], '-'),
        (
            "optical-rip",
            Class::CDROM,
            vec![0xff, 0x08, 0x01, 0x01],
            'w',
        ),
        (
            "optical-rip",
            Class::CDROM,
            vec![0xff, 0x08, 0x01, 0x11, 0x02],
            'w',
        ),
        (
            "optical-rip",
            Class::CDROM,
            vec![0xff, 0x08, 0x01, 0x11, 0x03],
            '-',
        ),
        ("optical-rip", Class::CDROM, vec![0xff, 0x01], '-'),
        (
            "optical-rip",
            Class::CDROM,
            vec![0xff, 0, 0x01, 0, 0, 0x01],
            '-',
        ),
        ("optical-rip", Class::CDROM, vec![0xff], '-'),
        ("optical-rip", Class::CDROM, vec![0xee], '-'),
        ("optical-rip", Class::CDROM, vec![0x3c, 0x06], '-'),
        // Self-tests in the background, SMART ENABLE; SCT; and nothing else of either.
        ("smart-test", DISK, ata16(0x06, 0x20, 0xd8, 0xb0), 'r'),
        ("smart-test", DISK, self_test(0x02), 'r'),
        ("smart-test", DISK, self_test(0x7f), 'r'),
        ("smart-test", DISK, self_test(0x81), '-'),
        ("smart-test", DISK, ata16(0x06, 0x20, 0xd9, 0xb0), '-'),
        ("smart-test", DISK, ata16(0x0a, 0x06, 0xd6, 0xb0), '-'),
        ("smart-test", DISK, vec![0x1d, 0x20], 'r'),
        ("smart-test", DISK, vec![0x1d, 0xa0], '-'),
        ("smart-test", DISK, vec![0x1d, 0x10, 0, 0, 8], '-'),
        ("smart-sct", DISK, write_log(0xe0), 'r'),
        ("smart-sct", DISK, write_log(0x09), '-'),
        ("smart-sct", DISK, self_test(0x01), '-'),
        ("optical-rip", Class::CDROM, vec![0xd9], '-'),
        ("optical-rip", Class::CDROM, vec![0x3c, 1], 'w'),
        ("optical-rip", Class::CDROM, vec![0x3b, 5], '-'),
        ("tape-library", Class::CHANGER, vec![0xb8], 'r'),
        ("tape-library", Class::CHANGER, vec![0xa5], 'w'),
        ("tape-library", Class::CHANGER, vec![0x07], 'w'),
        ("tape-library", Class::TAPE, vec![0x10], 'w'),
        ("tape-library", Class::TAPE, vec![0x34], 'r'),
        ("tape-library", Class::TAPE, vec![0xb5], '-'),
        ("tape-library", Class::TAPE, vec![0x0b], 'w'),
        ("tape-library", Class::TAPE, vec![0x5e, 3], 'r'),
        ("tape-library", Class::TAPE, vec![0x5f, 0], '-'),
        ("tape-library", Class::TAPE, vec![0xa4, 0x0f], 'w'),
        ("tape-library", Class::TAPE, vec![0xa4, 0x1f], '-'),
        ("tape-library", Class::TAPE, vec![0xa3, 0x1f], '-'),
        ("tape-library", Class::TAPE, vec![0x1d, 0x10], '-'),
        ("tape-library", Class::TAPE, vec![0x3c, 0x02], '-'),
        ("tape-library", Class::TAPE, vec![0x04], '-'),
        ("tape-library", Class::TAPE, vec![0x3b, 5], '-'),
        ("enclosure", Class::ENCLOSURE, vec![0x1d, 0x10], 'w'),
        ("enclosure", Class::ENCLOSURE, vec![0x1d, 0x04], '-'),
        ("enclosure", Class::ENCLOSURE, vec![0x1c, 0x01, 2], 'r'),
        ("enclosure", Class::ENCLOSURE, vec![0x3b, 5], '-'),
    ];
    let profiles = Profiles::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
    for (name, class, cdb, expected) in table {
        assert!(profiles.get(name).unwrap().is_for(class), "{name}");
        let policy = policy(class, strict(class), Some(&profile_rules(name)));
        assert_eq!(verdict(&policy, &cdb), expected, "{name}: {cdb:02x?}");
    }
}

#[test]
fn smart_ro_holds_on_the_kernels_list_too() {
    // There, ATA PASS-THROUGH(12) is open to writers, as BLANK.
    let policy = policy(Class::DISK, &[STOCK], Some(&profile_rules("smart-ro")));
    assert_eq!(verdict(&policy, &ata12(0x06, 0x20, 0xd9, 0xb0)), '-');
    assert_eq!(verdict(&policy, &ata12(0x08, 0x0e, 0, 0xec)), 'r');
}

#[test]
fn stock_is_the_list_of_the_kernel() {
    for class in Class::ALL {
        let kernel = policy(class, &[STOCK], None);
        let profile = policy(class, strict(class), Some(&profile_rules("stock")));
        assert!(compare::changes(&kernel, &profile, class).is_empty());
    }
}

#[test]
fn differences() {
    let before = policy(Class::DISK, &["allow r 12\nallow w 5f [1]&1f=00-02"], None);
    let rules = "allow w 5f [1]&1f=01-04\ndeny 12 [2]=83\nallow r c0";
    let after = policy(
        Class::DISK,
        &["allow r 12\nallow w 5f [1]&1f=00-02"],
        Some(rules),
    );
    let changes = compare::changes(&before, &after, Class::DISK);
    let lines: Vec<String> = changes
        .iter()
        .map(|c| format!("{}: {} -> {}", c.commands, c.before, c.after))
        .collect();
    assert_eq!(
        lines,
        [
            "12 [2]=83: any open -> refused",
            "5f [1]&1f=03-04: refused -> write open",
            "c0: refused -> any open",
        ]
    );
}

#[test]
fn findings() {
    let source = r#"
[[device]]
match = { vendor = "LIO*" }
unpriv_sgio = true
rules = """
allow r 12
allow w 12 [1]=00
allow r 48
"""
[[device]]
match = { hctl = "1:0:0:0" }
[[device]]
match = { wwid = "naa.7" }
"#;
    let policies = read_text("findings", source).unwrap_or_else(|e| panic!("{e}"));
    let decode: lint::Decode = |cdb, class| match (cdb[0], class) {
        (0x48, Class::DISK) => (Some("sanitize".into()), true),
        (0x48, Class::CDROM) => (Some("play-audio-ti".into()), false),
        _ => (None, false),
    };
    let found = lint::lint(&policies, Some(&devices()), decode);
    let lines: Vec<(usize, lint::Severity, &str)> = found
        .iter()
        .map(|f| (f.place.line, f.severity, f.message.as_str()))
        .collect();
    use lint::Severity::{Note, Warning};
    let expected = [
        (4, Warning, "unpriv_sgio gives"),
        (7, Warning, "'allow w 12 [1]=00' never decides"),
        (
            8,
            Warning,
            "48 depends on the class: sanitize (disk), play-audio-ti (cdrom)",
        ),
        (8, Warning, "allowed to readers of a disk: sanitize"),
        (10, Warning, "this block only matches"),
        (11, Warning, "1:0:0:0 matches"),
        (12, Warning, "this block only matches"),
        (13, Note, "a device might match"),
        (13, Note, "no device matches now"),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, (number, severity, start)) in lines.iter().zip(expected) {
        assert_eq!((line.0, line.1), (number, severity), "{lines:#?}");
        assert!(line.2.starts_with(start), "{line:?}");
    }
}

#[test]
fn the_index_finds_what_asking_each_block_finds() {
    let source = r#"
[[device]]
match = { wwid = "NAA.5000A", class = "tape" }
[[device]]
match = { wwid = "35000a", exact = true }
[[device]]
match = { wwid = "naa.5000a", exact = true }
[[device]]
match = { hctl = "2:0:0:0" }
[[device]]
match = { wwid = "35000A" }
[[device]]
match = { wwid = "naa.6001405*" }
[[device]]
match = { class = "disk" }
"#;
    let policies = read_text("index", source).unwrap();
    let index = Index::new(&policies.blocks);
    let all = devices();
    let maps = Maps::of(&all);
    let found: Vec<_> = all.iter().map(|d| index.block_of(d, &maps)).collect();
    let wanted: Vec<_> = all.iter().map(|d| policies.block_of(d, &maps)).collect();
    assert_eq!(found, wanted);
    assert_eq!(found, [Some(5), Some(3), Some(2), Some(5)]);
}

fn item() -> impl Strategy<Value = String> {
    ("[0-9a-f]{2}", "[rw]", "(| \\[1\\]&1f=0[0-9a-f])")
        .prop_map(|(op, rw, f)| format!("{rw} {op}{f}"))
}

#[test]
fn a_text_cut_short_is_told_so() {
    let faults = parse("cut", "match = ", Profiles::default()).err().unwrap();
    let text = faults.to_string();
    assert!(
        text.starts_with("cut:1:9: unexpected end of the text; "),
        "{text}"
    );
}

#[test]
fn a_text_cannot_include_files() {
    let faults = parse("text", "include = ['a.toml']\n", Profiles::default());
    let text = faults.err().unwrap().to_string();
    assert!(
        text.starts_with("text:1:12: a text cannot include files"),
        "{text}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|\n|\\[\\[device\\]\\]\n|match = |\\{|\\}|\"\"\"|rules = |class = |allow|= \\[\"r 5)*") {
        let _ = read_text("random", &text);
    }

    #[test]
    fn blocks_resolve_to_rules_that_are_read_back(
        allow in proptest::collection::vec(item(), 0..5),
        deny in proptest::collection::vec("[0-9a-f]{2}", 0..5),
        complain: bool,
    ) {
        let source = format!(
            "[[device]]\nmatch = {{ class = 'disk' }}\ncomplain = {complain}\nallow = {allow:?}\ndeny = {deny:?}\n"
        );
        let policies = read_text("blocks", &source).map_err(TestCaseError::fail)?;
        let text = whole(&policies).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&text, &whole(&policies).map_err(TestCaseError::fail)?);
        let devices = devices();
        let resolved = policies.resolve(&devices).map_err(|f| TestCaseError::fail(f.to_string()))?;
        for state in resolved {
            let expected = if state.device.class == Class::DISK { allow.len() + deny.len() } else { 0 };
            prop_assert_eq!(state.entries().len(), expected);
            let rules = state.rules();
            let again = if rules.is_empty() { "\n".to_owned() } else { rules.to_owned() };
            let change = Change::parse(again.as_bytes()).map_err(|e| TestCaseError::fail(e.to_string()))?;
            let printed: Vec<String> = change.rules().map(|rule| rule.to_string()).collect();
            prop_assert_eq!(printed.join("\n"), rules.trim_end());
        }
    }
}
