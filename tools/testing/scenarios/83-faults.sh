#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernels: stock
# Every allocation and every registration that the module makes fails in turn:
# while it is loaded, while a device is added, while rules are written. The module
# is then there as a whole or not at all, and the old filter stays.
#
# On the debug kernel, where a load takes seconds, it is every sixth fault of loading, from another one in each run;
# SGIO_STEP=1 is all of them.
# vm: --append kmemleak=on --expect-splat
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

kmemleak=/sys/kernel/debug/kmemleak
most=300
step=1
[ "$SGIO_KERNEL" = stock ] || step=6
step=${SGIO_STEP:-$step}
# A place that is come by often, such as a file of each class, fails the first time.
again=1
cp "$SGIO_KO" "$tmp/sgio_filter.ko"
faults=${SGIO_KO%/*}/faults/sgio_test_faults.ko
SGIO_KO=$tmp/sgio_filter.ko
insmod "$faults" || die "no $faults"

debug_load
debug_add 0
disk=$hctl
debug_add 1
tape=$hctl
# It is off unless the kernel is told otherwise.
{ echo scan >$kmemleak && echo clear >$kmemleak; } 2>/dev/null || kmemleak=/nowhere

# What there is of the module, into $there.
everything() {
	local file
	there=
	for file in "$sysfs"/* "$sysfs"/classes/*/* /sys/bus/scsi/devices/*/sgio_filter/* \
		/sys/block/*/queue/unpriv_sgio /dev/sgio_filter; do
		[ ! -e "$file" ] || there+="$file"$'\n'
	done
	there+=$(grep -c '^scsi_cmd_allowed ' /sys/kernel/tracing/enabled_functions)
}
# What is in force, into $there.
settings() {
	local file text
	there=
	for file in /sys/bus/scsi/devices/*/sgio_filter/{unpriv_sgio,complain,report_luns,pr_exclusive,rules} \
		"$sysfs"/classes/*/{rules,table}; do
		slurp text "$file" 2>/dev/null
		there+="$file: $text"
	done
}

# in_turn NAME STATE BEFORE AFTER UNDO COMMAND...: failnth's COMMAND with each fault. STATE sets $there; an error must leave
# BEFORE, success AFTER, by which the fault is one that was coped with. UNDO follows success.
in_turn() {
	local name=$1 look=$2 before=$3 after=$4 undo=$5 n first got wrong='' errors=0 coped=0 names=''
	shift 5
	first=$((1 + RANDOM % step))
	for ((n = first; n <= most; n += step)); do
		got=$(failnth "$n.$again" "$@" <"$tmp/text" 2>&1)
		$look
		case $got in
		"ok -")
			[ "$there" = "$after" ] || wrong+="without a fault: not all is there"$'\n'
			$undo
			break
			;;
		"ok "*)
			coped=$((coped + 1))
			[ "$there" = "$after" ] ||
				wrong+="$n: $got: $(diff <(echo "$after") <(echo "$there"))"$'\n'
			$undo
			;;
		E*" "?*)
			errors=$((errors + 1))
			[ "$there" = "$before" ] ||
				wrong+="$n: $got: $(diff <(echo "$before") <(echo "$there"))"$'\n'
			;;
		*) wrong+="$n: $got"$'\n' && break ;;
		esac
		names+="${got#* }"$'\n'
	done
	is "$name: there as a whole or not at all ($errors errors, $coped coped with)" "$wrong" ""
	check "$name: something failed, and there was an end" test $errors -gt 0 -a $n -le $most
	[ "$step" -eq 1 ] || echo "# every fault number $step, from $first"
	echo "# $name: $(sort <<<"$names" | grep . | uniq -c | sort -rn | awk '{ printf "%s%s %s", s, $1, $2; s = ", " }')"
}

: >"$tmp/text"
everything
nothing=$there
must_load
everything
whole=$there
unload
in_turn "insmod" everything "$nothing" "$whole" unload insmod "$SGIO_KO"
step=1
nothing_left "after all that"
must_load

settings
old=$there
# write_in_turn NAME FILE TEXT UNDO
write_in_turn() {
	local before
	settings
	before=$there
	printf '%s' "$3" >"$tmp/text"
	cat "$tmp/text" >"$2"
	settings
	local after=$there
	$4
	in_turn "$1" settings "$before" "$after" "$4" write "$2"
}
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
write_in_turn "rules" "$(dev "$disk")/rules" $'allow r 5e\nallow w 5f [1]&1f=00\n' reset_disk
write_in_turn "a change of rules" "$(dev "$disk")/rules" $'+allow r 5e\n' reset_disk
write_in_turn "a class's rules" "$sysfs/classes/disk/rules" $'+deny 88\n' reset_class
write_in_turn "a class's table" "$sysfs/classes/disk/table" $'stock\n' reset_class
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
" reset_all
# The hook for it is there from the first time on: each attempt starts anew.
# shellcheck disable=SC2317
arm_again() { unload && must_load; }
settings
before=$there
echo own >"$(dev "$disk")/report_luns"
settings
after=$there
arm_again
echo own >"$tmp/text"
in_turn "report_luns" settings "$before" "$after" arm_again write "$(dev "$disk")/report_luns"
settings
is "the settings are the first ones" "$there" "$old"

for file in rules nexus hits; do
	echo "allow r 5e" >"$(dev "$disk")/rules"
	settings
	: >"$tmp/text"
	got=''
	for ((n = 1; n <= most; n++)); do
		got=$(failnth $n read "$(dev "$disk")/$file")
		case $got in
		"ok -") break ;;
		ENOMEM*) ;;
		*) break ;;
		esac
	done
	is "reading $file ends without a fault after $((n - 1))" "$got" "ok -"
done
reset_disk

# A device that is added, in the task that scans for it: with all its files or none, and a
# filter in any case.
host=${tape%%:*}
wrong='' bare=0
names=$(cd "$(dev "$tape")" && echo *)
for ((n = 1; n <= most; n++)); do
	echo 1 >"/sys/bus/scsi/devices/$tape/delete"
	echo "0 0 0" >"$tmp/text"
	got=$(failnth $n write "/sys/class/scsi_host/host$host/scan" <"$tmp/text" 2>&1)
	wait_for test -e "/dev/bsg/$tape" || wrong+="$n: $got: no device"$'\n'
	chmod 666 "/dev/bsg/$tape"
	if [ -e "$(dev "$tape")" ]; then
		[ "$(cd "$(dev "$tape")" && echo *)" = "$names" ] || wrong+="$n: $got: not all files"$'\n'
	else
		bare=$((bare + 1))
	fi
	[ "$(nobody --probe "bsg:/dev/bsg/$tape" 120000002400)" = "allowed: nothing executed" ] &&
		[ "$(nobody --probe "bsg:/dev/bsg/$tape" ff0000000000)" = "refused: EPERM" ] ||
		wrong+="$n: $got: decides wrong"$'\n'
	[ "$got" != "ok -" ] || break
done
is "a device is added: with all its files or none, and a filter ($bare of $((n - 1)) with none)" "$wrong" ""
check "... some failed, and there was an end" test $bare -gt 0 -a $n -le $most
check "... with all in the end" test -e "$(dev "$tape")/rules"

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

is "nobody holds the module" "$(cat /sys/module/sgio_filter/refcnt)" 0
unload
nothing_left "unloaded"
check "the faults' module goes" rmmod sgio_test_faults
if [ -e $kmemleak ]; then
	sleep 6
	echo scan >$kmemleak
	echo scan >$kmemleak
	is "kmemleak has nothing of the module" "$(grep -B 20 -A 20 sgio_filter $kmemleak)" ""
else
	skip "kmemleak has nothing of the module" "not in this kernel"
fi
# The kernel's own surprise that it has no memory for the first fprobe of all, and for what is below it.
known_splat='WARNING: kernel/trace/(fprobe|fgraph)[.]c:[0-9]* at register_'
finish
