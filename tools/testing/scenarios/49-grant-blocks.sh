#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: [[grant]] of policy files: holders and devices in either order, by the hooks of libvirt and Proxmox and by udev
# minutes: 1
# kernels: stock
# Policy files say who has what. The holders are cgroups as libvirt, systemd and Proxmox VE make them, made by hand; the hooks are
# what `make install` installs, called as the managers call them.
# vm: --udev
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

policy=/etc/sgio-filter/policy.d/10-grants.toml
tool=/sgio/src/tools/sgioctl
cgroups=/sys/fs/cgroup
mkdir "$tmp/bin"
cp /sgio/build/bin/sgioctl "$tmp/bin/"
check "install" make -s -C $tool install BINARY="$tmp/bin/sgioctl" PREFIX=/usr
udevadm control --reload
settle() { udevadm settle --timeout=60; }

debug_load vpd_use_hostno=0
must_load
know_devices
mountpoint -q $cgroups || mount -t cgroup2 none $cgroups || die "no cgroups of version 2"
debug_add 0
a=$hctl
settle
chmod 666 /dev/bsg/*
pr_in=5e000000000000000800 vendor=c00000000000
yes="allowed: nothing executed" no="refused: EPERM"
# send CGROUP CDB: what becomes of it, sent from there
send() { (
	echo $BASHPID >"$cgroups/$1/cgroup.procs" || exit 99
	nobody --write --probe "bsg:/dev/bsg/$a" "$2" 2>&1
); }
id() { stat -c %i "$cgroups/$1"; }
grants() { sed 's/ since=.*//' "$(dev "$a")/grants" | tr -s ' ' | sed 's/^ [0-9]* / /' | tr -d '\n'; }
told() { dmesg | grep -c "$1"; }

# machine NUMBER NAME: a domain of libvirt, as machined names its scope
machine() {
	local escaped=${2//-/\\x2d} pid
	scope="machine.slice/machine-qemu\\x2d$1\\x2d$escaped.scope"
	mkdir -p "$cgroups/$scope/libvirt/emulator" /run/libvirt/qemu
	sleep 1000 &
	pid=$!
	echo $pid >"$cgroups/$scope/libvirt/emulator/cgroup.procs"
	echo $pid >"/run/libvirt/qemu/$2.pid"
	machines[$1]=$pid
}
machines=()
# gone NUMBER SCOPE: as by SIGKILL to QEMU
gone() {
	kill -KILL "${machines[$1]}"
	wait "${machines[$1]}" 2>/dev/null
	rmdir "$cgroups/$2/libvirt/emulator" "$cgroups/$2/libvirt" "$cgroups/$2"
}
# hook NAME OPERATION SUB: as libvirt calls it, with its status
hook() {
	(cd / && env -i LC_ALL=C PATH=/usr/bin:/bin:/usr/sbin:/sbin USER=root \
		/etc/libvirt/hooks/qemu.d/50-sgio-filter "$1" "$2" "$3" - <"${4-/dev/null}" 2>&1 | cat
		exit "${PIPESTATUS[0]}") && echo ok
}

cat >$policy <<-END
	[[grant]]
	to = { libvirt = "db-*" }
	match = { hctl = "$a" }
	allow = ["r 5e"]

	[[grant]]
	to = { unit = "backup.service" }
	match = { hctl = "$a" }
	allow = ["r 5e", "w c0"]

	[[grant]]
	to = { proxmox = "101" }
	match = { hctl = "$a" }
	allow = ["r 5e"]
END
like "lint tells who is not there" "$(sgioctl lint)" "*there is no libvirt 'db-\*' now*there is no unit 'backup.service' now*"
like "so does apply, which is no error" "$(sgioctl apply 2>&1)" "*there is no libvirt 'db-\*' now*"
is "nobody has anything" "$(grants)" ""

# --- libvirt: the holder comes after the device -------------------------------------

machine 1 db-1
first=$scope
machine 2 web-1
web=$scope
is "before the hook" "$(send "$first" $pr_in)" "$no"
for phase in "prepare begin" "start begin"; do
	# shellcheck disable=SC2086 # two words
	is "the hook at $phase does nothing" "$(hook db-1 $phase) $(grants)" "ok "
done
is "the hook at started" "$(hook db-1 started begin)" ok
is "the domain has its grant" "$(send "$first/libvirt/emulator" $pr_in) $(send "$first" $vendor)" "$yes $no"
is "it is one of policy" "$(grants)" "grant cgroup=$(id "$first") name=policy allow r 5e"
is "another domain's hook gives it nothing" "$(hook web-1 started begin) $(send "$web" $pr_in)" "ok $no"
like "diff knows that it is so" "$(sgioctl diff --device "$a" && echo same)" "*same"

# reconnect: again, once
is "revoked by hand" "$(sgioctl revoke "$a" --cgroup "/$first" --name policy >/dev/null && send "$first" $pr_in)" "$no"
is "reconnect does not bring it back" "$(hook db-1 reconnect begin) $(send "$first" $pr_in)" "ok $no"
sgioctl apply --holder libvirt=db-1 >/dev/null
is "... by hand it comes back" "$(send "$first" $pr_in)" "$yes"

# What goes wrong never fails the hook.
is "a domain that is not there" "$(hook nobody reconnect begin)" ok
is "... the kernel log has it" "$(told "libvirt=nobody: no grant was put in force")" 1
mv $policy $policy.good
echo "[[grant" >$policy
is "a mistake in a file" "$(hook db-1 reconnect begin) $(send "$first" $pr_in)" "ok $yes"
mv $policy.good $policy
echo "<domain><metadata><x:grant xmlns:x='https://example.org/sgio-filter/1'/></metadata></domain>" >"$tmp/xml"
is "what the XML asks for is not honoured" "$(hook web-1 started begin "$tmp/xml") $(send "$web" $pr_in)" "ok $no"
is "... and told" "$(told "web-1 asks for grants in its metadata")" 1
mv /usr/sbin/sgioctl "$tmp/sgioctl"
is "a tool that cannot be run" "$(hook db-1 reconnect begin)" ok
mv "$tmp/sgioctl" /usr/sbin/
flock /run/sgio-filter/lock -c 'sleep 12' &
holds=$!
sleep 0.2
read -r before _ </proc/uptime
is "while another process holds the lock" "$(hook db-1 reconnect begin)" ok
read -r after _ </proc/uptime
check "... it is soon back ($before to $after)" test $((${after%.*} - ${before%.*})) -lt 10
wait $holds

# --- a device that comes later, by udev -----------------------------------------------

echo 1 >"/sys/bus/scsi/devices/$a/delete"
check "unplugged" wait_for test ! -e "/sys/bus/scsi/devices/$a"
settle
is "nothing is remembered of it" "$(compgen -G "/run/sgio-filter/*$a")" ""
echo "0 0 0" >"/sys/class/scsi_host/host${a%%:*}/scan"
check "plugged in again" wait_for test -e "$(dev "$a")/rules"
settle
chmod 666 /dev/bsg/*
is "no hook: the domain has its grant" "$(send "$first" $pr_in) $(send "$web" $pr_in)" "$yes $no"

# --- it ends with the domain ------------------------------------------------------------

gone 1 "$first"
is "the domain is killed: nothing is left" "$(grants)" ""
# The scope's name is used again, by a domain that no block means.
machine 1 dc-1
is "another domain" "$(hook dc-1 started begin) $(send "$scope" $pr_in)" "ok $no"
# A number that is another process's by now.
echo "${machines[2]}" >/run/libvirt/qemu/db-1.pid
is "a stale number of a process" "$(hook db-1 reconnect begin) $(send "$web" $pr_in)" "ok $no"
# Without machined, and a name of which libvirt drops characters.
name="db-Win 2022 (ä)"
scope="machine/qemu-7-db-Win2022.libvirt-qemu"
mkdir -p "$cgroups/$scope/libvirt"
echo "${machines[1]}" >"$cgroups/$scope/libvirt/cgroup.procs"
echo "${machines[1]}" >"/run/libvirt/qemu/$name.pid"
is "an odd name, without machined" "$(hook "$name" started begin) $(send "$scope" $pr_in)" "ok $yes"

# --- units, Proxmox, several managers ------------------------------------------------------

mkdir -p $cgroups/system.slice/backup.service/sub $cgroups/system.slice/other.service/backup.service
sgioctl grant "$a" c0 --write --cgroup /system.slice/backup.service --name mine >/dev/null
check "a unit says that it is there" sgioctl apply --event --holder unit=backup.service
is "it has its grant" "$(send system.slice/backup.service/sub $pr_in)" "$yes"
is "what another service calls so has not" "$(send system.slice/other.service/backup.service $pr_in)" "$no"
mkdir -p $cgroups/qemu.slice/101.scope $cgroups/qemu.slice/1011.scope
script=/usr/share/sgio-filter/hooks/proxmox
for phase in pre-start post-start; do
	check "the hookscript of Proxmox at $phase" $script 101 $phase
done
check "... of another machine" $script 1011 post-start
is "101 has its grant, 1011 has not" "$(send qemu.slice/101.scope $pr_in) $(send qemu.slice/1011.scope $pr_in)" "$yes $no"

sed -i '/backup.service/,$d' $policy
sed -i '$d' $policy
like "diff tells what goes" "$(sgioctl diff)" "*revoke /system.slice/backup.service: allow r 5e; allow w c0*"
like "apply revokes what is in no file" "$(sgioctl apply 2>&1)" "*2 grants changed*"
is "..." "$(send system.slice/backup.service $pr_in) $(send qemu.slice/101.scope $pr_in)" "$no $no"
is "... and nothing that others have granted" "$(send system.slice/backup.service $vendor) $(send "$scope" $pr_in)" "$yes $yes"
like "show --policy tells of grants" "$(sgioctl show "$a" --policy 2>&1 >/dev/null)" "*has 2 grants, which end with their holders*"

kill "${machines[@]}" 2>/dev/null
rm -r /etc/sgio-filter/policy.d/*
check "uninstall" make -s -C $tool uninstall PREFIX=/usr
finish
