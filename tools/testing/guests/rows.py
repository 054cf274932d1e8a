# SPDX-License-Identifier: GPL-2.0
"""The configurations of the talk, and what has come since: as QEMU's arguments, and where the
agent finds the disk. The order and the numbers are those of the talk's slide 2-1."""

from host import IQN


class Row:
    """disks: the agent's name of the disk by guest; the first guest is probed, the other one is
    the second initiator. unit: the file behind it, which shows what was reclaimed. emulates: who
    answers is not the storage, though INQUIRY does not tell. filter_sg: the device of the host whose
    /dev/sgN is filtered however it is open while the row is measured."""

    def __init__(self, number, device, backend, disks, unit=None, emulates=False, scsi=True, filter_sg=None):
        self.number, self.device, self.backend = number, device, backend
        self.disks, self.unit = disks, unit
        self.emulates, self.scsi, self.filter_sg = emulates, scsi, filter_sg


def virtio_blk(guest, slot, source, *more):
    guest.add("-blockdev", f"{source},node-name=blk{slot},discard=unmap",
              "-device", f"virtio-blk-pci,addr={slot}.0,drive=blk{slot},queue-size=128,share-rw=on"
              + "".join(f",{m}" for m in more))
    return f"vblk:{slot}.0"


class Hba:
    """virtio-scsi with QEMU's own target; each disk is a target of its own."""

    def __init__(self, guest):
        self.guest, self.count = guest, 0
        guest.add("-device", "virtio-scsi-pci,id=hba,addr=04.0")

    def add(self, model, source):
        number = self.count
        self.count += 1
        # Two guests may share a disk here.
        share = "" if model == "scsi-generic" else ",share-rw=on"
        self.guest.add("-blockdev", f"{source},node-name=disk{number},discard=unmap",
                       "-device", f"{model},bus=hba.0,scsi-id={number},lun=0,drive=disk{number}{share}")
        return f"04.0/{number}/0"


def file(path):
    return f"driver=file,filename={path}"


def device(path, *more):
    return f"driver=host_device,filename={path},locking=off" + "".join(f",{m}" for m in more)


def libiscsi(initiator):
    return (f"driver=iscsi,transport=tcp,portal=127.0.0.1:3260,target={IQN},lun=0,"
            f"initiator-name={initiator}")
