# SPDX-License-Identifier: GPL-2.0
"""What the document says in words; the cells come from the run."""

VERDICTS = {
    "yes": "the storage did it, and the effect was seen",
    "own": "REPORT LUNS told of the guest's own logical unit and no other",
    "all": "REPORT LUNS told of logical units that others have",
    "emulated": "it had its effect, but QEMU or the host's LIO did it in place of the storage",
    "refused": "the host's kernel refused it to QEMU",
    "absent": "the target does not know the command, or the device has no SCSI at all",
    "shared": "the reservation was made, and did not stop the other guest: both are one I_T nexus",
    "untested": "not run; the row says why",
    "wrong": "an answer without the effect",
}

EXPLAINED = {
    "1": "A disk in a file. No SCSI command reaches anything: the device carries reads, writes, flushes "
         "and discards of its own, and Linux guests see /dev/vdX without SG_IO. The commands were sent as "
         "VIRTIO_BLK_T_SCSI_CMD by a program that speaks to the device itself.",
    "2": "The same on a disk of the host; with scsi=off, the only way today's QEMU has, it makes no difference.",
    "3": "scsi=on passed everything to SG_IO, REPORT LUNS included. QEMU removed it in 9.1, Linux guests sent "
         "nothing over it since 5.6; measured with an older QEMU and a program of ours in place of a driver.",
    "4": "QEMU is the target: it knows what a disk needs, and does it in the file. No reservations.",
    "5": "The same on a disk of the host, by the block layer's own discards: no SG_IO, so nothing to be "
         "refused, and no reservations either.",
    "6": "scsi-block: reads and writes by the host's block layer, all else by SG_IO. This is the row that the filter "
         "is for. REPORT LUNS is answered by QEMU. EXTENDED COPY is no part of the grant: its data names the logical "
         "units to copy between, which no rule can see.",
    "6g": "scsi-generic on /dev/sgN. QEMU opens it for reading and writing, and then the kernel asks nobody: "
          "everything goes through, with the filter and without it, unless the administrator has asked for it (6h).",
    "6h": "Row 6g with filter_sg = 1: the filter decides here as in row 6. What it refuses ends with CHECK CONDITION, ILLEGAL "
          "REQUEST, ACCESS DENIED - NO ACCESS RIGHTS (05/20/02), which QEMU hands to the guest as it is.",
    "7": "The host's LIO is the target, below QEMU. Reservations are LIO's own: they hold between the guests "
         "of this host, and the storage and other hosts never hear of them.",
    "8": "LIO hands the commands to the disk as they are, from inside the kernel, where the filter is not asked. "
         "All guests behind one HBA are one I_T nexus to the storage.",
    "9": "QEMU is the iSCSI initiator; the host's kernel is not in the way, and each guest may have an initiator "
         "name of its own.",
    "11": "The guest drives the HBA. Nobody is asked on the host, and each HBA is a nexus of its own. The storage "
          "here is tgtd, which has no EXTENDED COPY.",
    "12": "Row 6 on a map of two paths, grouped by failover as multipathd does. A command takes the path in use, and each path is "
          "an I_T nexus of its own: after a failover the owner of a reservation is stopped by it. mpathpersist, and "
          "qemu-pr-helper with it, register on all paths.",
    "13": "Row 6, with PERSISTENT RESERVE done by a helper that runs as root. All guests of the host are one "
          "nexus to it, and the other commands go by SG_IO as in row 6.",
    "14": "Row 6, where the host has logged in once for each guest, with an initiator name of its own: the cure "
          "for a shared nexus that needs no special hardware.",
}

LEGACY = (
    "Gone, so there is nothing to measure. Linux deprecated KVM_ASSIGN_PCI_DEVICE and its kin in 4.2 (commit "
    "e80a4a9426ad) and removed them in 4.12 (ad6260da1e23, \"KVM: x86: drop legacy device assignment\"); QEMU removed its "
    "device pci-assign for that reason, soon after (5ced78955fe3). To run it, a host with a Linux before 4.12, a QEMU "
    "of that time, KVM and an IOMMU would be needed. What a guest got was what it gets with VFIO, row 11: the HBA "
    "itself.")

SURPRISES = [
    "QEMU's own target (rows 4, 5) takes a command that it does not know for one that reads. If it writes, as COMPARE AND "
    "WRITE and EXTENDED COPY do, a Linux guest sees no ILLEGAL REQUEST but DID_ERROR.",
    "A writable /dev/sgN is filtered by nobody (row 6g) unless filter_sg is on (row 6h).",
    "PERSISTENT RESERVE through vhost-scsi on a block backstore ends in the host's LIO (row 7).",
    "A second guest on the same nexus takes over the registration of the first one by registering: there is one "
    "key for each nexus.",
    "On dm-multipath a reservation is one path's: when the other path takes over, its owner gets RESERVATION CONFLICT "
    "(row 12).",
    "QEMU offers VIRTIO_BLK_F_SCSI to drivers of the legacy interface with scsi=off too; the commands are then "
    "answered as unsupported.",
]
