// SPDX-License-Identifier: GPL-2.0

//! Names that others choose: what `show --policy` makes of them, and what reaches the terminal.
//!
//! Input: texts, separated by NULs. They become what a device says of itself, the name of a map, of a
//! link, of a file and of a process, what a file holds, and a trace. Two promises are checked:
//!
//! * a policy that `show --policy` writes means the device that it was written for, and no other one,
//!   whatever that says of itself;
//! * no command lets a character through that a terminal would obey, nor makes a line of its own of what others
//!   chose: each of their names has a second line here, [`MARK`].

use clap::Parser as _;
use sgio_policy::policy::Class;
use sgioctl::{
    cli::{self, Cli},
    commands::show,
    device::{Device, Hctl},
    output,
    policyfile::{self, Maps, Profiles},
    running::{Running, Stats},
    settings::Settings,
};
use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::{Path, PathBuf},
};

/// Checks one input.
pub fn check(data: &[u8]) {
    let texts: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    means_itself_alone(&texts);
    let tree = Tree::new(&texts);
    for command in COMMANDS {
        tree.run(command);
    }
}

fn raw<'a>(texts: &[&'a [u8]], number: usize) -> &'a [u8] {
    texts.get(number % texts.len()).copied().unwrap_or_default()
}

/// A text as sysfs is read.
fn text(texts: &[&[u8]], number: usize) -> String {
    let text = String::from_utf8_lossy(raw(texts, number));
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    text.to_owned()
}

fn device(number: u32, texts: &[&[u8]], wwid: &str) -> Device {
    Device {
        hctl: Hctl {
            host: number,
            channel: 0,
            target: 0,
            lun: 0,
        },
        id: Some(u64::from(number)),
        class: Class::DISK,
        vendor: text(texts, 1),
        model: text(texts, 2),
        revision: text(texts, 3),
        wwid: (!wwid.is_empty()).then(|| wwid.to_owned()),
        serial: Some(text(texts, 4)),
        transport: "usb".into(),
        nodes: vec!["sda".into()],
        block: Some("sda".into()),
        by_id: vec![text(texts, 5)],
        by_path: vec![text(texts, 6)],
        ports: Default::default(),
        multipath: None,
        unknown: Vec::new(),
    }
}

fn running() -> Running {
    Running {
        settings: Settings {
            complain: true,
            ..Settings::DEFAULT
        },
        rules: "allow r 5e".into(),
        timed: Vec::new(),
        id: 1,
        stats: Stats::default(),
    }
}

fn means_itself_alone(texts: &[&[u8]]) {
    let wwid = text(texts, 0);
    let own = device(1, texts, &wwid);
    let policy = show::policy(&[(own.clone(), running())]).expect("a policy can be written");
    let profiles = Profiles::built_in().expect("a test of the tool reads them");
    let policies = policyfile::parse("shown", &policy, profiles)
        .unwrap_or_else(|faults| panic!("{faults}\n{policy}"));
    assert_eq!(policies.blocks.len(), 1, "{policy}");
    assert_eq!(policies.classes.len(), 0, "{policy}");
    let maps = Maps::of(std::slice::from_ref(&own));
    assert_eq!(policies.block_of(&own, &maps), Some(0), "{policy}");
    let block = &policies.blocks[0];
    assert_eq!(block.settings(), running().settings, "{policy}");
    let rules: Vec<String> = (block.own.rules.iter())
        .map(|rule| rule.value.to_string())
        .collect();
    assert_eq!(rules, ["allow r 5e"], "{policy}");

    let mut others = vec![
        String::new(),
        "naa.600140512345678".into(),
        format!("{wwid}x"),
        format!("x{wwid}"),
        wwid.to_uppercase(),
        wwid.to_lowercase(),
        wwid.replace(['*', '?'], "x"),
        wwid.split_whitespace().collect::<Vec<_>>().join("_"),
        // As multipath and scsi_id write it.
        wwid.replacen("naa.", "3", 1),
        wwid.replacen("eui.", "2", 1),
        wwid.replacen('3', "naa.", 1),
    ];
    others.extend((1..texts.len()).map(|number| text(texts, number)));
    for (number, other) in (2..).zip(others.iter().filter(|other| **other != wwid)) {
        let other = device(number, texts, other);
        let meant = policies.block_of(&other, &maps);
        assert_eq!(meant, None, "{policy}\n{other:?}");
    }
}

/// What is run on the tree; `@` is the tree.
const COMMANDS: [&[&str]; 17] = [
    &["list"],
    &["list", "--json"],
    &["show", "6:0:0:0"],
    &["show", "6:0:0:0", "--json"],
    &["show", "6:0:0:0", "--policy"],
    &["allow", "6:0:0:0", "89", "--dry-run"],
    &["doctor", "--no-probe"],
    &["doctor", "--no-probe", "--json"],
    &["lint"],
    &["lint", "--json"],
    &["diff"],
    &["apply", "--dry-run"],
    &["profiles"],
    &["monitor", "--input", "@/trace", "--all"],
    &["monitor", "--input", "@/trace", "--all", "--json"],
    &["learn", "@/trace"],
    &["complete", "devices"],
];

/// No line of the output begins so.
const MARK: &str = "\n@@@ a line of another device";

const TRACE: &[u8] = b"-812 [001] ...1. 1.5: decision: dev=6:0:0:0 class=0 outcome=refused \
    decision=no_rule layer=none rule=0 open=r uid=65534 cgroup=0 cdb=89 00 00 00\n";
const RECORD: &[u8] = b"{\"schema\":\"sgioctl/1\",\"device\":\"6:0:0:0\",\"class\":\"disk\",\
    \"outcome\":\"refused\",\"decision\":\"no_rule\",\"open\":\"w\",\"cdb\":\"5f00\",\"comm\":\"";

/// Files that take the place of a system.
struct Tree(PathBuf);

impl Tree {
    fn new(texts: &[&[u8]]) -> Tree {
        let name = format!("sgio-fuzz-{}", std::process::id());
        let tree = Tree(std::env::temp_dir().join(name));
        let _ = fs::remove_dir_all(&tree.0);
        let marked: Vec<Vec<u8>> = texts
            .iter()
            .map(|text| [text, MARK.as_bytes()].concat())
            .collect();
        let plain = |number: usize| raw(texts, number);
        let raw = |number: usize| {
            let text = marked.get(number % texts.len());
            text.map(Vec::as_slice).unwrap_or_default()
        };
        let device = "sys/bus/scsi/devices/6:0:0:0";
        for (file, number) in [("vendor", 1), ("model", 2), ("rev", 3), ("wwid", 0)] {
            tree.write(&format!("{device}/{file}"), raw(number));
        }
        let page = [&[0, 0x80, 0, 0xff], raw(4)].concat();
        tree.write(&format!("{device}/vpd_pg80"), &page);
        tree.write(&format!("{device}/type"), b"0\n");
        for (file, text) in [
            ("id", "7"),
            ("unpriv_sgio", "0"),
            ("complain", "0"),
            ("report_luns", "passthrough"),
            ("pr_exclusive", "0"),
            ("filter_sg", "0"),
            ("rules", "allow r 5e"),
            ("stats", "refused 1"),
        ] {
            let path = format!("{device}/sgio_filter/{file}");
            tree.write(&path, format!("{text}\n").as_bytes());
        }
        // The kernel escapes what it prints in these.
        let nexus = [b"nexus 6:0:0\nlu ", plain(0)].concat();
        tree.write(&format!("{device}/sgio_filter/nexus"), &nexus);
        let owner = [b"7 ", plain(6)].concat();
        tree.write(&format!("{device}/sgio_filter/pr_owner"), &owner);
        tree.write(&format!("{device}/block/sda/holders/dm-0/x"), b"");
        tree.write("sys/block/dm-0/dm/uuid", &[b"mpath-", raw(7)].concat());
        tree.write("sys/block/dm-0/dm/name", raw(8));
        tree.write("sys/kernel/sgio_filter/version", raw(9));
        tree.write("sys/kernel/sgio_filter/classes/disk/table", b"strict\n");
        tree.write("sys/kernel/sgio_filter/classes/disk/rules", b"allow r 12\n");
        tree.files(raw(5), plain(10), raw(11));

        let comm = plain(12);
        let status = [
            b"Name:\t",
            comm,
            b"\nUid:\t1\t107\t2\t3\nCapEff:\t0000000000020000\n",
        ];
        tree.write("proc/77/status", &status.concat());
        tree.write("proc/77/fdinfo/5", b"flags:\t02100002\n");
        tree.write("proc/77/fd/x", b"");
        let _ = symlink("/dev/sda", tree.0.join("proc/77/fd/5"));
        let trace = [comm, TRACE, plain(13), b"\n", RECORD, comm, b"\"}\n"];
        tree.write("trace", &trace.concat());
        tree
    }

    /// Policy files, one that is not read, a profile, and a link.
    fn files(&self, name: &[u8], policy: &[u8], description: &[u8]) {
        let letters = name.iter().copied().filter(|b| !b"/\0".contains(b));
        let name: Vec<u8> = letters.take(90).collect();
        self.write("dev/disk/by-id/l", b"");
        let link = self.0.join("dev/disk/by-id");
        let link = link.join(OsStr::from_bytes(&[b"m", &name[..]].concat()));
        let _ = symlink("../../sda", link);
        for (end, text) in [(&b".toml"[..], policy), (b".conf", b"")] {
            let path = [b"etc/sgio-filter/policy.d/1", &name[..], end].concat();
            self.write_at(Path::new(OsStr::from_bytes(&path)), text);
        }
        let quotes = "'''";
        let description = String::from_utf8_lossy(description).replace(quotes, "");
        let profile = format!(
            "[profile.own]\nclasses = [\"disk\"]\nrules = \"allow r 5e\"\n\
             description = {quotes}{description}{quotes}\n"
        );
        self.write("etc/sgio-filter/profiles/own.toml", profile.as_bytes());
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        self.write_at(Path::new(path), bytes);
    }

    fn write_at(&self, path: &Path, bytes: &[u8]) {
        let path = self.0.join(path);
        let parent = path.parent().expect("a path in the tree");
        fs::create_dir_all(parent).expect("a directory for a file");
        fs::write(path, bytes).expect("a file");
    }

    fn run(&self, command: &[&str]) {
        let top = self.0.to_str().expect("a name of ours");
        let words = ["sgioctl", "--root", top].into_iter().map(str::to_owned);
        let arguments = command.iter().map(|word| word.replace('@', top));
        let cli = Cli::try_parse_from(words.chain(arguments)).expect("a command line of ours");
        let (result, mut printed) = output::capture(|| cli.run());
        if let Err(error) = result {
            // As main() prints it.
            let ((), more) = output::capture(|| cli::tell(&error));
            printed += &more;
        }
        let bad = printed
            .chars()
            .find(|c| *c != '\n' && output::is_unsafe(*c));
        assert_eq!(bad, None, "{command:?}: {printed:?}");
        let mark = MARK.trim_start();
        let own = printed.lines().any(|line| line.starts_with(mark));
        assert!(!own, "{command:?}: {printed:?}");
        // A line of a file of rules is a comment or a rule, whatever the names in it are.
        if command.first() == Some(&"learn") {
            for line in printed
                .lines()
                .filter(|line| !line.starts_with("sgioctl: "))
            {
                let known = ["#", "allow ", "+allow "];
                let ours = line.is_empty() || known.iter().any(|start| line.starts_with(start));
                assert!(ours, "{printed:?}");
            }
        }
    }
}
