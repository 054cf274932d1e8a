#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# 200 times in and out of the kernel while several unprivileged processes send
# commands by every interface: no wrong verdict, no error, nothing left behind.
# vm: --timeout 2400
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

cycles=200
hooked() { grep -c '^scsi_cmd_allowed ' /sys/kernel/tracing/enabled_functions; }
# Memory nobody can take back, in kB, by kind.
memory() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk '/^(SUnreclaim|Percpu|VmallocUsed):/ { print $1, $2 }' /proc/meminfo
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
for _ in $(seq 10); do load && unload; done
memory >"$tmp/memory.before"

# shellcheck disable=SC2046
traffic $(for d in "${devices[@]}"; do targets "$d"; done)
start=$SECONDS
done=0
for i in $(seq $cycles); do
	load strict=$((i % 2)) || break
	[ $((i % 10)) -ne 0 ] || {
		echo "allow r 5e [1]=1f" >"$(dev "${devices[0]}")/rules"
		echo stock >"$sysfs"/classes/disk/table
	}
	unload || break
	done=$i
done
traffic_ends "load and unload"
is "load and unload under traffic" "$done" $cycles
echo "# $((SECONDS - start)) s"
is "no command failed otherwise" "$(grep -vc ', 0 errors' "$tmp/traffic")" 0
sent=$(awk '{ n += $4 } END { print n }' "$tmp/traffic")
check "$sent commands were sent" test "$sent" -gt 2000

memory >"$tmp/memory.after"
grown=$(paste "$tmp/memory.before" "$tmp/memory.after" | awk '{ print $1, $4 - $2 }')
echo "# grown by (kB): ${grown//$'\n'/, }"
is "memory has not grown" "$(awk '$2 > 600 { print }' <<<"$grown")" ""
check "no address range of the module is left" bash -c "! grep sgio_filter /proc/vmallocinfo"
is "the hook is gone" "$(hooked)" 0
nothing_left "after all"
sweep "$tmp/after" 48 "${devices[@]}"
check "the stock answers are back" diff -r "$tmp/before" "$tmp/after"

# Devices are released: nothing of the module holds them.
echo "-${#devices[@]}" >"$debug/add_host"
is "the devices can be removed" "$(scsi_devices | wc -l)" 0
check "... and their driver" rmmod scsi_debug

if [ -w /sys/kernel/debug/kmemleak ]; then
	echo clear >/sys/kernel/debug/kmemleak
	debug_load
	debug_add 0
	for _ in $(seq 5); do
		must_load
		echo "allow r 5e" >"$(dev "$hctl")/rules"
		echo "+allow r 5e" >"$sysfs"/classes/disk/rules
		echo 1 >"$(dev "$hctl")/unpriv_sgio"
		unload
	done
	must_load
	debug_add 1
	echo -1 >"$debug/add_host"
	unload
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	sleep 1
	echo scan >/sys/kernel/debug/kmemleak
	is "kmemleak has nothing of the module" "$(grep -B 20 -A 20 sgio /sys/kernel/debug/kmemleak)" ""
else
	skip "kmemleak has nothing of the module" "not in this kernel"
fi
finish
