# SPDX-License-Identifier: GPL-2.0
"""snapshot.py FOLDER STATE [ROOT]: boots the guest whose kernel is in FOLDER as far as its agent, and
saves it there as STATE; with ROOT, by the QEMU of that root, where FOLDER is /tmp."""

import os
import subprocess
import sys

import machine

MOUNTS = "mount --rbind /dev $1/dev && mount -t proc proc $1/proc && mount --bind $0 $1/tmp"


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


def main(folder, state, root="/"):
    initramfs(f"{folder}/initrd", "/sgio/build/bin/agent")
    # For the sockets: both sides see the folder.
    inside = folder
    if root != "/":
        subprocess.run(["sh", "-c", MOUNTS, folder, root], check=True)
        inside = "/tmp"
    for name in ("agent", "monitor"):
        if os.path.exists(f"{folder}/{name}"):
            os.unlink(f"{folder}/{name}")
    command = machine.arguments(inside, f"{inside}/agent", f"{inside}/monitor")
    command += ["-serial", f"file:{inside}/{state}.console"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                               preexec_fn=lambda: (os.chroot(root), os.chdir("/")))
    try:
        monitor = machine.Monitor(f"{folder}/monitor", process)
        agent = machine.connect(f"{folder}/agent", process, 120).makefile("rw", newline="\n")
        agent.write("hello\n")
        agent.flush()
        answer = agent.readline().strip()
        if not answer.startswith("hello "):
            raise RuntimeError(f"the agent answered '{answer}'")
        monitor.do("stop")
        # What is nothing but zeros is not written.
        monitor.do("migrate-set-parameters", **{"max-bandwidth": 1 << 32})
        with open(f"{folder}/{state}", "wb") as file:
            monitor.give("state", file)
        monitor.do("migrate", uri="fd:state")
        monitor.wait_for("query-migrate", "status", ["completed"])
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
