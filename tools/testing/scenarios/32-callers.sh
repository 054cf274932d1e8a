#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: all callers of `scsi_cmd_allowed()`: what is allowed is executed, what is refused gets EPERM; which senders need no rule
# minutes: 1
# kernels: test
# All callers of scsi_cmd_allowed(), through every door there is: what the filter
# allows is executed and answered, what it refuses gets EPERM; and who the sender
# must be to need no rule.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load
debug_add 0
disk=$hctl
debug_add 5
cd=$hctl
debug_add 8
changer=$hctl
debug_add 1
tape=$hctl
must_load

doors() {
	local d door
	for d; do
		targets "$d"
		for door in ${disk_of[$d]} ${changer_of[$d]}; do
			echo "send-command32:$door" "cdrom-packet32:$door"
		done
		echo "cdrom-packet:${sg_of[$d]}"
	done
}
inquiry=120000002400
keys=5e000000000000002400

# The vendor of the INQUIRY data, or what went wrong.
vendor() {
	local out
	out=$(nobody --write --in 36 "$1" $inquiry 2>&1)
	if [[ $out == "allowed: status 00"* ]]; then
		sed 1d <<<"$out" | tr -d ' \n' | cut -c 17-26 | sed 's/../\\x&/g' | xargs -0 printf '%b'
	else
		echo "$out"
	fi
}

for door in $(doors "$disk" "$cd" "$changer" "$tape"); do
	is "$door: INQUIRY is executed" "$(vendor "$door")" Linux
	is "$door: READ KEYS is refused" "$(nobody --write "$door" $keys)" "refused: EPERM"
done
for d in "$disk" "$cd" "$changer" "$tape"; do echo "allow r 5e" >"$(dev "$d")/rules"; done
for door in $(doors "$disk" "$cd" "$changer" "$tape"); do
	like "$door: READ KEYS is executed by a rule" "$(nobody --write "$door" $keys)" \
		"allowed: status 02, sense 5/20/00"
done
for d in "$disk" "$cd" "$changer" "$tape"; do echo >"$(dev "$d")/rules"; done
for door in $(doors "$disk" "$cd" "$changer" "$tape"); do
	is "$door: ... and refused without it" "$(nobody --write "$door" $keys)" "refused: EPERM"
done
for d in "$disk" "$cd" "$changer" "$tape"; do echo 1 >"$(dev "$d")/unpriv_sgio"; done
for door in $(doors "$disk" "$cd" "$changer" "$tape"); do
	like "$door: READ KEYS is executed by unpriv_sgio" "$(nobody --write "$door" $keys)" \
		"allowed: status 02, sense 5/20/00"
done

# /dev/sgN that is not open for both asks the filter, which knows the device by
# the ioctl that the task is in.
sg=sg:${sg_of[$disk]}
is "sg read-only: INQUIRY" "$(nobody --probe --read "$sg" $inquiry)" "allowed: nothing executed"
is "sg read-only: READ KEYS by unpriv_sgio" \
	"$(nobody --probe --read "$sg" $keys)" "allowed: nothing executed"
echo 0 >"$(dev "$disk")/unpriv_sgio"
is "sg read-only: READ KEYS without it" "$(nobody --probe --read "$sg" $keys)" "refused: EPERM"
is "sg read-only: another device's unpriv_sgio is another's" \
	"$(nobody --probe --read "sg:${sg_of[$cd]}" $keys)" "allowed: nothing executed"
is "sg read-only: SANITIZE is nothing for a reader" \
	"$(nobody --probe --read "$sg" 48030000000000000000)" "refused: EPERM"
echo "allow r 5e [8]=fc" >"$(dev "$disk")/rules"
is "sg read-only: a rule with a field behind byte 5" "$(nobody --probe --read "$sg" $keys)" \
	"$(nobody --probe --read "bsg:/dev/bsg/$disk" $keys)"
refused=$(sed -n 's/^refused //p' "$(dev "$disk")/stats")
is "sg read-only: ... and another value" "$(nobody --probe --read "$sg" ${keys/fc/fb})" "refused: EPERM"
is "... which is counted on the device" "$(sed -n 's/^refused //p' "$(dev "$disk")/stats")" $((refused + 1))
echo >"$(dev "$disk")/rules"
is "sg read-only: INQUIRY of a 32-bit program" \
	"$(nobody --probe --read "sg32:${sg_of[$disk]}" $inquiry)" "allowed: nothing executed"
is "... READ KEYS" "$(nobody --probe --read "sg32:${sg_of[$disk]}" $keys)" "refused: EPERM"
is "sg read-only: WRITE(10)" "$(nobody --probe --read "$sg" 2a000000000000000000)" "refused: EPERM"
is "sg write-only: WRITE(10)" "$(nobody --probe --write-only "$sg" 2a000000000000000000)" \
	"allowed: nothing executed"
is "sg read-write asks nobody" "$(nobody --probe --write "$sg" ff000000000000000000)" \
	"allowed: nothing executed"
like "sg read-only: INQUIRY is executed" "$(nobody --read --in 36 "$sg" $inquiry)" "allowed: status 00*"
like "... of a 32-bit program" "$(nobody --read --in 36 "sg32:${sg_of[$disk]}" $inquiry)" "allowed: status 00*"

# /dev/stN wants the capability before anybody asks the filter.
st=$(echo "/sys/bus/scsi/devices/$tape/scsi_tape"/nst?)
st=/dev/${st##*/}
chmod 666 "$st"
is "st: INQUIRY needs CAP_SYS_RAWIO" "$(nobody --write "sg_io:$st" $inquiry)" "refused: EPERM"
like "st: root's INQUIRY" "$(sgsend --write --in 36 "sg_io:$st" $inquiry)" "allowed: status 00*"

# Who needs no rule: CAP_SYS_RAWIO in the initial user namespace, nobody else.
echo 0 >"$(dev "$disk")/unpriv_sgio"
for door in $(doors "$disk"); do
	like "$door: root" "$(sgsend --write "$door" $keys)" "allowed: status 02*"
	like "$door: nobody with CAP_SYS_RAWIO" \
		"$(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=+sys_rawio \
			--ambient-caps=+sys_rawio --bounding-set=-all,+sys_rawio \
			sgsend --write "$door" $keys 2>&1)" "allowed: status 02*"
	is "$door: uid 0 without capabilities" \
		"$(setpriv --bounding-set=-all --inh-caps=-all sgsend --write "$door" $keys)" "refused: EPERM"
	if [ -e /proc/self/ns/user ]; then
		is "$door: root of a user namespace" \
			"$(unshare -Ur sgsend --write "$door" $keys)" "refused: EPERM"
	else
		skip "$door: root of a user namespace" "no user namespaces"
	fi
done
finish
