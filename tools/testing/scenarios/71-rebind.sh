#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: a disk that is kept open while sd is unbound and bound again
# A disk that is kept open while sd is unbound and bound again: the release of the
# old gendisk clears the queue's pointer to the new one. The new one's knob must
# go with the module all the same, or the next read of it runs into freed code.
# With block cgroups 7.3.4 itself does not survive this, with or without the module:
# add_disk() waits for the old disk to end, then follows the cleared pointer
# (elevator_change_done()). There, the disk is bound again when nobody holds it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load
debug_add 0
b=$hctl
must_load
use_device "$b"
check "the disk has the knob" wait_for test -w "$(queue "$b")/unpriv_sgio"
old=${disk_of[$b]}

exec 5<"$old"
echo "$b" >/sys/bus/scsi/drivers/sd/unbind
absent "unbound, and kept open: no disk, no knob" "/sys/bus/scsi/devices/$b/block/*"
if grep -qw blkcg_init_disk /proc/kallsyms; then
	exec 5<&-
	skip "bound again with the old disk open" "the kernel cannot, see above"
fi
check "bound again" tee /sys/bus/scsi/drivers/sd/bind <<<"$b"
exec 5<&-
use_device "$b"
new=$(queue "$b")/unpriv_sgio
check "the new disk has the knob" wait_for test -w "$new"
echo 1 >"$new"
is "... of the same device" "$(cat "$(dev "$b")/unpriv_sgio")" 1

check "the module unloads" unload
nothing_left "unloaded"
# The queue may have lost its disk (see above), so that only a new one gets a knob.
echo "$b" >/sys/bus/scsi/drivers/sd/unbind
echo "$b" >/sys/bus/scsi/drivers/sd/bind
use_device "$b"
new=$(queue "$b")/unpriv_sgio
check "... and loads" load
check "a disk that nobody held has the knob" wait_for test -w "$new"
is "... which works" "$(cat "$new")" 0
check "the module unloads again" unload
nothing_left "unloaded again"
finish
