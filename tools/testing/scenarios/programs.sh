# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # 37-programs.sh sets the devices
# Which programs each profile is run with, what is refused to them, and which rules they leave unused.
# Documentation/admin-guide/profiles.md says why. Sourced by 37-programs.sh.

disk=${disk_of[$sata]}
profile "$sata" smart-ro
runs smartctl -a -d sat "$disk"
runs smartctl -a -d sat,12 "$disk"
runs smartctl -x -d sat "$disk"
runs smartctl -H -d sat "$disk"
runs smartctl -n standby -i -d sat "$disk"
runs smartctl -n standby -i -d sat,12 "$disk"
runs smartctl -i -d scsi "$disk"
runs sg_sat_identify --len=16 "$disk"
runs sg_sat_identify --len=12 "$disk"
runs hdparm -I "$disk"
runs hdparm -C "$disk"
runs openSeaChest_SMART -d "$disk" --smartCheck
runs sg_logs --all "$disk"
runs sg_modes "$disk"
runs sg_readcap --16 "$disk"
runs sg_readcap "$disk"
runs sg_opcodes "$disk"
runs sg_turs "$disk"
# lsscsi reads sysfs alone.
runs lsscsi --scsi_id --size
runs /lib/udev/scsi_id --whitelisted --page=0x83 "$disk"
ends "" "allow r 37,b7;deny 7f [8]=1f [9]=f0;deny 85,a1"
# hddtemp sends SMART ENABLE OPERATIONS first.
profile "$sata" smart-ro
sends 85062000d800000000004f00c200b000
# The same in the CDB of 32 bytes, which no program here sends.
sends 7f000000000000181ff006200000000000c24fb000d80000000000b000000000
ends "ata-pass-through-16:smart-enable-operations ata-pass-through-32" "" deny
# READ LOG EXT of the device statistics, to be reset behind the reading.
profile "$sata" smart-ro
sends 85090e00010001000400010000002f00
ends "ata-pass-through-16:read-log-ext-with-features" "" 'deny 85'
# What hdparm sets is not for monitoring.
profile "$sata" smart-ro
runs hdparm -B 128 "$disk"
ends "ata-pass-through-16:set-features" "" none
# The same for disks that are SCSI.
profile "$plain" smart-ro
runs smartctl -a -d scsi "${disk_of[$plain]}"
runs smartctl -x -d scsi "${disk_of[$plain]}"
# scsi_debug tells smartctl that it has no list of defects, so it does not ask.
sends 37000d00000000000800
ends "" "" 37,b7

profile "$sata" smart-test smart-ro
runs smartctl -d sat -t short "$disk"
runs smartctl -d sat -X "$disk"
runs smartctl -d sat -s on -o on -S on "$disk"
runs smartctl -d sat,12 -t long "$disk"
runs smartctl -d sat,12 -s on "$disk"
ends "" "" 'd4\|d8,db'
profile "$sata" smart-test smart-ro
runs smartctl -d sat -C -t short "$disk"
ends "ata-pass-through-16:smart-execute-off-line-immediate" "" 'deny 85'
profile "$plain" smart-test smart-ro
runs smartctl -d scsi -t short "${disk_of[$plain]}"
ends "" "" 'r 1d'

# The disk here has no SCT, so smartctl does not ask: what it sends to one that has.
profile "$sata" smart-sct smart-ro
runs smartctl -d sat -l scttemp "$disk"
sends 850a0600d6000100e0004f00c200b000
sends a10a06d601e04fc200b00000
sends 850a0600d600010009004f00c200b000
ends "ata-pass-through-16:smart-write-log" "" d6

# cdrdao and wodim ask for what old drives had, and go on without it.
disk=${disk_of[$cd]}
profile "$cd" optical-rip
runs xorriso -outdev "$disk" -toc
runs cdrdao disk-info --device "$disk"
runs cdrdao read-toc --device "$disk" "$tmp/toc"
runs wodim dev="$disk" -toc
runs wodim dev="$disk" -prcap
runs wodim dev="$disk" -atip
runs sg_get_config "$disk"
runs cdparanoia --query --force-generic-device "$disk"
runs cdparanoia --query --force-cdrom-device "$disk"
refused="rezero-unit vendor-specific"
unused='allow r c0 [1]&e0=00 [10]&f8=00 [11]=00;allow r d5 [1]&e0=00;allow r d8 [1]&1f=00;allow r f1 [1]=06'
unused+=';allow w b6,bb;allow w ff [1]=08 [2]=01 [3]=01 [4]=00 [5]=00;allow w ff [1]=08 [2]=01 [3]=11 [4]=00-02 [5]=00'
ends "$refused" "$unused"
# What redumper sends to the drives that know it, and the firmware that the same drives take.
profile "$cd" optical-rip
sends d80000000000000000010200
sends d50000000000000000000000
sends f1060000000000080000
sends c00a00000000000000010100
sends ff080101000000000000 write
sends ff080111020000000000 write
sends bb00ffffffff000000000000 write
sends 3c000000000000001000 write
ends "" "allow r 42-43,46,51-52,ac-ad,b9,bd-be"
profile "$cd" optical-rip
sends ff010000000000000000 write
sends ff000100000100000000 write
sends ee0000000000 write
sends 3b070000000000000000 write
ends "vendor-specific write-buffer:download-microcode-offsets-save" "" none

changer_node=${changer_of[$changer]}
profile "$changer" tape-changer
runs mtx -f "$changer_node" status
runs mtx -f "$changer_node" inventory
runs mtx -f "$changer_node" load 1 0
runs sg_logs --page=0x2e "/dev/bsg/$changer"
runs sg_logs --page=0 "/dev/bsg/$changer"
runs sg_persist --in --read-keys "/dev/bsg/$changer"
runs sg_timestamp --seconds=5 "/dev/bsg/$changer"
# The changer here has no elements, so mtx moves nothing: what it sends to one that has.
sends a50000000001010000000000 write
sends a60000000001010001010000 write
sends 1b0000000100 write
sends 1e0000000100 write
sends 2b000000000100000000 write
ends "" ""
# What a drive alone has: SPACE(6), WRITE FILEMARKS(6), ALLOW OVERWRITE, SPACE(16).
profile "$changer" tape-changer
sends 110000000100 write
sends 100000000100 write
sends 82000000000000000000000000000000 write
sends 91000000000000000000000000000000 write
is "tape-changer: opcodes of a drive" "$(cut -c1-2 "$tmp/refused" | sort | xargs)" "10 11 82 91"
sgioctl reset "$changer" >/dev/null

profile "$tape" tape-drive
runs sg_logs --page=0x2e "/dev/bsg/$tape"
runs sg_logs --page=0 "/dev/bsg/$tape"
runs sg_persist --in --read-keys "/dev/bsg/$tape"
runs sg_read_attr "/dev/bsg/$tape"
runs sg_timestamp --seconds=5 "/dev/bsg/$tape"
# What LTFS sends (sg_tape.c), by /dev/bsg: its own node is not filtered.
sends 050000000000
sends 34080000000000002000
sends 5e03000000000000ff00
sends 010000000000 write
sends 100000000100 write
sends 92000000000000000000000000000000 write
sends 82000000000000000000000000000000 write
sends 8d010000000000000000000000200000 write
sends 0b0000000000 write
sends 1b0000000100 write
sends 2b000000000100000000 write
ends "" "deny 37"
# What a changer alone has: INITIALIZE ELEMENT STATUS, with range, MOVE MEDIUM, EXCHANGE MEDIUM, READ ELEMENT STATUS.
profile "$tape" tape-drive
sends 070000000000 write
sends 37000000000000000000 write
sends a50000000001010000000000 write
sends a60000000001010001010000 write
sends b80000000001000000100000 write
is "tape-drive: opcodes of a changer" "$(cut -c1-2 "$tmp/refused" | sort | xargs)" "07 37 a5 a6 b8"
sgioctl reset "$tape" >/dev/null
# What of it is out. Who only reads does not take away the flags of TapeAlert, by any page control or subpage.
profile "$tape" tape-drive
sends 4d002e00000000002400
sends 4d006e00000000002400
sends 4d00ae00000000002400
sends 4d00eeff000000002400
ends "log-sense:tape-alert" "" none
profile "$changer" tape-changer
sends 4d002e00000000002400
ends "log-sense:tape-alert" "" none
profile "$tape" tape-drive
sends 1d1000000800 write
sends 3c020000000000010000 write
sends 5f000000000000001800 write
sends 040000000000 write
sends a22000100000000000240000 write
sends b52000100000000000240000 write
sends a31f08000000000001000000 write
sends a41f08000000000001000000 write
ends "format-medium maintenance-in:vendor-specific maintenance-out:vendor-specific persistent-reserve-out:register read-buffer-10:data security-protocol-in:tape-data-encryption security-protocol-out:tape-data-encryption send-diagnostic" "" none

# Guests send by scsi-block what their drivers send: programs for what there are some for, else the CDB.
disk=${disk_of[$lun]}
profile "$lun" disk-guest
runs sg_unmap --lba=0 --num=8 --force "$disk"
runs sg_write_same --10 --lba=0 --num=8 --in=/dev/zero --xferlen=512 "$disk"
runs sg_sync "$disk"
runs sg_sync --16 "$disk"
runs sg_write_verify --lba=0 --num=1 --ilen=512 --in=/dev/zero "$disk"
runs sg_compare_and_write --in=/dev/zero --lba=0 --num=1 --xferlen=1024 "$disk"
runs sg_dd if=/dev/zero of="$disk" bs=512 count=8 oflag=sgio blk_sgio=1 cdbsz=10
runs sg_write_x --normal --16 --in=/dev/zero --lba=0 --num=1 --bs=512 "$disk"
runs sg_write_x --normal --32 --in=/dev/zero --lba=0 --num=1 --bs=512 "$disk"
runs sg_write_x --atomic=0 --16 --in=/dev/zero --lba=0 --num=1 --bs=512 "$disk"
runs sg_write_same --16 --unmap --lba=0 --num=8 --in=/dev/zero --xferlen=512 "$disk"
runs sg_write_same --32 --lba=0 --num=8 --in=/dev/zero --xferlen=512 "$disk"
runs sg_write_verify --16 --lba=0 --num=1 --ilen=512 --in=/dev/zero "$disk"
runs sg_seek --10 --lba=0 --num-blocks=8 --pre-fetch "$disk"
runs sg_seek --lba=0 --num-blocks=8 --pre-fetch "$disk"
runs sg_verify --lba=0 --count=8 "$disk"
sends 7f00000000000018000900000000000000000000000000000000000000000001
sends 5f000000000000001800 write
sends 83110000000000000000000000240000 write
ends "persistent-reserve-out:register write-using-token" ""

profile "$lun" disk-guest-reservations
runs sg_persist --out --register --param-sark=abc "$disk"
runs sg_persist --out --reserve --param-rk=abc --prout-type=5 "$disk"
runs sg_persist --in --read-keys "$disk"
runs sg_persist --in --read-full-status "$disk"
runs sg_persist --out --release --param-rk=abc --prout-type=5 "$disk"
runs sg_persist --out --clear --param-rk=abc "$disk"
sends 5f070000000000001800 write
sends 89000000000000000000000000010000 write
ends "compare-and-write persistent-reserve-out:register-and-move" ""

profile "$lun" disk-guest-pr
runs sg_persist --out --register --param-sark=abc "$disk"
runs sg_persist --out --reserve --param-rk=abc --prout-type=5 "$disk"
runs sg_persist --in --read-keys "$disk"
runs sg_persist --in --read-full-status "$disk"
runs sg_persist --out --release --param-rk=abc --prout-type=5 "$disk"
runs sg_persist --out --clear --param-rk=abc "$disk"
sends 5f070000000000001800 write
ends "persistent-reserve-out:register-and-move" "" '5[ef]'

disk=${disk_of[$plain]}
profile "$plain" storage-mgmt
runs sg_modes "$disk"
runs sdparm --all "$disk"
runs sdparm --set=WCE "$disk"
# What that changed is a unit attention, which the next command gets instead of its answer.
as_nobody sg_turs "$disk" >"$tmp/out" 2>&1
runs sdparm --six --set=WCE "$disk"
runs sg_wr_mode --page=8 "$disk"
runs sg_logs --all "$disk"
runs sg_logs --reset "$disk"
runs sg_senddiag --test "$disk"
runs sg_senddiag --list "$disk"
runs sg_read_buffer --mode=desc "$disk"
runs sg_read_buffer --mode=data --length=512 "$disk"
runs sg_write_buffer --mode=dmc_offs_defer --length=512 --in=/dev/zero "$disk"
runs sg_persist --in --read-keys "$disk"
runs sg_ident "$disk"
runs sg_rtpg "$disk"
runs sg_stpg --offline "$disk"
runs sg_timestamp "$disk"
runs sg_timestamp --seconds=5 "$disk"
runs sg_opcodes "$disk"
runs openSeaChest_Info -d "$disk" -i
runs openSeaChest_Logs -d "$disk" --listSupportedLogs
# LOG SENSE that saves, MODE SELECT(6). openSeaChest asks each disk whether it is ATA or ATAPI, and goes on without an answer.
sends 4d010000000000002400 write
sends 151100000c00 write
refused="ata-pass-through-12:identify ata-pass-through-12:identify-packet-device"
ends "$refused ata-pass-through-16:identify ata-pass-through-16:identify-packet-device" ""
# By name, out.
profile "$plain" storage-mgmt
runs sg_format --format --quick --wait "$disk"
runs sg_sanitize --crypto --quick "$disk"
runs sedutil-cli --query "$disk"
refused="ata-pass-through-12:identify format-unit sanitize:cryptographic-erase security-protocol-in:tcg-level-0-discovery"
ends "$refused" "" none

profile "$ses" enclosure
runs sg_ses "/dev/bsg/$ses"
runs sg_ses --page=2 "/dev/bsg/$ses"
sends 1d1000000400 write
ends "" ""
