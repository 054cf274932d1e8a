# SPDX-License-Identifier: GPL-2.0
"""The columns: commands sent in a guest, and whether they did what they should.

Each probe returns a verdict and a detail:
  yes       the storage did it
  own       REPORT LUNS: only what the guest was given
  all       REPORT LUNS: what others have as well
  emulated  QEMU or the host's LIO did it in place of the storage, with effect
  refused   the host's kernel did not let it through
  absent    the target does not know it, or the device has no SCSI
  shared    no I_T nexus of its own: the other guest is not stopped
  wrong     an answer without the effect, or one that was not expected
"""

import scsi
import tap
from host import blocks

# Where each probe works, one behind the other: 16 blocks (8 KiB) each, in the second MiB.
AREA, COUNT = 2048, 16
KEYS = {"a": 0xa11ce, "b": 0xb0b}


class Probe:
    """The probes of one row, in one guest. refused is when the host's kernel refuses a command
    to QEMU and QEMU makes something of it for the guest."""

    def __init__(self, row, guests):
        self.row, self.guests = row, guests
        self.names = list(row.disks)
        self.name = self.names[0]

    def send(self, command, name=None):
        name = name or self.name
        return self.guests[name].send(self.row.disks[name], command)

    def verdict(self, answer, good="yes"):
        if answer.good:
            return good, "GOOD"
        if answer.virtio == 2 and not self.row.scsi:
            return "absent", "no SCSI"
        if answer.refused:
            return "refused", str(answer)
        if answer.overrun and self.by_qemu:
            return "absent", "DID_ERROR"
        if answer.illegal or answer.nothing:
            return "absent", "no SCSI" if answer.nothing else str(answer)
        return "wrong", str(answer)

    def done_by(self, answer):
        """yes, or emulated if another than the storage answers for it."""
        return "yes" if self.storage else "emulated"

    def inquiry(self):
        answer = self.send(scsi.inquiry())
        self.storage, self.by_qemu, self.naa = False, False, None
        if not answer.good:
            return self.verdict(answer)
        vendor = answer.data[8:16].decode(errors="replace").strip()
        self.by_qemu = vendor == "QEMU"
        self.storage = not self.by_qemu and not self.row.emulates
        pages = self.send(scsi.inquiry(0x83))
        self.naa = scsi.naa(pages.data) if pages.good else None
        return self.done_by(answer), vendor

    def report_luns(self):
        answer = self.send(scsi.report_luns())
        if not answer.good:
            return self.verdict(answer)
        count = len(scsi.luns(answer.data))
        return ("own" if count == 1 else "all"), f"{count} logical unit{'s' * (count != 1)}"

    def mapped(self, lba):
        """Is it allocated? By the file behind it, else by the storage's own word."""
        if self.row.unit:
            return blocks(self.row.unit)
        answer = self.send(scsi.get_lba_status(lba))
        if not answer.good or len(answer.data) < 24:
            return None
        return 0 if answer.data[20] & 15 else COUNT

    def reclaims(self, command, lba):
        """Writes, then has the blocks given back."""
        wrote = self.send(scsi.write(lba, COUNT, b"\x5a"))
        if not wrote.good:
            return self.verdict(wrote)
        # QEMU's target writes to the page cache.
        self.send(scsi.synchronize_cache())
        before = self.mapped(lba)
        answer = self.send(command)
        if not answer.good:
            return self.verdict(answer)
        after = self.mapped(lba)
        data = self.send(scsi.read(lba, COUNT))
        if before is None or after is None:
            return "wrong", "GOOD, but it cannot be seen whether blocks came back"
        if before - after < COUNT:
            return "wrong", f"GOOD, but {before - after} blocks came back"
        if data.good and any(data.data):
            return "wrong", "blocks came back, but do not read as zeros"
        return self.done_by(answer), f"{before - after} blocks came back"

    def write_same(self):
        return self.reclaims(scsi.write_same_unmap(AREA, COUNT), AREA)

    def unmap(self):
        lba = AREA + COUNT
        return self.reclaims(scsi.unmap(lba, COUNT), lba)

    def key(self, name=None):
        return KEYS[name or self.name]

    def clean(self):
        """No registration and no reservation of any initiator."""
        for name in self.names:
            key = self.key(name)
            self.send(scsi.pr_out(scsi.REGISTER_AND_IGNORE, new=key), name)
            self.send(scsi.pr_out(scsi.CLEAR, key=key), name)

    def held(self):
        """Key and type of the reservation. No reservation is of type 0 (SPC-4, table "Persistent reservation
        type codes"): seen once, of an HBA that is assigned, whose data did not arrive. Then once more."""
        for _ in range(2):
            answer = self.send(scsi.pr_in(1))
            if not answer.good or len(answer.data) < 24 or not int.from_bytes(answer.data[4:8], "big"):
                return None
            key, kind = int.from_bytes(answer.data[8:16], "big"), answer.data[21] & 15
            if kind:
                break
            tap.note(f"row {self.row.number}: READ RESERVATION says {answer.data[:24].hex()}")
        return key, kind

    def register(self):
        key = self.key()
        answer = self.send(scsi.pr_out(scsi.REGISTER_AND_IGNORE, new=key))
        if not answer.good:
            return self.verdict(answer)
        keys = self.send(scsi.pr_in(0))
        if not keys.good:
            return self.verdict(keys)
        if key.to_bytes(8, "big") not in keys.data:
            return "wrong", "the key is not there"
        return self.done_by(answer), "READ KEYS shows the key"

    def reservation(self, command, want):
        answer = self.send(command)
        if not answer.good:
            return self.verdict(answer)
        held = self.held()
        if held != want:
            return "wrong", f"READ RESERVATION: {held}"
        return self.done_by(answer), "READ RESERVATION shows it"

    def reserve(self):
        key = self.key()
        return self.reservation(scsi.pr_out(scsi.RESERVE, scsi.WRITE_EXCLUSIVE, key),
                                (key, scsi.WRITE_EXCLUSIVE))

    def preempt(self):
        """Its own reservation, by another type: what is left is seen. The use cases have another's."""
        key = self.key()
        return self.reservation(scsi.pr_out(scsi.PREEMPT, scsi.REGISTRANTS_ONLY, key, key),
                                (key, scsi.REGISTRANTS_ONLY))

    def release(self):
        key = self.key()
        return self.reservation(scsi.pr_out(scsi.RELEASE, scsi.REGISTRANTS_ONLY, key), None)

    def conflict(self):
        """The first guest reserves, the other one writes; and it writes when all is over."""
        self.clean()
        key = self.key()
        answer = self.send(scsi.pr_out(scsi.REGISTER_AND_IGNORE, new=key))
        # Where there are reservations at all, there is a second guest.
        if not answer.good or len(self.names) < 2:
            return self.verdict(answer, "untested")
        other = self.names[1]
        answer = self.send(scsi.pr_out(scsi.RESERVE, scsi.WRITE_EXCLUSIVE, key))
        if not answer.good:
            return self.verdict(answer)
        wrote = self.send(scsi.write(0, 1, b"\x11"), other)
        self.clean()
        free = self.send(scsi.write(0, 1, b"\x22"), other)
        if not free.good:
            return "wrong", f"without a reservation: {free}"
        if wrote.conflict:
            return "yes", "the other guest's WRITE: RESERVATION CONFLICT"
        if wrote.good:
            return "shared", "the other guest's WRITE: GOOD"
        return "wrong", str(wrote)

    def compare_and_write(self):
        """LIO writes what it should only if both blocks are in one page of the sender's memory
        (compare_and_write_callback() in drivers/target/target_core_sbc.c), and the sender is QEMU,
        whose buffer may be anywhere: then it is sent from elsewhere."""
        lba = AREA + 2 * COUNT
        for _ in range(8):
            wrote = self.send(scsi.write(lba, 1, b"\x01"))
            answer = self.send(scsi.compare_and_write(lba, b"\x01", b"\x02"))
            if not wrote.good or not answer.good:
                return self.verdict(answer)
            again = self.send(scsi.compare_and_write(lba, b"\x01", b"\x03"))
            data = self.send(scsi.read(lba, 1))
            if not again.code or again.code[0] != 0xe or not data.good:
                return "wrong", f"GOOD, but then {again}, and there is {data}"
            if data.data == b"\x02" * scsi.BLOCK:
                return self.done_by(answer), "written once, then MISCOMPARE"
            tap.note(f"row {self.row.number}: COMPARE AND WRITE wrote {data.data.hex()}")
            self.guests[self.name].move_buffers(2 * scsi.BLOCK)
        return "wrong", "GOOD, but what was written is something else"

    def extended_copy(self):
        lba = AREA + 3 * COUNT
        self.send(scsi.write(lba, 1, b"\x77"))
        self.send(scsi.write(lba + 8, 1, b"\x01"))
        # Without a designator the command is sent all the same: only its opcode matters then.
        answer = self.send(scsi.extended_copy(self.naa or bytes(16), lba, lba + 8, 1))
        if not answer.good:
            return self.verdict(answer)
        data = self.send(scsi.read(lba + 8, 1))
        if data.data != b"\x77" * scsi.BLOCK:
            return "wrong", f"GOOD, but then there is {data}, {data.data[:2].hex()}"
        return self.done_by(answer), "the block was copied"


# In the order in which they run: the reservation's depend on each other.
COLUMNS = {
    "inquiry": "INQUIRY",
    "report_luns": "REPORT LUNS",
    "write_same": "WRITE SAME",
    "unmap": "UNMAP",
    "register": "REGISTER",
    "reserve": "RESERVE",
    "preempt": "PREEMPT",
    "release": "RELEASE",
    "conflict": "conflict",
    "compare_and_write": "COMPARE AND WRITE",
    "extended_copy": "EXTENDED COPY",
}


def measure(row, guests):
    """All columns of a row: {column: (verdict, detail)}"""
    probe = Probe(row, guests)
    probe.clean()
    cells = {column: getattr(probe, column)() for column in COLUMNS}
    probe.clean()
    return cells
