// SPDX-License-Identifier: GPL-2.0

//! Policy files from end to end, on devices that are made up.
//!
//! `BLESS=1` writes the expected outputs anew; look at the difference before keeping it.

use proptest::{collection::vec, option, prelude::*, sample};
use sgio_policy::policy::{Change, Class};
use sgioctl::{
    device::{nexus::Ports, Device, Multipath},
    policyfile::{compare, lint, load, parse, transaction, Index, Maps, Policies, Profiles},
    root::Root,
    verdict::Policy,
};
use std::{
    fs,
    path::{Path, PathBuf},
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

#[test]
fn differences() {
    let class = Some("allow r 12\nallow w 5f [1]&1f=00-02");
    let before = Policy::of_class(Class::DISK, class).unwrap();
    let rules = "allow w 5f [1]&1f=01-04\ndeny 12 [2]=83\nallow r c0";
    let after = before.clone().with_device_rules(rules).unwrap();
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
match = { wwid = "naa.5000000000000007" }
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

/// Few texts, so that many of them are one in another spelling.
fn selector() -> impl Strategy<Value = String> {
    let wwid = sample::select(vec![
        "naa.5000a",
        "NAA.5000A",
        "35000a",
        "35000A",
        "naa.5000b",
        "naa.*",
        "*",
    ]);
    let serial = sample::select(vec!["S 1", "S_1", "s 1", "S  1", "T"]);
    let model = sample::select(vec!["LUN 1", "LUN_1", "L*"]);
    let hctl = sample::select(vec!["1:0:0:0", "2:0:0:0"]);
    let class = sample::select(vec!["disk", "tape"]);
    let transport = sample::select(vec!["fc", "FC", "fibre", "usb"]);
    let map = sample::select(vec!["mpatha", "35000a", "35000A"]);
    let keys = (
        option::of(wwid),
        option::of(serial),
        option::of(model),
        option::of(hctl),
        option::of(class),
        option::of(transport),
        option::of(map),
        any::<bool>(),
    );
    keys.prop_map(
        |(wwid, serial, model, hctl, class, transport, map, exact)| {
            let keys = [
                ("wwid", wwid),
                ("serial", serial),
                ("model", model),
                ("hctl", hctl),
                ("class", class),
                ("transport", transport),
                ("multipath", map),
            ];
            let given = keys
                .iter()
                .filter_map(|(name, text)| Some(format!("{name} = \"{}\"", (*text)?)));
            let mut given: Vec<String> = given.collect();
            if given.is_empty() {
                given.push("class = \"disk\"".to_owned());
            }
            format!(
                "[[device]]\nmatch = {{ exact = {exact}, {} }}\n",
                given.join(", ")
            )
        },
    )
}

fn any_device() -> impl Strategy<Value = Device> {
    let texts = (
        option::of(sample::select(vec![
            "naa.5000a",
            "NAA.5000A",
            "naa.5000b",
            "35000a",
        ])),
        option::of(sample::select(vec!["S 1", "S_1", "s 1", "T"])),
        sample::select(vec!["LUN 1", "LUN_1", "LUN"]),
        sample::select(vec!["1:0:0:0", "2:0:0:0", "3:0:0:0"]),
        sample::select(vec![Class::DISK, Class::TAPE]),
        sample::select(vec!["fc", "usb"]),
        any::<bool>(),
    );
    texts.prop_map(
        |(wwid, serial, model, hctl, class, transport, path)| Device {
            serial: serial.map(str::to_owned),
            model: model.to_owned(),
            transport: transport.to_owned(),
            wwid: wwid.map(str::to_owned),
            multipath: path.then(|| Multipath {
                name: "mpatha".into(),
                node: "dm-0".into(),
                wwid: "35000a".into(),
            }),
            ..device(hctl, class, "naa.6")
        },
    )
}

proptest! {
    /// The index saves questions, and gives the same answer: whatever the spelling of a key.
    #[test]
    fn the_index_loses_no_block(
        blocks in vec(selector(), 1..12),
        devices in vec(any_device(), 1..8),
    ) {
        let policies = read_text("index", &blocks.concat()).unwrap();
        let index = Index::new(&policies.blocks);
        let maps = Maps::of(&devices);
        for device in &devices {
            prop_assert_eq!(index.block_of(device, &maps), policies.block_of(device, &maps));
            let matches = |number: &usize| policies.blocks[*number].selector.matches(device, &maps);
            let all: Vec<usize> = (0..policies.blocks.len()).filter(matches).collect();
            prop_assert_eq!(index.blocks_of(device, &maps), all);
        }
        // What is exact is never more than what is not.
        let loose = blocks.concat().replace("exact = true", "exact = false");
        let loose = read_text("index", &loose).unwrap();
        for device in &devices {
            for (exact, loose) in policies.blocks.iter().zip(&loose.blocks) {
                let (exact, loose) = (&exact.selector, &loose.selector);
                prop_assert!(!exact.matches(device, &maps) || loose.matches(device, &maps));
            }
        }
    }
}

/// `exact`: to the letter, of every key.
#[test]
fn exact_is_to_the_letter() {
    let own = Device {
        serial: Some("S 1".into()),
        model: "LUN 1".into(),
        transport: "ata".into(),
        ports: Ports {
            target: Some("0x5000c500a1b2c3d5".into()),
            ..Ports::default()
        },
        multipath: Some(Multipath {
            name: "mpatha".into(),
            node: "dm-0".into(),
            wwid: "35000c500a1b2c3d4".into(),
        }),
        ..device("1:0:0:0", Class::DISK, "naa.5000c500a1b2c3d4")
    };
    let maps = Maps::of(std::slice::from_ref(&own));
    for (key, spellings) in [
        ("serial", &["S 1", "S_1", "S  1"][..]),
        ("model", &["LUN 1", "LUN_1"]),
        ("transport", &["ata", "ATA", "SATA"]),
        (
            "target",
            &[
                "0x5000c500a1b2c3d5",
                "5000C500A1B2C3D5",
                "50:00:c5:00:a1:b2:c3:d5",
            ],
        ),
        (
            "multipath",
            &[
                "35000c500a1b2c3d4",
                "35000C500A1B2C3D4",
                "naa.5000c500a1b2c3d4",
            ],
        ),
    ] {
        for (number, spelling) in spellings.iter().enumerate() {
            for exact in [true, false] {
                let text =
                    format!("[[device]]\nmatch = {{ {key} = \"{spelling}\", exact = {exact} }}\n");
                let policies = read_text("exact", &text).unwrap();
                let matched = policies.blocks[0].selector.matches(&own, &maps);
                assert_eq!(matched, !exact || number == 0, "{key} {spelling} {exact}");
            }
        }
    }
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
