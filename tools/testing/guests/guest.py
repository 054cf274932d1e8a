# SPDX-License-Identifier: GPL-2.0
"""A nested guest: an unprivileged QEMU in a cgroup of its own, and the agent in it."""

import os
import resource
import socket
import subprocess
import time

from scsi import Answer

GROUP = 65000


class Guest:
    def __init__(self, name, uid, work, root="/"):
        self.name, self.uid, self.work, self.root = name, uid, work, root
        self.args, self.process = [], None
        self.cgroup = f"/sys/fs/cgroup/{name}"

    def add(self, *args):
        self.args += args

    def start(self):
        """The kernel that boots fastest, one processor, and the agent as /init."""
        os.makedirs(self.cgroup, exist_ok=True)
        path = f"{self.work}/{self.name}.agent"
        command = ["qemu-system-x86_64", "-accel", "tcg,tb-size=64", "-M", "q35,memory-backend=ram",
                   "-cpu", "qemu64", "-smp", "1", "-m", "160", "-nodefaults", "-no-user-config",
                   "-display", "none", "-vga", "none", "-nic", "none", "-no-reboot",
                   # Or the firmware looks for something to boot on each of 1024 targets.
                   "-boot", "strict=on",
                   "-object", "memory-backend-memfd,id=ram,size=160M,share=on",
                   "-kernel", f"{self.work}/vmlinux", "-initrd", f"{self.work}/initrd",
                   "-append", "console=ttyS0 loglevel=4 no_timer_check lpj=4000000 panic=-1",
                   "-serial", f"file:{self.work}/{self.name}.console",
                   "-chardev", f"socket,id=agent,path={path},server=on,wait=off",
                   "-device", "virtio-serial-pci,addr=03.0",
                   "-device", "virtserialport,chardev=agent,nr=1"] + self.args
        self.log = open(f"{self.work}/{self.name}.log", "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, preexec_fn=self.become)
        for _ in range(600):
            if os.path.exists(path) or self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(240)
        try:
            self.socket.connect(path)
        except OSError:
            raise RuntimeError(f"{self.name}: QEMU did not start: {self.said()}")
        self.lines = self.socket.makefile("rw", newline="\n")

    def become(self):
        """In the child: its cgroup, then no privilege at all."""
        with open(f"{self.cgroup}/cgroup.procs", "w") as procs:
            procs.write(str(os.getpid()))
        # VFIO pins the memory of the guest.
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY,) * 2)
        os.chroot(self.root)
        os.chdir("/")
        os.setgroups([GROUP])
        os.setgid(GROUP)
        os.setuid(self.uid)

    def privileges(self):
        """Uid and effective, permitted and inheritable capabilities of QEMU."""
        with open(f"/proc/{self.process.pid}/status") as status:
            words = dict(line.split(":", 1) for line in status if ":" in line)
        caps = {words[c].strip() for c in ("CapEff", "CapPrm", "CapInh", "CapAmb")}
        return words["Uid"].split()[1], caps

    def said(self):
        self.log.flush()
        text = open(self.log.name, errors="replace").read()[-1500:]
        console = f"{self.work}/{self.name}.console"
        if os.path.exists(console):
            text += "\n" + open(console, errors="replace").read()[-3000:]
        return text

    def ask(self, line):
        try:
            self.lines.write(line + "\n")
            self.lines.flush()
            answer = self.lines.readline().strip()
        except OSError as error:
            raise RuntimeError(f"{self.name}: '{line}': {error}: {self.said()}") from error
        if not answer:
            raise RuntimeError(f"{self.name}: no answer to '{line}': {self.said()}")
        return answer

    def send(self, disk, command):
        """disk is the agent's name for it, with "vblk:" for a device without a driver. A unit
        attention tells of the past: the command is sent again, ten times at most."""
        verb, target = ("vblk", disk[5:]) if disk.startswith("vblk:") else ("scsi", disk)
        for _ in range(10):
            answer = Answer(self.ask(f"{verb} {target} {command.direction} {command.length} "
                                     f"{command.cdb.hex()} {command.data.hex()}".strip()))
            if not answer.attention:
                break
        return answer

    def wait_for(self, disk, command):
        """The guest's kernel finds its disks in its own time."""
        for _ in range(100):
            answer = self.send(disk, command)
            if not answer.line.startswith("error no such"):
                return answer
            time.sleep(0.3)
        return answer

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        try:
            os.rmdir(self.cgroup)
        except OSError:
            pass


def initramfs(path, init):
    """One file and a console: newc, as the kernel reads it."""
    def entry(name, mode, data=b"", device=(0, 0)):
        name = name.encode() + b"\0"
        fields = [1, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0]
        head = b"070701" + b"".join(b"%08x" % f for f in fields)
        return pad(head + name) + pad(data)

    def pad(data):
        return data + bytes(-len(data) % 4)

    with open(init, "rb") as program, open(path, "wb") as archive:
        archive.write(entry("dev", 0o40755) + entry("dev/console", 0o20600, device=(5, 1))
                      + entry("init", 0o100755, program.read()) + entry("TRAILER!!!", 0))
