// SPDX-License-Identifier: GPL-2.0

//! What the doctor finds.

use crate::common::{golden, Tree};

const REDIRECTED: &str = "scsi_cmd_allowed (1) R I     \ttramp: 0xffffffffc0000000\n";

fn healthy() -> Tree {
    let tree = Tree::usual();
    tree.write("/sys/kernel/tracing/enabled_functions", REDIRECTED);
    std::fs::remove_file(tree.path("/sys/bus/scsi/devices/8:0:0:0")).unwrap();
    tree
}

/// The findings of that level, of one check.
fn found(tree: &Tree, status: i32, check: &str, level: &str) -> Vec<String> {
    let answer = tree.json(&["doctor"], status);
    let findings = answer["findings"].as_array().unwrap();
    findings
        .iter()
        .filter(|finding| finding["check"] == check && finding["level"] == level)
        .map(|finding| finding["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_healthy_system_has_no_problem() {
    let tree = healthy();
    golden("doctor-healthy.txt", &tree.output(&["doctor"], 0));
    golden(
        "doctor-healthy.json",
        &tree.output(&["doctor", "--json"], 0),
    );
}

#[test]
fn a_module_that_is_not_there_is_a_problem() {
    let tree = Tree::new();
    golden("doctor-no-module.txt", &tree.output(&["doctor"], 1));
}

/// The reason is told in the finding, what mends it in the advice: a word of each.
#[test]
fn it_says_why_the_module_is_not_loaded() {
    let tree = Tree::new();
    let told = |reason: &str, mends: &str| {
        let text = found(&tree, 1, "module", "problem").concat();
        let advice = advice(&tree, 1, "module");
        assert!(
            text.contains("is not loaded") && text.contains(reason),
            "{text}"
        );
        assert!(advice.contains(mends), "{advice}");
    };
    tree.write("/proc/sys/kernel/osrelease", "7.3.4-x\n");
    told(
        "no module for the running kernel 7.3.4-x",
        "sgio-filter-modules-7.3.4-x",
    );
    tree.write("/boot/config-7.3.4-x", "# CONFIG_RUST is not set\n");
    told(
        "the kernel 7.3.4-x is built without CONFIG_RUST",
        "boot a kernel",
    );
    tree.write("/boot/config-7.3.4-x", "CONFIG_RUST=y\n");
    told("without CONFIG_DYNAMIC_FTRACE_WITH_ARGS", "boot a kernel");
    let config = "CONFIG_RUST=y\nCONFIG_DYNAMIC_FTRACE_WITH_ARGS=y\n";
    tree.write("/boot/config-7.3.4-x", config);
    tree.write(
        "/lib/modules/7.3.4-x/modules.dep",
        "kernel/not_sgio_filter.ko:\n",
    );
    told(
        "no module for the running kernel",
        "sgio-filter-modules-7.3.4-x",
    );

    let dep = "updates/dkms/sgio_filter.ko: kernel/drivers/scsi/scsi_mod.ko\n";
    tree.write("/lib/modules/7.3.4-x/modules.dep", dep);
    let file = "/lib/modules/7.3.4-x/updates/dkms/sgio_filter.ko";
    tree.write(file, "\x7fELF\0vermagic=7.3.3-x SMP\0");
    told(
        "sgio_filter.ko is built for the kernel 7.3.3-x",
        "build and install it for 7.3.4-x",
    );
    tree.write(file, "\x7fELF\0vermagic=7.3.4-x SMP\0");
    told("decides for all devices", "modprobe sgio_filter");
    tree.write(
        "/sys/kernel/security/lockdown",
        "none [integrity] confidentiality\n",
    );
    told(
        "signed by a key it trusts (lockdown: integrity)",
        "sign /lib/modules/7.3.4-x",
    );
    tree.write(
        "/sys/kernel/security/lockdown",
        "[none] integrity confidentiality\n",
    );
    tree.write("/sys/module/module/parameters/sig_enforce", "Y\n");
    told("(module.sig_enforce)", "mokutil");
    tree.write("/proc/sys/kernel/modules_disabled", "1\n");
    told("kernel.modules_disabled = 1", "reboot");
}

#[test]
fn a_hook_that_is_not_armed_is_a_problem() {
    let tree = healthy();
    tree.write(
        "/sys/kernel/tracing/enabled_functions",
        "vfs_read (1) R I\n",
    );
    assert_eq!(found(&tree, 1, "hook", "problem").len(), 1);
    std::fs::remove_file(tree.path("/sys/kernel/tracing/enabled_functions")).unwrap();
    assert_eq!(found(&tree, 0, "hook", "note").len(), 1);
}

#[test]
fn a_livepatch_of_the_function_is_a_problem() {
    let tree = healthy();
    tree.directory("/sys/kernel/livepatch/fix1/vmlinux/vfs_read,1");
    assert_eq!(found(&tree, 0, "livepatch", "note").len(), 1);
    tree.directory("/sys/kernel/livepatch/fix2/scsi_mod/scsi_cmd_allowed,1");
    assert_eq!(found(&tree, 1, "livepatch", "problem").len(), 1);
}

#[test]
fn tables_and_switches_are_told() {
    let tree = healthy();
    tree.write("/sys/kernel/sgio_filter/classes/disk/table", "stock\n");
    tree.write("/sys/kernel/sgio_filter/classes/tape/table", "custom\n");
    tree.write(
        "/sys/bus/scsi/devices/1:0:0:0/sgio_filter/unpriv_sgio",
        "1\n",
    );
    assert_eq!(found(&tree, 0, "table", "note").len(), 2);
    assert_eq!(found(&tree, 0, "unpriv", "note").len(), 1);
    tree.write("/sys/bus/scsi/devices/1:0:0:0/sgio_filter/complain", "1\n");
    assert_eq!(found(&tree, 1, "complain", "problem").len(), 1);
}

#[test]
fn a_device_without_filter_is_a_problem() {
    assert_eq!(found(&Tree::usual(), 1, "filter", "problem").len(), 1);
}

#[test]
fn paths_that_differ_are_a_problem() {
    let tree = healthy();
    let rules = "/sys/bus/scsi/devices/10:0:0:0/sgio_filter/rules";
    tree.write(rules, "allow r 5e\n");
    let problems = found(&tree, 1, "multipath", "problem");
    assert!(problems[0].contains("mpatha"), "{problems:?}");
}

#[test]
fn nodes_that_others_may_write_are_a_problem() {
    let tree = healthy();
    tree.node("sg0", 0o600);
    assert_eq!(found(&tree, 0, "sg", "ok").len(), 1);
    tree.node("sg1", 0o660);
    assert_eq!(found(&tree, 0, "sg", "note").len(), 1);
    tree.node("sg2", 0o666);
    let problems = found(&tree, 1, "sg", "problem");
    assert!(problems[0].contains("/dev/sg2"), "{problems:?}");
    // What is filtered however it is open may be written.
    tree.write("/sys/bus/scsi/devices/0:0:0:0/sgio_filter/filter_sg", "1\n");
    assert_eq!(found(&tree, 0, "sg", "note").len(), 1);
    tree.node("sg0", 0o666);
    found(&tree, 1, "sg", "problem");
    tree.write("/sys/kernel/sgio_filter/filter_sg", "1\n");
    assert!(found(&tree, 0, "sg", "note").is_empty());
    // Unless it could not be done.
    let entry_points = "/sys/kernel/sgio_filter/entry_points";
    tree.write(
        entry_points,
        "sg_ioctl armed\nblk_execute_rq_nowait failed -16\n",
    );
    let problems = found(&tree, 1, "hook", "problem");
    assert!(
        problems[0].contains("blk_execute_rq_nowait"),
        "{problems:?}"
    );
}

#[test]
fn holders_of_the_capability_are_a_problem() {
    let tree = healthy();
    const RAWIO: &str = "0000000000020000";
    tree.process(100, 0, RAWIO, "/dev/sda", "02100002");
    tree.process(101, 107, "0000000000000000", "/dev/sda", "02100000");
    tree.process(102, 107, RAWIO, "/dev/null", "02100002");
    assert!(found(&tree, 0, "rawio", "problem").is_empty());
    tree.process(103, 107, RAWIO, "/dev/mapper/mpatha", "02100002");
    let problems = found(&tree, 1, "rawio", "problem");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("qemu[103] (uid 107)"), "{problems:?}");
    assert!(problems[0].contains("sda, sdb"), "{problems:?}");

    // Permitted, and not in effect: it raises it when it wants to. In another thread, too.
    tree.process(105, 107, "0000000000000000", "/dev/sdc", "02100002");
    let status = "Name:\tqemu\nUid:\t107\t107\t107\t107\nCapPrm:\t0000000000020000\nCapEff:\t0\n";
    tree.write("/proc/105/status", status);
    let problems = found(&tree, 1, "rawio", "problem");
    assert!(
        problems.iter().any(|text| text.contains("qemu[105]")),
        "{problems:?}"
    );
    std::fs::remove_dir_all(tree.path("/proc/105")).unwrap();
    tree.process(106, 107, "0000000000000000", "/dev/sdc", "02100002");
    tree.write(
        "/proc/106/task/106/status",
        &status.replace("20000", "00000"),
    );
    tree.write("/proc/106/task/107/status", status);
    let problems = found(&tree, 1, "rawio", "problem");
    assert!(
        problems.iter().any(|text| text.contains("qemu[106]")),
        "{problems:?}"
    );
    std::fs::remove_dir_all(tree.path("/proc/106")).unwrap();

    // Root of a container, which only tells by its namespaces.
    let tree = healthy();
    tree.process(104, 0, RAWIO, "/dev/sdc", "02100002");
    tree.link("/proc/1/ns/pid", "pid:[1]");
    tree.link("/proc/104/ns/pid", "pid:[2]");
    assert_eq!(found(&tree, 1, "rawio", "problem").len(), 1);
    // In a user namespace of its own the capability is worth nothing.
    tree.link("/proc/1/ns/user", "user:[1]");
    tree.link("/proc/104/ns/user", "user:[2]");
    assert!(found(&tree, 0, "rawio", "problem").is_empty());
}

#[test]
fn two_senders_with_one_nexus_are_a_problem() {
    let tree = healthy();
    const RAWIO: &str = "0000000000020000";
    tree.process(103, 107, RAWIO, "/dev/sda", "02100002");
    assert!(found(&tree, 1, "nexus", "problem").is_empty());
    tree.process(104, 107, RAWIO, "/dev/sdb", "02100002");
    assert!(found(&tree, 1, "nexus", "problem").is_empty());
    tree.process(105, 107, RAWIO, "/dev/dm-0", "02100002");
    let problems = found(&tree, 1, "nexus", "problem");
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn files_that_are_not_in_force_are_a_problem() {
    let tree = healthy();
    let policy = "/etc/sgio-filter/policy.d/10.toml";
    let rules = "/sys/bus/scsi/devices/0:0:0:0/sgio_filter/rules";
    tree.write(policy, "rules = [\n");
    let problems = found(&tree, 1, "policy", "problem");
    assert!(problems[0].contains("10.toml:2:1"), "{problems:?}");

    let block = "[[device]]\nmatch = { hctl = \"0:0:0:0\" }\nrules = \"deny 48\"\n";
    tree.write(policy, block);
    let problems = found(&tree, 1, "policy", "problem");
    assert!(
        problems[0].contains("not in force on sdc (0:0:0:0)"),
        "{problems:?}"
    );
    // What is set by hand and no file has, is good to know.
    let notes = found(&tree, 1, "policy", "note");
    assert!(notes[0].contains("sda (6:0:0:0)"), "{notes:?}");

    tree.write(rules, "deny 48\n");
    assert!(found(&tree, 0, "policy", "ok")[0].contains("are in force, on 1 devices"));
    // A drift, and a rule that ends.
    tree.write(rules, "allow w 89\ndeny 48\n");
    assert_eq!(found(&tree, 1, "policy", "problem").len(), 1);
    tree.write(rules, "allow w 89 for=574\ndeny 48\n");
    let more = found(&tree, 0, "policy", "ok").join("; ");
    assert!(more.contains("rules that end by themselves"), "{more}");
    let ends = found(&tree, 0, "timed", "ok");
    assert!(ends[0].contains("'allow w 89' in 9 min 34 s"), "{ends:?}");

    // Classes, and what lint warns of.
    tree.write(
        policy,
        &format!("{block}[[class]]\nname = \"disk\"\ntable = \"stock\"\n"),
    );
    let problems = found(&tree, 1, "policy", "problem");
    assert!(problems[0].contains("class disk"), "{problems:?}");
    tree.write(policy, &format!("{block}complain = true\n"));
    let notes = found(&tree, 1, "policy", "note").join("; ");
    assert!(notes.contains("warns of 1 places"), "{notes}");
}

/// What is advised, of one check.
fn advice(tree: &Tree, status: i32, check: &str) -> String {
    let answer = tree.json(&["doctor"], status);
    let findings = answer["findings"].as_array().unwrap().iter();
    let of_check = findings.filter(|finding| finding["check"] == check);
    let advice = of_check.filter_map(|finding| finding["advice"].as_str());
    advice.collect::<Vec<_>>().join("; ")
}

#[test]
fn what_a_file_says_is_not_to_be_undone_by_hand() {
    let tree = healthy();
    let class = "[[class]]\nname = \"disk\"\ntable = \"stock\"\n";
    let block = "[[device]]\nmatch = { hctl = \"0:0:0:0\" }\ncomplain = true\nunpriv_sgio = true\n";
    tree.write(
        "/etc/sgio-filter/policy.d/10.toml",
        &format!("{block}{class}"),
    );
    tree.write("/sys/kernel/sgio_filter/classes/disk/table", "stock\n");
    let filter = "/sys/bus/scsi/devices/0:0:0:0/sgio_filter";
    tree.write(&format!("{filter}/complain"), "1\n");
    tree.write(&format!("{filter}/unpriv_sgio"), "1\n");
    for (check, line) in [("table", 5), ("complain", 3), ("unpriv", 4)] {
        let told = advice(&tree, 1, check);
        assert!(
            told.contains(&format!("10.toml:{line}:")),
            "{check}: {told}"
        );
        assert!(
            !told.contains("echo") && !told.contains("off"),
            "{check}: {told}"
        );
    }
    // Without the file, it is by hand, and one command takes all of it away.
    std::fs::remove_file(tree.path("/etc/sgio-filter/policy.d/10.toml")).unwrap();
    assert!(advice(&tree, 1, "table").contains("echo strict"));
    assert!(advice(&tree, 1, "complain").contains("off"));
    assert!(advice(&tree, 1, "policy").contains("'sgioctl apply'"));
}

#[test]
fn a_rule_that_ends_is_no_drift() {
    let tree = healthy();
    let block = "[[device]]\nmatch = { multipath = \"mpatha\" }\nrules = \"deny 48\"\n";
    tree.write("/etc/sgio-filter/policy.d/10.toml", block);
    for hctl in ["6:0:0:0", "10:0:0:0"] {
        let rules = format!("/sys/bus/scsi/devices/{hctl}/sgio_filter/rules");
        tree.write(&rules, "allow w 89 for=574\ndeny 48\n");
    }
    let told = found(&tree, 0, "policy", "ok").join("; ");
    assert!(told.contains("are in force, on 2 devices"), "{told}");
    assert!(told.contains("have, besides"), "{told}");
}

#[test]
fn what_was_not_seen_is_unknown() {
    let tree = healthy();
    assert_eq!(found(&tree, 0, "rawio", "ok").len(), 1);
    // A directory that cannot be read, by root either.
    tree.link("/proc/105/fd", "fd");
    assert!(found(&tree, 0, "rawio", "ok").is_empty());
    let notes = found(&tree, 0, "rawio", "note");
    assert!(
        notes[0].starts_with("1 processes could not be looked at: unknown"),
        "{notes:?}"
    );
    tree.link("/dev/sg0", "sg0");
    assert!(found(&tree, 0, "sg", "ok").is_empty());
    assert!(found(&tree, 0, "sg", "note")[0].contains("unknown who may write to /dev/sg0"));
}

/// Programs need not read prose.
#[test]
fn findings_name_devices_processes_and_paths() {
    let tree = healthy();
    tree.node("sg2", 0o666);
    tree.process(103, 107, "0000000000020000", "/dev/sdc", "02100002");
    let answer = tree.json(&["doctor"], 1);
    let of = |check: &str| {
        let findings = answer["findings"].as_array().unwrap().iter();
        let mut problems = findings.filter(|f| f["check"] == check && f["level"] == "problem");
        problems.next().unwrap().clone()
    };
    let sg = of("sg");
    assert_eq!(sg["paths"][0], "/dev/sg2");
    assert_eq!(sg["devices"][0]["device"], "0:0:0:0");
    assert!(sg["processes"].is_null());
    let rawio = of("rawio");
    let process = &rawio["processes"][0];
    assert_eq!(
        (&process["pid"], &process["uid"]),
        (&103.into(), &107.into())
    );
    assert_eq!(rawio["devices"][0]["name"], "sdc");
}
