# SPDX-License-Identifier: GPL-2.0
"""Builds the host's storage and both guests, and with them the rows."""

import os
import shutil

import guest
import host
import rows
from rows import Row, device, file, libiscsi, virtio_blk

WORK = "/tmp/guests"
INITIATOR = "iqn.2003-01.org.example:"
# What the guests are given, and at the end what another initiator has.
LUNS = ["blk", "hd", "lun", "map", "helper", "pscsi", "block", "other"]


class Setup:
    def __init__(self):
        os.makedirs(WORK)
        os.chmod(WORK, 0o777)
        host.modules("target_core_mod", "target_core_file", "target_core_iblock",
                     "target_core_pscsi", "tcm_loop", "iscsi_target_mod", "vhost_scsi",
                     "iscsi_tcp", "dm-multipath", "dm-round-robin", "vfio_iommu_type1",
                     "vfio_pci", "sg", "sd_mod")
        host.run("ip", "link", "set", "lo", "up")
        host.put("/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "1")
        # Where PERSISTENT RESERVE keeps its state; without it REGISTER fails.
        os.makedirs("/var/target/pr", exist_ok=True)
        self.storage()
        self.old_qemu()
        self.guests = {"a": guest.Guest("guest-a", 65001, WORK, "new.state"),
                       "b": guest.Guest("guest-b", 65002, WORK, "old.state", root="/qemu7")}
        for name in ("vmlinux", "initrd", "new.state", "old.state"):
            shutil.copy(f"/share/{name}", WORK)
        self.rows()

    def storage(self):
        self.lun = {name: host.Lun(WORK, name, n) for n, name in enumerate(LUNS + ["iscsi"])}
        hba = host.Loop(1)
        for name in LUNS:
            hba.add(self.lun[name])
        self.path = [self.lun["map"].disk, host.Loop(2).add(self.lun["map"])[1]]
        self.map = host.multipath(self.path)
        host.iscsi_target(self.lun["iscsi"],
                          *(INITIATOR + name for name in ("a", "b", "host-a", "host-b")))
        self.iscsid = host.start_iscsid()
        self.session = {g: host.iscsi_session(f"guest-{g}", f"{INITIATOR}host-{g}") for g in "ab"}
        self.helper = host.pr_helper(f"{WORK}/pr-helper")
        block = host.block_backstore(self.lun["block"], 101)
        pscsi = host.pscsi_backstore(self.lun["pscsi"])
        host.owned("/dev/vhost-scsi")
        self.vhost = {(g, kind): host.vhost_target(16 * n + m, core)
                      for n, g in enumerate("ab", 1)
                      for m, (kind, core) in enumerate((("block", block), ("pscsi", pscsi)), 1)}
        host.owned("/dev/vfio/vfio")
        self.hbas = dict(zip("ab", ("0000:00:11.0", "0000:00:12.0")))
        for address in self.hbas.values():
            host.vfio(address)

    def old_qemu(self):
        """The root of QEMU 7.2, with the nodes and the work of this one."""
        os.makedirs("/qemu7")
        host.run("mount", "-t", "9p", "-o", "trans=virtio,version=9p2000.L,msize=512000,ro,cache=loose",
                 "qemu7", "/qemu7")
        for name in ("dev", "proc", "sys", "tmp"):
            host.run("mount", "--rbind", f"/{name}", f"/qemu7/{name}")

    def rows(self):
        """In this order QEMU gets the disks; a row's number says where it stands in the table."""
        a, b = self.guests["a"], self.guests["b"]
        lun, made = self.lun, []
        for name in ("file", "hdfile"):
            path = f"{WORK}/{name}.img"
            with open(path, "w") as image:
                image.truncate(host.SIZE)
            host.owned(path)

        def add(number, device_, backend, disks, **more):
            made.append(Row(number, device_, backend, disks, **more))

        hba = {"a": rows.Hba(a), "b": rows.Hba(b)}

        def both(model, source):
            return {g: hba[g].add(model, source(g)) for g in "ab"}

        def on(path, *more):
            return lambda g: device(path, *more)

        add("1", "virtio-blk", "file", {"a": virtio_blk(a, "08", file(f"{WORK}/file.img"))},
            unit=f"{WORK}/file.img", scsi=False)
        add("2", "virtio-blk", "device", {"a": virtio_blk(a, "09", device(lun["blk"].disk))},
            unit=lun["blk"].file, scsi=False)
        old = virtio_blk(b, "08", device(lun["lun"].disk), "scsi=on", "disable-modern=on")
        add("4", "virtio-scsi, QEMU's target", "file",
            {"a": hba["a"].add("scsi-hd", file(f"{WORK}/hdfile.img"))}, unit=f"{WORK}/hdfile.img")
        add("5", "virtio-scsi, QEMU's target", "device",
            {"a": hba["a"].add("scsi-hd", device(lun["hd"].disk))}, unit=lun["hd"].file)
        block = both("scsi-block", on(lun["lun"].disk))
        add("3", "virtio-blk", "LUN (scsi=on)", {"b": old, "a": block["a"]}, unit=lun["lun"].file)
        add("6", "virtio-scsi, QEMU's target", "LUN (scsi-block)", block, unit=lun["lun"].file)
        generic = both("scsi-generic", on(lun["lun"].sg))
        add("6g", "virtio-scsi, QEMU's target", "LUN (scsi-generic)", generic, unit=lun["lun"].file)
        add("6h", "virtio-scsi, QEMU's target", "LUN (scsi-generic), filter_sg = 1", generic,
            unit=lun["lun"].file, filter_sg=lun["lun"].hctl)
        for number, kind, backend in (("7", "block", "block"), ("8", "pscsi", "pscsi")):
            disks = {}
            for g, slot in (("a", "05" if kind == "block" else "06"),
                            ("b", "05" if kind == "block" else "06")):
                self.guests[g].add("-device", f"vhost-scsi-pci,addr={slot}.0,"
                                              f"wwpn={self.vhost[g, kind]}")
                disks[g] = f"{slot}.0/1/0"
            add(number, "virtio-scsi, LIO (vhost-scsi)", backend, disks, unit=lun[kind].file,
                emulates=kind == "block")
        add("9", "virtio-scsi, libiscsi", "iSCSI storage",
            both("scsi-block", lambda g: libiscsi(INITIATOR + g)), unit=lun["iscsi"].file)
        disks = {}
        for g, address in self.hbas.items():
            self.guests[g].add("-device", f"vfio-pci,host={address},addr=07.0")
            disks[g] = "07.0/0/0"
        add("11", "PCI assignment, VFIO", "HBA", disks)
        add("12", "virtio-scsi, QEMU's target", "LUN (scsi-block) on dm-multipath",
            both("scsi-block", on(self.map)), unit=lun["map"].file)
        for g in self.guests.values():
            g.add("-object", f"pr-manager-helper,id=pr,path={WORK}/pr-helper")
        add("13", "virtio-scsi, QEMU's target", "LUN (scsi-block) with qemu-pr-helper",
            both("scsi-block", on(lun["helper"].disk, "pr-manager=pr")), unit=lun["helper"].file)
        # Not a row: the cure for a shared nexus, see use_cases.py.
        self.own_nexus = Row("14", "virtio-scsi, QEMU's target",
                             "LUN (scsi-block), a host's iSCSI session for each guest",
                             both("scsi-block", lambda g: device(self.session[g][1])),
                             unit=lun["iscsi"].file)
        made.append(self.own_nexus)
        self.all = made

    def stop(self):
        for one in self.guests.values():
            one.stop()
        for process in (self.helper, self.iscsid):
            process.kill()
