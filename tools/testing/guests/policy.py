# SPDX-License-Identifier: GPL-2.0
"""What the admin of the host does between two measurements; the guests stay up."""

import glob
import os

from host import attribute, get, put, run

POLICY = "/tmp/policy.toml"
# Every disk of LIO, by all ways that the host's kernel has to it.
GRANT = """
[[device]]
match = { vendor = "LIO-ORG", class = "disk" }
profile = "disk-guest-pr"
"""
STATES = {
    "a": "no module",
    "b": "the module, its defaults",
    "c": 'profile "disk-guest-pr", report_luns = own',
    "d": "unpriv_sgio = 1",
}


def disks():
    """H:C:T:L of the disks of LIO."""
    return sorted(path.split("/")[-2] for path in glob.glob("/sys/bus/scsi/devices/*:*/vendor")
                  if get(path).startswith("LIO-ORG"))


def loaded():
    return os.path.exists("/sys/module/sgio_filter")


def report_luns(what):
    """Where the module has it: the tests of it fail without."""
    for hctl in disks():
        if os.path.exists(attribute(hctl, "report_luns")):
            put(attribute(hctl, "report_luns"), what)


def unpriv(value):
    for path in [p for d in disks() for p in glob.glob(f"/sys/bus/scsi/devices/{d}/block/*")]:
        put(f"{path}/queue/unpriv_sgio", value)


def filter_sg(hctl, value):
    """Not without the module, as all of these."""
    if loaded():
        put(attribute(hctl, "filter_sg"), value)


def defaults():
    if not loaded():
        run("insmod", os.environ["SGIO_KO"])
    put(POLICY, "")
    run("sgioctl", "apply", POLICY)
    report_luns("passthrough")


def enter(state):
    """One of STATES, from any other."""
    if state == "a":
        if loaded():
            run("rmmod", "sgio_filter")
        return
    defaults()
    if state == "c":
        put(POLICY, GRANT)
        run("sgioctl", "apply", POLICY)
        report_luns("own")
    elif state == "d":
        unpriv("1")
