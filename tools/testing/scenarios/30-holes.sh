#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: opcodes that the kernel's list allows though they do harm on the class: open without the module, closed under `strict`
# kernels: stock
# minutes: 1
# Opcodes that the kernel's one list allows because they are harmless on another
# class, or whose service actions it does not look at: each is open without the
# module and closed under `strict`.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

# class, open mode, opcode, the bytes behind it (all others are 0), what it is there. Read-only opens first, worst first.
holes() {
	grep -v '^#' <<-'END'
		disk   ro 48 01 SANITIZE, overwrite
		disk   ro 48 02 SANITIZE, block erase
		disk   ro 48 03 SANITIZE, cryptographic erase
		disk   ro 48 1f SANITIZE, exit failure mode
		rbc    ro 48 03 SANITIZE, cryptographic erase
		zbc    ro 48 03 SANITIZE, cryptographic erase
		disk   ro 9e 18 REMOVE ELEMENT AND TRUNCATE
		disk   ro 9e 19 RESTORE ELEMENTS AND REBUILD
		zbc    ro 9e 1a REMOVE ELEMENT AND MODIFY ZONES
		disk   ro 9e 14 STREAM CONTROL
		disk   ro 9e 15 BACKGROUND CONTROL
		disk   ro 42 00 UNMAP
		zbc    ro 42 00 UNMAP
		disk   ro 51 00 XPWRITE(10)
		disk   ro a4 0a SET TARGET PORT GROUPS
		disk   ro a4 06 SET IDENTIFYING INFORMATION
		tape   ro a4 0b CHANGE ALIASES
		tape   ro a4 0f SET TIMESTAMP
		changer ro a4 0f SET TIMESTAMP
		raid   ro a4 0a MAINTENANCE OUT
		enclosure ro a4 0e SET PRIORITY
		disk   ro a4 10 MANAGEMENT PROTOCOL OUT
		cdrom  ro a3 00 SEND KEY
		disk   ro a3 10 MANAGEMENT PROTOCOL IN
		disk   ro a3 1f MAINTENANCE IN, vendor specific
		zbc    ro 95 08 ZONE ACTIVATE
		tape   ro 1b 00 LOAD UNLOAD
		changer ro 1b 00 OPEN/CLOSE IMPORT/EXPORT ELEMENT
		printer ro 1b 00 STOP PRINT
		scanner ro 1b 00 SCAN
		changer ro 2b 00 POSITION TO ELEMENT
		changer ro 37 00 INITIALIZE ELEMENT STATUS WITH RANGE
		optical ro ac 00 ERASE(12)
		disk   ro 3c 00 READ BUFFER, header and data
		disk   ro 3c 02 READ BUFFER, data
		disk   ro 3c 1c READ BUFFER, error history
		tape   ro 3c 02 READ BUFFER, data
		enclosure ro 3c 02 READ BUFFER, data
		disk   ro 1b 00 START STOP UNIT, stop
		disk   ro 4d 01 LOG SENSE, saving the parameters
		tape   ro 2b 00 LOCATE(10)
		processor ro 08 00 RECEIVE
		scanner ro 28 00 READ(10) of a scanner
		tape   ro 8f 00 VERIFY(16) of a tape
		tape   ro 4d 00:2e LOG SENSE that clears TapeAlert
		changer ro 4d 00:2e LOG SENSE that clears TapeAlert
		disk   ro ba 00 REDUNDANCY GROUP IN
		disk   ro bc 00 SPARE IN
		disk   ro be 00 VOLUME SET IN
		changer ro ba 00 REDUNDANCY GROUP IN
		raid   ro be 00 VOLUME SET IN
		enclosure ro bc 00 SPARE IN
		disk   rw a1 00 ATA PASS-THROUGH(12)
		rbc    rw a1 00 ATA PASS-THROUGH(12)
		disk   rw 0d 00 vendor specific
		tape   rw 0d 00 vendor specific
		disk   rw ea 00 vendor specific
		cdrom  rw ea 00 vendor specific
		disk   rw 19 00 vendor specific
		cdrom  rw 19 00 vendor specific
		disk   rw a2 00 SECURITY PROTOCOL IN
		tape   rw a2 00 SECURITY PROTOCOL IN
		disk   rw a6 00 no command of the class
		disk   rw a7 00 MOVE MEDIUM ATTACHED
		tape   rw a7 00 MOVE MEDIUM ATTACHED
		disk   rw b6 00 no command of the class
		disk   rw bb 00 REDUNDANCY GROUP OUT
		raid   rw bb 00 REDUNDANCY GROUP OUT
		disk   rw bf 00 VOLUME SET OUT
		disk   rw 53 00 XDWRITEREAD(10)
		cdrom  rw a2 00 SECURITY PROTOCOL IN
		disk   rw 04 00 FORMAT UNIT
		rbc    rw 04 00 FORMAT UNIT
		disk   rw 3f 00 WRITE LONG(10)
		disk   rw 4c 00 LOG SELECT
		disk   rw 15 00 MODE SELECT(6), vendor specific parameters
		disk   rw 55 12 MODE SELECT(10), all pages back to their defaults
		disk   rw 54 00 no command of the class
		disk   rw 58 00 no command of the class
		disk   rw 5b 00 no command of the class
		disk   rw 48 03 SANITIZE, cryptographic erase
		disk   rw 9e 18 REMOVE ELEMENT AND TRUNCATE
		disk   rw a4 0a SET TARGET PORT GROUPS
		disk   rw 5d 00 no command of the class
		cdrom  rw 93 00 no command of the class
	END
}

debug_load
declare -A at
for type in 0 1 2 3 5 6 7 8 12 13 14 20; do
	debug_add $type
	case $type in
	0) at[disk]=$hctl ;; 1) at[tape]=$hctl ;; 2) at[printer]=$hctl ;;
	3) at[processor]=$hctl ;;
	5) at[cdrom]=$hctl ;; 6) at[scanner]=$hctl ;; 7) at[optical]=$hctl ;;
	8) at[changer]=$hctl ;; 12) at[raid]=$hctl ;; 13) at[enclosure]=$hctl ;;
	14) at[rbc]=$hctl ;; 20) at[zbc]=$hctl ;;
	esac
done
disk=${disk_of[${at[disk]}]}

# try: every hole by every interface that can ask without executing
try() {
	local class mode op bytes what cdb target
	holes | while read -r class mode op bytes what; do
		cdb=$op${bytes//:/}000000000000000000000000000000
		cdb=${cdb:0:32}
		for target in "bsg:/dev/bsg/${at[$class]}" "bsg-uring:/dev/bsg/${at[$class]}" \
			${disk_of[${at[$class]}]:+sg_io:${disk_of[${at[$class]}]}} \
			${changer_of[${at[$class]}]:+sg_io:${changer_of[${at[$class]}]}}; do
			echo "$class $mode $op/${bytes/:/.} ($what) by ${target%%:*}:" \
				"$(nobody --probe "$([ "$mode" = ro ] && echo --read || echo --write)" \
					"$target" "$cdb" 2>&1)"
		done
	done
}

# SANITIZE by a real client that opens the disk read-only.
sanitize() {
	as_nobody sg_raw --readonly "$disk" 48 03 00 00 00 00 00 00 00 00 2>&1
}
# UNMAP of the first 8 blocks by a read-only open, then what they hold.
unmap() {
	printf 'precious' | dd of="$disk" bs=4096 conv=sync oflag=direct status=none
	printf '\0\026\0\020\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\010\0\0\0\0' |
		as_nobody sg_raw --readonly --send=24 "$disk" 42 00 00 00 00 00 00 00 18 00 \
			>"$tmp/unmap" 2>&1
	dd if="$disk" bs=8 count=1 iflag=fullblock status=none | tr -d '\0'
}

like "without the module SANITIZE from a read-only open reaches the disk" \
	"$(sanitize)" "*Illegal Request*Invalid command operation code*"
blockdev --flushbufs "$disk"
is "... UNMAP from a read-only open destroys data" "$(unmap)" ""
try >"$tmp/without"
must_load
like "under strict SANITIZE is refused" "$(sanitize)" "*Operation not permitted*"
blockdev --flushbufs "$disk"
is "... UNMAP from a read-only open is refused, the data stays" "$(unmap)" precious
try >"$tmp/strict"

while read -r line; do
	is "open without the module: ${line%%:*}" "${line#*: }" "allowed: nothing executed"
done <"$tmp/without"
while read -r line; do
	is "closed under strict: ${line%%:*}" "${line#*: }" "refused: EPERM"
done <"$tmp/strict"
is "every hole was tried both times" "$(cut -d: -f1 "$tmp/strict")" "$(cut -d: -f1 "$tmp/without")"

# SCSI_IOCTL_SEND_COMMAND executes: SANITIZE would reach the disk, and is refused.
is "SANITIZE by SCSI_IOCTL_SEND_COMMAND is refused" \
	"$(nobody "send-command:$disk" 48030000000000000000)" "refused: EPERM"
is "SANITIZE by CDROM_SEND_PACKET is refused" \
	"$(nobody "cdrom-packet:$disk" 480300000000000000000000)" "refused: EPERM"
check "the module unloads" unload
like "without it the hole is open again" "$(sanitize)" "*Invalid command operation code*"
finish
