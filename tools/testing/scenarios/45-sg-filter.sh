#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: `filter_sg`: `/dev/sgN` is filtered in every open mode, by SG_IO and write(2)
# minutes: 3
# filter_sg: /dev/sgN is filtered however it is open, by SG_IO and by write(2) with both of the driver's headers. What is
# refused does not reach the device, and is answered by CHECK CONDITION where an error of the call is too late. Off, which
# is the default, all is as the kernel has it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load
debug_add 0
a=$hctl sg=${sg_of[$hctl]}
debug_add 0
b=$hctl sg_b=${sg_of[$hctl]}
debug_add 6
s=$hctl sg_s=${sg_of[$hctl]}
tur=000000000000 inquiry=120000000000 sense=030000000000
# Nothing that scsi_debug has: it says so (05/20/00) where it is reached.
vendor=c00000000000 unknown=sense\ 05/20/00 denied=sense\ 05/20/02
ways="rw:ioctl rw:v3 rw:old"
# all NAME SG CDB WANT: by all that sg asks nobody about
all() {
	local way
	for way in $ways; do
		is "$1: ${way/:/ }" "$(sgnode "$2" "${way%:*}" "${way#*:}" "$3")" "$4"
	done
}
state() { sed -n 's/^blk_execute_rq_nowait //p' $sysfs/entry_points; }
count() { sed -n "s/^$2 //p" "$(dev "$1")/stats"; }

must_load
is "off by default" "$(cat "$(dev "$a")/filter_sg" $sysfs/filter_sg | xargs) $(state)" "0 0 idle"
all "off" "$sg" $vendor "$unknown"

# --- one device ----------------------------------------------------------------

echo 1 >"$(dev "$a")/filter_sg"
is "on for one" "$(cat "$(dev "$a")/filter_sg" "$(dev "$b")/filter_sg" $sysfs/filter_sg | xargs) $(state)" "1 0 0 armed"
before=$(count "$a" refused)
all "refused" "$sg" $vendor "$denied"
is "... each is counted" $(($(count "$a" refused) - before)) 3
# Open for writing only: its answer cannot be read.
for header in v3 old; do
	before=$(count "$a" refused)
	is "refused: w $header" "$(sgnode "$sg" w $header $vendor) $(($(count "$a" refused) - before))" "read: EBADF 1"
done
before=$(count "$a" allowed)
all "allowed" "$sg" $tur good
is "... each is counted" $(($(count "$a" allowed) - before)) 3
all "another device" "$sg_b" $vendor "$unknown"
is "... is not counted" "$(grep -v ' 0$' "$(dev "$b")/stats")" ""
is "a reader gets EPERM, as before" "$(sgnode "$sg" r ioctl $vendor)" "ioctl: EPERM"
before=$(count "$a" allowed)
is "... and is counted once" "$(sgnode "$sg" r ioctl $tur) $(($(count "$a" allowed) - before))" "good 1"
put "$(dev "$a")/rules" "allow w c0" "deny 12"
all "a writer's rule" "$sg" $vendor "$unknown"
is "... is not for readers" "$(sgnode "$sg" r ioctl $vendor)" "ioctl: EPERM"
all "a rule that denies" "$sg" $inquiry "$denied"
like "... is counted" "$(tail -n 1 "$(dev "$a")/hits")" "* 3 deny 12"
echo 1 >"$(dev "$a")/complain"
is "complain lets it through" "$(sgnode "$sg" rw v3 $sense) $(sgnode "$sg" rw ioctl $inquiry)" "good good"
is "... and counts" "$(count "$a" complained)" 1
log_mark
is "... of a reader too, which sg asks about as well" "$(sgnode "$sg" r ioctl $vendor) $(count "$a" complained)" "$unknown 2"
is "... and is told once" "$(log_grep -c "$a: complain: c0")" 1
echo 0 >"$(dev "$a")/complain"
echo 1 >"$(dev "$a")/unpriv_sgio"
all "unpriv_sgio lets all through" "$sg" $vendor "$unknown"
echo 0 >"$(dev "$a")/unpriv_sgio"
echo >"$(dev "$a")/rules"
is "root is not filtered" "$(sg_raw "$sg" c0 0 0 0 0 0 2>&1 | grep -c 'Invalid command operation code')" 1
before=$(count "$a" privileged)
sg_raw -R "$sg" c0 0 0 0 0 0 >/dev/null 2>&1
is "... nor as a reader, and is counted once" $(($(count "$a" privileged) - before)) 1
trace=/sys/kernel/tracing
mountpoint -q $trace || mount -t tracefs none $trace || die "no tracefs"
echo 1 >$trace/events/sgio_filter/decision/enable
sgnode "$sg" w v3 $vendor >/dev/null
sgnode "$sg" rw ioctl $tur >/dev/null
echo 0 >$trace/events/sgio_filter/decision/enable
like "the tracepoint tells of a refusal" "$(grep "dev=$a .*cdb=c0" $trace/trace)" "*outcome=refused decision=no_rule*open=w*"
like "... and of what is allowed" "$(grep "dev=$a .*cdb=00" $trace/trace)" "*outcome=allowed decision=allowed*open=w*"

# What is refused tells of no other command: one of another sender ends with the number of a block in its sense data, in the
# place in memory that a later request has.
echo 2 >/sys/bus/pseudo/drivers/scsi_debug/opts
told=$(for _ in {1..20}; do sg_raw "$sg" 28 0 0 0 0x12 0x34 0 0 1 0 2>&1; done | grep -c 'Info fld=0x1234')
is "another sender's error tells a block" "$told" 20
echo 0 >/sys/bus/pseudo/drivers/scsi_debug/opts
is "... a refusal behind it does not" "$(for _ in {1..40}; do sgnode "$sg" rw ioctl $vendor; done | sort | uniq -c | xargs)" "40 $denied"

# A refused command leaves nothing behind: of the 16 that one open file may have under way, none is lost.
is "many refusals" "$(for _ in {1..40}; do sgnode "$sg" rw v3 $vendor; done | sort | uniq -c | xargs)" "40 $denied"
check "the data of a refused command are not touched" \
	test "$(sg_raw -r 16 "$sg" 12 0 0 0 16 0 2>&1 | grep -c 'SCSI Status: Good')" -eq 1

# --- scanners, which sg never asks about ----------------------------------------

is "a scanner, read-only: as the kernel" "$(sgnode "$sg_s" r ioctl $vendor)" "$unknown"
put /dev/sgio_filter "device $s" "filter_sg 1"
is "a transaction sets it" "$(cat "$(dev "$s")/filter_sg")" 1
is "a scanner, filtered: read-only" "$(sgnode "$sg_s" r ioctl $vendor)" "$denied"
all "a scanner, filtered" "$sg_s" $vendor "$denied"
is "... allowed" "$(sgnode "$sg_s" r ioctl $inquiry)" good
echo "allow w c0" >"$(dev "$s")/rules"
is "... a writer's rule is not for a reader" "$(sgnode "$sg_s" r ioctl $vendor) $(sgnode "$sg_s" rw ioctl $vendor)" "$denied $unknown"
echo >"$(dev "$s")/rules"

# --- all devices ------------------------------------------------------------------

echo 0 >"$(dev "$a")/filter_sg"
all "off again" "$sg" $vendor "$unknown"
echo 1 >$sysfs/filter_sg
all "on for all" "$sg_b" $vendor "$denied"
all "... this one too" "$sg" $vendor "$denied"
debug_add 0
is "... and what comes later" "$(sgnode "${sg_of[$hctl]}" rw v3 $vendor)" "$denied"
for text in 2 "" on; do
	printf '%s\n' "$text" 2>"$tmp/err" >$sysfs/filter_sg
	is "'$text' is refused" "$(grep -o 'Invalid argument' "$tmp/err")" "Invalid argument"
done

# --- under traffic ------------------------------------------------------------------

for how in ioctl v3 old ioctl; do
	traffic=$((${traffic-0} + 1))
	(while [ ! -e "$tmp/stop" ]; do sgnode "$sg" rw $how $vendor; done | sort | uniq -c >"$tmp/traffic.$traffic") &
done
wrong=0
for i in {1..10}; do
	unload || wrong=$((wrong + 1))
	must_load >/dev/null
	echo 1 >$sysfs/filter_sg || wrong=$((wrong + 1))
done
touch "$tmp/stop"
wait
is "it comes and goes under traffic" $wrong 0
is "... and every command has one of two answers" "$(cat "$tmp"/traffic.* | grep -vcE "sense 05/20/0[02]$")" 0
check "... both" test "$(cat "$tmp"/traffic.* | grep -oE "05/20/0[02]" | sort -u | wc -l)" -eq 2

# --- the driver goes and comes ------------------------------------------------------

if grep -q '^sg ' /proc/modules; then
	check "sg goes" rmmod sg
	is "... the hook too" "$(state)" idle
	check "sg comes" modprobe sg
	wait_for node sg_of "$a" scsi_generic
	chmod 666 "${sg_of[$a]}"
	is "... and is filtered from its first command" "$(state) $(sgnode "${sg_of[$a]}" rw v3 $vendor)" "armed $denied"

	# A driver that does not end its requests by the function which the filter knows them by.
	xz -dc "$(modinfo -n sg)" 2>/dev/null >"$tmp/sg.ko" || cp "$(modinfo -n sg)" "$tmp/sg.ko"
	sed -i 's/sg_rq_end_io/sg_rq_end_xx/g' "$tmp/sg.ko"
	# Without the signature, which is behind the ELF file.
	objcopy "$tmp/sg.ko"
	check "another sg comes" bash -c "rmmod sg && insmod $tmp/sg.ko"
	wait_for node sg_of "$a" scsi_generic
	chmod 666 "${sg_of[$a]}"
	is "... is not hooked, which can be seen" "$(state)" "failed 95"
	is "... its readers are judged nevertheless" \
		"$(sgnode "${sg_of[$a]}" r ioctl $tur) $(sgnode "${sg_of[$a]}" r ioctl $vendor)" "good ioctl: EPERM"
	is "filter_sg is not accepted" "$(echo 1 2>&1 >"$(dev "$b")/filter_sg" | grep -o 'not supported')" "not supported"
	rmmod sg && modprobe sg && wait_for node sg_of "$a" scsi_generic && chmod 666 "${sg_of[$a]}"
	is "sg itself is hooked again" "$(state) $(sgnode "${sg_of[$a]}" rw v3 $vendor)" "armed $denied"
fi
check "the module unloads" unload
is "without it: all as the kernel has it" "$(sgnode "${sg_of[$a]}" rw v3 $vendor)" "$unknown"
finish
