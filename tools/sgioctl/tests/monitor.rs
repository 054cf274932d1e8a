// SPDX-License-Identifier: GPL-2.0

//! What the monitor makes of a trace.

mod common;

use common::Tree;

const TRACE: &str = "\
# tracer: nop
          sg_raw-812     [001] ...1.   123.456789: decision: dev=6:0:0:0 class=0 outcome=refused decision=no_rule layer=none rule=0 open=r uid=65534 cgroup=0 cdb=89 00 00 00
CPU:1 [LOST 12 EVENTS]
        my-tool -813     [000] ...1.   124.000001: decision: dev=6:0:0:0 class=0 outcome=allowed decision=allowed layer=device rule=1 open=w uid=107 cgroup=0 cdb=5f 00 00 00
          sg_raw-814     [001] ...1.   125.000000: decision: dev=1:0:0:0 class=5 outcome=complained decision=no_rule layer=none rule=0 open=r uid=1 cgroup=0 cdb=1b 00 00 00
";

fn lines(tree: &Tree, arguments: &[&str]) -> Vec<serde_json::Value> {
    let trace = tree.path("/trace");
    let mut all = vec!["monitor", "--json", "--input", trace.to_str().unwrap()];
    all.extend(arguments);
    tree.output(&all, 0)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_saved_trace_is_read() {
    let tree = Tree::usual();
    tree.write("/trace", TRACE);
    let found = lines(&tree, &[]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0]["schema"], "sgioctl/1");
    assert_eq!(found[0]["command"], "monitor");
    assert_eq!(found[0]["outcome"], "refused");
    assert_eq!(found[1]["outcome"], "complained");

    let found = lines(&tree, &["--all", "--device", "sda"]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[1]["comm"], "my-tool ");
    let fields = found[1]["fields"].as_array().unwrap();
    assert!(
        fields.iter().any(|field| field[0] == "parameter-length"),
        "{fields:?}"
    );
    assert_eq!(found[1]["rule_text"], "allow w 5f [1]&1f=00-04,06");

    assert_eq!(lines(&tree, &["--count", "1"]).len(), 1);
}

#[test]
fn what_a_process_calls_itself_does_not_reach_the_terminal() {
    let tree = Tree::usual();
    tree.write(
        "/trace",
        &TRACE.replace("my-tool ", "\u{1b}]0;OWNED\u{7}\u{202e}"),
    );
    let trace = tree.path("/trace");
    for arguments in [
        &["monitor", "--all", "--input", trace.to_str().unwrap()][..],
        &[
            "monitor",
            "--all",
            "--json",
            "--input",
            trace.to_str().unwrap(),
        ],
        &["learn", trace.to_str().unwrap()],
    ] {
        let output = tree.run(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
}

#[test]
fn a_kernel_without_the_event_is_told() {
    let tree = Tree::usual();
    assert!(tree.error(&["monitor"]).contains("tracefs"));
    tree.directory("/sys/kernel/tracing/instances");
    assert!(tree.error(&["monitor"]).contains("is the module"));
}
