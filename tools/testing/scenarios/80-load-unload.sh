#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: loading and unloading under traffic: no wrong verdict, no error, no leak
# minutes: 3
# Many times in and out of the kernel while several unprivileged processes send
# commands by every interface: no wrong verdict, no error, nothing left behind.
# 100 times on the stock kernel; on the others, which check more and are slower, 30 times, 10 under KCSAN.
# vm: --timeout 1800
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

cycles=30
! is_debians || cycles=100
# How long an answer is waited for, in seconds.
patience=12
[ ! -e "$kcsan" ] || cycles=10 patience=40
cycles=${SGIO_CYCLES:-$cycles}
hooked() { grep -c '^scsi_cmd_allowed ' /sys/kernel/tracing/enabled_functions; }
# Memory in use, in kB, by kind, while the traffic holds its breath: the least of some looks, since some is freed
# later. Objects of the slabs, not their pages: of those the kernel keeps more or fewer, by a hundred kB.
memory() {
	local cache
	pkill -STOP sgsend
	for _ in 1 2 3 4 5 6; do
		sleep 1
		sync
		echo 3 >/proc/sys/vm/drop_caches
		for cache in /sys/kernel/slab/*/shrink; do echo 1 >"$cache"; done
		awk 'NR > 2 { print $1, $2 * $4 / 1024 }' /proc/slabinfo | sort >"$tmp/slabs"
		awk '{ kb += $2 } END { print "Objects:", int(kb) }' "$tmp/slabs"
		awk '/^(Percpu|VmallocUsed):/ { print $1, $2 }' /proc/meminfo
	done | sort -k 1,1 -k 2n | sort -u -k 1,1
	pkill -CONT sgsend
}
# Off the shared file system, which is slow.
cp "$SGIO_KO" "$tmp/sgio_filter.ko"
SGIO_KO=$tmp/sgio_filter.ko

debug_load
devices=()
for type in 0 5 8; do
	debug_add $type
	devices+=("$hctl")
done
sweep "$tmp/before" 48 "${devices[@]}"
is "no hook at first" "$(hooked)" 0

must_load
is "loaded: the hook is there" "$(hooked)" 1
is "loaded: nobody holds the module" "$(cat /sys/module/sgio_filter/refcnt)" 0
unload
is "unloaded: the hook is gone" "$(hooked)" 0

# shellcheck disable=SC2046
traffic $(for d in "${devices[@]}"; do targets "$d"; done)
start=$SECONDS
done=0
for i in $(seq "$cycles"); do
	load strict=$((i % 2)) || break
	[ $((i % 10)) -ne 0 ] || {
		echo "allow r 5e [1]=1f" >"$(dev "${devices[0]}")/rules"
		echo stock >"$sysfs"/classes/disk/table
	}
	unload || break
	done=$i
	# The slabs of traffic itself have grown by then.
	[ "$i" -ne $((cycles / 2)) ] || { memory >"$tmp/memory.half"; cp "$tmp/slabs" "$tmp/slabs.half"; }
done
memory >"$tmp/memory.end"
traffic_ends "load and unload"
is "load and unload under traffic" "$done" "$cycles"
echo "# $((SECONDS - start)) s"
is "no command failed otherwise" "$(grep -vc ', 0 errors' "$tmp/traffic")" 0
sent=$(awk '{ n += $4 } END { print n }' "$tmp/traffic")
check "$sent commands were sent" test "$sent" -gt 2000

grown=$(paste "$tmp/memory.half" "$tmp/memory.end" | awk '{ print $1, $4 - $2 }')
echo "# grown in the second half by (kB): ${grown//$'\n'/, }"
join "$tmp/slabs.half" "$tmp/slabs" | awk '$3 - $2 > 4 || $3 - $2 < -4 { print "# ... " $1 ": " $3 - $2 }'
# What the kernel does by itself is more than a few cycles could leak; see 82 for those.
[ "$cycles" -lt 100 ] || is "memory has not grown by 2 kB a cycle" \
	"$(awk -v most="$cycles" '$2 > most { print }' <<<"$grown")" ""
check "no address range of the module is left" bash -c "! grep sgio_filter /proc/vmallocinfo"
is "the hook is gone" "$(hooked)" 0
nothing_left "after all"
sweep "$tmp/after" 48 "${devices[@]}"
check "the stock answers are back" diff -r "$tmp/before" "$tmp/after"

# Unloading waits for an SG_IO that takes its time. In that time the filter no longer knows the devices, and what their rules
# allow, against their class, is still allowed.
slow=${devices[0]}
debug_add 0
b=$hctl sg=${sg_of[$hctl]} disk=${disk_of[$hctl]}
devices+=("$b")
chmod 666 "$disk"
vendor=c00000000000
both() { echo "$(sgnode "$sg" rw v3 $vendor) $(sgnode "$sg" rw ioctl $vendor) $(as_nobody prioctl "$disk" register aa 2>&1)"; }
kernels=$(both)
must_load
put $sysfs/classes/disk/rules "+ deny 5f,c0"
put "$(dev "$b")/rules" "allow w 5e,5f,c0"
echo 1 >$sysfs/filter_sg
echo own >"$(dev "$slow")/report_luns"
is "what a rule of the device allows" "$(both)" "$kernels"
# TEST UNIT READY is not answered.
echo "0 -1 00" >/sys/kernel/debug/scsi_debug/"$slow"/error
as_nobody sg_raw --timeout=$patience "${disk_of[$slow]}" 00 00 00 00 00 00 >/dev/null 2>&1 &
sleep 2
(rmmod sgio_filter; touch "$tmp/unloaded") &
answers=0 wrong=0
while [ ! -e "$tmp/unloaded" ]; do
	answers=$((answers + 1))
	[ "$(both)" = "$kernels" ] || wrong=$((wrong + 1))
	sleep 0.5
done
wait
check "unloading waits for an SG_IO under way ($answers)" test $answers -gt 3
is "... and nothing is refused in that time that a rule allows" $wrong 0

# Devices are released: nothing of the module holds them.
echo "-${#devices[@]}" >"$debug/add_host"
is "the devices can be removed" "$(scsi_devices | wc -l)" 0
check "... and their driver" rmmod scsi_debug

finish
