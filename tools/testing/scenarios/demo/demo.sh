#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The main job on an unmodified kernel, in a VM: each step is the command, what
# it printed and one line of explanation. Ends with 1 as soon as something is not
# as told.
# shellcheck disable=SC2154 # lib.sh and lio.sh set hctl, disk_of
set -u
here=$(dirname "$(readlink -f "$0")")
log=$(mktemp)

# --- the stage: two LIO disks of a machine, writable by everybody ---------------
{
	# shellcheck source-path=SCRIPTDIR source=../lib.sh
	. "$here/../lib.sh"
	# shellcheck source-path=SCRIPTDIR source=../lio.sh
	. "$here/lio.sh" # lib.sh has set it to its own place
	trap - EXIT
	mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup || die "no cgroups of version 2"
	lio_load
	lio_backstore one
	lio_disk one 1
	disk=${disk_of[$hctl]}
	name=$(basename "$disk")
	export disk name hctl
} >"$log" 2>&1 || { cat "$log"; exit 1; }

bold='' dim='' plain=''
[ -z "${COLOR-}" ] || bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'

title() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }

# step WHO COMMAND STATUS GLOB EXPLANATION
step() {
	local who=$1 command=$2 want=$3 glob=$4 why=$5 out status sign='$'

	[ "$who" = nobody ] || sign='#'
	printf '\n%s%s%s %s%s\n' "$dim$who" "$sign" "$plain$bold" "$command" "$plain"
	if [ "$who" = nobody ]; then
		out=$(as_nobody bash -c "$command" 2>&1)
	else
		out=$(cd "$(dirname "$SGIO_KO")" && bash -c "$command" 2>&1)
	fi
	status=$?
	[ -z "$out" ] || echo "    ${out//$'\n'/$'\n'    }"
	# shellcheck disable=SC2053
	if [ "$status" -ne "$want" ] || [[ $out != $glob ]]; then
		printf '\ndemo: not as told: status %s, want %s and %s\n' "$status" "$want" "$glob" >&2
		exit 1
	fi
	printf '  -> %s\n' "$why"
}

title "The kernel: $(uname -r), unmodified. The disk: $disk, and nobody may read and write it."
step nobody "ls -l $disk" 0 "brw-rw-rw-*" "The file permissions are there."

title "1. Without the module: too tight ..."
step nobody "sg_persist --in --read-keys $disk" 51 "*Operation not permitted*" \
	"The kernel's one list does not know PERSISTENT RESERVE: refused, on every device."
title "   ... and too loose."
step nobody "sg_raw --readonly $disk 48 03 00 00 00 00 00 00 00 00" 9 "*Illegal Request*" \
	"SANITIZE, which erases a whole drive, has reached the disk from a READ-ONLY open: opcode 48 is PLAY AUDIO on a CD. Only this disk's target does not know the command."

title "2. The module."
step root "insmod sgio_filter.ko && cat /sys/bus/scsi/devices/$hctl/sgio_filter/class" 0 disk \
	"Every SCSI device now has its own filter, with the defaults of its class."
step nobody "sg_raw --readonly $disk 48 03 00 00 00 00 00 00 00 00" 51 "*Operation not permitted*" \
	"The hole is closed: SANITIZE no longer leaves the kernel."
step nobody "sg_unmap --lba=0 --num=8 --force $disk" 0 "*" \
	"What guests send in normal life still passes (UNMAP from a read-write open)."

title "3. The tool: why, and just that."
step root "sgioctl check $disk persistent-reserve-in:read-keys" 1 \
	"*no rule of class disk matches*to allow it: sgioctl allow *" \
	"What is refused, why, and what would allow it."
step root "sgioctl allow $disk --read persistent-reserve-in:read-keys" 0 "*+ allow r 5e *" \
	"One service action of one command, on one disk."
step nobody "sg_persist --in --read-keys $disk" 0 "*" \
	"Read the keys: allowed. There are none yet."
step nobody "sg_persist --out --register --param-sark=abc $disk" 51 "*Operation not permitted*" \
	"Register a key: still refused. Nothing else was granted."
step root "sgioctl reset $disk" 0 "*- allow r 5e *" "And the defaults again."

title "4. The knob: everything on one disk, for each process that can open it."
step nobody "sg_persist --in --read-keys $disk" 51 "*Operation not permitted*" \
	"PERSISTENT RESERVE is not a default."
step root "echo 1 > /sys/block/$name/queue/unpriv_sgio" 0 "" \
	"The name and the place of RHEL 6 to 8."
step nobody "sg_persist --out --register --param-sark=abc $disk" 0 "*" \
	"Register a key: allowed."
step nobody "sg_persist --in --read-keys $disk" 0 "*0xabc*" \
	"Read it back: allowed."
step root "echo 0 > /sys/block/$name/queue/unpriv_sgio" 0 "" "And off again."

title "5. A rule: just these two opcodes."
rules=/sys/bus/scsi/devices/$hctl/sgio_filter/rules
step root "echo 'allow w 5e,5f' > $rules && cat $rules" 0 "allow w 5e-5f" \
	"PERSISTENT RESERVE IN and OUT, from a read-write open."
step nobody "sg_persist --out --reserve --param-rk=abc --prout-type=5 $disk" 0 "*" \
	"Reserve the disk: allowed."
step nobody "sg_persist --in --read-reservation $disk" 0 "*Write Exclusive, registrants only*" \
	"It is reserved."
step nobody "sg_compare_and_write --in=/dev/zero --lba=0 --num=1 --xferlen=1024 $disk" 51 \
	"*Operation not permitted*" "COMPARE AND WRITE stays refused: the rule is narrow."

title "6. A grant: for one program, a service or a virtual machine, and it ends with that."
step root "sgioctl reset $disk" 0 "*- allow w 5e-5f*" "A rule is for everybody who can open the disk. No more of it."
granted="sgioctl run --grant $name=disk-guest-reservations --user nobody --"
step root "$granted sg_persist --in --read-reservation $disk" 0 "*Write Exclusive, registrants only*" \
	"The same commands for one program, in a cgroup of its own: allowed."
step root "$granted sleep 600 >/dev/null 2>&1 & sleep 2; sgioctl grants" 0 "*sgioctl-run-*allow r 5e*" \
	"Who holds what. It is still running ..."
step nobody "sg_persist --in --read-keys $disk" 51 "*Operation not permitted*" \
	"... and nobody else has it, be it the same user."
step root "pkill -KILL -x sleep; sleep 1; sgioctl grants" 0 "*no grants*" \
	"It was killed, and with its last process the grant has gone. Nobody had to take it back."

title "7. Gone without a trace."
step root "rmmod sgio_filter && ls /sys/block/$name/queue/unpriv_sgio" 2 "*No such file*" \
	"The kernel is as it was."
step nobody "sg_persist --in --read-keys $disk" 51 "*Operation not permitted*" \
	"Its list decides again."
echo
echo "demo: all as told"
