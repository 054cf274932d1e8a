# SPDX-License-Identifier: GPL-2.0
"""The KVM host: LIO with its fabrics, iSCSI sessions, a multipath map, assigned HBAs."""

import glob
import os
import subprocess
import tempfile
import time

from guest import GROUP

TARGET = "/sys/kernel/config/target"
FILTER = "/sys/kernel/sgio_filter"
IQN = "iqn.2003-01.org.example:luns"
SIZE = 8 << 20


def put(path, text):
    with open(path, "w") as file:
        file.write(text)


def get(path):
    with open(path) as file:
        return file.read().strip()


def run(*command, check=True):
    """Its output. Not by a pipe: a daemon that it leaves behind would hold it open."""
    with tempfile.TemporaryFile("w+") as output:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output,
                                stderr=subprocess.STDOUT, timeout=60).returncode
        output.seek(0)
        text = output.read().strip()
    if check and status:
        raise RuntimeError(f"{' '.join(command)}: status {status}: {text}")
    return text


def wait_for(what, find, tries=200):
    for _ in range(tries):
        found = find()
        if found:
            return found
        time.sleep(0.1)
    raise RuntimeError(f"{what} did not come")


def owned(path):
    """The QEMUs are of one group."""
    os.chown(path, 0, GROUP)
    os.chmod(path, 0o660)
    return path


class Lun:
    """A logical unit of LIO in a file; nodes and addresses once the host's kernel has it too."""

    def __init__(self, work, name, number):
        self.name, self.file = name, f"{work}/{name}.img"
        self.core = f"{TARGET}/core/fileio_0/{name}"
        self.hctl = self.disk = self.sg = None
        with open(self.file, "w") as file:
            file.truncate(SIZE)
        os.makedirs(self.core)
        put(f"{self.core}/control", f"fd_dev_name={self.file},fd_dev_size={SIZE}")
        backstore_ready(self.core, number)


def backstore_ready(core, number):
    # The NAA designator has the first digits of it.
    put(f"{core}/wwn/vpd_unit_serial", "5a5a%04x-0000-4000-8000-000000000000" % number)
    put(f"{core}/enable", "1")
    for name in ("emulate_tpu", "emulate_tpws", "unmap_zeroes_data"):
        if os.path.exists(f"{core}/attrib/{name}"):
            try:
                put(f"{core}/attrib/{name}", "1")
            except OSError:
                pass  # pscsi leaves that to the device


def nodes(hctl):
    """/dev/sdX and /dev/sgX of an address."""
    device = f"/sys/bus/scsi/devices/{hctl}"
    disk = glob.glob(f"{device}/block/*")
    sg = glob.glob(f"{device}/scsi_generic/*")
    if not disk or not sg:
        return None
    found = ["/dev/" + os.path.basename(p[0]) for p in (disk, sg)]
    return found if all(os.path.exists(p) for p in found) else None


class Loop:
    """A virtual HBA of tcm_loop: one I_T nexus to the logical units behind it."""

    def __init__(self, number):
        self.tpg = f"{TARGET}/loopback/naa.600140500000{number:04x}/tpgt_1"
        self.count = 0
        os.makedirs(self.tpg)
        put(f"{self.tpg}/nexus", f"naa.600140511111{number:04x}")

    def add(self, lun):
        """Sets the addresses of the logical unit, and returns them."""
        path = f"{self.tpg}/lun/lun_{self.count}"
        os.makedirs(path)
        os.symlink(lun.core, f"{path}/{lun.name}")
        hctl = f"{get(self.tpg + '/address')}:{self.count}"
        self.count += 1
        disk, sg = wait_for(f"disk {hctl}", lambda: nodes(hctl))
        owned(disk), owned(sg)
        if not lun.hctl:
            lun.hctl, lun.disk, lun.sg = hctl, disk, sg
        return hctl, disk


def iscsi_target(lun, *initiators):
    """LIO's iSCSI on the loopback, for these initiators."""
    tpg = f"{TARGET}/iscsi/{IQN}/tpgt_1"
    os.makedirs(f"{tpg}/lun/lun_0")
    os.symlink(lun.core, f"{tpg}/lun/lun_0/{lun.name}")
    os.makedirs(f"{tpg}/np/127.0.0.1:3260")
    put(f"{tpg}/attrib/authentication", "0")
    put(f"{tpg}/attrib/demo_mode_write_protect", "0")
    for initiator in initiators:
        acl = f"{tpg}/acls/{initiator}"
        os.makedirs(f"{acl}/lun_0")
        os.symlink(f"{tpg}/lun/lun_0", f"{acl}/lun_0/lun_0")
    put(f"{tpg}/enable", "1")


def iscsi_session(name, initiator):
    """open-iscsi: a session of an interface of its own, so with an initiator name of its own.
    Returns address and node of the disk."""
    before = set(os.listdir("/sys/class/iscsi_session"))
    for arguments in (["-m", "iface", "-I", name, "-o", "new"],
                      ["-m", "iface", "-I", name, "-o", "update", "-n", "iface.initiatorname",
                       "-v", initiator],
                      ["-m", "iface", "-I", name, "-o", "update", "-n",
                       "iface.transport_name", "-v", "tcp"],
                      ["-m", "node", "-T", IQN, "-p", "127.0.0.1:3260", "-I", name, "-o", "new"],
                      ["-m", "node", "-T", IQN, "-p", "127.0.0.1:3260", "-I", name, "-l"]):
        run("iscsiadm", *arguments)
    new = wait_for("session", lambda: set(os.listdir("/sys/class/iscsi_session")) - before).pop()
    path = f"/sys/class/iscsi_session/{new}/device/target*/*:0"
    hctl = os.path.basename(wait_for("disk of the session", lambda: glob.glob(path))[0])
    disk, _ = wait_for(f"disk {hctl}", lambda: nodes(hctl))
    return hctl, owned(disk)


def start_iscsid():
    os.makedirs("/run/lock/iscsi", exist_ok=True)
    os.makedirs("/etc/iscsi", exist_ok=True)
    put("/etc/iscsi/initiatorname.iscsi", "InitiatorName=iqn.2003-01.org.example:host\n")
    return subprocess.Popen(["iscsid", "-f"], stdin=subprocess.DEVNULL,
                            stdout=open("/tmp/iscsid", "wb"), stderr=subprocess.STDOUT)


def vhost_target(number, core):
    """A target of vhost-scsi for one guest; the name for QEMU's wwpn."""
    wwpn = f"naa.500140522222{number:04x}"
    tpg = f"{TARGET}/vhost/{wwpn}/tpgt_1"
    os.makedirs(f"{tpg}/lun/lun_0")
    put(f"{tpg}/nexus", f"naa.500140533333{number:04x}")
    os.symlink(core, f"{tpg}/lun/lun_0/it")
    return wwpn


def block_backstore(lun, number):
    core = f"{TARGET}/core/iblock_0/{lun.name}"
    os.makedirs(core)
    put(f"{core}/control", f"udev_path={lun.disk}")
    put(f"{core}/udev_path", lun.disk)
    backstore_ready(core, number)
    return core


def pscsi_backstore(lun):
    core = f"{TARGET}/core/pscsi_0/{lun.name}"
    os.makedirs(core)
    host, channel, target, number = lun.hctl.split(":")
    put(f"{core}/control", f"scsi_host_id={host},scsi_channel_id={channel},"
                           f"scsi_target_id={target},scsi_lun_id={number}")
    put(f"{core}/udev_path", lun.disk)
    put(f"{core}/enable", "1")
    return core


MAP = "guests"


def multipath(paths):
    """What multipathd makes of two paths by default (failover): a group for each, one is used."""
    sectors = get(f"/sys/class/block/{os.path.basename(paths[0])}/size")
    numbers = [get(f"/sys/class/block/{os.path.basename(p)}/dev") for p in paths]
    table = (f"0 {sectors} multipath 0 0 {len(paths)} 1 "
             + " ".join(f"round-robin 0 1 1 {n} 1" for n in numbers))
    run("dmsetup", "create", "--noudevsync", MAP, "--table", table)
    return owned(wait_for("the map", lambda: glob.glob("/dev/dm-0"))[0])


def use_path(number):
    run("dmsetup", "message", MAP, "0", f"switch_group {number}")


def vfio(address):
    """Hands a PCI device to vfio-pci; the node of its group."""
    device = f"/sys/bus/pci/devices/{address}"
    if os.path.exists(f"{device}/driver"):
        put(f"{device}/driver/unbind", address)
    put(f"{device}/driver_override", "vfio-pci")
    put("/sys/bus/pci/drivers_probe", address)
    group = os.path.basename(os.readlink(f"{device}/iommu_group"))
    return owned(wait_for("the group", lambda: glob.glob(f"/dev/vfio/{group}"))[0])


def pr_helper(path):
    """As it is shipped: root, for everybody who may open the socket."""
    helper = subprocess.Popen(["qemu-pr-helper", "-k", path], stdin=subprocess.DEVNULL)
    wait_for("qemu-pr-helper", lambda: os.path.exists(path))
    os.chmod(path, 0o666)
    return helper


def modules(*names):
    run("modprobe", "-a", *names)


def blocks(path):
    return os.stat(path).st_blocks


def attribute(hctl, name):
    return f"/sys/bus/scsi/devices/{hctl}/sgio_filter/{name}"
