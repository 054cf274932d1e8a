#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: install and uninstall; policies by real udev; paths of a multipath map that come one by one
# minutes: 3
# kernels: stock
# Policies that stay: installed files, real udev for devices that come later, a
# multipath map whose paths come one by one, and nothing left after uninstall.
# vm: --udev
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

policy=/etc/sgio-filter/policy.d
tool=/sgio/src/tools/sgioctl
mkdir "$tmp/bin"
cp /sgio/build/bin/sgioctl "$tmp/bin/"
# shellcheck disable=SC2317 # called by check
make_tool() { make -s -C "$tool" "$@" BINARY="$tmp/bin/sgioctl" PREFIX=/usr; }
# The tests' own build, in build/bin, is for virtual machines.
make -n -C /sgio/src install DESTDIR=/nowhere >"$tmp/install" 2>&1
like "make install takes the release build" "$(grep 'install -D -m 0755' "$tmp/install")" "*/release/sgioctl /nowhere*/sgioctl*"
settle() { udevadm settle --timeout=60; }
# rules HCTL: in one line
rules() { sed 's/ for=[0-9]*$/ for/' "$(dev "$1")/rules" | tr '\n' ';'; }
# undone WHAT HCTL...: events that are not about policy leave what was set by hand
undone() {
	local what=$1 event before after
	shift
	before=$(by_hand "$@")
	for event in "change block" "add block" "add scsi" "change scsi" "add misc" "change misc"; do
		udevadm trigger -c "${event% *}" -s "${event#* }"
		settle
		after=$(by_hand "$@")
		is "$what: nothing is undone by udevadm trigger -c ${event/ / -s }" "$after" "$before"
	done
}
by_hand() {
	local hctl
	for hctl; do echo "$hctl $(rules "$hctl") $(<"$(dev "$hctl")/complain")$(<"$(dev "$hctl")/unpriv_sgio")"; done
	cat $sysfs/classes/tape/table
}

files() {
	find /etc /usr/sbin /usr/local /usr/lib/{udev,systemd,modules-load.d} \
		/usr/share/{man/man?,sgio-filter,bash-completion,zsh,fish} ! -type d 2>/dev/null | sort
}
files >"$tmp/files.before"
check "install" make_tool install
check "the rule has no mistake" udevadm verify --no-summary /usr/lib/udev/rules.d/60-sgio-filter.rules
check "the unit has no mistake" systemd-analyze verify --man=no /usr/lib/systemd/system/sgio-filter.service
check "... and is confined" systemd-analyze security --offline=true --threshold=30 --no-pager \
	/usr/lib/systemd/system/sgio-filter.service
check "the manual pages" test -s /usr/share/man/man8/sgioctl.8 -a -s /usr/share/man/man5/sgio-policy.5 \
	-a -s /usr/share/man/man4/sgio_filter.4
udevadm control --reload

debug_load vpd_use_hostno=0
must_load
know_devices
debug_add 0
a=$hctl
settle
wwid=$(<"/sys/bus/scsi/devices/$a/wwid")
is "without a policy: the defaults" "$(rules "$a")" ";"
sgioctl deny "$a" 12 48 >/dev/null
sgioctl complain "$a" on >/dev/null
echo stock >$sysfs/classes/tape/table
undone "no policy file" "$a"
cat >$policy/10-cluster.toml <<-END
	[[device]]
	match = { wwid = "$wwid" }
	profile = "disk-guest-pr"
END
# What the unit does at boot.
unit=$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/sgio-filter.service)
# shellcheck disable=SC2086 # a command line
check "$unit" $unit
like "the policy is in force" "$(rules "$a")" "*5e*"
allowed "PERSISTENT RESERVE IN" --read "bsg:/dev/bsg/$a" 5e00000000000000fc00
want=$(rules "$a")

echo 1 >"/sys/bus/scsi/devices/$a/delete"
check "unplugged" wait_for test ! -e "/sys/bus/scsi/devices/$a"
echo "0 0 0" >"/sys/class/scsi_host/host${a%%:*}/scan"
check "plugged in again" wait_for test -e "$(dev "$a")/rules"
settle
is "udev has put the policy in force again" "$(rules "$a")" "$want"

# A mistake in a file is said, and never opens anything.
echo 'rules = [' >$policy/20-mistake.toml
echo 1 >"/sys/bus/scsi/devices/$a/delete"
check "unplugged once more" wait_for test ! -e "/sys/bus/scsi/devices/$a"
echo "0 0 0" >"/sys/class/scsi_host/host${a%%:*}/scan"
check "plugged in once more" wait_for test -e "$(dev "$a")/rules"
settle
is "with a mistake: the defaults, nothing wider" "$(rules "$a")" ";"
like "... and the kernel log says so" "$(dmesg | grep 'sgioctl: ' | tail -n 1)" "*no policy was put in force*20-mistake.toml:2*"
status=0
sgioctl doctor --no-probe >"$tmp/doctor" || status=$?
is "... and the doctor" "$status $(grep -c '^PROBLEM.*20-mistake.toml:2' "$tmp/doctor")" "1 1"
mv $policy/20-mistake.toml "$tmp/"
mkfifo $policy/20-pipe.toml
udevadm trigger -c add -s scsi
check "a pipe among the files keeps nobody" udevadm settle --timeout=20
rm $policy/20-pipe.toml
check "mended" sgioctl apply
sgioctl deny "$a" 12 >/dev/null
echo 1 >"$(dev "$a")/unpriv_sgio"
undone "with a policy" "$a"
sed -i 's/disk-guest-pr/stock/' $policy/10-cluster.toml
undone "with a policy that was edited since" "$a"
sed -i 's/"stock"/"disk-guest-pr"/' $policy/10-cluster.toml
status=0
sgioctl doctor --no-probe >"$tmp/doctor" || status=$?
is "the doctor says that something else is in force" "$status $(grep -c '^PROBLEM.*the policy of the files is not in force on ' "$tmp/doctor")" "1 1"
check "the files are put in force by hand" sgioctl apply
is "... as they are" "$(rules "$a")" "$want"

# A link that goes takes nothing with it: what a block that was named by it has denied stays denied.
cat >/etc/udev/rules.d/61-sgio-link.rules <<-'END'
	SUBSYSTEM=="block", KERNEL=="sd*", ENV{DEVTYPE}=="disk", TEST=="/run/sgio-link", SYMLINK+="disk/by-id/narrow-%k"
END
udevadm control --reload
mv $policy/10-cluster.toml "$tmp/"
cat >$policy/10-link.toml <<-END
	[[device]]
	match = { by_id = "narrow-*" }
	rules = "deny 48"
	[[device]]
	match = { wwid = "$wwid" }
	allow = ["w 89"]
END
name=${disk_of[$a]#/dev/}
touch /run/sgio-link
udevadm trigger -c change "/sys/block/$name"
settle
check "the link is there" test -e "/dev/disk/by-id/narrow-$name"
check "a policy by a link" sgioctl apply
is "... is in force" "$(rules "$a")" "deny 48;"
rm /run/sgio-link
udevadm trigger -c change "/sys/block/$name"
settle
check "the link has gone" test ! -e "/dev/disk/by-id/narrow-$name"
for event in add change; do
	udevadm trigger -c $event "/sys/block/$name" "/sys/bus/scsi/devices/$a"
	settle
	is "... which widens nothing, at the event $event" "$(rules "$a")" "deny 48;"
done
# What was taken back by hand does not come again with a link.
check "reset by hand" sgioctl reset "$a"
touch /run/sgio-link
udevadm trigger -c change "/sys/block/$name"
settle
udevadm trigger -c add "/sys/block/$name" "/sys/bus/scsi/devices/$a"
settle
is "... stays so, whatever links come" "$(rules "$a")" ";"
rm -f /run/sgio-link /etc/udev/rules.d/61-sgio-link.rules $policy/10-link.toml
mv "$tmp/10-cluster.toml" $policy/
udevadm control --reload
check "the former files" sgioctl apply
# Who may not change devices cannot keep those waiting who may.
is "the lock of the tool is for root" "$(as_nobody flock -n /run/sgio-filter/lock true 2>&1 | grep -c 'Permission denied')" 1

# A driver that takes its time to probe: the policy is in force before udev opens a node, for every class. What is in force when udev handles a node is noted: of the disk, the changer, the CD drive; of sg and bsg.
cat >/etc/udev/rules.d/61-sgio-test.rules <<-'END'
	ACTION=="add", SUBSYSTEM=="block|scsi_generic|bsg|scsi_changer", SUBSYSTEMS=="scsi", KERNELS=="[0-9]*:*", \
		PROGRAM="/bin/sh -c 'cat /sys/bus/scsi/devices/%b/sgio_filter/rules >>/run/sgio-test-%k'"
END
udevadm control --reload
for class in disk changer cdrom; do
	printf '[[device]]\nmatch = { class = "%s" }\nrules = "deny 1b"\n' $class
done >$policy/20-slow.toml
# shellcheck disable=SC2317 # called by check and wait_for
delay() { echo "$1" >"$debug/delay"; }
# shellcheck disable=SC2317
three_nodes() { compgen -G '/run/sgio-test-*' >"$tmp/nodes" && [ "$(wc -l <"$tmp/nodes")" -ge 3 ]; }
# Each a logical unit of its own.
echo 1 >"$debug/vpd_use_hostno"
for type in 0 8 5; do
	rm -f /run/sgio-test-*
	echo $type >"$debug/ptype"
	check "type $type: its driver is slow" wait_for delay 100
	know_devices
	echo 1 >"$debug/add_host" &
	for _ in 1 2 3 4; do ! wait_for three_nodes || break; done
	wait $!
	settle
	is "... a process that opens a node of it meets its policy" "$(cat /run/sgio-test-* | sort | uniq -c | xargs)" "3 deny 1b"
	check "... commands are fast again" wait_for delay 0
	new_device && echo 1 >"/sys/bus/scsi/devices/$hctl/delete"
done
echo 0 >"$debug/vpd_use_hostno"
rm /etc/udev/rules.d/61-sgio-test.rules $policy/20-slow.toml
udevadm control --reload

# Another logical unit behind an address: its own policy, by udev. behind HOW: which one, rescanned
behind() {
	echo "$1" >"$debug/vpd_use_hostno"
	echo 1 >"/sys/bus/scsi/devices/$a/rescan"
	settle
}
behind 1
is "another logical unit, without a policy: the defaults" "$(rules "$a")" ";"
cat >$policy/20-other.toml <<-END
	[[device]]
	match = { wwid = "$(<"/sys/bus/scsi/devices/$a/wwid")" }
	rules = "deny 1b"
END
behind 0
is "the first one is back: its policy" "$(rules "$a")" "$want"
behind 1
is "the other one: its own" "$(rules "$a")" "deny 1b;"
behind 0
rm $policy/20-other.toml

# The module is loaded again, with the devices there.
check "unloaded" wait_for unload
must_load
# shellcheck disable=SC2317 # called by wait_for
in_force() { [ "$(rules "$a")" = "$want" ]; }
check "loaded by hand: udev puts the policy in force" wait_for in_force
settle

# Two paths to one LUN, and a third one later: a map's policy is that of all.
if modprobe dm-multipath 2>/dev/null; then
	know_devices
	debug_add 0
	second=$hctl
	is "the same LUN by another host" "$(cat "/sys/bus/scsi/devices/$second/wwid")" "$wwid"
	settle
	is "the second path has the policy at once" "$(rules "$second")" "$want"
	mkdir -p /etc/multipath
	cat >/etc/multipath.conf <<-END
		defaults {
			user_friendly_names yes
			find_multipaths no
		}
	END
	multipathd -d >"$tmp/multipathd" 2>&1 &
	# shellcheck disable=SC2317 # called by wait_for
	two() { [ "$(find /sys/block/dm-*/slaves/* -prune | wc -l)" -eq 2 ]; }
	check "a map of two paths" wait_for two
	settle
	cat >$policy/10-cluster.toml <<-END
		[[device]]
		match = { multipath = "mpatha" }
		rules = "allow r 5e"
	END
	check "a policy for the map" sgioctl apply
	is "... is that of both paths" "$(rules "$a") $(rules "$second")" "allow r 5e; allow r 5e;"
	know_devices
	debug_add 0
	third=$hctl
	# shellcheck disable=SC2317
	three() { [ "$(find /sys/block/dm-*/slaves/* -prune | wc -l)" -eq 3 ]; }
	check "a third path comes" wait_for three
	settle
	# shellcheck disable=SC2317
	has_policy() { [ "$(rules "$third")" = "allow r 5e;" ]; }
	check "... and has the policy" wait_for has_policy
	is "a grant by the map's name: all paths" "$(sgioctl allow mpatha compare-and-write >/dev/null 2>&1
		for path in "$a" "$second" "$third"; do head -n 1 "$(dev "$path")/rules"; done | uniq -c | xargs)" "3 allow w 89"
	sgioctl deny mpatha sanitize >/dev/null 2>&1
	sgioctl allow mpatha persistent-reserve-in --for 1h >/dev/null 2>&1
	before=$(by_hand "$a" "$second" "$third")
	echo offline >"/sys/bus/scsi/devices/$second/state"
	check "a path of the map fails" multipathd -k"fail path ${disk_of[$second]#/dev/}"
	nap 2
	settle
	is "... which undoes nothing on any path" "$(by_hand "$a" "$second" "$third")" "$before"
	undone "multipath" "$a" "$second" "$third"
	multipathd shutdown >/dev/null 2>&1
	multipath -F >/dev/null 2>&1
else
	skip "multipath" "not in this kernel"
fi

# A driver that probes slowly, in the foreground, makes its node before the device is ready.
if modprobe ch 2>/dev/null; then
	cat >$policy/30-changer.toml <<-END
		[[device]]
		match = { class = "changer" }
		rules = "deny 1b"
	END
	know_devices
	echo 8 >$debug/ptype
	echo 100 >$debug/delay
	echo 1 >$debug/add_host &
	# shellcheck disable=SC2317
	opened() { [ "$(stat -c %a /dev/sch0 2>/dev/null)" = 660 ]; }
	check "a slow changer: its node is opened to others" wait_for opened
	new_device
	is "... with the policy in force" "$(rules "$hctl")" "deny 1b;"
	wait $!
	echo 0 >$debug/delay
	settle
fi
rm -f $policy/*.toml
check "uninstall" make_tool uninstall
files >"$tmp/files.after"
is "nothing is left" "$(diff "$tmp/files.before" "$tmp/files.after" | grep '^>' | grep -v 'multipath')" ""
check "the module unloads" wait_for unload
finish
