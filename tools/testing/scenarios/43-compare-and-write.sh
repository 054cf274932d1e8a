#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: LIO's COMPARE AND WRITE writes memory behind the sender's page, as [security.md](security.md) says
# kernels: stock
# What Documentation/security.md says of COMPARE AND WRITE on disks of LIO behind tcm_loop:
# if the two blocks are not in one page, what follows that page in memory is written. If a
# check fails here, the kernel's error is another one or gone, and the document must say so.
# Debian's kernels only: the others do not tell where a page is.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
# shellcheck source-path=SCRIPTDIR source=lio.sh
. "$here/lio.sh"

if [ ! -e /proc/self/pagemap ]; then
	skip "COMPARE AND WRITE from two pages" "no /proc/self/pagemap"
	finish
fi
lio_load
lio_backstore one
lio_disk one 1
disk=${disk_of[$hctl]}

# from OFFSET NAME WHAT-CAME
from() { is "$2" "$(bypass compare-and-write "$disk" "$1" 2>&1)" "$3"; }

must_load
from 0 "COMPARE AND WRITE is refused" refused
put "$(dev "$hctl")/rules" "allow w 89"
from 0 "with a rule, both blocks at the beginning of a page" "written 512, foreign 0"
from 3072 "... at its end" "written 512, foreign 0"
from 3088 "... 16 bytes of the second are in another page" "written 496, foreign 16"
from 3584 "... all of it is" "written 0, foreign 512"
from 4096 "... both are" "written 512, foreign 0"
check "the module unloads" unload
from 3584 "without the module it is refused" refused
finish
