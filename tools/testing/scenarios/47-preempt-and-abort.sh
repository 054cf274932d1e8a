#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernels: stock
# about: PREEMPT AND ABORT never ends on disks of LIO behind tcm_loop, without the module and with it, as [targets.md](admin-guide/targets.md) says
# What Documentation/admin-guide/targets.md says of PREEMPT AND ABORT on disks of LIO behind tcm_loop: it never comes
# back, without the module and with it, because LIO waits for the work item that runs the command. If a check fails
# here, the kernel's error is another one or gone, and the page must say so.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
# shellcheck source-path=SCRIPTDIR source=lio.sh
. "$here/lio.sh"

# nexuses NAME NUMBER NUMBER: two over one backstore, each registered with a key, the second holds the reservation
nexuses() {
	lio_backstore "$1"
	lio_disk "$1" "$2"
	hctls=("$hctl")
	lio_disk "$1" "$3"
	hctls+=("$hctl")
	first=${disk_of[${hctls[0]}]} second=${disk_of[${hctls[1]}]}
	{
		sg_persist --out --register --param-sark=a "$first" &&
			sg_persist --out --register --param-sark=b "$second" &&
			sg_persist --out --reserve --param-rk=b --prout-type=5 "$second"
	} >"$tmp/out" 2>&1 || die "$1: $(cat "$tmp/out")"
}
state() {
	local line
	# The name of the program, in parentheses, may have a blank in it.
	line=$(cat "/proc/$1/stat" 2>/dev/null) && line=${line##*) } && echo "${line%% *}"
}
# shellcheck disable=SC2317 # wait_for calls it
is_stuck() { [ "$(state "$pid")" = D ]; }
# hangs NAME COMMAND...: PREEMPT AND ABORT of the other's key is with the target, and stays there, killed or not
hangs() {
	local name=$1
	shift
	"$@" sg_persist --out --preempt-abort --param-rk=a --param-sark=b --prout-type=5 "$first" >"$tmp/out" 2>&1 &
	pid=$!
	wait_for is_stuck || die "$name: the sender is $(state $pid): $(cat "$tmp/out")"
	# Anything that comes back has come by then: a reservation, and a release, on the same storage take less than 1 s.
	nap 8
	kill -9 $pid
	nap 1
	is "$name: the sender hangs and cannot be killed" "$(state $pid)" D
	like "$name: LIO waits for the work item it runs in" "$(grep -l core_tmr_lun_reset /proc/[0-9]*/stack |
		while IFS= read -r stack; do grep -q __flush_work "$stack" && cat "${stack%stack}comm"; done)" "kworker*"
	# What others send to the unit hangs if it comes to the same queue, so nothing here waits for it.
	sg_persist --in --read-keys "$second" >"$tmp/keys" 2>&1 &
	other=$!
	nap 5
	echo "# $name: READ KEYS by the other nexus: $(state $other) $(xargs <"$tmp/keys")"
}

lio_load
nexuses one 1 2
check "PREEMPT, without abort, comes back" timeout 30 sg_persist --out --preempt --param-rk=a --param-sark=b \
	--prout-type=5 "$first"
nexuses two 3 4
hangs "without the module" env
must_load
nexuses three 5 6
put "$(dev "${hctls[0]}")/rules" "allow r 12" "allow w 5f"
# Not as_nobody: its process would be a shell's.
hangs "with the module" setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all \
	--no-new-privs
put "$(dev "${hctls[1]}")/rules" "deny 5f [1]&1f=05" "allow w 5f"
refused "a rule keeps it from others" --write "sg_io:$second" 5f050500000000001800
finish
