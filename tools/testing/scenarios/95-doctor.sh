#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: the doctor's probe proves that the hook decides, and finds out when it does not
# kernels: stock
# The doctor's probe: a process without privileges proves on each device that the
# hook decides, and nothing is sent to the device; and when something takes the
# decision away that sysfs and tracefs do not show, the doctor tells.
# builds: ipmodify
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load
devices=()
for type in 0 1 3 5 7 8 13 20; do
	debug_add $type
	devices+=("$hctl")
	chmod 600 "${sg_of[$hctl]}" "/dev/bsg/$hctl"
done
disk=${devices[0]}

# doctor WANT: its exit status; $answer has what it says
doctor() {
	local got=0
	answer=$(sgioctl --json doctor 2>&1) || got=$?
	is "doctor ends with $1" "$got" "$1"
}
# results: how many of which result, those that tell the filter from the kernel's list
results() {
	jq -r '[.probes[] | "\(.result) \(.differs_from_stock)"] | group_by(.)[] | "\(length) \(.[0])"' <<<"$answer" | paste -sd ,
}
# of HCTL: the result of that device
of() { jq -r --arg hctl "$1" '.probes[] | select(.device == $hctl) | "\(.result) \(.differs_from_stock)"' <<<"$answer"; }
reason() { jq -r --arg hctl "$1" '.probes[] | select(.device == $hctl) | .reason' <<<"$answer"; }
sum() { cat /sys/bus/scsi/devices/*/"$1" | sed 's/^0x//' | while read -r n; do echo $((16#$n)); done | paste -sd + | bc; }
counted() { awk -v what="$1" '$1 == what { n += $2 } END { print n }' /sys/bus/scsi/devices/*/sgio_filter/stats; }

doctor 1
like "without the module: nothing is probed" "$(jq -c .probes <<<"$answer")" "[[]]"
must_load
n=${#devices[@]}
sent=$(sum iorequest_cnt) privileged=$(counted privileged)
doctor 0
is "healthy: proven on every device" "$(results)" "$n pass true"
is "nothing was sent to any device" "$(sum iorequest_cnt)" "$sent"
is "the probe had no privilege" "$(counted privileged)" "$privileged"
is "each was counted once" "$(($(counted allowed) + $(counted refused)))" "$n"
like "in words" "$(sgioctl doctor)" "*proven by an unprivileged probe of $n of $n devices*"
before=$(counted refused)
check "--no-probe" sgioctl doctor --no-probe
is "... asks nobody" "$(counted refused)" "$before"

# Whatever the policy is, the answer is its own.
echo stock >"$sysfs/classes/disk/table"
doctor 0
is "with the kernel's own list as the table: by the counters" "$(of "$disk")" "pass false"
echo strict >"$sysfs/classes/disk/table"
put "$(dev "$disk")/rules" "allow r 43,46" "deny 9e"
doctor 0
is "with rules that allow the first choices: another command" "$(of "$disk")" "pass true"
echo >"$(dev "$disk")/rules"
echo 1 >"$(dev "$disk")/unpriv_sgio"
doctor 0
is "unpriv_sgio" "$(of "$disk")" "pass true"
echo 0 >"$(dev "$disk")/unpriv_sgio"
echo 1 >"$(dev "$disk")/complain"
doctor 1
is "complain" "$(of "$disk")" "pass true"
echo 0 >"$(dev "$disk")/complain"

# No telling, and why.
echo offline >"/sys/bus/scsi/devices/$disk/state"
doctor 0
like "offline" "$(of "$disk"): $(reason "$disk")" "unknown*not running (offline)"
echo running >"/sys/bus/scsi/devices/$disk/state"
mv "/dev/bsg/$disk" "$tmp/bsg"
doctor 0
like "no node" "$(of "$disk"): $(reason "$disk")" "unknown*/dev/bsg/$disk*"
mv "$tmp/bsg" "/dev/bsg/$disk"
like "not root" "$(as_nobody sgioctl --json doctor | jq -r '.probes[].result' | sort | uniq -c | xargs)" "$n unknown"

# What was not seen is not called well.
unseen=$(as_nobody sgioctl --json doctor --no-probe | jq -r '.findings[] | select(.check == "rawio") | "\(.level) \(.text)"')
like "not root: nothing is said of processes that were not seen" "$unseen" "note *could not be looked at: unknown*"

# The decision is taken away: the kernel's own list answers, though all looks well.
replacement=$(awk '$4 == "[sgio_filter]" && $3 ~ /^_R.*16scsi_cmd_allowed/ { print $3; exit }' /proc/kallsyms)
bypass=$(dirname "$SGIO_KO")/ipmodify/sgio_test_bypass.ko
check "the filter is gone around" insmod "$bypass" replacement="$replacement"
chmod 666 "/dev/bsg/$disk"
allowed "... and the kernel's own list decides" --read "bsg:/dev/bsg/$disk" 48030000000000000000
doctor 1
is "found on every device" "$(results)" "$n fail true"
like "the hook looks well" "$(jq -r '.findings[] | select(.check == "hook") | .level' <<<"$answer")" ok
like "the reason" "$(reason "$disk")" "allowed, by the kernel's own list, where the filter says refused"
echo stock >"$sysfs/classes/disk/table"
doctor 1
is "found by the counters alone" "$(of "$disk")" "fail false"
echo strict >"$sysfs/classes/disk/table"
rmmod sgio_test_bypass
doctor 0
is "back: proven again" "$(results)" "$n pass true"
check "the module unloads" unload
finish
