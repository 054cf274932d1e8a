// SPDX-License-Identifier: GPL-2.0

//! What the monitor makes of a trace.

use crate::common::Tree;

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
fn learn_takes_names_of_devices_and_users() {
    let tree = Tree::usual();
    tree.write(
        "/etc/passwd",
        "root:x:0:0::/:/bin/sh\nqemu:x:107:107::/:/bin/false\n",
    );
    let record = |hctl: &str, uid: u32, opcode: &str| {
        format!(
            "dev={hctl} class=0 outcome=refused decision=no_rule layer=none rule=0 open=w uid={uid} cgroup=0 \
             cdb={opcode} 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00\n"
        )
    };
    let log = tree.path("/log");
    let text =
        record("0:0:0:0", 107, "89") + &record("6:0:0:0", 107, "89") + &record("0:0:0:0", 1, "93");
    std::fs::write(&log, text).unwrap();
    let log = log.to_str().unwrap();
    for (device, user) in [("sdc", "qemu"), ("0:0:0:0", "107"), ("/dev/sdc", "qemu")] {
        let arguments = [
            "learn",
            "--allow-destructive",
            "--device",
            device,
            "--uid",
            user,
            log,
        ];
        let text = tree.output(&arguments, 0);
        assert!(
            text.contains("# 0:0:0:0") && text.contains("allow w 89"),
            "{text}"
        );
        assert!(!text.contains("6:0:0:0") && !text.contains("93"), "{text}");
    }
    // Of a device that has gone, the address will do.
    tree.output(&["learn", "--device", "99:0:0:0", log], 0);
    assert!(tree
        .error(&["learn", "--device", "sdz", log])
        .contains("no SCSI device is called sdz"));
    assert!(tree
        .error(&["learn", "--uid", "nobody-here", log])
        .contains("id -u nobody-here"));
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

/// A process chooses its name, line feeds included; nothing that it is called hides what it sent.
#[test]
fn no_name_of_a_process_hides_what_it_sent() {
    let tree = Tree::usual();
    let trace = tree.path("/trace");
    let trace = trace.to_str().unwrap();
    for (name, unread) in [
        ("x", 0),
        ("#x", 0),
        ("# x", 0),
        ("{x", 0),
        ("CPU:1", 0),
        ("x\n#", 1),
        ("x\n{", 1),
        ("x\n", 1),
    ] {
        let line = TRACE.lines().nth(1).unwrap();
        let line = line.replace("          sg_raw", &format!("{name:>16}"));
        tree.write("/trace", &format!("# tracer: nop\n#\n{line}\n"));
        let output = tree.run(&["learn", trace]);
        let learned = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(learned.contains("allow w 89"), "{name:?}: {learned}");
        let output = tree.run(&["monitor", "--input", trace]);
        let seen = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(seen.contains("compare-and-write"), "{name:?}: {seen}");
        assert_eq!(output.status.code(), Some(unread), "{name:?}");
    }
}

#[test]
fn what_cannot_be_read_is_told_and_the_status_says_so() {
    let tree = Tree::usual();
    let trace = tree.path("/trace");
    let trace = trace.to_str().unwrap();
    let told = |text: &str, command: &[&str]| {
        tree.write("/trace", text);
        let arguments: Vec<&str> = command.iter().copied().chain([trace]).collect();
        let output = tree.run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), said)
    };
    let good = TRACE.lines().nth(3).unwrap();
    let event = "dev=6:0:0:0 class=0 outcome=refused decision=no_rule layer=none rule=0 open=r uid=1 cgroup=0 cdb=89";
    for bad in [
        "{\"schema\":\"sgioctl/1\",\"device\":",
        "{}",
        &good.replace("outcome=", "result="),
        &good.replace(" cdb=5f 00 00 00", " cdb="),
        "noise",
    ] {
        for command in [&["learn"][..], &["monitor", "--input"]] {
            let (status, said) = told(&format!("# tracer: nop\n\n{good}\n{bad}\n"), command);
            assert!(said.contains("1 line"), "{command:?} {bad}: {said}");
            assert_eq!(status, 1, "{command:?} {bad}");
        }
    }
    let lost = format!("{good}\nCPU:1 [LOST 12 EVENTS]\n");
    let (status, said) = told(&lost, &["learn"]);
    assert!(
        status == 1 && said.contains("12 decisions were lost"),
        "{said}"
    );
    // A comment begins in column 1; in front of anything else, it is no comment.
    assert_eq!(told(&format!("#{event}\n{good}\n"), &["learn"]).0, 0);
    assert_eq!(told(&format!(" # {event}\n{good}\n"), &["learn"]).0, 1);
}

#[test]
fn a_kernel_without_the_event_is_told() {
    let tree = Tree::usual();
    assert!(tree.error(&["monitor"]).contains("tracefs"));
    tree.directory("/sys/kernel/tracing/instances");
    assert!(tree.error(&["monitor"]).contains("is the module"));
}
