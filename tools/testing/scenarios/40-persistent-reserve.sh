#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: PERSISTENT RESERVE of an unprivileged user on LIO disks: refused, and opened by `unpriv_sgio`, by opcode, and by service action
# PERSISTENT RESERVE of an unprivileged user on LIO disks: refused; opened by
# unpriv_sgio, by a rule for these two opcodes, and by a rule for some service
# actions; never for another disk.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
# shellcheck source-path=SCRIPTDIR source=lio.sh
. "$here/lio.sh"

lio_load
lio_backstore one
lio_disk one 1
a=$hctl
disk=${disk_of[$a]}
lio_backstore two
lio_disk two 2
b=$hctl
other=${disk_of[$b]}

# sg3_utils end with 50 + errno when the system call fails.
eperm=51

# persist NAME STATUS OUTPUT-GLOB SG_PERSIST-ARGUMENT...
persist() {
	local name=$1 status=$2 glob=$3 out
	shift 3
	out=$(as_nobody sg_persist "$@" 2>&1)
	like "$name" "exit status $?: $out" "exit status $status: $glob"
}
register="--out --register --param-sark=abc"
reserve="--out --reserve --param-rk=abc --prout-type=5"
release="--out --release --param-rk=abc --prout-type=5"
# COMPARE AND WRITE of one block by one of zeros.
compare_and_write() {
	as_nobody sg_compare_and_write --in=/dev/zero --lba=0 --num=1 --xferlen=1024 "$1" 2>&1
}

must_load
knob=$(queue "$a")/unpriv_sgio
is "unpriv_sgio is off" "$(cat "$knob")" 0
persist "READ KEYS is refused" $eperm "*not permitted*" --in --read-keys "$disk"
# shellcheck disable=SC2086
persist "REGISTER is refused" $eperm "*not permitted*" $register "$disk"

echo 1 >"$knob"
is "echo 1 > $knob: the device's file says so too" "$(cat "$(dev "$a")/unpriv_sgio")" 1
# shellcheck disable=SC2086
{
	persist "REGISTER is allowed" 0 "*" $register "$disk"
	persist "READ KEYS shows the key" 0 "*0xabc*" --in --read-keys "$disk"
	persist "RESERVE is allowed" 0 "*" $reserve "$disk"
	persist "READ RESERVATION shows it" 0 "*Write Exclusive, registrants only*" \
		--in --read-reservation "$disk"
	persist "RELEASE is allowed" 0 "*" $release "$disk"
}
out=$(compare_and_write "$disk")
is "COMPARE AND WRITE is allowed ($out)" $? 0
persist "the other disk: READ KEYS is refused" $eperm "*not permitted*" --in --read-keys "$other"

echo 0 >"$knob"
persist "after echo 0 READ KEYS is refused" $eperm "*not permitted*" --in --read-keys "$disk"

rules=$(dev "$a")/rules
echo "allow w 5e,5f" >"$rules"
is "a rule for 5e and 5f" "$(cat "$rules")" "allow w 5e-5f"
# shellcheck disable=SC2086
{
	persist "READ KEYS is allowed" 0 "*0xabc*" --in --read-keys "$disk"
	persist "RESERVE is allowed" 0 "*" $reserve "$disk"
	persist "RELEASE is allowed" 0 "*" $release "$disk"
}
compare_and_write "$disk" >/dev/null
is "COMPARE AND WRITE stays refused" $? $eperm
refused "READ KEYS from a read-only open stays refused" --read "sg_io:$disk" 5e00000000000000fc00
persist "the other disk: READ KEYS is refused" $eperm "*not permitted*" --in --read-keys "$other"

# READ KEYS, READ RESERVATION; REGISTER: byte 1 bits 4:0.
put "$rules" "allow r 5e [1]&1f=00-01" "allow w 5f [1]&1f=00"
refused "by service action: REPORT CAPABILITIES is refused" --read "sg_io:$disk" 5e02000000000000fc00
allowed "by service action: READ RESERVATION is allowed" --read "sg_io:$disk" 5e01000000000000fc00
allowed "... with other bits of byte 1 set too" --read "bsg:/dev/bsg/$a" 5e81000000000000fc00
# shellcheck disable=SC2086
{
	persist "REGISTER is allowed" 0 "*" --out --register --param-rk=abc --param-sark=def "$disk"
	persist "READ KEYS shows the key" 0 "*0xdef*" --in --read-keys "$disk"
	persist "RESERVE is refused" $eperm "*not permitted*" $reserve "$disk"
}
persist "CLEAR is refused" $eperm "*not permitted*" --out --clear --param-rk=def "$disk"

echo >"$rules"
persist "without the rules READ KEYS is refused" $eperm "*not permitted*" --in --read-keys "$disk"

# A process with CAP_SYS_RAWIO needs no rule.
out=$(sg_persist --in --read-keys "$other" 2>&1)
is "root: READ KEYS ($out)" $? 0

# Rules of one I_T nexus are not those of another, to the same logical unit.
lio_disk one 3
persist "a second nexus: READ KEYS is refused" $eperm "*not permitted*" --in --read-keys "${disk_of[$hctl]}"
check "the module unloads" unload
persist "without the module READ KEYS is refused" $eperm "*not permitted*" --in --read-keys "$disk"
finish
