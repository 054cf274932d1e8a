#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: `pr_exclusive`: PERSISTENT RESERVE OUT is for the first cgroup that sends it
# minutes: 1
# pr_exclusive: two users of one I_T nexus are one to the logical unit, which
# lets either break the other's reservation; with the guard, PERSISTENT
# RESERVE OUT is for the first cgroup that sends it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
# shellcheck source-path=SCRIPTDIR source=lio.sh
. "$here/lio.sh"

lio_load
lio_backstore one
# Without it, LIO gives the logical unit no name.
echo 0123456789abcdef >"$core/one/wwn/vpd_unit_serial"
lio_disk one 1
a=$hctl disk=${disk_of[$hctl]}
lio_disk one 2
b=$hctl disk_b=${disk_of[$hctl]}

cgroups=/sys/fs/cgroup
mountpoint -q $cgroups || mount -t cgroup2 none $cgroups || die "no cgroups of version 2"

eperm=51
# pr CGROUP SG_PERSIST-ARGUMENT...: as nobody, there; its exit status
pr() {
	local cgroup=$1
	shift
	(
		echo $BASHPID >"$cgroups/$cgroup/cgroup.procs" || exit 99
		as_nobody sg_persist "$@"
	) >/dev/null 2>&1
	echo $?
}
# reg CGROUP KEY DISK
reg() {
	pr "$1" --out --register-ignore --param-sark="$2" "$3"
}
owner() {
	sed -n 's/^[0-9]* //p' "$(dev "$1")/pr_owner"
}

must_load
for d in "$a" "$b"; do echo "allow w 5e,5f" >"$(dev "$d")/rules"; done
knob=$(dev "$a")/pr_exclusive
is "off by default" "$(cat "$knob")" 0
is "the nexus, its logical unit and its device" "$(sed 's/naa\.[0-9a-f]*/naa/' "$(dev "$a")/nexus")" \
	"nexus ${a%:*}
lu naa
pr_exclusive 0
device $a"
is "both nexuses are to one logical unit" "$(grep '^lu naa' "$(dev "$a")/nexus")" "$(grep '^lu naa' "$(dev "$b")/nexus")"

# Where nothing tells senders apart, there is no guard. A hierarchy of version 1 does not.
mkdir "$tmp/v1"
mount -t cgroup -o none,name=sgio none "$tmp/v1" || die "no cgroups of version 1"
mkdir "$tmp/v1/vm1" "$tmp/v1/vm2"
like "echo 1, in cgroups of version 1" "$({ echo 1 >"$knob"; } 2>&1)" "*Operation not supported*"
like "... in a transaction" "$(put /dev/sgio_filter "device $a" "pr_exclusive 1" 2>&1)" "*Operation not supported*"
is "... changes nothing" "$(cat "$knob")" 0
rmdir "$tmp"/v1/vm?
umount "$tmp/v1"
mkdir -p $cgroups/vm1 $cgroups/vm2 $cgroups/vm1/child

# The problem.
is "vm1 registers" "$(reg vm1 aa "$disk")" 0
is "vm1 reserves" "$(pr vm1 --out --reserve --param-rk=aa --prout-type=5 "$disk")" 0
is "vm2 takes over the registration, by the same nexus" "$(reg vm2 bb "$disk")" 0
is "... and releases vm1's reservation" "$(pr vm2 --out --release --param-rk=bb --prout-type=5 "$disk")" 0
is "... and clears it all" "$(pr vm2 --out --clear --param-rk=bb "$disk")" 0

# The guard.
echo 1 >"$knob"
is "echo 1" "$(cat "$knob") $(cat "$(dev "$a")/pr_owner")" "1 "
in_root=$(as_nobody sg_persist --out --register-ignore --param-sark=cc "$disk" >/dev/null 2>&1; echo $?)
is "a sender in the root cgroup, which may be anybody's, is refused" "$in_root $(owner "$a")" "$eperm "
is "root does not become the owner" "$(sg_persist --out --register-ignore --param-sark=99 "$disk" >/dev/null 2>&1; echo $? "$(owner "$a")")" "0 "
is "vm1 registers" "$(reg vm1 aa "$disk")" 0
is "... and is the owner" "$(owner "$a")" /vm1
is "who it is, root alone can read" "$(stat -c %a "$(dev "$a")/pr_owner") $(as_nobody cat "$(dev "$a")/pr_owner" 2>/dev/null)" "400 "
is "... and nexus does not tell" "$(grep -c vm1 "$(dev "$a")/nexus")" 0
# seen_from CGROUP: the path, by root in a cgroup namespace that begins there
seen_from() {
	(
		echo $BASHPID >"$cgroups/$1/cgroup.procs" || exit
		unshare --cgroup cut -d ' ' -f 2- "$(dev "$a")/pr_owner"
	)
}
is "... whose cgroup namespace it is told in" "$(seen_from vm1) $(seen_from vm1/child) $(seen_from vm2)" "/ /.. /../vm1"
is "a sender in the root cgroup is not the owner" \
	"$(as_nobody sg_persist --out --register-ignore --param-sark=cc "$disk" >/dev/null 2>&1; echo $?)" $eperm
is "vm1 registers again" "$(reg vm1 ab "$disk")" 0
is "vm2 is refused" "$(reg vm2 bb "$disk")" $eperm
is "a child of vm1 is another cgroup" "$(reg vm1/child bb "$disk")" $eperm
is "vm2 may still look" "$(pr vm2 --in --read-keys "$disk")" 0
is "root is not held up" "$(sg_persist --out --register-ignore --param-sark=ab "$disk" >/dev/null 2>&1; echo $?)" 0
is "vm1 is the owner still" "$(owner "$a")" /vm1
is "the other nexus has no guard" "$(reg vm2 bb "$disk_b")" 0
is "... and its registration no effect here" "$(pr vm1 --out --reserve --param-rk=ab --prout-type=5 "$disk")" 0
echo 1 >"$(dev "$a")/unpriv_sgio"
is "unpriv_sgio does not get around it" "$(reg vm2 bb "$disk")" $eperm
echo 0 >"$(dev "$a")/unpriv_sgio"
echo 1 >"$(dev "$a")/complain"
is "complain lets it through" "$(reg vm2 ab "$disk")" 0
echo 0 >"$(dev "$a")/complain"
refusals=$(sed -n 's/^refused //p' "$(dev "$a")/stats")
reg vm2 bb "$disk" >/dev/null
is "what is refused is counted" "$(sed -n 's/^refused //p' "$(dev "$a")/stats")" $((refusals + 1))
echo 1 >"$knob"
is "echo 1 again keeps the owner" "$(owner "$a")" /vm1

# Why, for those who listen.
trace=/sys/kernel/tracing
mountpoint -q $trace || mount -t tracefs none $trace || die "no tracefs"
echo 1 >$trace/events/sgio_filter/decision/enable
reg vm2 bb "$disk" >/dev/null
echo 0 >$trace/events/sgio_filter/decision/enable
like "the tracepoint says why" "$(grep -m 1 "dev=$a .*cdb=5f" $trace/trace)" \
	"*outcome=refused decision=not_owner layer=none*"

# Whom the tool shows.
like "sgioctl shows the owner" "$(sgioctl show "$a")" "*pr-exclusive*on*I_T nexus*to naa.*owner*/vm1*"
check "sgioctl lets it go" sgioctl set "$a" pr-exclusive reset
is "... and the guard stays" "$(cat "$knob") $(owner "$a")" "1 "
is "vm1 comes back" "$(reg vm1 aa "$disk") $(owner "$a")" "0 /vm1"

# Letting go.
echo reset >"$knob"
is "reset: no owner, the guard stays" "$(cat "$knob") $(owner "$a")" "1 "
is "vm2 is first now" "$(reg vm2 bb "$disk") $(owner "$a")" "0 /vm2"
is "vm1 is refused now" "$(reg vm1 aa "$disk")" $eperm
rmdir $cgroups/vm2
is "its cgroup is gone: no owner" "$(owner "$a")" ""
is "vm1 may again" "$(reg vm1 aa "$disk") $(owner "$a")" "0 /vm1"
echo 0 >"$knob"
is "echo 0: no owner" "$(cat "$knob") $(owner "$a")" "0 "
mkdir $cgroups/vm2
is "vm2 may again" "$(reg vm2 bb "$disk") $(owner "$a")" "0 "

# Threaded cgroups count as their domain, as those of one QEMU under libvirt.
echo 1 >"$knob"
mkdir -p $cgroups/vm3/emulator $cgroups/vm3/vcpu0
for t in emulator vcpu0; do echo threaded >$cgroups/vm3/$t/cgroup.type; done
# A process enters by its domain.
in_thread() {
	(
		echo $BASHPID >$cgroups/vm3/cgroup.procs || exit 99
		echo $BASHPID >"$cgroups/vm3/$1/cgroup.threads" || exit 99
		as_nobody sg_persist --out --register-ignore --param-sark=cc "$disk"
	) >/dev/null 2>&1
	echo $?
}
is "a thread's cgroup: its domain is the owner" "$(in_thread emulator) $(owner "$a")" "0 /vm3"
is "... and another thread's is no other" "$(in_thread vcpu0)" 0
is "... but vm1 is" "$(reg vm1 aa "$disk")" $eperm

# A race for it: one cgroup wins all the time.
echo reset >"$knob"
for vm in vm1 vm2; do
	(
		echo $BASHPID >$cgroups/$vm/cgroup.procs
		for ((i = 0; i < 200; i++)); do
			sgsend --as-nobody --probe --write "sg_io:$disk" 5f060000000000001800
		done >"$tmp/race-$vm"
	) &
done
wait %1 %2 2>/dev/null || wait
mapfile -t won < <(cd "$tmp" && grep -l '^allowed' race-*)
mapfile -t lost < <(cd "$tmp" && grep -l '^refused' race-*)
is "of two that race, one wins" "${#won[@]} ${#lost[@]}" "1 1"
is "... and it is the owner" "/${won[0]#race-}" "$(owner "$a")"

# A transaction; and the other ways to say something wrong.
put /dev/sgio_filter "device $a" "report_luns own" "pr_exclusive 0"
is "a transaction sets both" "$(cat "$knob" "$(dev "$a")/report_luns" | xargs)" "0 own"
for text in 2 "" on "1 1"; do
	printf '%s\n' "$text" >"$knob" 2>"$tmp/err"
	is "'$text' is refused" "$? $(grep -o 'Invalid argument' "$tmp/err")" "1 Invalid argument"
done
echo 1 >"$knob"
check "the module unloads with an owner" unload
finish
