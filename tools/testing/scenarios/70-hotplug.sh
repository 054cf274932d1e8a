#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: devices that come and go, with their filters; rescans, drivers that unbind, module parameters
# minutes: 2
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
# listen: to uevents of SCSI devices from here on
listen() {
	udevadm monitor --kernel --property --subsystem-match=scsi >"$tmp/events" 2>&1 &
	monitor=$!
	wait_for grep -q '^KERNEL' "$tmp/events" || die "udevadm: $(<"$tmp/events")"
}
listen
must_load
# announced WORD: the devices with such events, in order
announced() {
	awk -v RS= -v word="SGIO_FILTER=$1" -F '\n' '
		index($0 "\n", "\n" word "\n") && /\nACTION=change\n/ {
			for (i = 1; i <= NF; i++) if ($i ~ /^DEVPATH=/) { sub(/.*\//, "", $i); print $i }
		}' "$tmp/events" | sort | xargs
}
# shellcheck disable=SC2317 # called by wait_for
all_announced() { [ "$(announced ready)" = "$(scsi_devices | sort | xargs)" ]; }
wait_for all_announced || :
is "loaded: each device is announced" "$(announced ready)" "$(scsi_devices | sort | xargs)"
kill "$monitor"
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

# A driver that takes its time to probe: the filter is there before.
# shellcheck disable=SC2317 # called by wait_for
delay() { echo "$1" >"$debug/delay"; }
for type in 5 8; do
	echo $type >/sys/module/scsi_debug/parameters/ptype
	check "type $type: its driver is slow" wait_for delay 100
	know_devices
	echo 1 >"$debug/add_host" &
	wait_for new_device || die "scsi_debug: no device of type $type"
	check "... a device has a filter" wait_for test -e "$(dev "$hctl")/stats"
	# Which comes when the driver is done.
	absent "... before its driver is done" "/sys/class/bsg/$hctl"
	wait $!
	check "... commands are fast again" wait_for delay 0
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

# A rescan that finds another logical unit at the address: it has the defaults, and udev is told. scsi_debug makes the
# name of the number of the host, or does not.
mkdir /sys/fs/cgroup/other
debug_add 0
c=$hctl
knobs=$(dev "$c")
wwid() { cat "/sys/bus/scsi/devices/$c/wwid"; }
rescan() { echo 1 >"/sys/bus/scsi/devices/$c/rescan"; }
one=$(wwid)
is "the rules belong to a logical unit" "$(cat "$knobs/identity")" "$one"
# configure: all that can be set
configure() {
	echo "allow r 5e" >"$knobs/rules"
	for switch in unpriv_sgio complain pr_exclusive; do echo 1 >"$knobs/$switch"; done
	echo own >"$knobs/report_luns"
}
configured() { cat "$knobs"/{rules,unpriv_sgio,complain,pr_exclusive,report_luns} | xargs; }
configure
id=$(cat "$knobs/id")
rescan
is "the same one, rescanned: all stays" "$(configured) $(cat "$knobs/id")" "allow r 5e 1 1 1 own $id"
exec 5>"$knobs/rules"
listen
echo 0 >"$debug/vpd_use_hostno"
rescan
other=$(wwid)
check "another one" test "$one" != "$other"
is "... to which the rules belong now" "$(cat "$knobs/identity") $(grep ^lu "$knobs/nexus")" "$other lu $other"
is "... has the defaults" "$(configured)" "0 0 0 passthrough"
check "... and another id" test "$(cat "$knobs/id")" -gt "$id"
like "... a write to the open rules of the first" "$({ echo "allow r 5e" >&5; } 2>&1)" "*No such device*"
exec 5>&-
refused "... the first's rules do not decide" --read "bsg:/dev/bsg/$c" 5e00000000000000fc00
# shellcheck disable=SC2317 # called by wait_for
is_announced() { [ "$(announced changed)" = "$c" ]; }
wait_for is_announced || :
is "... it is announced, and no other" "$(announced changed)" "$c"
kill "$monitor"
id=$(cat "$knobs/id")
rescan
is "... once: the next rescan finds what is known" "$(cat "$knobs/id")" "$id"

# In the middle of a rescan: from when the kernel has read the other name on.
for rules in "allow r 5e" ""; do
	echo 0 >"$knobs/unpriv_sgio"
	echo "allow r 5e" >"$knobs/rules"
	[ -n "$rules" ] || { echo >"$knobs/rules" && echo 1 >"$knobs/unpriv_sgio"; }
	allowed "'$rules', unpriv_sgio $(cat "$knobs/unpriv_sgio")" --read "bsg:/dev/bsg/$c" 5e00000000000000fc00
	was=$(wwid)
	check "... commands are slow" wait_for delay 250
	echo $((1 - $(cat "$debug/vpd_use_hostno"))) >"$debug/vpd_use_hostno"
	rescan &
	# shellcheck disable=SC2317
	is_another() { [ "$(wwid)" != "$was" ]; }
	check "... another one is noticed" wait_for is_another
	refused "... it is not decided by the other's rules" --read "bsg:/dev/bsg/$c" 5e00000000000000fc00
	check "... though the rescan has not ended" kill -0 $!
	wait $!
	refused "... nor behind it" --read "bsg:/dev/bsg/$c" 5e00000000000000fc00
	check "... commands are fast again" wait_for delay 0
done

# others HCTL: puts another logical unit there, and another one, until it is gone
others() {
	local n=0
	while echo $((n++ % 2)) >"$debug/vpd_use_hostno" && echo 1 >"/sys/bus/scsi/devices/$1/rescan"; do :; done 2>/dev/null
}
left=
for _ in 1 2 3 4; do
	debug_add 0
	others "$hctl" &
	nap 0.$((RANDOM % 9))
	echo 1 >"/sys/bus/scsi/devices/$hctl/delete"
	wait $!
	[ ! -e "$(dev "$hctl")" ] || left+=" $hctl"
done
is "deleted in the middle of rescans: gone" "$left" ""
others "$c" &
for _ in 1 2; do
	unload || left+=" not unloaded"
	load || left+=" not loaded"
	nap 0.3
done
kill $! && wait $! 2>/dev/null
echo 1 >"$debug/vpd_use_hostno"
rescan
is "loaded and unloaded in the middle of rescans" "$left $(cat "$knobs/identity")" " $(wwid)"
echo "allow r 5e" >"$(dev "$b")/rules"
echo 1 >"$(queue "$b")/unpriv_sgio"

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
ids() { cat /sys/bus/scsi/devices/*/sgio_filter/id | sort -n; }
last=$(ids | tail -n 1)
unload
nothing_left "unloaded"
must_load queue_knob=0
check "no id comes twice" test "$(ids | head -n 1)" -gt "$last"
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
