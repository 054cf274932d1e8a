// SPDX-License-Identifier: GPL-2.0

use super::{
    propose::{grants, text, Options, Sent},
    read,
    record::{parse, Outcome, Record, Said},
    senders::Chosen,
    Unread,
};
use crate::input::Lines;
use sgio_policy::policy::{Change, Class};

/// Lines of both kinds: a cluster node on a disk, a tape program, and noise.
const LOG: &str = r#"
# tracer: nop
{"schema":"sgioctl/1","command":"monitor","time":"2026-11-22T10:00:00Z","device":"6:0:0:0","class":"disk","outcome":"refused","decision":"no_rule","layer":"none","rule":null,"open":"r","uid":65534,"cgroup":"/x","pid":1,"comm":"sg_raw","cdb":"5e000000000000002000","opcode":94,"name":"persistent-reserve-in:read-keys"}
{"schema":"sgioctl/1","device":"6:0:0:0","class":"disk","outcome":"complained","decision":"no_rule","open":"w","comm":"qemu","cdb":"5e000000000000002000"}
{"schema":"sgioctl/1","device":"6:0:0:0","class":"disk","outcome":"refused","decision":"no_rule","open":"w","comm":"qemu","cdb":"5f00000000000000180000"}
{"schema":"sgioctl/1","device":"6:0:0:0","class":"disk","outcome":"allowed","decision":"allowed","open":"r","cdb":"120000002400"}
{"schema":"sgioctl/1","device":"6:0:0:0","class":"disk","outcome":"privileged","decision":"no_rule","open":"w","cdb":"89"}
{"schema":"sgioctl/2","device":"6:0:0:0","class":"disk","outcome":"refused","decision":"no_rule","open":"w","cdb":"83"}
  smartctl-812     [001] .....   100.5: decision: dev=6:0:0:0 class=0 outcome=refused decision=no_rule layer=none rule=0 open=r uid=65534 cgroup=1234 cdb=85 08 0e 00 d0 00 01 00 00 00 4f 00 c2 00 b0 00
  smartctl-812     [001] .....   100.6: decision: dev=6:0:0:0 class=0 outcome=refused decision=no_rule layer=none rule=0 open=r uid=65534 cgroup=1234 cdb=85 08 0e 00 d0 00 01 00 00 00 4f 00 c2 00 b0 00
dev=6:0:0:0 class=0 outcome=refused decision=needs_write layer=class rule=8 open=r uid=1 cgroup=0 cdb=42 00 00 00 00 00 00 00 18 00
dev=6:0:0:0 class=0 outcome=refused decision=denied layer=device rule=0 open=w uid=1 cgroup=0 cdb=00 00 00 00 00 00
 mt dev=x y-5   [000] d..1. 1.0: decision: dev=7:0:1:0 class=1 outcome=refused decision=needs_write layer=class rule=5 open=r uid=1 cgroup=0 cdb=2b 00 00 00 00 00 00 00 00 00
noise
"#;

/// What was sent, and how many lines were no records.
fn sent(log: &str, options: Options) -> (Sent, usize) {
    let mut sent = Sent::new(options);
    let mut unread = Unread::default();
    let lines = Lines::of(log.as_bytes());
    read(lines, &Chosen::default(), &mut sent, &mut unread).unwrap();
    (sent, unread.skipped)
}

fn learn(log: &str, options: Options, add: bool) -> String {
    text(&sent(log, options).0.proposals(), add)
}

#[test]
fn lines() {
    let (records, skipped) = sent(LOG, Options::default());
    assert_eq!((records.records(), skipped), (10, 2));
    let line = LOG
        .lines()
        .find(|line| line.contains("mt dev=x y-5"))
        .unwrap();
    assert_eq!(
        parse(line),
        Some(Record {
            device: "7:0:1:0".parse().unwrap(),
            class: Class::TAPE,
            outcome: Outcome::Refused,
            said: Said::NeedsWrite,
            write: false,
            uid: Some(1),
            cgroup: None,
            cgroup_id: Some(0),
            comm: Some("mt dev=x y".into()),
            cdb: vec![0x2b, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        })
    );
    for no_record in [
        "",
        "{}",
        "dev=",
        "dev=1:2:3:4 cdb=",
        "{\"schema\":\"sgioctl/1\"}",
    ] {
        assert_eq!(parse(no_record), None);
    }
}

#[test]
fn exactly_what_was_sent() {
    assert_eq!(
        learn(LOG, Options::default(), false),
        "\
# 6:0:0:0 (disk)
allow r 5e [1]&1f=00  # persistent-reserve-in:read-keys, 2 times, by an unknown user as \"qemu\", uid 65534 in /x as \"sg_raw\"
allow w 5f [1]&1f=00  # persistent-reserve-out:register, once, by an unknown user as \"qemu\"
allow r 85 [1]&1e=08 [4]=d0 [14]=b0  # ata-pass-through-16:smart-read-data, 2 times, by uid 65534 in cgroup-1234 as \"smartctl\"
# Not proposed:
#   allow w 00  # test-unit-ready, once, by uid 1; a deny rule refuses it: change that rule, if this is wanted
#   allow w 42  # unmap, once, by uid 1; allowed to writers already: open the device for writing

# 7:0:1:0 (tape)
# Not proposed:
#   allow w 2b  # locate-10, once, by uid 1 as \"mt?dev=x?y\"; allowed to writers already: open the device for writing
"
    );
}

/// What registers and reserves destroys nothing; what takes away what others have registered does.
#[test]
fn reservations_are_proposed_and_preemption_is_not() {
    for (action, proposed) in
        (0..=8).zip([true, true, true, false, false, false, true, false, false])
    {
        let log = format!(
            "dev=1:0:0:0 class=0 outcome=refused decision=no_rule layer=none rule=0 open=w uid=1 cgroup=0 \
             cdb=5f {action:02x} 00 00 00 00 00 00 18 00\n"
        );
        let text = learn(&log, Options::default(), false);
        let rule = format!("\nallow w 5f [1]&1f={action:02x}");
        assert_eq!(text.contains(&rule), proposed, "{text}");
        assert_eq!(text.contains("destructive: --allow"), !proposed, "{text}");
    }
}

#[test]
fn destructive_and_privileged_if_asked_for() {
    let options = Options {
        destructive: true,
        privileged: true,
    };
    let disk = learn(LOG, options, false);
    let disk = disk.split("\n\n").next().unwrap();
    assert_eq!(
        disk,
        "\
# 6:0:0:0 (disk)
allow r 5e [1]&1f=00  # persistent-reserve-in:read-keys, 2 times, by an unknown user as \"qemu\", uid 65534 in /x as \"sg_raw\"
allow w 5f [1]&1f=00  # persistent-reserve-out:register, once, by an unknown user as \"qemu\"
allow r 85 [1]&1e=08 [4]=d0 [14]=b0  # ata-pass-through-16:smart-read-data, 2 times, by uid 65534 in cgroup-1234 as \"smartctl\"
allow w 89  # compare-and-write, once
# Not proposed:
#   allow w 00  # test-unit-ready, once, by uid 1; a deny rule refuses it: change that rule, if this is wanted
#   allow w 42  # unmap, once, by uid 1; allowed to writers already: open the device for writing"
    );
}

#[test]
fn the_narrower_rule_comes_first_both_ways() {
    let record = |open: &str, protocol: &str, feature: &str| {
        format!(
            "dev=1:0:0:0 class=0 outcome=refused decision=no_rule layer=none rule=0 open={open} uid=1 cgroup=0 \
             cdb=85 {protocol} 00 00 {feature} 00 00 00 00 00 00 00 00 00 b0 00\n"
        )
    };
    let log = record("w", "06", "77") + &record("r", "08", "d0");
    let options = Options {
        destructive: true,
        privileged: false,
    };
    let rules = |add| -> Vec<String> {
        let text = learn(&log, options, add);
        let rules = text.lines().filter(|line| !line.starts_with('#'));
        rules
            .map(|l| l.split("  #").next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        rules(false),
        [
            "allow w 85 [1]&1e=06 [4]=77 [14]=b0",
            "allow r 85 [1]&1e=08 [4]=d0 [14]=b0"
        ]
    );
    assert_eq!(
        rules(true),
        [
            "+allow r 85 [1]&1e=08 [4]=d0 [14]=b0",
            "+allow w 85 [1]&1e=06 [4]=77 [14]=b0"
        ]
    );
}

/// One command that was refused, sent once.
fn refused(open: &str, class: u8, decision: &str, cdb: &str) -> String {
    format!(
        "dev=1:0:0:0 class={class:x} outcome=refused decision={decision} layer=none rule=0 open={open} uid=1 cgroup=0 \
         cdb={cdb}\n"
    )
}

#[test]
fn what_is_not_known_is_never_proposed() {
    let options = Options {
        destructive: true,
        privileged: true,
    };
    // A bridge to NVMe with a protocol of its own, a vendor's command, a service action without a name.
    for (class, cdb, comment) in [
        (
            0,
            "a1 80 00 00 02 00 00 00 00 00 00 00",
            "#   allow w a1 [1]=80 [2]=00 [3]=00 [4]=02 [5]=00 [9]=00  # ata-pass-through-12, once, by uid 1",
        ),
        (
            0,
            "7e 01 00 00 2a 00 00 00 00 00 00 00 01 00",
            "#   allow w 7e [1]=01 [2]=00 [3]=00 [4]=2a [5]=00 [12]=01  # extended-cdb, once, by uid 1",
        ),
        (
            5,
            "ff 08 01 11 02 00 00 00 00 00",
            "#   allow w ff [1]=08 [2]=01 [3]=11 [4]=02 [5]=00 [6]=00  # vendor-specific, once, by uid 1",
        ),
        (
            0,
            "5e 1f 00 00 00 00 00 00 00 00",
            "#   allow w 5e [1]=1f [2]=00 [3]=00 [4]=00 [5]=00 [6]=00  # persistent-reserve-in, once, by uid 1",
        ),
    ] {
        let text = learn(&refused("r", class, "no_rule", cdb), options, false);
        let notes = "; unknown here: look up what it does; needs a write open: was sent through a read-only one";
        let told = format!("{comment}{notes}");
        // Of a longer CDB, what the rule leaves open is told too.
        let ends = |end: &str| text.contains(&format!("{told}{end}"));
        let end = ends("\n") || ends("; byte") && text.ends_with("values each here\n");
        assert!(end, "{text}");
        assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    }
    let reset = refused(
        "r",
        0,
        "no_rule",
        "85 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
    );
    assert!(learn(&reset, Options::default(), false).contains(
        "hard-reset, once, by uid 1; destructive: --allow-destructive proposes it; needs a write open"
    ));
}

#[test]
fn a_rip_is_one_rule() {
    let cdb = |lba: u8| format!("d8 00 00 00 01 {lba:02x} 00 00 00 01 02 00");
    let log: String = (0..200)
        .map(|lba| refused("r", 5, "no_rule", &cdb(lba)))
        .collect();
    let text = learn(&log, Options::default(), false);
    assert!(
        text.contains("#   allow w d8 [1]=00 [2]=00 [3]=00 [4]=01 [9]=01 [10]=02  # vendor-specific, 200 times"),
        "{text}"
    );
}

/// What readers do not get without a reason, as stopping a drive or moving a tape, `learn` does not propose for them.
#[test]
fn nothing_that_takes_from_others_is_proposed_to_readers() {
    for (class, cdb) in [
        (0, "1b 00 00 00 00 00"),
        (0, "1e 00 00 00 01 00"),
        (0, "85 06 00 00 00 00 00 00 00 00 00 00 00 00 e0 00"),
        (0, "85 06 00 00 00 00 00 00 00 00 00 00 00 00 e6 00"),
        (0, "3c 1c 00 00 00 00 00 10 00 00"),
        (1, "1b 00 00 00 00 00"),
        (1, "01 00 00 00 00 00"),
        (1, "2b 00 00 00 00 00 00 00 00 00"),
        (1, "11 00 00 00 01 00"),
        (1, "13 00 00 00 01 00"),
        (1, "4d 00 2e 00 00 00 00 10 00 00"),
        (0, "4d 01 00 00 00 00 00 10 00 00"),
        (5, "bb 00 ff ff 00 00 00 00 00 00 00 00"),
        (8, "1b 00 00 00 00 00"),
        (8, "07 00 00 00 00 00"),
    ] {
        let options = Options {
            destructive: true,
            privileged: true,
        };
        let text = learn(&refused("r", class, "no_rule", cdb), options, false);
        assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
        assert!(
            text.contains("allow w ") && text.contains("needs a write open"),
            "{text}"
        );
        // Writers have it.
        let text = learn(&refused("w", class, "no_rule", cdb), options, false);
        assert!(
            text.lines().any(|line| line.starts_with("allow w ")),
            "{text}"
        );
    }
}

/// What is proposed for a command lets it pass that was refused: for all names, on all classes, through both opens.
#[test]
fn a_proposal_is_enough() {
    use crate::{hex, names, verdict::Policy};
    let options = Options {
        destructive: true,
        privileged: false,
    };
    let mut proposed = 0;
    for class in Class::ALL {
        let policy = Policy::of_class(class, None).unwrap();
        for name in names::all(class) {
            let Ok(cdb) = names::cdb_of(&name, class) else {
                continue;
            };
            for (open, write) in [("r", false), ("w", true)] {
                if policy.decide(&cdb, write).unwrap().is_allowed() {
                    continue;
                }
                let decision = match policy.decide(&cdb, true).unwrap().is_allowed() {
                    true => "needs_write",
                    false => "no_rule",
                };
                let log = refused(open, class.type_code(), decision, &hex::hex(&cdb));
                let text = learn(&log, options, true);
                let rules: String = text.lines().filter(|l| !l.starts_with('#')).collect();
                if rules.is_empty() {
                    assert!(text.contains("# Not proposed:"), "{text}");
                    continue;
                }
                let with = policy.clone().with_device_rules(&rules).unwrap();
                let allowed = with.decide(&cdb, write).unwrap().is_allowed();
                assert!(allowed, "{name}: {text}");
                proposed += 1;
            }
        }
    }
    assert!(proposed > 1000, "{proposed}");
}

#[test]
fn the_text_is_one_for_the_knob() {
    let hostile = "{\"schema\":\"sgioctl/1\",\"device\":\"1:0:0:0\",\"class\":\"disk\",\"outcome\":\"refused\",\
                   \"decision\":\"no_rule\",\"open\":\"r\",\"comm\":\"x\\ndeny 00\\u00e9\",\"cdb\":\"5e\"}";
    for (log, add) in [(LOG, false), (LOG, true), (hostile, false)] {
        let text = learn(log, Options::default(), add);
        let change = Change::parse(text.as_bytes()).unwrap();
        let expected = if log == LOG { 3 } else { 1 };
        assert_eq!(change.rules().count(), expected, "{text}");
    }
}

#[test]
fn nothing_refused_is_nothing_proposed() {
    assert_eq!(learn("", Options::default(), false), "");
}

/// A sender chooses what it sends: neither memory nor the answer grows without end.
#[test]
fn what_is_kept_of_a_log_has_a_bound() {
    let line = |number: u32| {
        let [_, b, c, d] = number.to_be_bytes();
        let cdb = format!("c1 00 {b:02x} {c:02x} {d:02x} 00");
        refused("w", 0, "no_rule", &cdb)
    };
    let log: String = (0..20_000).map(line).collect();
    let text = learn(&log, Options::default(), false);
    assert!(text.contains("20000 times"), "{text}");
    assert!(text.len() < 1000, "{text}");
    // Each to a device of its own.
    let line = |number: u32| {
        refused("w", 0, "no_rule", "c1 00 00 00 00 00")
            .replace("1:0:0:0", &format!("1:0:0:{number}"))
    };
    let log: String = (0..20_000).map(line).collect();
    let mut sent = Sent::new(Options::default());
    let lines = Lines::of(log.as_bytes());
    let mut unread = Unread::default();
    let error = read(lines, &Chosen::default(), &mut sent, &mut unread).unwrap_err();
    assert!(error.to_string().contains("--device"), "{error}");
}

#[test]
fn the_grants_are_commands_for_a_shell() {
    let (sent, _) = sent(LOG, Options::default());
    let holder = "/machine.slice/machine-qemu\\x2d1\\x2dit's.scope";
    let text = grants(&sent.proposals(), holder);
    let commands: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let quoted = r"'/machine.slice/machine-qemu\x2d1\x2dit'\''s.scope'";
    assert_eq!(
        commands,
        [
            format!(
                "sgioctl grant 6:0:0:0 --cgroup {quoted} --read '5e [1]&1f=00' \
                 '85 [1]&1e=08 [4]=d0 [14]=b0'"
            ),
            format!("sgioctl grant 6:0:0:0 --cgroup {quoted} --write '5f [1]&1f=00'"),
        ],
        "{text}"
    );
    // What the other form leaves out is left out here.
    assert!(text.contains("# Not proposed:\n#   allow w 00"), "{text}");
}
