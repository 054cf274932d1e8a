#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: each allocation, registration and wait of the module that can fail does so in turn, [below](#what-is-made-to-fail)
# minutes: 8
# Every allocation and every registration that the module makes fails in turn, and every wait that a signal ends:
# while it is loaded, while a device is added, while rules are written. The module
# is then there as a whole or not at all, and the old filter stays. Documentation/testing.md
# lists what fails where.
#
# On Debian's kernels it is each fault. The others tell whether something is leaked (kmemleak), but a load takes
# seconds there: so it is every so many of the faults of loading, from another one in each run; SGIO_STEP=1 is all of them.
# vm: --append kmemleak=on --expect-splat
# builds: faults
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
# shellcheck source-path=SCRIPTDIR source=faults.sh
. "$here/faults.sh"
# shellcheck source-path=SCRIPTDIR source=lio.sh
. "$here/lio.sh"

# Of the ways of loading, every so many; of all that loading makes, so many; of what a device that is added makes, every so many.
every=1 some=25 device_step=1
is_debians || every=16 some=6 device_step=5
every=${SGIO_STEP:-$every}
faults_load
# Without one there is no pr_exclusive.
mkdir /sys/fs/cgroup/other || die "no cgroups"
# Off the shared file system, which is slow.
cp "$SGIO_KO" "$tmp/sgio_filter.ko"
SGIO_KO=$tmp/sgio_filter.ko

debug_load
debug_add 0
disk=$hctl
debug_add 1
tape=$hctl
bsg=bsg:/dev/bsg/$disk
if has_kmemleak; then check "kmemleak is on" leaks_begin; fi

# --- loading --------------------------------------------------------------------

: >"$tmp/text"
everything
nothing=$there
must_load
everything
whole=$there
unload
step=$every
in_turn "insmod" everything "$nothing" "$whole" unload insmod "$SGIO_KO"
# Not only the first of the classes, their files and the devices.
is "insmod without a fault" "$(failnth 0.0 insmod "$SGIO_KO")" "ok -"
unload
declare -A of_loading
while read -r point n; do of_loading[$point]=$n; done <$faults_at/times
total=$(seen)
again=0 step=$((total / some + 1))
in_turn "insmod, some of $total" everything "$nothing" "$whole" unload insmod "$SGIO_KO"
check "... not only the first of each" test "$total" -gt 500
again=1 step=1
nothing_left "after all that"
# The ways are numbered as they are come by, which is not the same in each run: what was passed over fails by its name.
# And each lock does, since the first one is not that of the disk.
# shellcheck disable=SC2034 # in_turn's
coping_does=1
for point in $(<$faults_at/points); do
	[[ $point == mutex_lock* ]] || ! has_failed "$point" || continue
	# Some are for writing.
	total=${of_loading[$point]}
	[ "$total" -gt 0 ] || continue
	# As many as of all that loading makes, but each lock.
	step=$((total / some + 1))
	[[ $point != mutex_lock* ]] || step=1
	only "$point"
	again=0
	in_turn "insmod, $point" everything "$nothing" "$whole" unload insmod "$SGIO_KO"
	again=1
done
coping_does='' step=1
only ''

# --- writing --------------------------------------------------------------------

must_load
settings
old=$there
# shellcheck disable=SC2317 # called by what they are arguments of
reset_disk() { echo >"$(dev "$disk")/rules"; }
# shellcheck disable=SC2317
reset_class() { echo strict >"$sysfs/classes/disk/table"; }
# shellcheck disable=SC2317
reset_all() {
	knob /dev/sgio_filter <<-END >/dev/null
		device $disk
		unpriv_sgio 0
		complain 0
		pr_exclusive 0
		rules
		device $tape
		rules
		class changer
		rules
		class disk
		rules
	END
}
# The hook for report_luns is there from the first time on: each attempt starts anew.
# shellcheck disable=SC2317
arm_again() { unload && must_load; }
read_reservations=5e000000000000000000 sanitize=48030000000000000000 read16=88000000000000000000000000000000
report_luns=a00000000000000000000000 vendor=ff0000000000
write_in_turn "rules" "$(dev "$disk")/rules" $'allow r 5e\nallow w 5f [1]&1f=00\n' reset_disk \
	"$bsg" $read_reservations
write_in_turn "a change of rules" "$(dev "$disk")/rules" $'+allow r 5e\n' reset_disk "$bsg" $read_reservations
write_in_turn "a class's rules" "$sysfs/classes/disk/rules" $'+deny 88\n' reset_class "$bsg" $read16
write_in_turn "a class's table" "$sysfs/classes/disk/table" $'stock\n' reset_class "$bsg" $sanitize
write_in_turn "a transaction" /dev/sgio_filter "device $disk
unpriv_sgio 1
complain 1
pr_exclusive 1
rules
allow r 5e
device $tape
rules
deny 12
class changer
table stock
class disk
rules
+deny 12
" reset_all "$bsg" $vendor
# The probe is sent by a holder.
echo $$ >/sys/fs/cgroup/other/cgroup.procs
# shellcheck disable=SC2317 # called by what it is an argument of
revoke() { put /dev/sgio_filter "device $disk" "revoke all"; }
write_in_turn "a grant" /dev/sgio_filter "device $disk
grant cgroup=$(stat -c %i /sys/fs/cgroup/other) name=a
allow r 5e
grant cgroup=$(stat -c %i /sys/fs/cgroup/other) name=b for=600
allow w 5f [1]&1f=00
" revoke "$bsg" $read_reservations
# Each undo is a load, but there are few ways.
always_undo=1 step=$((every < 4 ? every : 4))
write_in_turn "a transaction that arms the second hook" /dev/sgio_filter "device $tape
rules
deny 12
device $disk
report_luns own
rules
allow r 5e
class disk
rules
+deny 12
" arm_again "$bsg" $report_luns
write_in_turn "report_luns" "$(dev "$disk")/report_luns" own arm_again "$bsg" $report_luns
again=0 step=1 coping_does=1
for point in $(<$faults_at/points); do
	! has_failed "$point" || continue
	only "$point"
	write_in_turn "report_luns, $point" "$(dev "$disk")/report_luns" own arm_again "$bsg" $report_luns
done
only ''
always_undo='' again=1 coping_does=
never=
for point in $(<$faults_at/points); do
	has_failed "$point" || never+="$point "
done
is "all that can fail has failed" "$never" ""
settings
is "the settings are the first ones" "$there" "$old"

echo "allow r 5e" >"$(dev "$disk")/rules"
: >"$tmp/text"
for what in "read $(dev "$disk")/rules" "read $(dev "$disk")/nexus" "read $(dev "$disk")/hits" "open /dev/sgio_filter"; do
	for ((n = 1; n <= most; n++)); do
		# shellcheck disable=SC2086 # two arguments
		got=$(failnth $n $what)
		[[ $got == ENOMEM* ]] || break
	done
	is "${what%% *}ing ${what##*/} ends without a fault after $((n - 1))" "$got" "ok -"
	[[ $what == *@(rules|hits) ]] || check "... something failed" test $n -gt 1
done
reset_disk

# --- devices --------------------------------------------------------------------

# devices_of H:C:T:L: how many there are of its nexus
devices_of() {
	grep -c '^device ' "$(dev "$1")/nexus"
}
# decides H:C:T:L: its class's filter does
decides() {
	chmod 666 "/dev/bsg/$1"
	[ "$(nobody --probe "bsg:/dev/bsg/$1" 120000002400)" = "allowed: nothing executed" ] &&
		[ "$(nobody --probe "bsg:/dev/bsg/$1" $vendor)" = "refused: EPERM" ]
}
# delete H:C:T:L...
delete() {
	local d
	for d; do echo 1 >"/sys/bus/scsi/devices/$d/delete"; done
}
# scan NTH TARGET: in the task that is to meet a fault; sets $got
scan() {
	got=$(failnth "$1" write "/sys/class/scsi_host/host$2/scan" <"$tmp/text" 2>&1)
	all_failed+=${got#* }$'\n'
}

# A device that is added, in the task that scans for it: with all its files or none, and a filter in any
# case. Each of the files fails.
host=${tape%%:*}
wrong='' bare=0
names=$(cd "$(dev "$tape")" && echo *)
echo "0 0 0" >"$tmp/text"
for ((n = 1 + RANDOM % device_step; n <= most; n += device_step)); do
	delete "$tape"
	scan $n.0 "$host"
	wait_for test -e "/dev/bsg/$tape" || wrong+="$n: $got: no device"$'\n'
	if [ -e "$(dev "$tape")" ]; then
		[ "$(cd "$(dev "$tape")" && echo *)" = "$names" ] || wrong+="$n: $got: not all files"$'\n'
		[ "$(devices_of "$tape")" = 1 ] || wrong+="$n: $got: an earlier one is still in its nexus"$'\n'
	else
		bare=$((bare + 1))
	fi
	decides "$tape" || wrong+="$n: $got: decides wrong"$'\n'
	[ "$got" != "ok -" ] || break
done
is "a device is added: with all its files or none, and a filter ($bare of $((n - 1)) with none)" "$wrong" ""
check "... some failed, and there was an end" test $bare -gt 0 -a "$got" = "ok -"
check "... with all in the end" test -e "$(dev "$tape")/rules"

# A second device of a nexus, another LUN of the same logical unit, is put beside the first. LIO's host knows no scan: its
# devices come with a link, in the task that makes it.
lio_load
lio_backstore one
echo 0123456789abcdef >"$core/one/wwn/vpd_unit_serial"
lio_disk one 1
first=$hctl second=${hctl%:*}:1
lun_1=$(echo $loopback/naa.*/tpgt_1/lun)/lun_1
mkdir "$lun_1"
only krealloc_node_align_noprof
wrong='' alone=0 bare=0
for ((n = 1; n <= most; n++)); do
	log_mark
	got=$(failnth $n.0 link "$core/one" "$lun_1/one" 2>&1)
	all_failed+=${got#* }$'\n'
	wait_for test -e "/dev/bsg/$second" || wrong+="$n: no device"$'\n'
	members=2
	if log_grep -q "sgio_filter: $second: only the class's filter"; then
		members=1 alone=$((alone + 1))
	elif [ ! -e "$(dev "$second")" ]; then
		bare=$((bare + 1))
	fi
	[ "$(devices_of "$first")" = $members ] || wrong+="$n: not $members in the nexus"$'\n'
	decides "$second" || wrong+="$n: decides wrong"$'\n'
	[ "$got" != "ok -" ] || break
	rm "$lun_1/one"
	[ "$(devices_of "$first")" = 1 ] || wrong+="$n: it is still in the nexus"$'\n'
done
only ''
is "a second one is added: in the nexus, unless it has its class's filter only ($alone of $((n - 1)); $bare without files)" \
	"$wrong" ""
check "... both, and there was an end" test $alone -gt 0 -a $bare -gt 0 -a "$got" = "ok -"
is "... with two in the end" "$(devices_of "$first")" 2

# Devices are found by the numbers of their queues, in places that become more when there are more than 64; nothing else
# in the adding of a device is made by that function.
only kvrealloc_node_align_noprof
many=64
wrong='' bare=0
unload
debug_add 3
first=${hctl%:*}
must_load
echo "allow r 5e" >"$(dev "$disk")/rules"
echo $many >/sys/module/scsi_debug/parameters/max_luns
echo "0 0 -" >"$tmp/text"
scan 1.0 "${hctl%%:*}"
only ''
is "more places than 64: one allocation, and it failed" "$got $(seen)" "ok kvrealloc_node_align_noprof 2"
echo 1 >/sys/module/scsi_debug/parameters/max_luns
wait_for test -e "/dev/bsg/$first:$((many - 1))" || wrong+="not all devices"$'\n'
for d in "/sys/bus/scsi/devices/$first":*; do
	[ ! -e "$d/sgio_filter" ] || continue
	bare=$((bare + 1))
	decides "${d##*/}" || wrong+="${d##*/} decides wrong"$'\n'
done
decides "$first:$((many - 1))" || wrong+="the last one decides wrong"$'\n'
[ "$(nobody --probe "$bsg" $read_reservations)" = "allowed: nothing executed" ] ||
	wrong+="the first one has lost its rules"$'\n'
is "... one device has its class's filter only, and the others their own ($bare)" "$bare $wrong" "1 "
echo -1 >"$debug/add_host"

# The file in the queue's directory, in the task that binds the driver.
wrong='' bare=0
for ((n = 1; n <= most; n++)); do
	echo "$disk" >/sys/bus/scsi/drivers/sd/unbind
	echo "$disk" >"$tmp/text"
	got=$(failnth $n write /sys/bus/scsi/drivers/sd/bind <"$tmp/text" 2>&1)
	use_device "$disk"
	[ -e "$(queue "$disk")/unpriv_sgio" ] || bare=$((bare + 1))
	[ -e "$(dev "$disk")/unpriv_sgio" ] || wrong+="$n: $got: the device's knob is gone"$'\n'
	[ "$got" != "ok -" ] || break
done
is "a disk appears: the device keeps its knob ($bare of $((n - 1)) disks without)" "$wrong" ""
check "... some failed, and there was an end" test $bare -gt 0 -a $n -le $most
check "... with it in the end" test -e "$(queue "$disk")/unpriv_sgio"

# --- the end --------------------------------------------------------------------

is "nobody holds the module" "$(cat /sys/module/sgio_filter/refcnt)" 0
unload
nothing_left "unloaded"
if has_kmemleak; then
	is "kmemleak has nothing of the module" "$(leaks)" ""
	echo "# of others: $(grep -c '^unreferenced' /sys/kernel/debug/kmemleak)"
else
	skip "kmemleak has nothing of the module" "not in this kernel"
fi
check "the faults' module goes" rmmod sgio_test_faults
finish
