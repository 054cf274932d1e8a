#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: two guests on one LUN by two iSCSI sessions, as in [initiators.md](admin-guide/initiators.md)
# minutes: 1
# kernels: stock
# Two guests on one LUN, each by an iSCSI session of its own: the set-up of initiators.md. The WWID is the
# same, the by-path link moves to the session that came last, addresses change: a policy selects by the nexus.
# vm: --udev
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
# shellcheck source-path=SCRIPTDIR source=lio.sh
. "$here/lio.sh"

iqn=iqn.2003-01.org.example:san
name=iqn.2003-01.org.example
portal=127.0.0.1:3260
settle() { udevadm settle --timeout=60; }

lio_load
need iscsi_target_mod iscsi_tcp
ip link set lo up
lio_backstore one
# Without one, the disks have no WWID.
echo 6001405000112233445566778899aabb >"$core/one/wwn/vpd_unit_serial"
tpg=/sys/kernel/config/target/iscsi/$iqn/tpgt_1
mkdir -p "$tpg/lun/lun_0" "$tpg/np/$portal"
ln -s "$core/one" "$tpg/lun/lun_0/one"
echo 0 >"$tpg/attrib/authentication"
echo 0 >"$tpg/attrib/demo_mode_write_protect"
for guest in web db; do
	mkdir -p "$tpg/acls/$name:$guest/lun_0"
	ln -s "$tpg/lun/lun_0" "$tpg/acls/$name:$guest/lun_0/lun_0"
done
echo 1 >"$tpg/enable"

mkdir -p /run/lock/iscsi /etc/iscsi
echo "InitiatorName=$name:host" >/etc/iscsi/initiatorname.iscsi
# When it ends it sends SIGTERM to its whole process group: without a session of its own, to this shell and the VM's
# init too.
setsid iscsid -f >"$tmp/iscsid" 2>&1 &
iscsid=$!
nap 2

# As initiators.md has it: one record for each interface.
{
	for guest in web db; do
		iscsiadm -m iface -I $guest -o new
		iscsiadm -m iface -I $guest -o update -n iface.initiatorname -v "$name:$guest"
		iscsiadm -m iface -I $guest -o update -n iface.transport_name -v tcp
	done
	iscsiadm -m discovery -t sendtargets -p $portal -I web -I db
} >"$tmp/iscsiadm" 2>&1

# log_in GUEST: sets address[GUEST] and disk[GUEST]
declare -A address=() disk=()
log_in() {
	know_devices
	timeout 60 iscsiadm -m node -T $iqn -p $portal -I "$1" -l >>"$tmp/iscsiadm" 2>&1 ||
		die "$1 cannot log in: $(cat "$tmp/iscsiadm")"
	wait_for new_device || die "$1: no disk"
	use_device "$hctl"
	settle
	address[$1]=$hctl disk[$1]=${disk_of[$hctl]}
	# udev has given it its own mode by now.
	chmod 666 "${disk[$1]}"
}
log_out() {
	timeout 60 iscsiadm -m node -T $iqn -p $portal -I "$1" -u >>"$tmp/iscsiadm" 2>&1 ||
		die "$1 cannot log out: $(tail -n 5 "$tmp/iscsiadm")"
	wait_for test ! -e "/sys/bus/scsi/devices/${address[$1]}" || die "$1: its disk stays"
	settle
}
by_path() { readlink -f /dev/disk/by-path/*"$iqn"-lun-0; }
wwid() { cat "/sys/bus/scsi/devices/$1/wwid"; }
of() { sgioctl --json list | jq -r ".devices[] | select(.hctl == \"${address[$1]}\") | .$2"; }

must_load
cat >"$tmp/policy.toml" <<-END
	[[device]]
	match = { initiator = "$name:web", target = "$iqn" }
	profile = "disk-guest-pr"

	[[device]]
	match = { interface = "db" }
	profile = "disk-guest"
END

# verdicts WHEN: each guest has its own
verdicts() {
	check "$1: apply" sgioctl apply "$tmp/policy.toml"
	allowed "$1: web may reserve" --write "sg_io:${disk[web]}" 5f000000000000001800
	refused "$1: db may not" --write "sg_io:${disk[db]}" 5f000000000000001800
	allowed "$1: db has its own profile" --write "sg_io:${disk[db]}" 89000000000000000000000000010000
}

log_in web
log_in db
like "one WWID" "$(wwid "${address[web]}") $(wwid "${address[db]}")" "naa.6001405* $(wwid "${address[web]}")"
is "the initiator of web" "$(of web initiator)" "$name:web"
is "the interface of db" "$(of db interface)" db
is "the target" "$(of db target)" "$iqn"
is "one by-path link, which leads to the last" "$(by_path)" "${disk[db]}"
verdicts "web, then db"
like "lint: nothing is wrong with it" "exit status $(sgioctl lint "$tmp/policy.toml" >"$tmp/lint"; echo $?)" "*0"

log_out web
log_in web
is "the by-path link has moved" "$(by_path)" "${disk[web]}"
verdicts "db, then web again"

log_out db
log_out web
log_in db
log_in web
verdicts "both anew, in the other order"
# What never comes back behind tcm_loop (47-preempt-and-abort.sh) does so over iSCSI: targets.md.
check "a key of db" sg_persist --out --register --param-sark=b "${disk[db]}"
check "a key of web" sg_persist --out --register --param-sark=a "${disk[web]}"
check "PREEMPT AND ABORT comes back" timeout 30 sg_persist --out --preempt-abort --param-rk=a --param-sark=b \
	"${disk[web]}"
like "the key of db has gone" "$(sg_persist --in --read-keys "${disk[web]}" 2>&1 | xargs)" \
	"*1 registered reservation key*0xa*"
log_out web
log_out db
kill $iscsid
check "iscsid ends" wait_for test ! -e /proc/$iscsid/exe
finish
