#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: `/dev/sgN` that is not open read-write: which device the ioctl is for, under load, with changing descriptors, and when sg is loaded later
# minutes: 1
# /dev/sgN that is not open for both: the device is known by the ioctl that
# the task is in, also when more tasks are in one at a time than any table would hold, when descriptors
# change, and when the driver is loaded later.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load
debug_add 0
a=$hctl
debug_add 0
b=$hctl
# READ KEYS: nothing that scsi_debug has. The filter allows it on b alone.
keys=5e00000000000000fc00

must_load
echo "allow r 5e" >"$(dev "$b")/rules"
is "refused on a" "$(nobody --probe --read "sg:${sg_of[$a]}" $keys)" "refused: EPERM"
is "allowed on b" "$(nobody --probe --read "sg:${sg_of[$b]}" $keys)" "allowed: nothing executed"

# Both at once, by many tasks: a verdict of the one's device for the other would
# be counted as wrong.
sgsend --as-nobody --hammer-opcode 5e "sg/ro:${sg_of[$a]}" "sg/ro:${sg_of[$a]}" \
	"sg/ro:${sg_of[$a]}" "sg/ro:${sg_of[$a]}" >"$tmp/a" 2>&1 &
one=$!
sgsend --as-nobody --hammer-opcode 5e "sg/ro:${sg_of[$b]}" "sg/ro:${sg_of[$b]}" \
	"sg/ro:${sg_of[$b]}" "sg/ro:${sg_of[$b]}" >"$tmp/b" 2>&1 &
two=$!
nap 5
# Each of them has to have sent.
is_debians || nap 25
kill $one $two
wait $one $two
sed 's/^/# /' "$tmp/a" "$tmp/b"
is "tasks on a are all refused" "$(grep -c ' 0 allowed' "$tmp/a")" 4
is "tasks on b are all allowed" "$(grep -cE ': ([1-9][0-9]*) sent, \1 allowed' "$tmp/b")" 4

# The descriptor of an ioctl is another file's before the driver has read its header,
# which is on a disk that takes its time.
echo "deny 12" >"$(dev "$a")/rules"
is "INQUIRY is refused on a" "$(nobody --probe --read "sg:${sg_of[$a]}" 120000000000)" "refused: EPERM"
slow() {
	wait_for eval "echo $1 >$debug/ndelay"
}
slow 500000000
is "the descriptor changes: an ioctl is for the device that it began on" \
	"$(bypass descriptors "${sg_of[$a]}" "${sg_of[$b]}" "${disk_of[$b]}")" \
	"begun on a: refused, begun on b: allowed, b's data"
# As many ioctls at a time as anybody can start hurt nobody else: each is decided by the rules of its device. Fewer, and slower
# ones, on kernels that check more, where so many tasks leave no time to the rest.
tasks=100
slow 900000000
if is_debians; then
	tasks=1500
	slow 300000000
fi
ulimit -n 4096
mkfifo "$tmp/hold"
as_nobody sgfill "${sg_of[$a]}" $tasks >"$tmp/filled" 2>&1 <"$tmp/hold" &
filler=$!
exec 9>"$tmp/hold"
echo "-deny 12" >"$(dev "$a")/rules"
check "$tasks ioctls of one device are under way" wait_for grep -q "$tasks under way" "$tmp/filled"
echo "deny 42,48" >"$(dev "$b")/rules"
before=$(sed -n 's/^refused //p' "$(dev "$b")/stats")
refused "SANITIZE is denied on b" --read "sg:${sg_of[$b]}" 48030000000000000000
refused "UNMAP is denied on b" --read "sg:${sg_of[$b]}" 42000000000000001800
is "... which is counted there" "$(sed -n 's/^refused //p' "$(dev "$b")/stats")" $((before + 2))
echo "allow r 5e" >"$(dev "$b")/rules"
allowed "what b's rules allow is allowed" --read "sg:${sg_of[$b]}" $keys
is "no command was without a device" "$(grep -v ' 0$' $sysfs/stats)" ""
exec 9>&-
wait $filler
slow 0
wait_for eval "echo 0 >$debug/delay"

check "the module unloads" unload
is "without it: stock" "$(nobody --probe --read "sg:${sg_of[$b]}" $keys)" "refused: EPERM"

# The driver, where it is a module, comes later or comes back.
if grep -q '^sg ' /proc/modules; then
	rmmod sg
	must_load
	check "sg is loaded behind the filter" modprobe sg
	for d in "$a" "$b"; do
		wait_for node sg_of "$d" scsi_generic
		chmod 666 "${sg_of[$d]}"
	done
	echo "allow r 5e" >"$(dev "$b")/rules"
	is "refused on a" "$(nobody --probe --read "sg:${sg_of[$a]}" $keys)" "refused: EPERM"
	is "allowed on b" "$(nobody --probe --read "sg:${sg_of[$b]}" $keys)" "allowed: nothing executed"
	check "sg can be unloaded" rmmod sg
	check "... and loaded again" modprobe sg
	for d in "$a" "$b"; do
		wait_for node sg_of "$d" scsi_generic
		chmod 666 "${sg_of[$d]}"
	done
	is "allowed on b" "$(nobody --probe --read "sg:${sg_of[$b]}" $keys)" "allowed: nothing executed"
	check "the module unloads" unload
else
	skip "sg is loaded behind the filter" "it is part of this kernel"
fi
finish
