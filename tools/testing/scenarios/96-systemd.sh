#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: a system booted by systemd: the unit, the udev rule, what their events leave alone
# minutes: 2
# kernels: stock
# A system that systemd boots (process 1 of a PID namespace of its own) with what
# `make install` installs: the policy is in force before anybody but root runs, and
# before udev opens the nodes of a device that comes later; no event undoes what was set
# by hand; nothing is left after uninstall. Stock kernel only: the test kernel
# lacks what systemd wants.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

if ! is_debians; then
	skip "systemd boots" "Debian's kernels only"
	finish
fi
units=/etc/systemd/system
policy=/etc/sgio-filter/policy.d
mkdir "$tmp/bin"
cp /sgio/build/bin/sgioctl "$tmp/bin/"
# shellcheck disable=SC2317 # called by check
make_tool() { make -s -C /sgio/src/tools/sgioctl "$@" BINARY="$tmp/bin/sgioctl" PREFIX=/usr; }
files() { find /etc /usr/sbin /usr/lib/{udev,systemd,modules-load.d} /usr/share/sgio-filter ! -type d 2>/dev/null | sort; }

debug_load vpd_use_hostno=0
debug_add 0
a=$hctl
disk=${disk_of[$a]}
chmod 600 "$disk" "${sg_of[$a]}" "/dev/bsg/$a"

# A small system: what is needed to come to multi-user.target, a module that modprobe
# finds (the guest's /lib/modules is read-only), disks that everybody may open, and a
# service of nobody that asks for two verdicts as soon as such services run.
tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
rm -rf $units/*.wants
mkdir -p $units/multi-user.target.wants
for unit in systemd-{firstboot,hwdb-update,journal-catalog-update,journal-flush,binfmt,networkd,timesyncd,logind} \
	ldconfig getty@tty1 systemd-update-done; do
	ln -sf /dev/null "$units/$unit.service"
done
echo "install sgio_filter /usr/sbin/insmod $SGIO_KO" >/etc/modprobe.d/sgio-test.conf
echo 'SUBSYSTEM=="block", KERNEL=="sd*", MODE="0666"' >/etc/udev/rules.d/70-sgio-test.rules
cat >$units/sgio-test-first.service <<-END
	[Unit]
	Description=What an unprivileged service is told first
	[Service]
	Type=oneshot
	User=nobody
	StandardOutput=file:/run/sgio-first
	StandardError=file:/run/sgio-first
	ExecStart=/bin/sh -c 'for i in \$(seq 400); do test -r $disk && break; sleep 0.1; done; \
		/sgio/build/bin/sgsend --probe --read sg_io:$disk 120000002400; \
		/sgio/build/bin/sgsend --probe --read sg_io:$disk 5e00000000000000fc00'
END
ln -s $units/sgio-test-first.service $units/multi-user.target.wants/
touch /run/sgio-first
chmod 666 /run/sgio-first
files >"$tmp/files.before"
check "install" make_tool install
cat >$policy/10-test.toml <<-END
	[[device]]
	match = { wwid = "$(<"/sys/bus/scsi/devices/$a/wwid")" }
	rules = """
	deny 12
	allow r 5e
	"""
END
check "systemctl enable" systemctl enable --quiet sgio-filter

container=sgio unshare --pid --fork --kill-child --mount --mount-proc --propagation unchanged \
	/usr/lib/systemd/systemd --unit=multi-user.target --log-target=kmsg --show-status=no >"$tmp/systemd" 2>&1 &
systemd=$!
# shellcheck disable=SC2317 # called by wait_for
has_init() { init=$(pgrep -P "$systemd"); }
wait_for has_init || die "no process 1"
# systemd talks to those who live in its own namespace.
inside() { nsenter --target "$init" --pid --mount -- "$@"; }
systemctl() { inside systemctl "$@"; }
show() { systemctl show -P "$@" 2>/dev/null; }
# shellcheck disable=SC2317 # called by wait_for
has_run() { [ "$(show ExecMainExitTimestampMonotonic "$1")" -gt 0 ]; }
for _ in {1..3}; do ! wait_for has_run sgio-test-first.service || break; done
[ "$(show ExecMainExitTimestampMonotonic sgio-test-first.service)" -gt 0 ] ||
	die "systemd: $(systemctl list-jobs --plain | xargs)" "$(<"$tmp/systemd")"
is "the unit has run" "$(for what in ActiveState SubState Result; do show $what sgio-filter.service; done | xargs)" "active exited success"
is "modules-load.d has loaded the module" "$(show Result systemd-modules-load.service) $(loaded && echo loaded)" "success loaded"
is "a service of nobody: the policy, from its first command on" "$(cat /run/sgio-first)" "refused: EPERM
allowed: nothing executed"
is "the unit came before sysinit.target" \
	"$(($(show ActiveEnterTimestampMonotonic sgio-filter) <= $(show ActiveEnterTimestampMonotonic sysinit.target)))" 1
is "udev has opened the disk" "$(stat -c %a "$disk")" 666

# One that comes later. A process waits for its node: when it can open it, it meets the policy.
know_devices
# shellcheck disable=SC2016 # nobody's shell expands it
as_nobody bash -c 'for ((i = 0; i < 20000; i++)); do
	for disk in /dev/sd?; do
		[ "$disk" = "$1" ] || { { : <"$disk"; } 2>/dev/null && exec sgsend --probe --read "sg_io:$disk" 120000002400; }
	done
	read -rt 0.005 -u 3
done' - "$disk" 3<> <(:) >"$tmp/second" 2>&1 &
waits=$!
echo 1 >"$debug/add_host"
check "another path to it comes" wait_for new_device
b=$hctl
wait $waits
is "... and the first to open its node meets the policy" "$(cat "$tmp/second")" "refused: EPERM"
is "... which is the same" "$(cat "$(dev "$b")/rules")" "$(cat "$(dev "$a")/rules")"

# What is set by hand stays while systemd and udev do what they do, and needs no timer of theirs.
check "a grant for an hour" inside sgioctl allow "$a" compare-and-write --for 1h
is "... needs no unit" "$(systemctl list-units --all --plain --no-legend '*sgioctl*')" ""
check "systemd-udev-trigger is run again" systemctl restart systemd-udev-trigger.service
check "... and all its events" inside udevadm settle --timeout=60
like "... which undo nothing" "$(cat "$(dev "$a")/rules")" "allow w 89 for=*deny 12*"

# A service that is granted a command while it runs, by one line of its unit.
prefetch=34000000000000000100
cat >$units/sgio-test-holder.service <<-END
	[Service]
	Type=notify
	NotifyAccess=all
	User=nobody
	StandardOutput=append:/run/sgio-holder
	ExecStartPre=+/usr/sbin/sgioctl grant $a pre-fetch-10 --read --self
	ExecStart=/bin/sh -c '/sgio/build/bin/sgsend --probe --read sg_io:$disk $prefetch; systemd-notify --ready; exec sleep 600'
END
check "daemon-reload, for a holder" systemctl daemon-reload
check "a service with a grant to itself starts" systemctl start sgio-test-holder.service
is "... and may send what it was granted" "$(tail -n 1 /run/sgio-holder)" "allowed: nothing executed"
is "... another may not" "$(nobody --probe --read "sg_io:$disk" $prefetch)" "refused: EPERM"
like "grants tells who" "$(inside sgioctl grants "$a")" "*/sgio-test-holder.service: for * so far*allow r 34*"
is "... check --as, too" "$(inside sgioctl check "$a" ${prefetch//??/& } --read --as --unit sgio-test-holder.service >/dev/null; echo $?)" 0
check "it stops" systemctl stop sgio-test-holder.service
like "... and its grant is gone" "$(inside sgioctl grants "$a")" "*: no grants"
rm $units/sgio-test-holder.service
# A program in a scope of its own: the same process from the command line to its end.
before=$(inside systemctl list-units --all --type=scope --no-legend | wc -l)
is "sgioctl run: in a scope, as a user, and with what is granted" \
	"$(inside sgioctl run --grant "$a=pre-fetch-10" --user nobody -- sh -c "grep -o 'run-.*scope' /proc/self/cgroup | sed 's/run-[^.]*/run-N/'; id -un; /sgio/build/bin/sgsend --probe --write sg_io:$disk $prefetch; exit 7" 2>&1 | xargs)" \
	"run-N.scope nobody allowed: nothing executed"
inside sgioctl run --grant "$a=pre-fetch-10" --user nobody -- sh -c "kill -TERM \$\$"
is "... a signal ends it as it ends any program" $? 143
inside sgioctl run --grant "$a=pre-fetch-10" --user nobody -- sh -c "exit 7"
is "... its exit status is its own" $? 7
like "... and nothing is left" "$(inside systemctl list-units --all --type=scope --no-legend | wc -l) $(inside sgioctl grants "$a")" "$before *: no grants"

sed -i 's/5e/4d/' $policy/10-test.toml
check "systemctl reload" systemctl reload sgio-filter
like "... applies the files again" "$(cat "$(dev "$a")/rules")" "*4d*"
printf '[all]\nfilter_sg = true\n' >>$policy/10-test.toml
check "... with filter_sg of all devices, which is a file of sysfs" systemctl reload sgio-filter
is "... is 1" "$(cat $sysfs/filter_sg)" 1
sed -i 's/filter_sg = true/filter_sg = false/' $policy/10-test.toml
check "... and back" systemctl reload sgio-filter
is "... is 0" "$(cat $sysfs/filter_sg)" 0
check "systemctl disable" systemctl disable --quiet sgio-filter
absent "... not at the next boot" "$units/*/sgio-filter.service"
rm $policy/10-test.toml
check "uninstall" make_tool uninstall
check "daemon-reload" systemctl daemon-reload
files >"$tmp/files.after"
is "nothing is left" "$(diff "$tmp/files.before" "$tmp/files.after" | grep sgio)" ""
# Switched off: how systemd shuts down, and in which time, is not the question.
kill -KILL "$init"
# shellcheck disable=SC2317
is_down() { ! kill -0 "$systemd"; }
wait_for is_down || :
check "the module unloads" wait_for unload
finish
