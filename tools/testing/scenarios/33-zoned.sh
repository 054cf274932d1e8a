#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: a host-managed zoned disk under `strict`
# kernels: test
# A host-managed zoned disk under `strict`: zones are reported to everybody,
# moved by who may write, and nothing else of ZBC.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load zbc=managed dev_size_mb=64 zone_size_mb=4 zone_nr_conv=0
debug_add 0x14
disk=${disk_of[$hctl]}
must_load
is "its class" "$(cat "$(dev "$hctl")/class")" zbc

conditions() {
	as_nobody sg_rep_zones --readonly --num=1 "$disk" 2>&1 | sed -n 's/.*condition: *//Ip' | xargs
}

works sg_rep_zones --readonly "$disk"
like "the first zone is empty" "$(conditions)" "*mpty*"
works sg_zone --open --zone=0 "$disk"
like "... open" "$(conditions)" "*xplicit*open*"
works sg_zone --close --zone=0 "$disk"
works sg_zone --finish --zone=0 "$disk"
like "... full" "$(conditions)" "*ull*"
works sg_reset_wp --zone=0 "$disk"
like "... empty again" "$(conditions)" "*mpty*"
printf '%4096s' x >"$tmp/block"
works sg_raw --send=4096 --infile="$tmp/block" "$disk" 8a 00 00 00 00 00 00 00 00 00 00 00 00 08 00 00

for t in "sg_io:$disk" "bsg:/dev/bsg/$hctl"; do
	refused "ZONE ACTIVATE by ${t%%:*}" --read "$t" 95080000000000000000000000000000
	allowed "ZONE QUERY by ${t%%:*}" --read "$t" 95090000000000000000000000000000
	refused "RESET WRITE POINTER from a read-only open by ${t%%:*}" --read "$t" 94040000000000000000000000000000
	allowed "RESET WRITE POINTER by ${t%%:*}" --write "$t" 94040000000000000000000000000000
	refused "REMOVE ELEMENT AND MODIFY ZONES by ${t%%:*}" --write "$t" 9e1a0000000000000000000000000000
	refused "SANITIZE by ${t%%:*}" --write "$t" 48030000000000000000
done
finish
