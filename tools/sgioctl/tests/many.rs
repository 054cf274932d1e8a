// SPDX-License-Identifier: GPL-2.0

//! Many devices and many blocks cost in proportion, and little each.
//!
//! Looks at files are counted, and the processor's time of this thread: neither depends on what else the
//! machine does.

mod common;

use clap::Parser as _;
use common::{Spec, Tree};
use rustix::time::{clock_gettime, ClockId};
use sgioctl::{cli::Cli, output, root::Root};
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
    done.unwrap_or_else(|error| panic!("{arguments:?}: {error:#}\n{printed}"));
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

    // Eight times the blocks take eight times as long, not 64 times.
    let (small, large) = (tree(1, 100), tree(1, 800));
    for arguments in [
        &one[..3]
            .iter()
            .copied()
            .chain(["99:0:0:0"])
            .collect::<Vec<_>>()[..],
        &["apply", "--dry-run"],
    ] {
        let best = |tree| (0..3).map(|_| cost(tree, arguments).1).min().unwrap();
        let (less, more) = (best(&small), best(&large));
        assert!(
            more < less * 24,
            "{arguments:?}: {less:?} for 100 blocks, {more:?} for 800"
        );
    }
}
