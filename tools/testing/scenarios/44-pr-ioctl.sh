#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: persistent reservations by `IOC_PR_*`, on a disk and through dm-multipath
# Persistent reservations by the block layer (IOC_PR_*), on a disk and through dm-multipath: pr_exclusive and an explicit
# deny bind them as they bind the CDB; where no rule says anything, the kernel's own answer stays.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
# shellcheck source-path=SCRIPTDIR source=lio.sh
. "$here/lio.sh"

lio_load
lio_backstore one
# Without it, LIO gives the logical unit no name.
echo 0123456789abcdef >"$core/one/wwn/vpd_unit_serial"
lio_disk one 1
a=$hctl disk=${disk_of[$hctl]}
chmod 666 "$disk"

cgroups=/sys/fs/cgroup
mountpoint -q $cgroups || mount -t cgroup2 none $cgroups || die "no cgroups of version 2"
mkdir -p $cgroups/vm1 $cgroups/vm2

# pr CGROUP DISK OPERATION [KEY [KEY]]: as nobody, there
pr() {
	local cgroup=$1
	shift
	(
		echo $BASHPID >"$cgroups/$cgroup/cgroup.procs" || exit 99
		as_nobody prioctl "$@" 2>&1
	)
}
state() { sed -n 's/^sd_pr //p' $sysfs/entry_points; }
count() { sed -n "s/^$1 //p" "$(dev "$a")/stats"; }
all_out=(register reserve release preempt preempt-abort clear)

# --- without a rule: the kernel's own answer --------------------------------

must_load
is "nothing needs the hook" "$(state)" idle
is "a writer may register, as without the module" "$(pr vm2 "$disk" register bb)" "done"
is "... and reserve" "$(pr vm2 "$disk" reserve bb)" "done"
is "... and clear" "$(pr vm2 "$disk" clear bb)" "done"

# --- pr_exclusive ------------------------------------------------------------

echo 1 >"$(dev "$a")/pr_exclusive"
is "pr_exclusive needs it" "$(state)" armed
is "vm1 registers by the ioctl" "$(pr vm1 "$disk" register aa)" "done"
is "... and reserves" "$(pr vm1 "$disk" reserve aa)" "done"
refusals=$(count refused)
for operation in "${all_out[@]}"; do
	is "vm2 is refused: $operation" "$(pr vm2 "$disk" "$operation" bb aa)" EPERM
done
is "... each is counted" $(($(count refused) - refusals)) ${#all_out[@]}
is "vm2 may still look" "$(pr vm2 "$disk" read-keys)" "done"
is "root is not held up" "$(prioctl "$disk" register cc)" "done"
is "... vm1 comes back" "$(pr vm1 "$disk" register aa)" "done"
like "vm1's reservation stands" "$(sg_persist --in --read-reservation "$disk")" "*Key=0xaa*"
is "vm1 releases it" "$(pr vm1 "$disk" release aa)" "done"
is "... and clears" "$(pr vm1 "$disk" clear aa)" "done"
echo 0 >"$(dev "$a")/pr_exclusive"
is "without the guard vm2 may" "$(pr vm2 "$disk" register bb)" "done"
is "... and clears" "$(pr vm2 "$disk" clear bb)" "done"

# --- an explicit deny ---------------------------------------------------------

echo "deny 5f" >"$(dev "$a")/rules"
for operation in "${all_out[@]}"; do
	is "deny 5f: $operation" "$(pr vm1 "$disk" "$operation" aa bb)" EPERM
done
is "... which says nothing about 5e" "$(pr vm1 "$disk" read-keys)" "done"
like "... the rule is counted" "$(cat "$(dev "$a")/hits")" "* ${#all_out[@]} deny 5f*"
echo "deny 5f [1]&1f=03" >"$(dev "$a")/rules"
is "deny CLEAR: clear" "$(pr vm1 "$disk" clear aa)" EPERM
is "... register" "$(pr vm1 "$disk" register aa)" "done"
echo "deny 5f [1]&1f=01 [2]=03" >"$(dev "$a")/rules"
is "deny RESERVE of one type: reserve" "$(pr vm1 "$disk" reserve aa)" EPERM
echo "deny 5f [1]&1f=01 [2]=05" >"$(dev "$a")/rules"
is "... another type" "$(pr vm1 "$disk" reserve aa)" "done"
is "... clear" "$(pr vm1 "$disk" clear aa)" "done"
echo "deny 5e" >"$(dev "$a")/rules"
is "deny 5e: read-keys" "$(pr vm1 "$disk" read-keys)" EPERM
is "... read-reservation" "$(pr vm1 "$disk" read-reservation)" EPERM
is "... register" "$(pr vm1 "$disk" register aa)" "done"
is "... clear" "$(pr vm1 "$disk" clear aa)" "done"
echo "allow w 5e" >"$(dev "$a")/rules"
is "an allow for writers denies readers nothing here" "$(pr vm1 "$disk" read-keys)" "done"
put "$(dev "$a")/rules" 'allow w 5f [1]&1f=00,06' 'deny 00-ff'
is "the first match decides: register" "$(pr vm1 "$disk" register aa)" "done"
is "... clear" "$(pr vm1 "$disk" clear aa)" EPERM
echo >"$(dev "$a")/rules"
is "... cleared, without rules" "$(pr vm1 "$disk" clear aa)" "done"
echo "+deny 5f" >"$sysfs/classes/disk/rules"
is "a deny of the class" "$(pr vm1 "$disk" register aa)" EPERM
is "... not for root" "$(prioctl "$disk" register aa; prioctl "$disk" clear aa)" "done
done"
echo 1 >"$(dev "$a")/complain"
is "... nor with complain" "$(pr vm1 "$disk" register aa)" "done"
is "......" "$(count complained)" 1
echo 0 >"$(dev "$a")/complain"
echo 1 >"$(dev "$a")/unpriv_sgio"
is "... nor with unpriv_sgio" "$(pr vm1 "$disk" clear aa)" "done"
echo 0 >"$(dev "$a")/unpriv_sgio"

# --- who is told --------------------------------------------------------------

trace=/sys/kernel/tracing
mountpoint -q $trace || mount -t tracefs none $trace || die "no tracefs"
echo 1 >$trace/events/sgio_filter/decision/enable
pr vm1 "$disk" preempt-abort aa bb >/dev/null
echo 0 >$trace/events/sgio_filter/decision/enable
like "the tracepoint has the command that sd would have sent" "$(grep "dev=$a" $trace/trace)" \
	"*outcome=refused decision=denied layer=class rule=0 holder=0 open=w*cdb=5f 05 03 00 00 00 00 00 18 00*"
echo stock >"$sysfs/classes/disk/table"
echo strict >"$sysfs/classes/disk/table"

# --- through dm-multipath, and in a transaction -------------------------------

if modprobe dm-multipath 2>/dev/null && modprobe dm-round-robin 2>/dev/null; then
	size=$(blockdev --getsz "$disk")
	check "a map over the disk" dmsetup create --verifyudev map \
		--table "0 $size multipath 0 0 1 1 round-robin 0 1 1 $disk 1"
	map=/dev/$(basename "$(readlink -f /sys/block/dm-0)")
	chmod 666 "$map"
	is "the map: register" "$(pr vm2 "$map" register bb)" "done"
	is "... clear" "$(pr vm2 "$map" clear bb)" "done"
	put /dev/sgio_filter "device $a" "pr_exclusive 1"
	is "... vm1 becomes the owner by the map" "$(pr vm1 "$map" register aa)" "done"
	for operation in "${all_out[@]}"; do
		is "... vm2 is refused: $operation" "$(pr vm2 "$map" "$operation" bb aa)" EPERM
	done
	is "... vm1 clears" "$(pr vm1 "$map" clear aa)" "done"
	put /dev/sgio_filter "device $a" "pr_exclusive 0" "rules" "deny 5f"
	is "... deny 5f" "$(pr vm2 "$map" register bb)" EPERM
	dmsetup remove map
else
	skip "through dm-multipath" "not in this kernel"
fi

# --- the driver goes and comes, the module goes -------------------------------

echo 1 >"/sys/bus/scsi/devices/$a/delete"
if rmmod sd_mod 2>/dev/null; then
	is "sd is gone" "$(state)" idle
	check "sd comes back" modprobe sd_mod
	is "... and is hooked again" "$(state)" armed
fi
lio_backstore two
lio_disk two 2
a=$hctl disk=${disk_of[$hctl]}
chmod 666 "$disk"
echo "deny 5f" >"$(dev "$a")/rules"
is "a new disk: deny 5f" "$(pr vm2 "$disk" register bb)" EPERM
check "the module unloads" unload
is "without it: the kernel's own answer" "$(pr vm2 "$disk" register bb)" "done"
must_load
is "loaded again, nothing is armed" "$(state)" idle
check "the module unloads" unload
finish
