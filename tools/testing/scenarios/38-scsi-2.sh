#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: devices of SCSI-2: the LUN that the kernel writes into byte 1 is judged as it is sent
# kernels: stock
# Devices of SCSI-2 and older: the kernel writes the LUN into byte 1 of the CDB after it has asked. What is judged is what
# is sent.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load scsi_level=2
debug_add 0
a=$hctl sg=${sg_of[$hctl]} disk=sg_io:${disk_of[$hctl]} bsg=bsg:/dev/bsg/$hctl
# INQUIRY, with EVPD or with that and a LUN where SCSI-2 had it.
plain=120183006000 with_lun=122183006000
must_load

echo "deny 12 [1]=01" >"$(dev "$a")/rules"
echo 1 >"$(dev "$a")/filter_sg"
for cdb in $plain $with_lun; do
	refused "$cdb: disk" --read "$disk" "$cdb"
	refused "$cdb: bsg" --read "$bsg" "$cdb"
	refused "$cdb: sg read-only" --read "sg/ro:$sg" "$cdb"
	is "$cdb: sg, filtered" "$(sgnode "$sg" rw v3 "$cdb")" "sense 05/20/02"
	is "$cdb: asked by the control device" "$(xargs sgcheck "$a" ro < <(fold -w 2 <<<"$cdb"))" "3 1 0 0"
done
echo "allow w c1 [1]=e1" >"$(dev "$a")/rules"
refused "a rule about the LUN's bits matches nothing that is sent" --write "$bsg" c1e100000000
allowed "... as much as any other command" --read "$bsg" 120000002400

unload
rmmod scsi_debug
debug_load
debug_add 0
must_load
echo "deny 12 [1]=01" >"$(dev "$hctl")/rules"
refused "of a later standard: $plain" --read "bsg:/dev/bsg/$hctl" $plain
allowed "... $with_lun is another CDB, and sent as it is" --read "bsg:/dev/bsg/$hctl" $with_lun
finish
