#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Devices that come and go, with their filters; what a rescan, a driver that
# unbinds, and a module parameter do.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load
debug_add 0
a=$hctl
debug_add 1
tape=$hctl
debug_add 8
changer=$hctl
must_load
is "a disk present at load has a filter" "$(cat "$(dev "$a")/class")" disk
is "... a tape" "$(cat "$(dev "$tape")/class")" tape
is "... a changer" "$(cat "$(dev "$changer")/class")" changer
check "the disk's queue has the knob" test -w "$(queue "$a")/unpriv_sgio"

for type in 0 1 5 7 8 13 14 20; do
	debug_add $type
	check "type $type plugged in later has a filter" test -r "$(dev "$hctl")/stats"
	refused "type $type: it decides" --write "bsg:/dev/bsg/$hctl" 5e00000000000000fc00
	case $type in
	0 | 5 | 7 | 14 | 20)
		check "type $type: the queue has the knob" \
			wait_for test -w "$(queue "$hctl")/unpriv_sgio"
		;;
	esac
done

# The state belongs to the device: it stays over a rescan and sd's unbinding.
debug_add 0
b=$hctl
echo "allow r 5e" >"$(dev "$b")/rules"
echo 1 >"$(queue "$b")/unpriv_sgio"
echo 1 >"/sys/bus/scsi/devices/$b/rescan"
is "after a rescan the rules are there" "$(cat "$(dev "$b")/rules")" "allow r 5e"
for host in /sys/class/scsi_host/*; do echo "- - -" >"$host/scan"; done
is "after a scan of all hosts too" "$(cat "$(dev "$b")/rules")" "allow r 5e"
echo "$b" >/sys/bus/scsi/drivers/sd/unbind
is "sd unbound: the device keeps its filter" "$(cat "$(dev "$b")/rules")" "allow r 5e"
absent "... the disk is gone" "/sys/bus/scsi/devices/$b/block/*"
allowed "... bsg is still decided about by it" --read "bsg:/dev/bsg/$b" ff
echo "$b" >/sys/bus/scsi/drivers/sd/bind
use_device "$b"
check "sd bound again: the queue has the knob" wait_for test -w "$(queue "$b")/unpriv_sgio"
is "... in its state" "$(cat "$(queue "$b")/unpriv_sgio")" 1
echo 0 >"$(queue "$b")/unpriv_sgio"
allowed "... the rules too" --read "sg_io:${disk_of[$b]}" 5e00000000000000fc00
refused "... and nothing more" --read "sg_io:${disk_of[$b]}" ff0000000000
for _ in $(seq 20); do
	echo "$b" >/sys/bus/scsi/drivers/sd/unbind
	echo "$b" >/sys/bus/scsi/drivers/sd/bind
done
use_device "$b"
check "20 times more" wait_for test -w "$(queue "$b")/unpriv_sgio"

# A device that is deleted takes its filter along, open knobs or not.
disk=${disk_of[$b]##*/}
exec 8>"$(dev "$b")/rules" 9>"$(dev "$b")/unpriv_sgio" 7<"$(dev "$b")/stats"
exec 6<"/dev/bsg/$b"
echo 1 >"/sys/bus/scsi/devices/$b/delete"
absent "deleted: its knobs are gone" "$(dev "$b")" "/sys/block/$disk/queue/unpriv_sgio"
like "a write to its open rules" "$({ echo "deny 12" >&8; } 2>&1)" "*No such device*"
like "a write to its open unpriv_sgio" "$({ echo 1 >&9; } 2>&1)" "*No such device*"
like "a read of its open stats" "$(cat <&7 2>&1)" "*No such device*"
exec 6<&- 7<&- 8>&- 9>&-
host=${b%%:*}
echo "- - -" >"/sys/class/scsi_host/host$host/scan"
check "found again by a scan" wait_for test -e "$(dev "$b")/rules"
is "... with no rule" "$(cat "$(dev "$b")/rules")" ""
is "... and unpriv_sgio off" "$(cat "$(dev "$b")/unpriv_sgio")" 0
use_device "$b"

# Hosts come and go while commands are sent to another disk and to them.
# shellcheck disable=SC2046
traffic $(targets "$a")
before=$(scsi_devices)
know_devices
echo 0 >/sys/module/scsi_debug/parameters/ptype
for _ in $(seq 25); do
	echo 2 >"$debug/add_host"
	! new_device || {
		echo "allow r 5e" >"$(dev "$hctl")/rules"
		sgsend --probe "bsg:/dev/bsg/$hctl" 12 >/dev/null
	} 2>/dev/null
	echo -2 >"$debug/add_host"
done
traffic_ends "25 times two hosts under traffic"
is "... no error of the disk that stayed" "$(grep -vc ', 0 errors' "$tmp/traffic")" 0
is "... all are gone" "$(scsi_devices)" "$before"

# A device goes while commands are sent to it: no wrong verdict at the end.
debug_add 0
# shellcheck disable=SC2046
traffic $(targets "$hctl")
sleep 0.5
echo 1 >"/sys/bus/scsi/devices/$hctl/delete"
sleep 0.5
traffic_ends "deleted under traffic"

# Loading and unloading finds all of them.
unload
nothing_left "unloaded"
must_load queue_knob=0
absent "queue_knob=0: no knob of a queue" '/sys/block/*/queue/unpriv_sgio'
debug_add 0
absent "... nor of a disk that comes later" '/sys/block/*/queue/unpriv_sgio'
is "... but the device's" "$(cat "$(dev "$hctl")/unpriv_sgio")" 0
n=$(scsi_devices | wc -l)
is "every device has a filter" "$(compgen -G '/sys/bus/scsi/devices/[0-9]*:*/sgio_filter' | wc -l)" "$n"
rmmod ses 2>/dev/null
echo "-$(compgen -G '/sys/bus/pseudo/devices/adapter*' | wc -l)" >"$debug/add_host"
is "all hosts removed with the module loaded" "$(scsi_devices | wc -l)" 0
unload
must_load
check "loads without any device" loaded
debug_add 0
is "... and finds the first that comes" "$(cat "$(dev "$hctl")/class")" disk
check "... and its queue" wait_for test -w "$(queue "$hctl")/unpriv_sgio"
finish
