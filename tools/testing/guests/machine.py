# SPDX-License-Identifier: GPL-2.0
"""The machine of the nested guests, and QEMU's monitor.

An emulator in an emulator takes minutes to boot a kernel. So a guest boots on the machine that runs
the tests, as far as its agent, without a disk, and its state is saved (snapshot.py); on the KVM host
that is loaded, its disks are plugged in, and it goes on (guest.py). Both need the same arguments: these.
"""

import array
import json
import socket
import time


def arguments(folder, agent, monitor):
    """folder has the kernel and the initial root; agent and monitor are sockets that QEMU makes."""
    return ["qemu-system-x86_64", "-accel", "tcg,tb-size=64", "-M", "pc,memory-backend=ram",
            "-cpu", "qemu64", "-smp", "1", "-m", "96", "-nodefaults", "-no-user-config",
            "-display", "none", "-vga", "none", "-nic", "none", "-no-reboot",
            "-object", "memory-backend-memfd,id=ram,size=96M,share=on",
            "-kernel", f"{folder}/vmlinux", "-initrd", f"{folder}/initrd",
            # Of the hundreds of targets behind each HBA, the agent names those that are there.
            "-append", "console=ttyS0 loglevel=5 no_timer_check lpj=4000000 panic=-1 "
                       "scsi_mod.scan=manual",
            "-chardev", f"socket,id=agent,path={agent},server=on,wait=off",
            "-device", "virtio-serial-pci,addr=03.0",
            "-device", "virtserialport,chardev=agent,nr=1",
            "-qmp", f"unix:{monitor},server=on,wait=off"]


def connect(path, process, seconds):
    """A socket that QEMU makes when it starts. OSError if it ends before."""
    for _ in range(600):
        end = process.poll() is not None
        try:
            one = socket.socket(socket.AF_UNIX)
            one.settimeout(seconds)
            one.connect(path)
            return one
        except OSError:
            one.close()
            if end:
                raise
        time.sleep(0.1)
    raise OSError(f"{path}: nobody answers")


class Monitor:
    """QMP."""

    def __init__(self, path, process):
        self.socket = connect(path, process, 240)
        self.lines = self.socket.makefile("rw", newline="\n")
        self.lines.readline()
        self.do("qmp_capabilities")

    def do(self, command, **arguments):
        json.dump({"execute": command, "arguments": arguments}, self.lines)
        self.lines.flush()
        for line in iter(self.lines.readline, ""):
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(f"{command} {arguments}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise RuntimeError(f"{command}: no answer")

    def give(self, name, file):
        """An open file, which QEMU then knows by a name."""
        self.socket.sendmsg([b" "], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                      array.array("i", [file.fileno()]))])
        self.do("getfd", fdname=name)

    def plug(self, device):
        """As -device. What is no error may be told, too."""
        said = self.do("human-monitor-command", **{"command-line": f"device_add {device}"})
        if "Error" in said:
            raise RuntimeError(f"device_add {device}: {said.strip()}")

    def wait_for(self, command, what, fine, tries=2400):
        """Until a query's answer is fine."""
        for _ in range(tries):
            answer = self.do(command).get(what)
            if answer in fine:
                return
            if answer == "failed":
                break
            time.sleep(0.1)
        raise RuntimeError(f"{command}: {self.do(command)}")
