# SPDX-License-Identifier: GPL-2.0
"""CDBs that the guests send, and how their answers read."""

BLOCK = 512


class Command:
    """A CDB, its direction (n, r, w), the length of its data, and the data."""

    def __init__(self, cdb, direction="n", length=0, data=b""):
        self.cdb, self.direction, self.data = bytes(cdb), direction, bytes(data)
        self.length = length or len(data)


def be(value, size):
    return value.to_bytes(size, "big")


def inquiry(page=None, length=252):
    if page is None:
        return Command(b"\x12\0\0" + be(length, 2) + b"\0", "r", length)
    return Command(b"\x12\x01" + bytes([page]) + be(length, 2) + b"\0", "r", length)


def report_luns(length=512):
    return Command(b"\xa0\0\0\0\0\0" + be(length, 4) + b"\0\0", "r", length)


def test_unit_ready():
    return Command(bytes(6))


def read(lba, blocks):
    return Command(b"\x88\0" + be(lba, 8) + be(blocks, 4) + b"\0\0", "r", blocks * BLOCK)


def write(lba, blocks, pattern):
    return Command(b"\x8a\0" + be(lba, 8) + be(blocks, 4) + b"\0\0", "w", blocks * BLOCK,
                   pattern * BLOCK)


def synchronize_cache():
    return Command(b"\x35" + bytes(9))


def write_same_unmap(lba, blocks):
    return Command(b"\x93\x08" + be(lba, 8) + be(blocks, 4) + b"\0\0", "w", data=bytes(BLOCK))


def unmap(lba, blocks):
    return Command(b"\x42\0\0\0\0\0\0" + be(24, 2) + b"\0", "w",
                   data=be(22, 2) + be(16, 2) + bytes(4) + be(lba, 8) + be(blocks, 4) + bytes(4))


def get_lba_status(lba):
    return Command(b"\x9e\x12" + be(lba, 8) + be(24, 4) + b"\0\0", "r", 24)


def compare_and_write(lba, old, new):
    return Command(b"\x89\0" + be(lba, 8) + b"\0\0\0\x01\0\0", "w", data=old * BLOCK + new * BLOCK)


def pr_in(action, length=256):
    return Command(b"\x5e" + bytes([action]) + bytes(5) + be(length, 2) + b"\0", "r", length)


REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_AND_ABORT, REGISTER_AND_IGNORE = range(7)
WRITE_EXCLUSIVE, REGISTRANTS_ONLY = 1, 5


def pr_out(action, kind=0, key=0, new=0):
    return Command(b"\x5f" + bytes([action, kind]) + bytes(2) + be(24, 4) + b"\0", "w",
                   data=be(key, 8) + be(new, 8) + bytes(8))


def extended_copy(naa, source, target, blocks):
    """Within one logical unit, which its NAA designator names twice."""
    designator = b"\xe4\0\0\0" + b"\x01\x03\0\x10" + naa + bytes(4) + b"\0" + be(BLOCK, 3)
    segment = (b"\x02\0" + be(24, 2) + be(0, 2) + be(1, 2) + bytes(2) + be(blocks, 2)
               + be(source, 8) + be(target, 8))
    head = b"\0\0" + be(2 * 32, 2) + bytes(4) + be(len(segment), 4) + bytes(4)
    data = head + designator * 2 + segment
    return Command(b"\x83" + bytes(9) + be(len(data), 4) + b"\0\0", "w", data=data)


class Answer:
    """What the agent said; only one of the kinds below is true of it."""

    def __init__(self, line):
        self.line = line
        words = line.split()
        self.data, self.sense = b"", b""
        self.status = self.errno = self.virtio = self.host = None
        if words[0] == "scsi":
            self.status = int(words[1])
            self.sense, self.data = unhex(words[5]), unhex(words[6])
            self.host = int(words[2])
            if self.host:
                self.status = None
        elif words[0] == "vblk":
            self.virtio = int(words[1])
            self.sense, self.data = unhex(words[3]), unhex(words[4])
            if self.virtio == 0:
                self.status = int(words[2]) & 0xff
        elif words[0] == "errno":
            self.errno = int(words[1])

    @property
    def good(self):
        return self.status == 0

    @property
    def conflict(self):
        return self.status == 0x18

    @property
    def code(self):
        """Sense key, ASC and ASCQ of fixed or descriptor format."""
        s = self.sense
        if len(s) >= 4 and s[0] & 0x7e == 0x72:
            return s[1] & 15, s[2], s[3]
        if len(s) >= 14:
            return s[2] & 15, s[12], s[13]
        return None

    @property
    def attention(self):
        return self.status == 2 and self.code is not None and self.code[0] == 6

    @property
    def refused(self):
        """The host's kernel said EPERM to QEMU: scsi-block and scsi-generic make it ABORTED
        COMMAND, I/O PROCESS TERMINATED; virtio-blk says "unsupported". Of a filtered /dev/sgN that is open for
        writing, it is a status of its own: ILLEGAL REQUEST, ACCESS DENIED - NO ACCESS RIGHTS."""
        return self.code in ((0xb, 0, 6), (5, 0x20, 2)) or self.virtio == 2

    @property
    def illegal(self):
        """The target does not know the command."""
        return self.status == 2 and self.code is not None and self.code[0] == 5

    @property
    def overrun(self):
        """VIRTIO_SCSI_S_OVERRUN, which Linux makes DID_ERROR: QEMU's target takes every command
        that it does not know for one that reads."""
        return self.host == 7

    @property
    def nothing(self):
        """There is no SCSI at all: ENOTTY. """
        return self.errno == 25

    def __str__(self):
        if self.good:
            return "GOOD"
        if self.conflict:
            return "RESERVATION CONFLICT"
        if self.code:
            return "sense %x/%02x/%02x" % self.code
        return self.line


def unhex(word):
    return b"" if word == "-" else bytes.fromhex(word)


def luns(data):
    """Of REPORT LUNS, as their eight bytes."""
    size = int.from_bytes(data[:4], "big")
    return [data[8 + i:16 + i].hex() for i in range(0, size, 8)]


def naa(data):
    """The first NAA designator of 16 bytes of VPD page 83h."""
    end = 4 + int.from_bytes(data[2:4], "big")
    at = 4
    while at + 4 <= min(end, len(data)):
        size = data[at + 3]
        if data[at + 1] & 0x3f == 3 and size == 16:
            return data[at + 4:at + 20]
        at += 4 + size
    return None
