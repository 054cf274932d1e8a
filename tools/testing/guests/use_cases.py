# SPDX-License-Identifier: GPL-2.0
"""The use cases of the talk, and its two open problems, each as steps that are as told or not."""

import os

import policy
import scsi
import tap
from host import attribute, blocks, get, put, use_path

KEY = {"a": 0xa0001, "b": 0xb0001}
RESERVED = scsi.REGISTRANTS_ONLY


class UseCase:
    """Steps of two guests on a row's disk. A step that is not as told makes the case fail; the
    ones behind it are run all the same."""

    def __init__(self, title, row, guests):
        self.title, self.row, self.guests, self.bad = title, row, guests, []

    def send(self, name, command):
        return self.guests[name].send(self.row.disks[name], command)

    def step(self, name, what, command, want="GOOD"):
        """want is how the answer reads, or "refused" by the host's kernel."""
        answer = self.send(name, command)
        got = "refused" if answer.refused else str(answer)
        if got != want:
            self.bad.append(f"guest {name}, {what}: {got}, not {want}")
        return answer

    def true(self, what, fact):
        if not fact:
            self.bad.append(what)

    def register(self, name, want="GOOD"):
        return self.step(name, "REGISTER",
                         scsi.pr_out(scsi.REGISTER_AND_IGNORE, new=KEY[name]), want)

    def clean(self):
        for name in self.row.disks:
            self.send(name, scsi.pr_out(scsi.REGISTER_AND_IGNORE, new=KEY[name]))
            self.send(name, scsi.pr_out(scsi.CLEAR, key=KEY[name]))

    def end(self):
        self.clean()
        return tap.ok(f"{self.title}: {self.row.backend}", not self.bad, *self.bad)


CONFLICT = "RESERVATION CONFLICT"


def thin_provisioning(row, guests):
    """A guest writes 256 KiB and deletes them again."""
    case = UseCase("thin provisioning: blocks come back", row, guests)
    name = list(row.disks)[0]
    case.send(name, scsi.unmap(8192, 512))
    before = blocks(row.unit)
    for n in range(32):
        case.step(name, "WRITE", scsi.write(8192 + 16 * n, 16, b"\xa5"))
    case.true("nothing was allocated", blocks(row.unit) == before + 512)
    case.step(name, "UNMAP", scsi.unmap(8192, 512))
    case.true(f"{blocks(row.unit) - before} blocks are still there", blocks(row.unit) == before)
    return case.end()


def discard(row, guests):
    """virtio-blk has no SCSI, but a request of its own for the same purpose."""
    slot, before = row.disks["a"][5:], blocks(row.unit)
    with open(row.unit, "r+b") as file:
        file.seek(1 << 20)
        file.write(b"\x5a" * 8192)
    full = blocks(row.unit)
    answer = scsi.Answer(guests["a"].ask(f"discard {slot} 2048 16"))
    tap.ok(f"thin provisioning: virtio-blk's own discard gives blocks back: {row.backend}",
           answer.virtio == 0 and full == before + 16 and blocks(row.unit) == before,
           answer.line, before, full, blocks(row.unit))


def cluster(row, guests, preempt):
    """What fence_scsi and its watchdog do: both nodes register, the active one reserves for
    registrants; who is fenced can write no more, and the standby goes on."""
    case = UseCase("HA cluster: the fenced node is stopped, the standby takes over", row, guests)
    case.clean()
    for name in "ab":
        case.register(name)
    case.step("a", "RESERVE", scsi.pr_out(scsi.RESERVE, RESERVED, KEY["a"]))
    for name in "ab":
        case.step(name, "WRITE", scsi.write(0, 1, b"\x10"))
    # The active node hangs: the standby takes its key, and its reservation.
    case.step("b", "PREEMPT", scsi.pr_out(preempt, RESERVED, KEY["b"], KEY["a"]))
    case.step("a", "WRITE when fenced", scsi.write(0, 1, b"\xbd"), CONFLICT)
    case.step("a", "READ when fenced", scsi.read(0, 1))
    case.step("a", "RESERVE when fenced", scsi.pr_out(scsi.RESERVE, RESERVED, KEY["a"]), CONFLICT)
    case.step("b", "WRITE as the active node", scsi.write(0, 1, b"\x20"))
    data = case.step("b", "READ", scsi.read(0, 1)).data
    case.true("what the fenced node wrote is on the disk", data[:1] == b"\x20")
    # Rebooted, it comes back as the standby.
    case.register("a")
    case.step("a", "WRITE after it has come back", scsi.write(0, 1, b"\x30"))
    return case.end()


def backup(row, guests):
    """A backup server holds the disk while it reads, so that no other initiator writes."""
    case = UseCase("backup server: nobody writes during the backup", row, guests)
    case.clean()
    case.step("a", "WRITE before", scsi.write(64, 1, b"\x01"))
    case.register("b")
    case.step("b", "RESERVE", scsi.pr_out(scsi.RESERVE, scsi.WRITE_EXCLUSIVE, KEY["b"]))
    for lba in range(64, 128, 16):
        case.step("b", "READ of the backup", scsi.read(lba, 16))
        case.step("a", "WRITE during the backup", scsi.write(64, 1, b"\x02"), CONFLICT)
    case.step("a", "READ during the backup", scsi.read(64, 1))
    data = case.step("b", "READ of the backup", scsi.read(64, 1)).data
    case.true("the data changed under the backup", data[:1] == b"\x01")
    case.step("b", "RELEASE", scsi.pr_out(scsi.RELEASE, scsi.WRITE_EXCLUSIVE, KEY["b"]))
    case.step("a", "WRITE after", scsi.write(64, 1, b"\x02"))
    return case.end()


def shared_nexus(row, guests):
    """Two guests behind one initiator of the host: a reservation does not separate them, and
    the one registers over the other's key."""
    case = UseCase("one I_T nexus: the other guest is not stopped", row, guests)
    case.clean()
    case.register("a")
    case.step("a", "RESERVE", scsi.pr_out(scsi.RESERVE, scsi.WRITE_EXCLUSIVE, KEY["a"]))
    case.step("b", "WRITE", scsi.write(0, 1, b"\x40"))
    case.register("b")
    keys = case.step("a", "READ KEYS", scsi.pr_in(0)).data
    case.true("the key of the first guest is still there", KEY["a"].to_bytes(8, "big") not in keys)
    return case.end()


def own_nexus(row, guests):
    """The cure: one initiator name for each guest."""
    case = UseCase("a nexus for each guest: the other guest is stopped", row, guests)
    case.clean()
    case.register("a")
    case.step("a", "RESERVE", scsi.pr_out(scsi.RESERVE, scsi.WRITE_EXCLUSIVE, KEY["a"]))
    case.step("b", "WRITE", scsi.write(0, 1, b"\x40"), CONFLICT)
    case.step("a", "WRITE", scsi.write(0, 1, b"\x41"))
    case.register("b")
    keys = case.step("a", "READ KEYS", scsi.pr_in(0)).data
    for name in "ab":
        case.true(f"the key of guest {name} is not there", KEY[name].to_bytes(8, "big") in keys)
    return case.end()


def failover(row, guests):
    """Each path is a nexus: what was reserved over the one stops its owner on the other."""
    case = UseCase("dm-multipath: after a failover the owner is stopped by its own reservation",
                  row, guests)
    case.clean()
    case.register("a")
    case.step("a", "RESERVE", scsi.pr_out(scsi.RESERVE, scsi.WRITE_EXCLUSIVE, KEY["a"]))
    case.step("a", "WRITE", scsi.write(0, 1, b"\x50"))
    use_path(2)
    case.step("a", "WRITE over the other path", scsi.write(0, 1, b"\x51"), CONFLICT)
    use_path(1)
    case.step("a", "WRITE over the first path", scsi.write(0, 1, b"\x52"))
    return case.end()


def without_grant(row, guests):
    """Without a grant no use case can begin."""
    case = UseCase("without a grant PERSISTENT RESERVE OUT is refused", row, guests)
    for name in row.disks:
        case.register(name, "refused")
    return case.end()


def knob(hctl, name):
    """Tests of a file of the module fail where it is missing."""
    return tap.ok(f"the module has {name}", os.path.exists(attribute(hctl, name)))


def report_luns(row, hctl, guests):
    """virtio-blk passes REPORT LUNS through: the guest sees what the host has."""
    if not knob(hctl, "report_luns"):
        return
    name = list(row.disks)[0]
    mine = "00" + "%02x" % int(hctl.split(":")[3]) + "0" * 12
    for what, want in (("passthrough", None), ("own", [mine]), ("passthrough", None)):
        put(attribute(hctl, "report_luns"), what)
        answer = guests[name].send(row.disks[name], scsi.report_luns())
        found = scsi.luns(answer.data) if answer.good else str(answer)
        if want:
            tap.equal(f"report_luns = {what}: the guest's own LUN", found, want)
        else:
            tap.ok(f"report_luns = {what}: those of others as well",
                   mine in found and len(found) > 1, found)
    put(attribute(hctl, "report_luns"), "own")
    short = guests[name].send(row.disks[name], scsi.report_luns(16))
    tap.equal("report_luns = own: an allocation length of 16", scsi.luns(short.data), [mine])
    well_known = scsi.report_luns()
    well_known.cdb = well_known.cdb[:2] + b"\x01" + well_known.cdb[3:]
    answer = guests[name].send(row.disks[name], well_known)
    tap.equal("report_luns = own: SELECT REPORT 01h, no well known logical unit",
              (str(answer), scsi.luns(answer.data)), ("GOOD", []))
    put(attribute(hctl, "report_luns"), "passthrough")


def exclusive(row, hctl, guests):
    """pr_exclusive: PERSISTENT RESERVE OUT from the first guest alone."""
    if not knob(hctl, "pr_exclusive"):
        return
    path = attribute(hctl, "pr_exclusive")
    case = UseCase("pr_exclusive: the second guest is refused", row, guests)
    case.clean()
    put(path, "0")
    put(path, "1")
    case.register("a")
    case.register("b", "refused")
    case.step("b", "READ KEYS", scsi.pr_in(0))
    case.step("a", "RESERVE", scsi.pr_out(scsi.RESERVE, scsi.WRITE_EXCLUSIVE, KEY["a"]))
    case.step("b", "CLEAR", scsi.pr_out(scsi.CLEAR, key=KEY["a"]), "refused")
    case.true(f"pr_owner does not tell the owner: {get(attribute(hctl, 'pr_owner'))}",
               guests["a"].name in get(attribute(hctl, "pr_owner")))
    case.step("a", "CLEAR", scsi.pr_out(scsi.CLEAR, key=KEY["a"]))
    # The admin lets the owner go.
    put(path, "0")
    put(path, "1")
    case.register("b")
    case.register("a", "refused")
    case.step("b", "CLEAR", scsi.pr_out(scsi.CLEAR, key=KEY["b"]))
    put(path, "0")
    return case.end()


def run(host):
    """All of them, each with the grant that it needs and no other."""
    row = {row.number: row for row in host.all}
    lun = host.lun["lun"]
    policy.enter("b")
    without_grant(row["6"], host.guests)
    policy.enter("c")
    for number in ("4", "6", "9", "12"):
        thin_provisioning(row[number], host.guests)
    discard(row["1"], host.guests)
    for number in ("9", "11", "14"):
        # tgtd, behind the assigned HBAs, has no PREEMPT AND ABORT.
        preempt = scsi.PREEMPT if number == "11" else scsi.PREEMPT_AND_ABORT
        cluster(row[number], host.guests, preempt)
        backup(row[number], host.guests)
    for number in ("6", "13"):
        shared_nexus(row[number], host.guests)
    for number in ("9", "14"):
        own_nexus(row[number], host.guests)
    failover(row["12"], host.guests)
    report_luns(row["3"], lun.hctl, host.guests)
    exclusive(row["6"], lun.hctl, host.guests)
