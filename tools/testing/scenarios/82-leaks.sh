#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: nothing allocated is leaked, by kmemleak
# minutes: 1
# Nothing that the module allocates is forgotten, by kmemleak, which sees what is
# too small for the count of 80-load-unload. What an error leaves behind: 83.
# vm: --append kmemleak=on
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

has_kmemleak || {
	skip "kmemleak has nothing of the module" "not in this kernel"
	finish
}

debug_load
debug_add 0
cgroups=/sys/fs/cgroup
mountpoint -q $cgroups || mount -t cgroup2 none $cgroups || die "no cgroups of version 2"
check "kmemleak is on" leaks_begin
for _ in $(seq 5); do
	must_load
	put "$(dev "$hctl")/rules" "allow r 5e" "allow w 5f [1]=00"
	echo "deny 89" >"$(dev "$hctl")/rules"
	echo "allow r 5z" >"$(dev "$hctl")/rules" 2>/dev/null
	echo "+allow r 5e" >$sysfs/classes/disk/rules
	echo stock >$sysfs/classes/disk/table
	echo 1 >"$(dev "$hctl")/unpriv_sgio"
	put /dev/sgio_filter "device $hctl" "report_luns own" rules "allow r 5e" "class disk" "table strict"
	slurp got "$(dev "$hctl")/nexus"
	# Grants that are replaced, revoked, or end with their holder or the module.
	for _ in 1 2; do mkdir -p $cgroups/one $cgroups/two &&
		put /dev/sgio_filter "device $hctl" "grant cgroup=$(stat -c %i $cgroups/one) name=a" "allow r 5e" \
			"grant cgroup=$(stat -c %i $cgroups/two)" "allow w 5f [1]=00"; done
	put /dev/sgio_filter "device $hctl" "revoke cgroup=$(stat -c %i $cgroups/one) name=a"
	rmdir $cgroups/two
	echo "deny 88" >"$(dev "$hctl")/rules"
	put /dev/sgio_filter "device $hctl" "grant cgroup=$(stat -c %i $cgroups/one) for=60" "allow r 5e"
	unload
done
must_load
know_devices
debug_add 1
echo "allow r 5e" >"$(dev "$hctl")/rules"
echo -1 >"$debug/add_host"
unload
is "a load that is refused" "$(load strict=perhaps 2>/dev/null || echo refused)" refused

is "kmemleak has nothing of the module" "$(leaks)" ""
echo "# of others: $(grep -c '^unreferenced' /sys/kernel/debug/kmemleak)"
finish
