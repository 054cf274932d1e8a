#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: each bypass that was thought of, and its outcome: [security.md](security.md)
# Ways around the filter that an attacker might try; Documentation/security.md says of
# each what is defended, and what is not.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

# Data at an unusable address: what is allowed is not executed either.
# One command at a time on each host: for an opcode that is read twice.
debug_load num_parts=1 max_queue=1
debug_add 0
a=$hctl
disk=${disk_of[$a]}
sg=${sg_of[$a]}
bsg=/dev/bsg/$a
debug_add 8
changer=${changer_of[$hctl]}
rules=$(dev "$a")/rules
must_load

# --- files that change hands ----------------------------------------------------
pass() { is "$1" "$(bypass pass "${@:3}" 2>&1)" "$2"; }
pass "root's file, passed to nobody: nobody is asked" refused root nobody rw "$disk" 5e
pass "... what the class allows passes" allowed root nobody rw "$disk" 12
pass "nobody's file, passed to root: root is asked" allowed nobody root rw "$disk" 5e
pass "a read-only file stays one: WRITE(10)" refused root nobody ro "$disk" 2a
pass "... a write-only file is open for writing" allowed root nobody wo "$disk" 2a
pass "... a file open for both too" allowed root nobody rw "$disk" 2a
pass "a write-only file opens nothing else" refused root nobody wo "$disk" 5e
is "a file opened as root, rights dropped before it sends" "$(bypass drop rw "$disk" 5e)" refused

chmod 666 "$rules"
knob_passed() { is "$1" "$(bypass pass-knob "${@:3}" "$rules" $'allow r 5e\n' 2>&1)" "$2"; }
knob_passed "a knob that nobody opened, written by root" refused nobody root
is "... changes nothing" "$(<"$rules")" ""
knob_passed "a knob that root opened and gave away is written" written root nobody
is "... that was root's will" "$(<"$rules")" "allow r 5e"
echo >"$rules"
chmod 644 "$rules"
is "/dev/sgio_filter that root opened, written by nobody" \
	"$(bypass pass-knob root nobody /dev/sgio_filter "device $a"$'\nunpriv_sgio 1\n')" refused
is "... changes nothing" "$(<"$(dev "$a")/unpriv_sgio")" 0

# --- /dev/sgN ---------------------------------------------------------------------
# No policy allows it.
vendor=ff000000000000000000
for header in v3 old; do
	# It is sent, and the answer cannot be read.
	is "sg write-only: write(2) asks nobody, $header header" "$(sgnode "$sg" w $header $vendor)" "read: EBADF"
	is "... open for both" "$(sgnode "$sg" rw $header $vendor)" "sense 05/20/00"
	is "... read-only: no write(2)" "$(sgnode "$sg" r $header $vendor)" "write: EBADF"
done
is "root's file of sg, passed to nobody: no write(2)" \
	"$(bypass pass-knob root nobody "$sg" "$(printf %64s '')")" refused
refused "sg write-only: SG_IO asks" --write-only "sg:$sg" $vendor
refused "... read-only" --read "sg:$sg" $vendor
allowed "... open for both it does not" --write "sg:$sg" $vendor

# --- namespaces and containers --------------------------------------------------
if [ -e /proc/self/ns/user ]; then
	for door in "sg_io:$disk" "sg_io32:$disk" "cdrom-packet32:$disk" "bsg:$bsg" "bsg-uring:$bsg"; do
		is "root of a user namespace, $door" \
			"$(unshare -Ur sgsend --probe --write "$door" 5e0000000000000000000000)" "refused: EPERM"
	done
	is "root of a user namespace, a knob" \
		"$(unshare -Ur knob "$rules" <<<"allow r 5e" 2>&1)" EPERM
	is "... of a sysfs that it mounted itself" \
		"$(unshare -Urmn sh -c "mount -t sysfs none /mnt && knob /mnt/${rules#/sys/}" <<<"allow r 5e" 2>&1)" \
		EPERM
	is "... /dev/sgio_filter" "$(unshare -Ur knob /dev/sgio_filter <<<"device $a" 2>&1)" EPERM
else
	skip "root of a user namespace" "no user namespaces"
fi
is "a container's read-only sysfs, for its root with all capabilities" \
	"$(unshare -m sh -c "mount -o remount,bind,ro /sys && knob $rules" <<<"allow r 5e" 2>&1)" EROFS
is "... leaves the rules" "$(<"$rules")" ""

# --- other tasks ----------------------------------------------------------------
# Of nobody's own, so that nothing but the capability is between them.
[ ! -e /proc/sys/kernel/yama/ptrace_scope ] || echo 0 >/proc/sys/kernel/yama/ptrace_scope
# trace_one SETPRIV-OPTION...: nobody becomes the tracer of a process of nobody's
trace_one() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@" sleep 1000 &
	wait_for grep -qx sleep "/proc/$!/comm" || echo "no sleep"
	bypass attach $!
	kill $!
}
is "nobody can trace nobody" "$(trace_one --bounding-set=-all --inh-caps=-all)" allowed
is "nobody cannot trace who has the capability, though nobody too" \
	"$(trace_one --inh-caps=+sys_rawio --ambient-caps=+sys_rawio --bounding-set=-all,+sys_rawio)" refused
is "a tracer changes the CDB as the call begins: what the kernel has read is judged" \
	"$(bypass trace "$disk" 5e)" refused
is "... to something allowed" "$(bypass trace "$disk" 00)" allowed
is "io_uring: credentials that root left in a ring are root's; no others help" \
	"$(bypass personality "$bsg" 5e)" "root's allowed, nobody's refused, none refused, another's EINVAL"
is "io_uring with a thread that polls: the credentials are those of who made the ring" \
	"$(bypass sqpoll "$bsg" 5e)" "root's allowed, nobody's refused"
slow() {
	wait_for eval "echo $1 >$debug/ndelay"
}
slow 500000000
is "SCSI_IOCTL_SEND_COMMAND: the second reading of the opcode is judged" "$(bypass twice "$changer" 12 5e)" refused
is "... and sent" "$(bypass twice "$changer" 5e 12)" allowed
slow 0
wait_for eval "echo 0 >$debug/delay"

# --- lengths --------------------------------------------------------------------
echo "allow r 5e [20]=aa" >"$rules"
# behind NAME WANT NODE OPCODE LEN AT VALUE: /dev/sgN is opened so that it asks
behind() {
	local mode=rw
	[[ $3 != /dev/sg* ]] || mode=ro
	is "$1" "$(bypass behind $mode "${@:3}")" "$2"
}
for node in "$disk" "$bsg" "$sg"; do
	behind "$node: a byte inside of the CDB counts" allowed "$node" 5e 32 20 aa
	behind "... behind its end it does not" refused "$node" 5e 20 20 aa
	behind "... nor far behind" refused "$node" 5e 6 20 aa
done
# The length that is cut off to 16 bits is that of what is copied.
behind "bsg: a length of 65542 is one of 6" refused "$bsg" 5e 65542 20 aa
behind "... as one of 65568 is one of 32" allowed "$bsg" 5e 65568 20 aa
# sg copies more than a request can have, and asks before it sees that.
for len in 33 252; do
	behind "sg judges a CDB of $len bytes" refused "$sg" 5e $len 21 aa
	behind "... by its first 32, and then does not take it" EINVAL "$sg" 5e $len 20 aa
done
behind "... nor looks at one of 253" EMSGSIZE "$sg" 5e 253 20 aa
echo "allow r 7f [8]=00 [9]=09" >"$rules"
for node in "$disk" "$bsg"; do
	behind "$node: a CDB of variable length: its service action" refused "$node" 7f 32 9 0b
	behind "... the right one" allowed "$node" 7f 32 9 09
	behind "... cut off in front of it" refused "$node" 7f 9 9 09
	behind "$node: WRITE(10) of 6 bytes is WRITE(10)" allowed "$node" 2a 6 1 00
	behind "... PERSISTENT RESERVE IN of 6 bytes is that" refused "$node" 5e 6 1 00
done
behind "SG_IO takes no CDB of 5 bytes" EMSGSIZE "$disk" 5e 5 1 00
behind "bsg does: PERSISTENT RESERVE IN of 1 byte" refused "$bsg" 5e 1 1 00
behind "... INQUIRY" allowed "$bsg" 12 1 1 00
behind "... and none, which is one of zeros" allowed "$bsg" ff 0 1 00
echo "deny 00" >"$rules"
behind "... and judged as that" refused "$bsg" 12 0 1 00
echo >"$rules"
for len in 33 64 255; do
	behind "SG_IO takes no CDB of $len bytes" EINVAL "$disk" 12 $len 1 00
	behind "... nor does bsg" EINVAL "$bsg" 12 $len 1 00
done
# What is answered without the device is a command like others.
echo own >"$(dev "$a")/report_luns"
is "report_luns own: SG_IO takes no CDB of 5 bytes" \
	"$(nobody --read "sg_io:$disk" a000000000 2>&1)" "error: EMSGSIZE"
echo passthrough >"$(dev "$a")/report_luns"

# --- partitions -----------------------------------------------------------------
if wait_for test -b "${disk}1"; then
	chmod 666 "${disk}1"
	partition() { nobody --probe --write "sg_io:${disk}1" "$@" 2>&1; }
	is "a partition passes nothing: INQUIRY" "$(partition 120000002400)" "error: ENOTTY"
	echo 1 >"$(dev "$a")/unpriv_sgio"
	is "... whatever the disk allows" "$(partition 120000002400)" "error: ENOTTY"
	echo 0 >"$(dev "$a")/unpriv_sgio"
else
	not_ok "the disk has a partition"
fi

# --- other users of the function --------------------------------------------------
tracing=/sys/kernel/tracing
# shellcheck disable=SC2317 # called by check
probe() {
	echo "p:ways_in scsi_cmd_allowed" >>"$tracing/kprobe_events" &&
		echo 1 >"$tracing/events/kprobes/ways_in/enable"
}
# shellcheck disable=SC2317
no_probe() {
	echo 0 >"$tracing/events/kprobes/ways_in/enable" && echo "-:ways_in" >>"$tracing/kprobe_events"
}
if [ -w "$tracing/kprobe_events" ]; then
	check "a kprobe on the function, the module loaded" probe
	refused "... the filter still decides: SANITIZE" --read "sg_io:$disk" 48030000000000000000
	allowed "... both ways" --read "sg_io:$disk" 120000002400
	unload
	allowed "... unloaded: the kernel's own list" --read "sg_io:$disk" 48030000000000000000
	check "... loads beside the kprobe" load
	refused "... and decides" --read "sg_io:$disk" 48030000000000000000
	check "... which goes" no_probe
	refused "... the filter decides" --read "sg_io:$disk" 48030000000000000000
else
	skip "a kprobe on the function" "no kprobe events"
fi
like "ftrace cannot be switched off under it" \
	"$({ echo 0 >/proc/sys/kernel/ftrace_enabled; } 2>&1; nobody --probe --read "sg_io:$disk" 48030000000000000000)" \
	"*refused: EPERM"

# --- lockdown: last, as there is no way back ------------------------------------
mountpoint -q /sys/kernel/security || mount -t securityfs none /sys/kernel/security
lockdown=/sys/kernel/security/lockdown
if [ -w $lockdown ]; then
	unload
	echo integrity >$lockdown
	like "lockdown: the unsigned module is not loaded" "$(load 2>&1)" "*not permitted*"
	allowed "... and the kernel's own list is in force" --read "sg_io:$disk" 48030000000000000000
else
	skip "lockdown: the unsigned module is not loaded" "no lockdown in this kernel"
fi
finish
