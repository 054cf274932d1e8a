#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: `sgioctl run`: a program in a cgroup of its own holds grants, opens the device as a user, and leaves nothing; with systemd: 96
# `sgioctl run` where there is no systemd. The program holds what is granted and nobody else does, it opens nodes that belong to its
# user, its signals and its exit status are its own, and nothing of it is left.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load
debug_add 0
a=$hctl
debug_add 0
b=$hctl
disk=${disk_of[$a]} other=${disk_of[$b]}
pr_in=5e000000000000000800 pr_out=5f060000000000001800
yes="allowed: nothing executed" no="refused: EPERM"
cgroups=/sys/fs/cgroup
mountpoint -q $cgroups || mount -t cgroup2 none $cgroups || die "no cgroups of version 2"
run() { sgioctl run "$@" 2>&1; }
# What it might leave: mounts, cgroups, grants, nodes and their modes.
traces() {
	cat /proc/self/mounts
	find $cgroups -type d
	sgioctl grants 2>&1
	stat -c '%n %u %g %a' "$disk" "$other" "${sg_of[$a]}" "/dev/bsg/$a"
	ls /run/sgio-filter/nodes 2>&1
}
is "without the module: it says so" "$(run --grant "$a=5e" -- true | grep -c 'is not loaded')" 1
must_load
mkdir -p /run/sgio-filter/nodes
chmod 660 "$disk" "$other" "${sg_of[$a]}" "/dev/bsg/$a"
traces >"$tmp/before"

# --- what it holds ---------------------------------------------------------------------

like "without it: the node is not for the user" "$(nobody --probe --read "sg_io:$disk" $pr_in 2>&1)" "*Permission denied*"
send=(sgsend --probe --read)
is "the program may send what is granted" "$(run --grant "$a=5e" --user nobody -- "${send[@]}" "sg_io:$disk" $pr_in)" "$yes"
is "... by the other nodes too" \
	"$(run --grant "$a=5e" --user nobody -- "${send[@]}" "bsg:/dev/bsg/$a" $pr_in) $(run --grant "$a=5e" --user nobody -- "${send[@]}" "sg:${sg_of[$a]}" $pr_in)" "$yes $yes"
is "... and nothing else" "$(run --grant "$a=5e" --user nobody -- "${send[@]}" "sg_io:$disk" c00000000000)" "$no"
like "... on no other device" "$(run --grant "$a=5e" --user nobody -- "${send[@]}" "sg_io:$other" $pr_in)" "*Permission denied*"
is "two devices, commands by name, a profile" \
	"$(run --grant "$a=persistent-reserve-in,c0" --grant "$b=disk-guest-reservations" --user nobody -- \
		sh -c "sgsend --probe --read sg_io:$disk $pr_in; sgsend --probe --write sg_io:$disk c00000000000; sgsend --probe --write sg_io:$other $pr_out" | xargs)" \
	"$yes ${yes} $yes"
is "a child has it too" "$(run --grant "$a=5e" --user nobody -- sh -c "sh -c 'sgsend --probe --read sg_io:$disk $pr_in'")" "$yes"
is "for reading only, unless it needs to write" \
	"$(run --grant "$a=5e" --user nobody -- stat -c '%U %a' "$disk") $(run --grant "$a=5f" --user nobody -- stat -c '%U %a' "$disk")" \
	"nobody 400 nobody 600"
like "the program is the user" "$(run --grant "$a=5e" --user nobody -- sh -c 'id -u; grep -E "^Cap(Eff|Prm|Inh|Amb)" /proc/self/status | grep -v 0000000000000000')" "65534"

# --- while it runs ---------------------------------------------------------------------

chmod 666 "$disk"
mkfifo "$tmp/hold"
sgioctl run --grant "$a=5e" --for 1h --user nobody -- sh -c "echo \$\$; read x" <"$tmp/hold" >"$tmp/pid" 2>&1 &
runner=$!
exec 9>"$tmp/hold"
wait_for test -s "$tmp/pid"
is "another process of the same user has it not" "$(nobody --probe --read "sg_io:$disk" $pr_in)" "$no"
like "it is seen" "$(sgioctl grants "$a")" "*/sgioctl-run-$runner*allow r 5e*"
like "check knows it" "$(sgioctl check "$a" persistent-reserve-in:read-keys --as --pid "$(<"$tmp/pid")" 2>&1)" "*llowed*"
kill -TERM $runner
wait $runner
is "a signal reaches the program" $? 143
absent "... which has ended" "/proc/$(<"$tmp/pid")"
exec 9>&-
chmod 660 "$disk"

# --- its end ---------------------------------------------------------------------------

run --grant "$a=5e" --user nobody -- sh -c 'exit 7' >/dev/null
is "the exit status is the program's" $? 7
run --grant "$a=5e" --user nobody -- "$tmp/nothing" >"$tmp/out"
is "a program that is not there" $? 127
run --grant "$a=5e" -- "$tmp/nothing" >"$tmp/out"
is "... without a user" "$? $(grep -c 'was not started' "$tmp/out")" "127 1"
like "what it leaves behind keeps its grants, and is told of" \
	"$(run --grant "$a=5e" --user nobody -- sh -c 'sleep 3 >/dev/null 2>&1 &')" "*is left: something that the program started*"
like "... they are there" "$(sgioctl grants "$a")" "*sgioctl-run-*"
# shellcheck disable=SC2317 # called by wait_for
gone() { rmdir "$cgroups"/sgioctl-run-* 2>/dev/null; }
check "... until that has ended" wait_for gone
like "a user of root" "$(run --grant "$a=5e" -- true)" "*note: the program runs as root, whose capability CAP_SYS_RAWIO needs no grant; --user names another"

# --- what is wrong -----------------------------------------------------------------------

# fails ARGUMENT...: nothing is started
fails() {
	local out
	out=$(run "$@" --user nobody -- touch "$tmp/started")
	echo "$? $out"
}
like "no such device" "$(fails --grant sdzz=5e)" "2 *sdzz*"
like "no such profile or command" "$(fails --grant "$a=smart-or")" "2 *did you mean 'smart-ro'*"
like "a profile of another class" "$(fails --grant "$a=tape-drive")" "2 *tape-drive*"
like "a device twice" "$(fails --grant "$a=5e" --grant "$disk=5f")" "2 *in another --grant*"
like "nothing wanted" "$(fails --grant "$a=")" "2 *DEV=PROFILE*"
like "no such user" "$(sgioctl run --grant "$a=5e" --user nobodyatall -- touch "$tmp/started" 2>&1)" "*there is no user nobodyatall"
like "who is not root" "$(as_nobody sgioctl run --grant "$a=5e" -- touch "$tmp/started" 2>&1)" "*Permission denied*"
absent "... nothing was started" "$tmp/started"
like "a dry run grants nothing" "$(run --grant "$a=5e" --dry-run --user nobody -- touch "$tmp/started")" "*allow r 5e*dry run*"
absent "... and starts nothing" "$tmp/started"

traces >"$tmp/after"
same "nothing is left" "$tmp/after" "$tmp/before"
unload
finish
