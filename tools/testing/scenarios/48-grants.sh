#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: grants: rules for one cgroup, which end with it
# A grant gives one cgroup, and all below it, what its rules say, on one device. Nobody else has it, and it ends with the
# cgroup, the device, its time, or when it is revoked.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load
debug_add 0
a=$hctl
debug_add 0
b=$hctl
disk=${disk_of[$a]} sg=${sg_of[$a]}
chmod 666 "$disk" "${disk_of[$b]}" "$sg" /dev/bsg/*
pr_in=5e000000000000000800 pr_out=5f060000000000001800 vendor=c00000000000
node=/dev/sgio_filter cgroups=/sys/fs/cgroup
id() { stat -c %i "$cgroups/$1"; }

# in_cgroup CGROUP COMMAND...: there
in_cgroup() {
	local cgroup=$1
	shift
	(
		echo $BASHPID >"$cgroups/$cgroup/cgroup.procs" || exit 99
		"$@" 2>&1
	)
}
# send CGROUP CDB [TARGET]: what becomes of it, open for writing
send() { in_cgroup "$1" nobody --write --probe "${3-bsg:/dev/bsg/$a}" "$2"; }
yes="allowed: nothing executed" no="refused: EPERM"
# change LINE...: a transaction on the device
change() { put $node "device $a" "$@"; }
fails() { { change "$@"; } 2>&1 | grep -oE 'Invalid argument|No such file or directory|Operation not supported|No space left on device'; }
grants() { sed 's/ since=[0-9]* / /' "$(dev "$a")/grants"; }
count() { sed -n "s/^$1 //p" "$(dev "$a")/stats"; }

must_load
# --- without cgroups -------------------------------------------------------------

if ! mountpoint -q $cgroups; then
	is "without cgroups of version 2 there is no holder" "$(fails "grant cgroup=7" "allow r 5e")" "Operation not supported"
	mount -t cgroup2 none $cgroups || die "no cgroups of version 2"
fi
mkdir -p $cgroups/vm1/emulator $cgroups/vm2 $cgroups/slice/vm3
is "at first: none" "$(cat "$(dev "$a")/grants")" ""

# --- who has it ------------------------------------------------------------------

is "without a grant" "$(send vm1 $pr_in) $(send vm1 $pr_out)" "$no $no"
change "grant cgroup=$(id vm1) name=test:one" "allow r 5e" "allow w 5f [1]&1f=00-04,06"
is "the holder has it" "$(send vm1 $pr_in) $(send vm1 $pr_out)" "$yes $yes"
is "... and what is below it" "$(send vm1/emulator $pr_in)" "$yes"
is "another cgroup has not" "$(send vm2 $pr_in) $(send . $pr_in)" "$no $no"
is "... nor has the holder on another device" "$(send vm1 $pr_in bsg:/dev/bsg/"$b")" "$no"
is "the holder has nothing else" "$(send vm1 $vendor) $(send vm1 5f050000000000001800)" "$no $no"
is "by all nodes" "$(send vm1 $pr_in "sg_io:$disk") $(in_cgroup vm1 nobody --read --probe "sg:$sg" $pr_in)" "$yes $yes"
is "a reader has no more than the grant says" \
	"$(in_cgroup vm1 nobody --probe --read bsg:/dev/bsg/"$a" $pr_in) $(in_cgroup vm1 nobody --probe --read bsg:/dev/bsg/"$a" $pr_out)" \
	"$yes $no"
is "the file shows it" "$(grants)" "grant cgroup=$(id vm1) name=test:one path=/vm1
                   5 allow r 5e
                   1 allow w 5f [1]&1f=00-04,06"
is "... to root alone" "$(stat -c %a "$(dev "$a")/grants")" 400
is "an answer to a question is without grants" "$(sgcheck "$a" ro 5e 00 00 00 00 00 00 00 08 00)" "0 0 0 0"
is "... unless it says who asks" "$(sgcheck "$a" --as "$(id vm1/emulator)" ro 5e 00 00 00 00 00 00 00 08 00)" "2 3 0 0 $(id vm1)"
is "... and for another" "$(sgcheck "$a" --as "$(id vm2)" ro 5e 00 00 00 00 00 00 00 08 00)" "0 0 0 0 0"

# --- every door --------------------------------------------------------------------

# by_door CGROUP: what becomes of PERSISTENT RESERVE IN, by every way that is filtered
doors=(bsg bsg-uring bsg-uring-worker bsg-uring-sqpoll)
by_door() {
	local door
	for door in "${doors[@]}"; do send "$1" $pr_in "$door:/dev/bsg/$a"; done
	for door in sg_io sg_io32 sg_iovec; do send "$1" $pr_in "$door:$disk"; done
	in_cgroup "$1" nobody --read --probe "sg:$sg" $pr_in
	in_cgroup "$1" nobody --read --probe "sg32:$sg" $pr_in
}
is "the holder has it by every door" "$(by_door vm1 | sort | uniq -c | xargs)" "9 $yes"
is "... and another by none" "$(by_door vm2 | sort | uniq -c | xargs)" "9 $no"
# A node of sg that is open for writing, filtered.
sg_door() { for way in ioctl v3 old; do in_cgroup "$1" sgnode "$sg" rw $way "$2"; done | sort | uniq -c | xargs; }
echo 1 >"$(dev "$a")/filter_sg"
held=$(sg_door vm1 $pr_in) lacked=$(sg_door vm2 $pr_in)
like "/dev/sgN, open for writing: another is refused" "$lacked" "*sense 05/20/02*"
check "... the holder is not" test "${held#*05/20/02}" = "$held"
echo 0 >"$(dev "$a")/filter_sg"
# The ioctls of reservations.
put $sysfs/classes/disk/rules "+ deny 5f"
is "IOC_PR_REGISTER: another is refused" "$(in_cgroup vm2 as_nobody prioctl "$disk" register aa)" EPERM
check "... the holder is not" test "$(in_cgroup vm1 as_nobody prioctl "$disk" register aa)" != EPERM
put $sysfs/classes/disk/rules "- deny 5f"

# The sender is judged, not the opener.
(
	echo $BASHPID >$cgroups/vm1/cgroup.procs
	exec sgsend --as-nobody --hammer-opcode 5e "bsg:/dev/bsg/$a"
) >/dev/null 2>&1 &
hammer=$!
sleep 1
before=$(count refused)
sleep 1
inside=$(($(count refused) - before))
for p in $hammer $(pgrep -P $hammer); do echo "$p" >$cgroups/vm2/cgroup.procs; done
allowed=$(count allowed)
sleep 1
is "a descriptor that was opened inside carries nothing outside" \
	"$inside $(($(count allowed) - allowed)) $(($(count refused) > before))" "0 0 1"
kill $hammer
wait $hammer

# --- the order ---------------------------------------------------------------------

change rules "deny 5e"
is "a deny of the device's rules holds against it" "$(send vm1 $pr_in) $(send vm1 $pr_out)" "$no $yes"
change rules
put $sysfs/classes/disk/rules "+ deny 5e"
is "a deny of the class does not" "$(send vm1 $pr_in) $(send vm2 $pr_in)" "$yes $no"
put $sysfs/classes/disk/rules "- deny 5e"
is "rules come and go, the grant stays" "$(send vm1 $pr_in)" "$yes"
change "grant cgroup=$(id vm1/emulator) name=test:two" "deny 5e" "allow w c0"
is "a grant takes nothing away" "$(send vm1/emulator $pr_in) $(send vm1/emulator $vendor) $(send vm1 $vendor)" "$yes $yes $no"
change "grant cgroup=$(id vm1) name=other" "allow w c0"
is "two on one holder" "$(send vm1 $pr_in) $(send vm1 $vendor)" "$yes $yes"
change "revoke cgroup=$(id vm1) name=other"
is "one is revoked" "$(send vm1 $pr_in) $(send vm1 $vendor)" "$yes $no"
change "grant cgroup=$(id vm1) name=test:one" "allow w c0"
is "the same holder and name: replaced" "$(send vm1 $pr_in) $(send vm1 $vendor)" "$no $yes"
change "revoke cgroup=$(id vm1)" "revoke cgroup=$(id vm1/emulator)"
is "all of a holder are revoked" "$(send vm1 $vendor) $(send vm1/emulator $vendor) $(grants)" "$no $no "
change "grant cgroup=$(id vm2)" "allow r 5e" "grant cgroup=$(id slice)" "allow r 5e"
is "several at once" "$(send vm2 $pr_in) $(send slice/vm3 $pr_in) $(send vm1 $pr_in)" "$yes $yes $no"
change "revoke all" "grant cgroup=$(id vm1)" "allow r 5e"
is "... in order" "$(send vm2 $pr_in) $(send slice/vm3 $pr_in) $(send vm1 $pr_in)" "$no $no $yes"

# --- what is wrong changes nothing ---------------------------------------------------

before=$(grants)
is "the root is no holder" "$(fails "grant cgroup=$(id .)" "allow r 5e")" "Invalid argument"
is "no such cgroup" "$(fails "grant cgroup=999999999" "allow r 5e")" "No such file or directory"
is "no rule" "$(fails "grant cgroup=$(id vm1)")" "Invalid argument"
is "a rule that is none" "$(fails "revoke all" "grant cgroup=$(id vm1)" "allow x 5e")" "Invalid argument"
printf 'device %s\ngrant cgroup=%s\nallow r 5e\n' "$a" "$(id vm1)" >"$tmp/outside"
is "outside of the writer's namespace" \
	"$(in_cgroup vm2 unshare --cgroup bash -c "cat $tmp/outside >$node" | grep -o 'No such file or directory')" \
	"No such file or directory"
is "... nothing has changed" "$(grants)" "$before"

# --- all opcodes ----------------------------------------------------------------------

# The kernel does what the reference implementation reads, of all opcodes and the service actions of some, for a sender with
# two grants below each other and one with neither.
mkdir -p $cgroups/far/near
many=5e,5f,9e,a3
cat >"$tmp/device" <<-END
	deny 5e [1]&1f=02
	allow w 8a
	allow r 3b
	deny 4e
END
cat >"$tmp/near" <<-END
	deny 5f [1]&1f=03
	allow w 5e,5f,9e [1]&1f=00-04
	allow r 4e,d0-d2
	deny 3c
	allow w 12
END
cat >"$tmp/far" <<-END
	allow r 3c,a3 [1]=00-3f
	allow w d1,42,48
	allow r d3
	deny d4
	allow r d4
END
{ echo "device $a" && echo rules && cat "$tmp/device" &&
	echo "grant cgroup=$(id far/near)" && cat "$tmp/near" && echo "grant cgroup=$(id far)" && cat "$tmp/far"; } >"$tmp/transaction"
knob $node <"$tmp/transaction" >/dev/null
sgsend --list $many >"$tmp/commands"
# as_seen_by CGROUP: the answers
as_seen_by() {
	rm -rf "$tmp/answers"
	mkdir -m 777 "$tmp/answers"
	in_cgroup "$1" nobody --sweep --sweep-sa $many --into "$tmp/answers" "bsg:/dev/bsg/$a" >"$tmp/log" || cat "$tmp/log"
	cat "$tmp"/answers/*
}
as_seen_by far/near >"$tmp/got"
ruleeval --grant "$tmp/near" --grant "$tmp/far" --class $sysfs/classes/disk/rules "$tmp/device" <"$tmp/commands" >"$tmp/want"
same "all opcodes: what the reference says ($(wc -l <"$tmp/want") answers)" "$tmp/got" "$tmp/want"
as_seen_by vm2 >"$tmp/got"
ruleeval --class $sysfs/classes/disk/rules "$tmp/device" <"$tmp/commands" >"$tmp/without"
same "... and for who holds none" "$tmp/got" "$tmp/without"
check "... they differ" test "$(comm -3 <(sort "$tmp/want") <(sort "$tmp/without") | wc -l)" -gt 40
change rules "revoke all" "grant cgroup=$(id vm1)" "allow r 5e"

# --- a subtree that is delegated ---------------------------------------------------------

mkdir $cgroups/vm1/own
chown -R nobody $cgroups/vm1/own
# by_user COMMAND...: in the subtree that is its user's
by_user() {
	(
		echo $BASHPID >"$cgroups/$1/cgroup.procs" || exit 99
		as_nobody bash -c "$2" 2>&1
	)
}
is "a user makes cgroups in a subtree of the holder, which have what it has" \
	"$(by_user vm1/own "mkdir $cgroups/vm1/own/x && echo \$BASHPID >$cgroups/vm1/own/x/cgroup.procs && sgsend --write --probe bsg:/dev/bsg/$a $pr_in")" "$yes"
like "... and cannot put there what is outside of it" "$(by_user vm2 "echo \$BASHPID >$cgroups/vm1/own/x/cgroup.procs")" "*Permission denied*"

# --- its end -------------------------------------------------------------------------

change "revoke all" "grant cgroup=$(id vm1) for=12" "allow r 5e"
like "a time limit" "$(grants)" "grant cgroup=$(id vm1) for=* path=/vm1*"
is "... before" "$(send vm1 $pr_in)" "$yes"
# shellcheck disable=SC2317 # called by wait_for
ended() { [ -z "$(grants)" ]; }
check "... it ends" wait_for ended
is "... and behind it" "$(send vm1 $pr_in) $(grants)" "$no "
change "grant cgroup=$(id slice/vm3) name=x" "allow r 5e"
old=$(id slice/vm3)
rmdir $cgroups/slice/vm3
mkdir $cgroups/slice/vm3
check "a cgroup of the same name has another id" test "$(id slice/vm3)" != "$old"
is "it ends with its cgroup" "$(send slice/vm3 $pr_in) $(grants)" "$no "
is "... and does not keep it" "$(grep -c . $cgroups/slice/cgroup.stat) $(sed -n 's/^nr_dying_descendants //p' $cgroups/slice/cgroup.stat)" \
	"$(grep -c . $cgroups/slice/cgroup.stat) 0"
change "grant cgroup=$(id vm1)" "allow r 5e"
echo 1 >/sys/bus/scsi/devices/"$a"/delete
wait_for test ! -e /sys/bus/scsi/devices/"$a"
host=${a%%:*}
echo "- - -" >/sys/class/scsi_host/host"$host"/scan
wait_for test -e "$(dev "$a")/grants"
wait_for test -e /dev/bsg/"$a"
chmod 666 /dev/bsg/*
is "it ends with its device" "$(send vm1 $pr_in) $(grants)" "$no "

# Another logical unit behind the same address has none of the first's grants, be it one that the opcode alone decides.
change "grant cgroup=$(id vm1)" "allow r 5e"
is "a grant to a logical unit" "$(send vm1 $pr_in)" "$yes"
echo $((1 - $(<"$debug/vpd_use_hostno"))) >"$debug/vpd_use_hostno"
echo 1 >/sys/bus/scsi/devices/"$a"/rescan
is "... another one at its address has it not" "$(send vm1 $pr_in) $(grants)" "$no "

# --- threads, and processes that move ------------------------------------------------

mkdir -p $cgroups/vm4/vcpu0 $cgroups/vm4/emulator
for t in vcpu0 emulator; do echo threaded >$cgroups/vm4/$t/cgroup.type; done
in_thread() {
	(
		echo $BASHPID >$cgroups/vm4/cgroup.procs || exit 99
		echo $BASHPID >"$cgroups/vm4/$1/cgroup.threads" || exit 99
		nobody --probe bsg:/dev/bsg/"$a" $pr_in 2>&1
	)
}
change "grant cgroup=$(id vm4)" "allow r 5e"
is "the threads of a holder" "$(in_thread vcpu0) $(in_thread emulator)" "$yes $yes"
change "revoke all" "grant cgroup=$(id vm4/vcpu0)" "allow r 5e"
is "a threaded cgroup can hold one for itself" "$(in_thread vcpu0) $(in_thread emulator)" "$yes $no"
change "revoke all" "grant cgroup=$(id vm2)" "allow r 5e"
is "a process that moves in has it, one that moves out has it no more" \
	"$(in_cgroup vm1 bash -c "for c in vm1 vm2 vm1; do echo \$BASHPID >$cgroups/\$c/cgroup.procs; sgsend --as-nobody --write --probe bsg:/dev/bsg/$a $pr_in 2>&1; done" | xargs)" \
	"$no $yes $no"

# --- who is told ----------------------------------------------------------------------

change "revoke all" "grant cgroup=$(id vm1) name=n" "allow r 5e"
events=/sys/kernel/tracing/events/sgio_filter/decision
echo 1 >$events/enable
before=$(count allowed)
is "with the tracepoint on" "$(send vm1/emulator $pr_in)" "$yes"
like "... it tells the layer and the holder" "$(grep -a 'cdb=5e' /sys/kernel/tracing/trace | tail -n 1)" \
	"*decision=allowed layer=grant rule=0 holder=$(id vm1) *"
is "... and it is counted as allowed" $(($(count allowed) - before)) 1
echo 0 >$events/enable

# --- the owner of a nexus --------------------------------------------------------------

change "revoke all" "grant cgroup=$(id vm1)" "allow w 5f"
echo 1 >"$(dev "$a")/pr_exclusive"
is "the holder becomes the owner" "$(send vm1/emulator $pr_out) $(cat "$(dev "$a")/pr_owner")" "$yes $(id vm1) /vm1"
mkdir $cgroups/vm1/again
is "... whichever cgroup of it sends" "$(send vm1/again $pr_out)" "$yes"
echo 0 >"$(dev "$a")/pr_exclusive"

# --- many --------------------------------------------------------------------------------

mkdir -p $cgroups/many/{1..300}
stat --printf 'grant cgroup=%i\nallow r 5e\n' $cgroups/many/*/ >"$tmp/many"
{ echo "device $a"; echo "revoke all"; cat "$tmp/many"; } >"$tmp/text"
cat "$tmp/text" >$node
is "300 holders" "$(grep -c '^grant' <(cat "$(dev "$a")/grants"))" 300
is "... each has it" "$(for i in 1 150 300; do send many/$i $pr_in; done | sort -u) $(send vm1 $pr_in)" "$yes $no"
rmdir $cgroups/many/*/
is "... all gone" "$(cat "$(dev "$a")/grants")" ""

# --- nothing is left of what has ended ------------------------------------------------------

# What long lists of rules, their indexes and their counters can be in.
memory() { awk '/^(SUnreclaim|VmallocUsed|Percpu):/ { kb += $2 } END { print kb }' /proc/meminfo; }
# freed KB: whether so much of it has come back.
# shellcheck disable=SC2317 # called by wait_for
freed() { [ $((full - $(memory))) -ge "$1" ]; }
for i in {1..1000}; do printf 'allow r 5e [2]=%02x\n' $((i % 256)); done >"$tmp/rules"
mkdir -p $cgroups/many/{1..50}
{
	echo "device $a"
	stat -c 'grant cgroup=%i' $cgroups/many/*/ | while read -r line; do echo "$line" && cat "$tmp/rules"; done
} >"$tmp/text"
before=$(memory)
# In one write, which cat's is not.
dd if="$tmp/text" of=$node bs=16M status=none
full=$(memory)
check "50 grants of 1000 rules take memory" test $((full - before)) -gt 2000
echo 1 >"$(dev "$a")/complain"
echo 0 >"$(dev "$a")/complain"
hits() { sed -n '1s/^ *\([0-9]*\) .*/\1/p' "$(dev "$a")/hits"; }
change rules "allow r c1"
in_cgroup vm1 nobody --probe --read bsg:/dev/bsg/"$a" c10000000000 >"$tmp/out"
is "a rule of the device has a hit" "$(hits)" 1
rmdir $cgroups/many/*/ $cgroups/many
check "what they leave is freed, and nobody has to do anything" wait_for freed 2000
is "... the device's own rules keep their hits" "$(hits)" 1

check "the module unloads" unload
finish
