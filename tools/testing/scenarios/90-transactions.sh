#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: `/dev/sgio_filter`: transactions over several devices and classes, made as a whole or not at all
# minutes: 2
# /dev/sgio_filter: transactions over several devices and classes, of which nothing
# is left when one part of them is wrong; ids; and decisions during a transaction.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

node=/dev/sgio_filter
debug_load
debug_add 0
a=$hctl
debug_add 0
b=$hctl
debug_add 1
tape=$hctl
must_load
check "the node is there" wait_for test -c $node
is "... for root alone" "$(stat -c '%a %u:%g' $node)" "600 0:0"

# state: all that a transaction can change, into $state
state() {
	local file text
	state=
	for file in /sys/bus/scsi/devices/*/sgio_filter/{unpriv_sgio,complain,rules} \
		"$sysfs"/classes/*/{rules,table}; do
		slurp text "$file"
		state+="$file: $text"
	done
}
# transact LINE...: one write(2), and what became of it
transact() { printf '%s\n' "$@" | knob $node 2>&1; }

like "one for all" "$(transact "# comment" "" \
	"device $a id=$(<"$(dev "$a")/id")" "unpriv_sgio 0" "complain 1" rules "allow r 5e" "allow w 5f [1]&1f=00" \
	"" "device $b" "unpriv_sgio 1" "device $tape" rules "deny 12" \
	"class changer" "table stock" "class disk" rules "+deny 00")" "ok *"
is "a's rules" "$(cat "$(dev "$a")/rules")" "allow r 5e
allow w 5f [1]&1f=00"
is "a's switches" "$(cat "$(dev "$a")"/{unpriv_sgio,complain} | xargs)" "0 1"
is "b's switches" "$(cat "$(dev "$b")"/{unpriv_sgio,complain} | xargs)" "1 0"
is "b's rules stay" "$(cat "$(dev "$b")/rules")" ""
is "the tape's rules" "$(cat "$(dev "$tape")/rules")" "deny 12"
is "the tables" "$(cat "$sysfs"/classes/{changer,disk,tape}/table | xargs)" "stock custom strict"
is "the disks' rules are edited" "$(head -n 1 "$sysfs/classes/disk/rules")" "deny 00"
echo 0 >"$(dev "$a")/complain"
allowed "in force: a rule of a" --read "bsg:/dev/bsg/$a" 5e00000000000000fc00
refused "in force: the class" --write "bsg:/dev/bsg/$a" 000000000000
allowed "in force: unpriv_sgio of b" --read "bsg:/dev/bsg/$b" 000000000000
refused "in force: the tape" --write "bsg:/dev/bsg/$tape" 120000002400

is "rules without a rule: a reset" "$(transact "device $a" rules)" "ok $((7 + ${#a} + 1 + 6))"
is "... of a device" "$(cat "$(dev "$a")/rules")" ""
transact "class disk" rules "class changer" rules >/dev/null
is "... of classes" "$(cat "$sysfs"/classes/{changer,disk}/table | xargs)" "strict strict"
is "an edit takes away" "$(transact "device $tape" rules "-deny 12" "+allow r 5e" "+deny 5e [1]=01" >/dev/null
	cat "$(dev "$tape")/rules")" "deny 5e [1]=01
allow r 5e"
is "nothing, in words" "$(transact "# nothing" "")" "ok 11"
is "nothing" "$(knob $node </dev/null)" "ok 0"

# One part wrong: the errno, and nothing has changed anywhere.
state
before=$state
# bad NAME ERRNO LINE...
bad() {
	local name=$1 want=$2 got
	shift 2
	got=$(transact "$@")
	state
	if [ "$got" = "$want" ] && [ "$state" = "$before" ]; then
		ok "$name: $want"
	else
		not_ok "$name" "got $got, want $want" "$(diff <(echo "$before") <(echo "$state"))"
		before=$state
	fi
}
good=("device $a" "unpriv_sgio 1" "complain 1" rules "allow r 89" "class tape" "table stock")
bad "no such device, at the end" ENODEV "${good[@]}" "device 99:0:0:0" rules
bad "no such LUN" ENODEV "device ${b%:*}:77" rules "${good[@]}"
bad "no device, but a host" ENODEV "${good[@]}" "device ${b%:*}:1" "unpriv_sgio 1"
bad "another id" ESTALE "${good[@]}" "device $b id=4711" rules
bad "a device twice" EINVAL "${good[@]}" "device $a" "complain 0"
bad "a class twice" EINVAL "${good[@]}" "class tape" rules
bad "no such rule" ENOENT "${good[@]}" "device $b" rules "-allow r 77"
bad "a bad rule" EINVAL "${good[@]}" "device $b" rules "allow r 12" "allow r 1"
bad "no section" EINVAL "allow r 12" "${good[@]}"
bad "an empty section" EINVAL "${good[@]}" "device $b"
bad "a bad switch" EINVAL "${good[@]}" "device $b" "unpriv_sgio yes"
bad "no such class" EINVAL "${good[@]}" "class floppy" rules
bad "too many rules" ENOSPC "${good[@]}" "device $b" rules \
	"$(for _ in {0..255}; do for n in {0..9} {a..f}; do echo "deny 1$n"; done; done)" "deny 22"
bad "too many lines that edit" ENOSPC "${good[@]}" "device $b" rules \
	"$(for _ in {0..127}; do for n in {0..9} {a..f}; do echo "+deny 1$n"; echo "-deny 1$n"; done; done)" "+deny 22"
bad "a NUL byte" EINVAL "${good[@]}" "device $b" rules "$(printf 'allow r 12 #\001')"
got=$(head -c $((16 * 1024 * 1024 + 1)) /dev/zero | knob $node 2>&1)
is "more than 16 MiB" "$got" E2BIG
is "16 MiB of newlines" "$(head -c $((16 * 1024 * 1024)) /dev/zero | tr '\0' '\n' | knob $node)" "ok 16777216"
# Of so many mistakes in a few seconds not each is told.
sleep 6
log_mark
transact "${good[@]}" "device $b" rules "allow r 12" "allow r 1" >/dev/null
like "the log says where" "$(log_grep "sgio_filter: transaction")" "*line 11*column 9*"
is "without CAP_SYS_RAWIO" "$(knob --no-rawio $node </dev/null)" EPERM
is "opened without it" "$(echo "device $a" | knob --rawio-later $node)" EPERM
is "written without it" "$(printf '%s\n' "${good[@]}" | knob --no-rawio-later $node)" EPERM
is "by nobody" "$(as_nobody knob $node </dev/null 2>&1)" EACCES
state
is "nothing has changed anywhere" "$state" "$before"
check "a module in use stays" bash -c '! rmmod sgio_filter 2>/dev/null' 5<>$node

# Ids.
is "ids differ" "$(sort -u /sys/bus/scsi/devices/*/sgio_filter/id | wc -l)" "$(scsi_devices | wc -l)"
old=$(<"$(dev "$tape")/id")
echo 1 >"/sys/bus/scsi/devices/$tape/delete"
check "the tape is gone" wait_for test ! -e "/sys/bus/scsi/devices/$tape"
echo "${tape#*:}" | tr : ' ' >"/sys/class/scsi_host/host${tape%%:*}/scan"
check "the tape is back" wait_for test -e "$(dev "$tape")/id"
is "it is not the one that was meant" "$(transact "device $tape id=$old" "unpriv_sgio 1")" ESTALE
is "... and has the defaults" "$(cat "$(dev "$tape")"/{unpriv_sgio,rules} | xargs)" 0

# Large, and many.
{
	echo "device $a"
	echo rules
	for ((i = 0; i < 4096; i++)); do printf 'deny %02x [1]=00-%02x\n' $((i % 256)) $((i / 16)); done
} >"$tmp/large"
like "4096 rules in one write" "$(knob $node <"$tmp/large")" "ok *"
refused "the last of them is in force" --write "bsg:/dev/bsg/$a" fff00000000000000000000000000000
transact "device $a" rules >/dev/null

# Two states that both refuse 5f, by the device or by the class. A decision on a
# mixture of them would allow it.
{
	echo "device $a"
	printf '%s\n' rules "deny 5f" "class disk" rules "allow w 5f" "allow r 00,03,12"
} >"$tmp/one"
{
	echo "device $a"
	printf '%s\n' rules "class disk" rules "deny 5f" "allow r 00,03,12"
} >"$tmp/other"
knob $node <"$tmp/one" >/dev/null
sgsend --as-nobody --hammer-opcode 5f "bsg:/dev/bsg/$a" "bsg-uring:/dev/bsg/$a" \
	"sg_io:${disk_of[$a]}" >"$tmp/mixed" 2>&1 &
hammer=$!
swaps=0
for _ in {1..150}; do
	knob $node <"$tmp/other" >/dev/null && knob $node <"$tmp/one" >/dev/null && swaps=$((swaps + 2))
done
kill $hammer
wait $hammer
is "no decision on a part of one" "exit status $?, $(grep -c ', 0 allowed' "$tmp/mixed")" "exit status 0, 3"
is "transactions under traffic" "$swaps" 300
sed 's/^/# /' "$tmp/mixed"
check "the module unloads" unload
absent "the node is gone" $node
nothing_left "unloaded"
finish
