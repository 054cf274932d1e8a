// SPDX-License-Identifier: GPL-2.0

use super::*;
use proptest::prelude::*;

const TEXT: &str = "dev=6:0:0:1 class=0 outcome=refused decision=no_rule layer=none rule=0 \
                    open=r uid=65534 cgroup=1234 cdb=5e 00 00 00 00 00 00 20 00 00";

fn decision(line: &str) -> Event {
    match parse(line) {
        Line::Decision(event) => *event,
        other => panic!("{line}: {other:?}"),
    }
}

fn with_prefix(prefix: &str) -> Event {
    decision(&format!("{prefix}: decision: {TEXT}"))
}

#[test]
fn a_line_is_understood() {
    let event = with_prefix("          sg_raw-812     [001] ...1.   123.456789");
    assert_eq!(event.comm, "sg_raw");
    assert_eq!(event.pid, 812);
    assert!((event.time - 123.456_789).abs() < 1e-9);
    assert_eq!(event.hctl.to_string(), "6:0:0:1");
    assert_eq!(event.class, Class::DISK);
    assert_eq!(event.outcome, "refused");
    assert_eq!(event.decision, "no_rule");
    assert_eq!((event.layer.as_str(), event.rule), ("none", None));
    assert!(!event.write);
    assert_eq!((event.uid, event.cgroup), (65534, 1234));
    assert_eq!(event.cdb, [0x5e, 0, 0, 0, 0, 0, 0, 0x20, 0, 0]);
}

/// The text of a module that knows grants, and of one from before them.
#[test]
fn a_line_with_a_holder_is_understood() {
    let prefix = "sg_raw-812 [001] ...1. 123.456789: decision:";
    let text = TEXT.replace(" open=r", " holder=77 open=r");
    assert_ne!(text, TEXT);
    let event = decision(&format!("{prefix} {text}"));
    assert_eq!((event.uid, event.cgroup, event.write), (65534, 1234, false));
    let text = text.replace(" cdb=", " comm=73675f726177 cdb=");
    assert_eq!(decision(&format!("{prefix} {text}")).comm, "sg_raw");
}

/// The text stands behind blanks, and the system in front of the event's name.
#[test]
fn lines_of_trace_cmd_and_perf_are_understood() {
    let expected = with_prefix("sg_raw-812 [001] ...1. 123.456789");
    for line in [
        format!("          sg_raw-812   [001]   123.456789: decision:             {TEXT}"),
        format!("          sg_raw-812   [001] d..2.   123.456789: decision:             {TEXT}"),
        format!("          sg_raw   812 [001]   123.456789: sgio_filter:decision: {TEXT}"),
        format!("sg_raw  812/812   [001]   123.456789:     sgio_filter:decision: {TEXT}"),
    ] {
        assert_eq!(decision(&line), expected, "{line}");
    }
    // A process may be called like a line of the other program.
    let comm = "x: sgio_filter:decision: dev";
    let event = decision(&format!(" {comm}-42 [001] ...1. 1.5: decision: {TEXT}"));
    assert_eq!((event.comm.as_str(), event.pid), (comm, 42));
    let comm = "x-1 [0] 1: decision: dev";
    let event = decision(&format!(
        " {comm} 42 [001] 1.5: sgio_filter:decision: {TEXT}"
    ));
    assert_eq!((event.comm.as_str(), event.pid), (comm, 42));
    assert!(says_nothing("cpus=2") && !says_nothing("cpus=x"));
}

#[test]
fn rules_classes_and_opens_are_understood() {
    let event = decision(
        "a-1 [000] ..... 1.0: decision: dev=0:0:0:0 class=1e outcome=allowed \
         decision=allowed layer=class rule=12 open=w uid=0 cgroup=0 cdb=12000000ff00",
    );
    assert_eq!(event.class, Class::WLUN);
    assert_eq!((event.layer.as_str(), event.rule), ("class", Some(12)));
    assert!(event.write);
    assert_eq!(event.cdb, [0x12, 0, 0, 0, 0xff, 0]);
}

#[test]
fn names_of_processes_may_look_like_anything() {
    for (comm, prefix) in [
        ("a-b-7", "           a-b-7-42      [001] ...1.   1.5"),
        ("my prog", "         my prog-42      [001] ...1.   1.5"),
        (
            "x [000] . 1: d",
            "  x [000] . 1: d-42      [001] ...1.   1.5",
        ),
        (
            "e: decision: de",
            " e: decision: de-42      [001] ...1.   1.5",
        ),
        ("f (1) [0]", "       f (1) [0]-42      [001] ...1.   1.5"),
        ("(a)", "             (a)-42      (   41) [001] ...1.   1.5"),
        ("no flags", "        no flags-42      [001]   1.5"),
        ("<...>", "           <...>-42      [001] d..1.   1.5"),
        ("Ünï", "             Ünï-42      [001] d..1.   1.5"),
        ("", "                -42      [001] d..1.   1.5"),
    ] {
        let event = with_prefix(prefix);
        assert_eq!((event.comm.as_str(), event.pid), (comm, 42), "{prefix}");
    }
}

#[test]
fn lost_events_are_counted() {
    assert_eq!(parse("CPU:1 [LOST 12 EVENTS]"), Line::Lost(12));
    assert_eq!(parse("CPU:1 [LOST many EVENTS]"), Line::Other);
}

#[test]
fn what_is_no_decision_is_left_alone() {
    let good = format!("sg_raw-812 [001] ...1. 123.4: decision: {TEXT}");
    decision(&good);
    for (from, to) in [
        ("decision: dev", "other: dev"),
        ("dev=6:0:0:1", "dev=6:0:0"),
        ("class=0", "class=zz"),
        ("rule=0", "rule=-"),
        ("open=r", "open=x"),
        ("uid=65534", "gid=65534"),
        ("cdb=5e", "cdb=5"),
        ("cdb=5e 00 00 00 00 00 00 20 00 00", "cdb="),
        ("sg_raw-812", "sg_raw"),
        ("[001]", "001"),
        ("123.4", "nan"),
    ] {
        assert!(good.contains(from));
        assert_eq!(parse(&good.replacen(from, to, 1)), Line::Other, "{to}");
    }
    for other in [
        "",
        "# tracer: nop",
        ": decision: ",
        "CPU:",
        "x: decision: cdb=",
    ] {
        assert_eq!(parse(other), Line::Other);
    }
}

proptest! {
    #[test]
    fn no_line_makes_it_panic(line in ".*") {
        parse(&line);
    }

    #[test]
    fn no_broken_line_makes_it_panic(
        line in ".{0,24}-?[0-9]{0,12} ?(\\[[0-9]{0,4}\\])? [.a-z0-9]{0,6} [0-9.]{0,9}: decision: \
                 (dev=[0-9:]{0,12} )?.{0,40}( cdb=[0-9a-fé ]{0,70})?"
    ) {
        parse(&line);
    }

    #[test]
    fn every_name_comes_out_as_it_went_in(comm in "[^ \\p{C}][^\\p{C}]{0,14}", pid: u32) {
        let event = with_prefix(&format!("{comm:>16}-{pid:<7} [001] d..1. 77.000001"));
        prop_assert_eq!(event.comm, comm);
        prop_assert_eq!(event.pid, pid);
    }

    #[test]
    fn every_cdb_comes_out_as_it_went_in(cdb in proptest::collection::vec(any::<u8>(), 1..=32)) {
        let hex: Vec<String> = cdb.iter().map(|byte| format!("{byte:02x}")).collect();
        let (words, _) = TEXT.split_once("cdb=").unwrap();
        for separator in [" ", ""] {
            let line = format!("a-1 [0] . 1.0: decision: {words}cdb={}", hex.join(separator));
            prop_assert_eq!(&decision(&line).cdb, &cdb);
        }
    }
}
