// SPDX-License-Identifier: GPL-2.0

//! A tree of files that takes the place of the running system, and the program run on it.

// Every test program has a copy of its own, and none uses all of it.
#![allow(dead_code, unreachable_pub)]

use std::{
    env, fs,
    os::unix::fs::{symlink, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

/// The tree; it is removed when this is dropped.
pub struct Tree(PathBuf);

/// A device to be put into the tree.
pub struct Spec<'a> {
    pub hctl: &'a str,
    /// Below `/sys/devices`, up to the directory of the target.
    pub through: &'a str,
    pub class: u8,
    pub vendor: &'a str,
    pub model: &'a str,
    pub wwid: Option<&'a str>,
    /// `block/sda`, `scsi_generic/sg0`, ...
    pub nodes: &'a [&'a str],
    /// The directory `sgio_filter`: `id` and `rules`.
    pub filter: Option<(u64, &'a str)>,
}

impl Tree {
    /// An empty one.
    pub fn new() -> Tree {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tree-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("dev")).unwrap();
        Tree(path)
    }

    /// Two disks and a disk with two paths, a tape, a changer, a CD and an enclosure without a filter, with
    /// the module loaded.
    pub fn usual() -> Tree {
        let tree = Tree::new();
        let scsi = |hctl, through, class, model, wwid, nodes, filter| {
            tree.device(&Spec {
                hctl,
                through,
                class,
                vendor: "ACME    ",
                model,
                wwid,
                nodes,
                filter,
            });
        };
        let wwid = Some("naa.600140512345678");
        let rules = "allow r 5e\nallow w 5f [1]&1f=00-04,06";
        scsi(
            "6:0:0:0",
            "platform/host6/session1/target6:0:0",
            0,
            "LUN             ",
            wwid,
            &["block/sda", "scsi_generic/sg0", "bsg/6:0:0:0"][..],
            Some((17, rules)),
        );
        scsi(
            "10:0:0:0",
            "platform/host10/session2/target10:0:0",
            0,
            "LUN             ",
            wwid,
            &["block/sdb", "scsi_generic/sg1", "bsg/10:0:0:0"],
            Some((18, rules)),
        );
        tree.device(&Spec {
            hctl: "0:0:0:0",
            through: "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0",
            class: 0,
            vendor: "ATA     ",
            model: "SPINNER 2000",
            wwid: Some("t10.ATA     SPINNER 2000                            S1234"),
            nodes: &["block/sdc", "scsi_generic/sg2", "bsg/0:0:0:0"],
            filter: Some((3, "")),
        });
        scsi(
            "1:0:0:0",
            "pci0000:00/0000:00:05.0/virtio3/host1/target1:0:0",
            5,
            "DVD",
            None,
            &["block/sr0", "scsi_generic/sg3", "bsg/1:0:0:0"],
            Some((4, "allow w c0-ff")),
        );
        scsi(
            "7:0:0:0",
            "pci0000:00/0000:00:06.0/host7/rport-7:0-0/target7:0:0",
            1,
            "LTO",
            Some("naa.500"),
            &[
                "scsi_tape/st0",
                "scsi_tape/nst0",
                "scsi_generic/sg4",
                "bsg/7:0:0:0",
            ],
            Some((5, "")),
        );
        scsi(
            "7:0:0:1",
            "pci0000:00/0000:00:06.0/host7/rport-7:0-0/target7:0:0",
            8,
            "LIBRARY",
            Some("naa.501"),
            &["scsi_changer/sch0", "scsi_generic/sg5", "bsg/7:0:0:1"],
            Some((6, "")),
        );
        scsi(
            "8:0:0:0",
            "pseudo_0/adapter0/host8/target8:0:0",
            13,
            "BOX",
            None,
            &[],
            None,
        );
        tree.write("/sys/class/scsi_host/host8/proc_name", "scsi_debug\n");
        // Hosts and targets stand beside the devices.
        tree.directory("/sys/bus/scsi/devices/host6");
        tree.directory("/sys/bus/scsi/devices/target6:0:0");

        let serial = b"\x00\x80\x00\x0a  S1234   ";
        tree.write_bytes("/sys/bus/scsi/devices/0:0:0:0/vpd_pg80", serial);
        tree.write("/sys/block/sdc/sdc1/partition", "1\n");
        for name in ["ata-SPINNER_2000_S1234", "wwn-0x5000c500"] {
            tree.link(&format!("/dev/disk/by-id/{name}"), "../../sdc");
        }
        tree.link("/dev/disk/by-id/ata-SPINNER_2000_S1234-part1", "../../sdc1");

        for path in ["6:0:0:0/block/sda", "10:0:0:0/block/sdb"] {
            tree.directory(&format!("/sys/bus/scsi/devices/{path}/holders/dm-0"));
        }
        tree.write("/sys/block/dm-0/dm/uuid", "mpath-3600140512345678\n");
        tree.write("/sys/block/dm-0/dm/name", "mpatha\n");
        tree.write("/sys/block/dm-1/dm/uuid", "part1-mpath-3600140512345678\n");
        tree.write("/sys/block/dm-1/dm/name", "mpatha-part1\n");
        tree.write("/sys/block/dm-2/dm/uuid", "LVM-abc\n");
        tree.write("/sys/block/dm-2/dm/name", "vg-root\n");
        tree.link("/dev/mapper/mpatha", "../dm-0");

        tree.write("/sys/kernel/sgio_filter/version", "1\n");
        tree.write("/sys/kernel/sgio_filter/filter_sg", "0\n");
        for class in ["disk", "tape", "changer", "cdrom", "enclosure"] {
            let directory = format!("/sys/kernel/sgio_filter/classes/{class}");
            tree.write(&format!("{directory}/table"), "strict\n");
            tree.write(&format!("{directory}/rules"), "allow r 12\n");
        }
        tree
    }

    pub fn path(&self, absolute: &str) -> PathBuf {
        self.0.join(absolute.trim_start_matches('/'))
    }

    pub fn directory(&self, absolute: &str) {
        fs::create_dir_all(self.path(absolute)).unwrap();
    }

    pub fn write(&self, absolute: &str, text: &str) {
        self.write_bytes(absolute, text.as_bytes());
    }

    pub fn write_bytes(&self, absolute: &str, bytes: &[u8]) {
        let path = self.path(absolute);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn link(&self, absolute: &str, target: &str) {
        let path = self.path(absolute);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    /// A node of `/dev`, as far as a file can be one.
    pub fn node(&self, name: &str, mode: u32) {
        let path = format!("/dev/{name}");
        self.write(&path, "");
        fs::set_permissions(self.path(&path), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn device(&self, spec: &Spec<'_>) {
        let place = format!("/sys/devices/{}/{}", spec.through, spec.hctl);
        let file = |name: &str, text: &str| self.write(&format!("{place}/{name}"), text);
        file("type", &format!("{}\n", spec.class));
        file("vendor", &format!("{}\n", spec.vendor));
        file("model", &format!("{}\n", spec.model));
        file("rev", "1.0 \n");
        if let Some(wwid) = spec.wwid {
            file("wwid", &format!("{wwid}\n"));
        }
        for node in spec.nodes {
            self.directory(&format!("{place}/{node}"));
        }
        if let Some((id, rules)) = spec.filter {
            file("sgio_filter/id", &format!("{id}\n"));
            file("sgio_filter/unpriv_sgio", "0\n");
            file("sgio_filter/complain", "0\n");
            file("sgio_filter/report_luns", "passthrough\n");
            file("sgio_filter/pr_exclusive", "0\n");
            file("sgio_filter/filter_sg", "0\n");
            let nexus = spec.hctl.rsplit_once(':').map_or("", |(nexus, _)| nexus);
            let (lu, hctl) = (spec.wwid.unwrap_or("-"), spec.hctl);
            file(
                "sgio_filter/nexus",
                &format!("nexus {nexus}\nlu {lu}\npr_exclusive 0\ndevice {hctl}\n"),
            );
            file("sgio_filter/rules", &format!("{rules}\n"));
            let hits: Vec<String> = rules
                .lines()
                .enumerate()
                .map(|(at, rule)| format!("{:>20} {rule}", at + 3))
                .collect();
            file("sgio_filter/hits", &(hits.join("\n") + "\n"));
            let stats = "allowed 12\nprivileged 1\ncomplained 0\nrefused 2\nlater 9\n";
            file("sgio_filter/stats", stats);
        }
        let link = format!("/sys/bus/scsi/devices/{}", spec.hctl);
        self.link(
            &link,
            &format!("../../../devices/{}/{}", spec.through, spec.hctl),
        );
    }

    /// A process that has a device open.
    pub fn process(&self, pid: u32, uid: u32, capabilities: &str, node: &str, flags: &str) {
        let directory = format!("/proc/{pid}");
        let status =
            format!("Name:\tqemu\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nCapEff:\t{capabilities}\n");
        self.write(&format!("{directory}/status"), &status);
        self.write(
            &format!("{directory}/fdinfo/5"),
            &format!("pos:\t0\nflags:\t{flags}\n"),
        );
        self.link(&format!("{directory}/fd/5"), node);
    }

    /// The program, to be run on the tree.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sgioctl"));
        command.arg("--root").arg(&self.0).args(arguments);
        command
    }

    /// Runs the program on the tree.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs it, and gives back what it printed; it must end with that status.
    pub fn output(&self, arguments: &[&str], status: i32) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}:\n{text}{errors}"
        );
        text
    }

    /// Runs it for JSON, as [`Tree::output`].
    pub fn json(&self, arguments: &[&str], status: i32) -> serde_json::Value {
        let arguments = [&["--json"], arguments].concat();
        serde_json::from_str(&self.output(&arguments, status)).unwrap()
    }

    /// Runs it, and gives back the error; it must end with status 2 and print nothing.
    pub fn error(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The transaction that the kernel would have got; it is taken away.
    pub fn transaction(&self) -> Option<String> {
        let path = self.path("/dev/sgio_filter");
        let text = fs::read_to_string(&path).ok()?;
        fs::remove_file(path).unwrap();
        Some(text)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Compares with a file of `tests/golden`. `UPDATE_GOLDEN=1` writes it: read the difference then.
pub fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == wanted,
        "{} differs; wanted:\n{wanted}\nfound:\n{text}",
        path.display()
    );
}
