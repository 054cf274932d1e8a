// SPDX-License-Identifier: GPL-2.0

//! Many devices and many blocks cost in proportion, and little each.
//!
//! Looks at files are counted, and the processor's time of this thread: neither depends on what else the
//! machine does.

mod common;

use clap::Parser as _;
use common::{Spec, Tree};
use rustix::time::{clock_gettime, ClockId};
use sgioctl::{cli::Cli, output, policyfile, root::Root};
use std::time::Duration;

fn tree(devices: u32, blocks: u32) -> Tree {
    let tree = Tree::usual();
    for number in 0..devices {
        let (hctl, wwid) = (format!("99:0:0:{number}"), format!("naa.6{number:015x}"));
        let (disk, sg) = (
            format!("block/sd{number}x"),
            format!("scsi_generic/sg{number}"),
        );
        tree.device(&Spec {
            hctl: &hctl,
            through: "pci0000:00/0000:00:05.0/host99/rport-99:0-0/target99:0:0",
            class: 0,
            vendor: "ACME",
            model: "LUN",
            wwid: Some(&wwid),
            nodes: &[&disk, &sg],
            filter: Some((u64::from(1000 + number), "allow r 5e")),
        });
    }
    let block = |number: u32| {
        format!(
            "[[device]]\nmatch = {{ wwid = \"naa.6{number:015x}\", exact = true }}\n\
             profile = \"disk-guest-pr\"\nallow = [\"w 89\"]\n"
        )
    };
    let text: String = (0..blocks).map(block).collect();
    tree.write("/etc/sgio-filter/policy.d/10.toml", &text);
    tree
}

/// How many looks at files a command takes, and how much of the processor.
fn cost(tree: &Tree, arguments: &[&str]) -> (u64, Duration) {
    let root = tree.path("/");
    let words = ["sgioctl", "--root", root.to_str().unwrap()];
    let cli = Cli::try_parse_from(words.iter().chain(arguments)).unwrap();
    let now = || clock_gettime(ClockId::ThreadCPUTime);
    let (looks, began) = (Root::looks(), now());
    let (done, printed) = output::capture(|| cli.run());
    if let Err(error) = done {
        let wanted = format!("{error:#}").contains("an item is one command");
        assert!(wanted, "{arguments:?}: {error:#}\n{printed}");
    }
    let time = now() - began;
    (Root::looks() - looks, time.try_into().unwrap())
}

/// One test, since looks are those of the whole process.
#[test]
fn many_devices_and_blocks_cost_in_proportion() {
    let (few, many) = (50, 200);
    let small = tree(few, 10);
    let large = tree(many, 10);
    for (arguments, each) in [
        (&["list"][..], 30),
        (&["list", "--json"], 30),
        (&["diff"], 30),
        (&["apply", "--dry-run"], 20),
    ] {
        let (less, more) = (cost(&small, arguments).0, cost(&large, arguments).0);
        let of_one = (more - less).div_ceil(u64::from(many - few));
        assert!(
            of_one <= each,
            "{arguments:?}: {of_one} looks for each device"
        );
    }
    // One device, whatever the number of others.
    let one = ["apply", "--dry-run", "--device", "99:0:0:7"];
    assert_eq!(cost(&small, &one).0, cost(&large, &one).0);

    // Eight times as much takes eight times as long, not 64 times: blocks, lines of rules, items of a list.
    let (small, large) = (tree(1, 100), tree(1, 800));
    for arguments in [
        &one[..3]
            .iter()
            .copied()
            .chain(["99:0:0:0"])
            .collect::<Vec<_>>()[..],
        &["apply", "--dry-run"],
        &["lint"],
        &["diff"],
    ] {
        linear(arguments, &small, &large);
    }
    let first = ["apply", "--dry-run", "--device", "99:0:0:0"];
    let rules = |count: usize| {
        let lines = format!("deny 12 # {}\n", "x".repeat(400)).repeat(count);
        format!("rules = \"\"\"\n{lines}\"\"\"\n")
    };
    linear(&first, &with(&rules(500)), &with(&rules(4000)));
    let wrong = |count: usize| {
        let items = format!("\"\",{}", " ".repeat(400)).repeat(count);
        format!("deny = [{items}]\n")
    };
    let (small, large) = (with(&wrong(500)), with(&wrong(4000)));
    linear(&first, &small, &large);
}

/// A tree whose policy has that in a block.
fn with(text: &str) -> Tree {
    let tree = tree(1, 0);
    let text = format!("[[device]]\nmatch = {{ hctl = \"99:0:0:0\" }}\n{text}");
    tree.write("/etc/sgio-filter/policy.d/10.toml", &text);
    tree
}

/// The second tree has eight times as much of something.
fn linear(arguments: &[&str], small: &Tree, large: &Tree) {
    let best = |tree| (0..3).map(|_| cost(tree, arguments).1).min().unwrap();
    let (less, more) = (best(small), best(large));
    assert!(
        more < less * 24,
        "{arguments:?}: {less:?}, and of eight times as much {more:?}"
    );
}

#[test]
fn a_list_without_end_is_not_looked_at() {
    let items = "\"w 89\", ".repeat(100_000);
    let rules = "allow r 12\n".repeat(400_000);
    for text in [
        format!("allow = [{items}]\n"),
        format!("rules = \"\"\"\n{rules}\"\"\"\n"),
    ] {
        let tree = with(&text);
        let (root, began) = (tree.path("/"), clock_gettime(ClockId::ThreadCPUTime));
        let faults = policyfile::load(&Root::new(&root), &[]).err().unwrap();
        let time: Duration = (clock_gettime(ClockId::ThreadCPUTime) - began)
            .try_into()
            .unwrap();
        assert_eq!(faults.0.len(), 1);
        assert!(faults.to_string().contains("a list can have"), "{faults}");
        // 17 s before; this machine may be a slow one.
        assert!(time < Duration::from_secs(3), "{time:?}");
    }
}

/// The rows of Documentation/performance.md: `cargo test --release -p sgioctl --test many -- --ignored --nocapture rows`.
#[test]
#[ignore = "takes a minute; it is a measurement"]
fn rows() {
    let tree = tree(10_000, 4_000);
    let one = ["apply", "--dry-run", "--device", "99:0:0:7"];
    let event = ["apply", "--event", "--device", "99:0:0:7"];
    let all = || clock_gettime(ClockId::ProcessCPUTime);
    for (name, arguments) in [
        ("`list`", &["list"][..]),
        ("`diff`", &["diff"]),
        ("`apply`", &["apply", "--dry-run"]),
        ("`lint`", &["lint"]),
        ("`apply --device`", &one),
        (
            "`apply --event --device`, of a device that has its policy",
            &event,
        ),
    ] {
        let once = || {
            let began = all();
            cost(&tree, arguments);
            Duration::try_from(all() - began).unwrap().as_secs_f64()
        };
        let best = (0..3).map(|_| once()).fold(f64::MAX, f64::min);
        println!("tool {best:.3} {name}");
    }
}
