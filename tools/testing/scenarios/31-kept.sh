#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: what `strict` keeps: the commands of guests, udev, multipath-tools, sg3_utils and others, by the real clients where there are any
# kernels: stock
# What `strict` keeps: the commands that guests, udev, multipath-tools, sg3_utils
# and friends send in normal life, by the real clients as nobody where there are.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
# shellcheck source-path=SCRIPTDIR source=lio.sh
. "$here/lio.sh"

lio_load
lio_backstore one
lio_disk one 1
lio=$hctl
disk=${disk_of[$lio]}
debug_load
debug_add 0
plain=${disk_of[$hctl]}
plain_bsg=bsg:/dev/bsg/$hctl
debug_add 13
enclosure=bsg:/dev/bsg/$hctl
debug_add 5
cdrom=${disk_of[$hctl]}
must_load

works sg_inq "$disk"
works sg_vpd --page=sv "$disk"
works sg_vpd --page=di "$plain"
works sg_turs "$disk"
works sg_requests "$disk"
works sg_luns --readonly "$disk"
works sg_readcap "$disk"
works sg_readcap --16 "$disk"
works sg_modes --six --all "$disk"
works sg_modes "$disk"
works sg_rtpg --readonly "$disk"
works sg_opcodes --no-inquiry "$plain"
works sg_logs --list "$plain"
works sg_get_lba_status --readonly --lba=0 "$plain"
works sg_dd if="$disk" of=/dev/null blk_sgio=1 count=8 bs=512
works sg_dd if="$disk" of=/dev/null blk_sgio=1 count=8 bs=512 cdbsz=16
works sg_raw --readonly --request=512 "$disk" 08 00 00 00 01 00
works sg_raw --readonly --request=512 "$disk" a8 00 00 00 00 00 00 00 00 01 00 00
works sg_verify --readonly --lba=0 --count=8 "$disk"
works sg_verify --readonly --16 --lba=0 --count=8 "$disk"
works sg_sync "$disk"
works sg_sync --16 "$disk"
works sg_unmap --lba=0 --num=8 --force "$disk"
works sg_write_same --10 --lba=0 --num=8 --in=/dev/zero --xferlen=512 "$disk"
works sg_write_same --16 --unmap --lba=0 --num=8 --in=/dev/zero --xferlen=512 "$disk"
works sg_write_same --32 --lba=0 --num=8 --in=/dev/zero --xferlen=512 "$disk"
printf '%512s' one >"$tmp/block"
works sg_raw --send=512 --infile="$tmp/block" "$disk" 2a 00 00 00 00 00 00 00 01 00
works sg_raw --send=512 --infile="$tmp/block" "$disk" 8a 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00
works sg_raw --send=512 --infile="$tmp/block" "$disk" aa 00 00 00 00 00 00 00 00 01 00 00
works sg_raw --send=512 --infile="$tmp/block" "$disk" 0a 00 00 00 01 00
works sg_write_verify --lba=0 --num=1 --ilen=512 --in="$tmp/block" "$disk"
is "what was written is there" "$(dd if="$disk" bs=512 count=1 iflag=direct status=none)" "$(cat "$tmp/block")"

# Commands that the devices here do not know, or that would change too much:
# asked for their verdict only. Open mode, CDB, name.
while read -r mode cdb what; do
	[ "$mode" = ro ] && flag=--read || flag=--write
	for target in "$plain_bsg" "sg_io:$plain"; do
		allowed "$what by ${target%%:*}" "$flag" "$target" "$cdb"
	done
done <<-'END'
	ro 120000002400 INQUIRY
	ro a00000000000000000240000 REPORT LUNS
	ro 000000000000 TEST UNIT READY
	ro 030000002400 REQUEST SENSE
	ro 25000000000000000000 READ CAPACITY(10)
	ro 9e100000000000000000000000200000 READ CAPACITY(16)
	ro 9e120000000000000000000000200000 GET LBA STATUS
	ro 1a0008002400 MODE SENSE(6)
	ro 5a000800000000002400 MODE SENSE(10)
	ro 4d000000000000002400 LOG SENSE
	ro a30a00000000000000240000 REPORT TARGET PORT GROUPS
	ro a30c00000000000000240000 REPORT SUPPORTED OPERATION CODES
	ro 28000000000000000100 READ(10)
	ro 88000000000000000000000000010000 READ(16)
	ro a80000000000000000010000 READ(12)
	ro 080000000100 READ(6)
	ro 7f00000000000018000900000000000000000000000000000000000000000001 READ(32)
	ro 37000000000000002400 READ DEFECT DATA(10)
	ro b70000000000000000240000 READ DEFECT DATA(12)
	ro 8c000000000000000000000000240000 READ ATTRIBUTE
	ro 3c030000000000000400 READ BUFFER, descriptor
	rw 42000000000000001800 UNMAP
	rw 41000000000000000100 WRITE SAME(10)
	rw 93000000000000000000000000010000 WRITE SAME(16)
	rw 35000000000000000000 SYNCHRONIZE CACHE(10)
	rw 91000000000000000000000000000000 SYNCHRONIZE CACHE(16)
	rw 2a000000000000000100 WRITE(10)
	rw 8a000000000000000000000000010000 WRITE(16)
	rw aa0000000000000000010000 WRITE(12)
	rw 0a0000000100 WRITE(6)
	rw 55100000000000002400 MODE SELECT(10)
	rw 151000002400 MODE SELECT(6)
	rw 7f00000000000018000b00000000000000000000000000000000000000000001 WRITE(32)
	rw 7f00000000000018000c00000000000000000000000000000000000000000001 WRITE AND VERIFY(32)
	rw 7f00000000000018000d00000000000000000000000000000000000000000001 WRITE SAME(32)
END
allowed "enclosure: RECEIVE DIAGNOSTIC RESULTS" --read "$enclosure" 1c0101ffff00
for cdb in 43000000000000000c00 46000000000000001000 4a010000100000000800 \
	51000000000000002000 be0000000000000001f80000 1b0000000200 1e0000000000; do
	flag=--read
	[ "${cdb:0:2}" = 1e ] && flag=--write
	allowed "CD: ${cdb:0:2}" "$flag" "sg_io:$cdrom" "$cdb"
done

# Not by default: what rules of a device are for.
while read -r cdb what; do
	refused "not by default: $what" --write "$plain_bsg" "$cdb"
done <<-'END'
	5e00000000000000fc00 PERSISTENT RESERVE IN
	5f000000000000001800 PERSISTENT RESERVE OUT
	89000000000000000000000000010000 COMPARE AND WRITE
	83000000000000000000000000240000 EXTENDED COPY
	84040000000000000000000000240000 RECEIVE COPY STATUS
	85080e0000000000000000000040ec00 ATA PASS-THROUGH(16)
	a1080e000000000000ec0000 ATA PASS-THROUGH(12)
	3b050000000000000000 WRITE BUFFER
	c0000000000000000000 vendor specific c0
	ff000000000000000000 vendor specific ff
	7f000000000000181ff000000000000000000000000000000000000000000000 ATA PASS-THROUGH(32)
END
finish
