#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: `report_luns` = `own`: the filter answers REPORT LUNS with one logical unit, by every interface and with a CDB that changes
# report_luns: who may read one logical unit of a target learns of the others
# from REPORT LUNS; with `own` the filter answers, with that one unit, and no
# interface, no open mode and no CDB that changes during the call gets around it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load max_luns=4
know_devices
had=$(scsi_devices | wc -l)
echo 1 >"$debug/add_host"
# shellcheck disable=SC2317 # by wait_for
four() {
	[ "$(scsi_devices | wc -l)" -eq $((had + 4)) ]
}
wait_for four || die "scsi_debug: no four devices"
all=()
for d in $(scsi_devices); do
	[ -n "${known[$d]-}" ] || all+=("$d")
done
for d in "${all[@]}"; do use_device "$d"; done
a=${all[2]} other=${all[1]}
disk=${disk_of[$a]} lun=${a##*:}

# REPORT LUNS: SELECT REPORT, ALLOCATION LENGTH (8 hexadecimal digits)
report_luns() {
	echo "a000${1}000000${2}0000"
}
# luns SGSEND-ARGUMENT...: what nobody gets, in one line
luns() {
	local out
	out=$(nobody "$@" 2>&1)
	echo "${out//$'\n'/ }"
}
everything=$(report_luns 00 00000040)
own="allowed: status 00 00 00 00 08 00 00 00 00 00 0$lun 00 00 00 00 00 00"
nothing="allowed: status 00 00 00 00 00 00 00 00 00"
four_luns="allowed: status 00 00 00 00 20 *"
invalid="allowed: status 02, sense 5/24/00"

must_load
knob=$(dev "$a")/report_luns
is "by default the device answers" "$(cat "$knob")" passthrough
like "... with all logical units of its target" "$(luns --in 64 "sg_io:$disk" "$everything")" "$four_luns"
before=$(grep -c . /sys/kernel/tracing/enabled_functions 2>/dev/null || echo "no tracefs")

echo own >"$knob"
is "echo own: the knob says so" "$(cat "$knob")" own
is "SG_IO has one LUN" "$(luns --in 64 "sg_io:$disk" "$everything")" "$own"
is "... from a 32-bit program" "$(luns --in 64 "sg_io32:$disk" "$everything")" "$own"
is "... in several buffers" "$(luns --in 64 "sg_iovec:$disk" "$everything")" "$own"
is "... open for writing" "$(luns --write --in 64 "sg_io:$disk" "$everything")" "$own"
like "another device of the target answers itself" \
	"$(luns --in 64 "sg_io:${disk_of[$other]}" "$everything")" "$four_luns"
like "root has all of them" "$(sgsend --in 64 "sg_io:$disk" "$everything" | xargs)" "$four_luns"

is "SELECT REPORT 02h" "$(luns --in 64 "sg_io:$disk" "$(report_luns 02 00000040)")" "$own"
is "SELECT REPORT 01h: no well-known one" "$(luns --in 64 "sg_io:$disk" "$(report_luns 01 00000040)")" "$nothing"
for select in 03 10 ff; do
	is "SELECT REPORT ${select}h is an invalid field" \
		"$(luns --in 64 "sg_io:$disk" "$(report_luns $select 00000040)")" "$invalid"
	is "... from a 32-bit program" \
		"$(luns --in 64 "sg_io32:$disk" "$(report_luns $select 00000040)")" "$invalid"
done
is "ALLOCATION LENGTH 10" "$(luns --in 64 "sg_io:$disk" "$(report_luns 00 0000000a)")" \
	"allowed: status 00 00 00 00 08 00 00 00 00 00 0$lun"
is "ALLOCATION LENGTH 0" "$(luns --in 64 "sg_io:$disk" "$(report_luns 00 00000000)")" "allowed: status 00"
is "a buffer of 12 bytes" "$(luns --in 12 "sg_io:$disk" "$everything")" \
	"allowed: status 00 00 00 00 08 00 00 00 00 00 0$lun 00 00"
is "no buffer" "$(luns "sg_io:$disk" "$everything")" "allowed: status 00"
is "a buffer that is not there" "$(nobody --probe "sg_io:$disk" "$everything")" "refused: EPERM"
is "a CDB of 11 bytes" "$(luns --in 64 "sg_io:$disk" "${everything%00}")" "refused: EPERM"

# What cannot be answered is refused.
for target in "bsg:/dev/bsg/$a" "bsg-uring:/dev/bsg/$a" "bsg-uring-worker:/dev/bsg/$a" \
	"send-command:$disk" "cdrom-packet:$disk" "send-command:${sg_of[$a]}" "sg:${sg_of[$a]}"; do
	is "${target%%:*} of ${target#*:}" "$(luns --in 64 "$target" "$everything")" "refused: EPERM"
done
like "sg of another device answers" "$(luns --in 64 "sg:${sg_of[$other]}" "$everything")" "$four_luns"
for switch in unpriv_sgio complain; do
	echo 1 >"$(dev "$a")/$switch"
	is "$switch: SG_IO has one LUN" "$(luns --in 64 "sg_io:$disk" "$everything")" "$own"
	is "$switch: bsg is refused" "$(luns --in 64 "bsg:/dev/bsg/$a" "$everything")" "refused: EPERM"
	echo 0 >"$(dev "$a")/$switch"
done
echo "deny a0" >"$(dev "$a")/rules"
is "a rule that denies is stronger" "$(luns --in 64 "sg_io:$disk" "$everything")" "refused: EPERM"
echo "allow w a0" >"$(dev "$a")/rules"
is "a rule for writers: refused to a reader" "$(luns --in 64 "sg_io:$disk" "$everything")" "refused: EPERM"
is "... and emulated for a writer" "$(luns --write --in 64 "sg_io:$disk" "$everything")" "$own"
echo >"$(dev "$a")/rules"
is "INQUIRY is as ever" "$(luns --in 1 "sg_io:$disk" 120000000100)" "allowed: status 00 00"
emulated=$(sed -n 's/^emulated //p' "$(dev "$a")/stats")
check "what was answered is counted ($emulated)" test "$emulated" -ge 10

# A CDB that is INQUIRY in one moment and REPORT LUNS in the next: without
# `own` all of its kinds are seen, so the program can tell them apart.
flip() {
	bypass flip "$1" "$2" a0 >"$tmp/flip"
	sed 's/^/# /' "$tmp/flip"
	while read -r kind n; do flip[$kind]=$n; done <"$tmp/flip"
}
declare -A flip
flip "${disk_of[$other]}" 3000
check "a CDB that changes, without own: INQUIRY and many LUNs are seen" \
	test "${flip[inquiry]}" -gt 0 -a "${flip[many]}" -gt 0 -a "${flip[one]}" -eq 0
# Between the look and the decision there is little time: some rounds, until it was hit.
declare -A sum=([inquiry]=0 [one]=0 [many]=0 [refused]=0 [other]=0)
for _ in {1..8}; do
	flip "$disk" 20000
	for kind in "${!sum[@]}"; do sum[$kind]=$((sum[$kind] + flip[$kind])); done
	[ "${sum[refused]}" -eq 0 ] || break
done
check "a CDB that changes, with own: INQUIRY and one LUN are seen" \
	test "${sum[inquiry]}" -gt 0 -a "${sum[one]}" -gt 0
is "a CDB that changes, with own: never more LUNs" "${sum[many]} ${sum[other]}" "0 0"
check "... though the CDB changed between the look and the decision (${sum[refused]} times)" \
	test "${sum[refused]}" -gt 0

# Bad input.
for text in Own "" "own own" 1 "own "; do
	printf '%s\n' "$text" >"$knob" 2>"$tmp/err"
	is "'$text' is refused" "$? $(grep -o 'Invalid argument' "$tmp/err")" "1 Invalid argument"
done
is "... and nothing has changed" "$(cat "$knob")" own

echo passthrough >"$knob"
like "passthrough: the device answers again" "$(luns --in 64 "sg_io:$disk" "$everything")" "$four_luns"
like "... on sg too" "$(luns --in 64 "sg:${sg_of[$a]}" "$everything")" "$four_luns"

# Unloading with the hook armed and traffic in it.
echo own >"$knob"
traffic "sg_io:$disk" "sg_io:${disk_of[$other]}"
nap 1
check "the module unloads under traffic" unload
traffic_ends "unloading"
like "without the module the device answers" "$(luns --in 64 "sg_io:$disk" "$everything")" "$four_luns"
if [ "$before" != "no tracefs" ]; then
	check "scsi_ioctl() is not redirected any more" \
		sh -c '! grep -q "^scsi_ioctl " /sys/kernel/tracing/enabled_functions'
fi
must_load
is "after loading it again: the default" "$(cat "$knob")" passthrough
echo own >"$knob"
echo 1 >"/sys/bus/scsi/devices/$a/delete"
like "own went with its device: sg of another answers" \
	"$(luns --in 64 "sg:${sg_of[$other]}" "$everything")" "allowed: status 00 00 00 00 *"
check "the module unloads" unload
finish
