#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: a SATA disk behind libata: ATA PASS-THROUGH is refused, and a rule by ATA command opens what smartctl needs
# kernels: test
# A SATA disk behind libata's translation: ATA PASS-THROUGH is refused, and a
# rule by ATA command opens what smartctl needs and not the rest.
# vm: --qemu-arg -blockdev --qemu-arg driver=null-co,node-name=n0,size=67108864,read-zeroes=on
# vm: --qemu-arg -device --qemu-arg ide-hd,drive=n0,bus=ide.0,serial=sgio-sata
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

need sg sd_mod ahci
hctl=$(for d in $(scsi_devices); do
	grep -q '^ATA' "/sys/bus/scsi/devices/$d/vendor" && echo "$d"
done | head -n 1)
[ -n "$hctl" ] || die "no SATA disk"
use_device "$hctl"
disk=${disk_of[$hctl]}

# identify NAME GLOB: what sg_sat_identify says
refusal="exit status 99: *ATA pass-through (16) failed*"
identify() {
	local out
	out=$(as_nobody sg_sat_identify --len=16 "$disk" 2>&1)
	like "$1: sg_sat_identify" "exit status $?: $out" "$2"
}
smart() {
	as_nobody smartctl -d sat -i "$disk" 2>&1
}

identify "without the module" "$refusal"
must_load
is "its class" "$(cat "$(dev "$hctl")/class")" disk
identify "strict" "$refusal"
like "strict: smartctl is told so" "$(smart)" "*Operation not permitted*"
works_inq=$(as_nobody sg_inq "$disk" 2>&1)
like "strict: the SCSI side works" "$works_inq" "*ATA*QEMU HARDDISK*"

# IDENTIFY DEVICE, SMART, CHECK POWER MODE
echo "allow r 85 [14]=b0,e5,ec" >"$(dev "$hctl")/rules"
identify "a rule for 85 by ATA command" "exit status 0: *"
like "smartctl shows the disk" "$(smart)" "*Serial Number:*sgio-sata*"
like "smartctl reads the health" "$(as_nobody smartctl -d sat -H "$disk" 2>&1)" "*PASSED*"
for t in "sg_io:$disk" "bsg:/dev/bsg/$hctl" "bsg-uring:/dev/bsg/$hctl"; do
	refused "SECURITY ERASE UNIT by ${t%%:*}" --write "$t" 8506000000000000000000000000f400
	refused "WRITE DMA by ${t%%:*}" --write "$t" 850d000000000000000000000000ca00
	refused "IDENTIFY DEVICE by ATA PASS-THROUGH(12) by ${t%%:*}" --write "$t" a1080e000000000000ec0000
	allowed "IDENTIFY DEVICE by ${t%%:*}" --read "$t" 85080e0000000000000000000000ec00
done
echo >"$(dev "$hctl")/rules"
identify "the rule removed" "$refusal"
finish
