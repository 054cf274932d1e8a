# SPDX-License-Identifier: GPL-2.0
"""A nested guest: an unprivileged QEMU in a cgroup of its own, and the agent in it."""

import os
import resource
import subprocess
import time

import machine
from scsi import Answer

GROUP = 65000


class Guest:
    """state is what snapshot.py saved; the arguments of add() are QEMU's."""

    def __init__(self, name, uid, work, state, root="/"):
        self.name, self.uid, self.work, self.root = name, uid, work, root
        self.state, self.args, self.devices, self.process = state, [], [], None
        self.moved = 0
        self.cgroup = f"/sys/fs/cgroup/{name}"

    def add(self, *args):
        """Devices are plugged in, in this order, when the state is loaded; all else is there before."""
        for option, value in zip(args[::2], args[1::2]):
            if option == "-device":
                self.devices.append(value)
            else:
                self.args += option, value

    def start(self):
        os.makedirs(self.cgroup, exist_ok=True)
        path = f"{self.work}/{self.name}"
        with open(f"{self.work}/{self.state}", "rb") as state:
            command = machine.arguments(self.work, f"{path}.agent", f"{path}.monitor")
            command += ["-serial", f"file:{path}.console", "-incoming", f"fd:{state.fileno()}"]
            self.log = open(f"{path}.log", "wb")
            self.process = subprocess.Popen(command + self.args, stdin=subprocess.DEVNULL,
                                            stdout=self.log, stderr=self.log,
                                            pass_fds=[state.fileno()], preexec_fn=self.become)

    def plug_in(self):
        """Waits until the state is loaded."""
        path = f"{self.work}/{self.name}"
        try:
            self.monitor = machine.Monitor(f"{path}.monitor", self.process)
            self.monitor.wait_for("query-status", "status", ["paused", "running"])
            for device in self.devices:
                self.monitor.plug(device)
            self.socket = machine.connect(f"{path}.agent", self.process, 480)
        except (OSError, RuntimeError) as error:
            raise RuntimeError(f"{self.name}: {error}: {self.said()}") from error
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
        attention tells of the past: the command is sent again, ten times at most. An error of the
        transport says nothing of the device: twice more, in case it was one of the moment."""
        verb, target = ("vblk", disk[5:]) if disk.startswith("vblk:") else ("scsi", disk)
        line = (f"{verb} {target} {command.direction} {command.length} "
                f"{command.cdb.hex()} {command.data.hex()}").strip()
        attentions, errors = 10, 2
        while True:
            answer = Answer(self.ask(line))
            if answer.attention and attentions:
                attentions -= 1
            elif answer.host and errors:
                errors -= 1
            else:
                return answer

    def move_buffers(self, size):
        """QEMU's next buffer of that size is elsewhere: something that stays takes the place."""
        self.moved += 1
        self.monitor.do("object-add", **{"qom-type": "secret", "id": f"place{self.moved}",
                                         "data": "x" * (size - 1)})

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
