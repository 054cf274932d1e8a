#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: a thousand devices in one transaction; times are printed, not judged
# minutes: 2
# kernels: stock
# A thousand devices in one transaction (a hundred on other kernels than the stock
# one): the times are printed, not judged. Lines
# `# bench NAME VALUE UNIT` are for a table of measurements.
# vm: --mem 3G
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

want=1000
is_debians || want=100
# took NAME FROM
took() { awk -v name="$1" -v from="$2" -v to="$EPOCHREALTIME" 'BEGIN { printf "# bench %s %.2f s\n", name, to - from }'; }

# A class without an upper level driver, so that the devices come quickly.
modprobe scsi_debug ptype=3 add_host=1 num_tgts=4 max_luns=$((want / 4)) delay=0 dev_size_mb=8 || die "no scsi_debug"
# shellcheck disable=SC2317 # called by wait_for
all() { [ "$(scsi_devices | wc -l)" -eq "$want" ]; }
for _ in {1..30}; do ! wait_for all || break; done
is "devices" "$(scsi_devices | wc -l)" $want
began=$EPOCHREALTIME
must_load
took module-load-$want "$began"
is "all of them are known" "$(find /sys/bus/scsi/devices/*/sgio_filter/ -name rules | wc -l)" $want

cat >"$tmp/one.toml" <<-END
	[[device]]
	match = { class = "processor" }
	rules = """
	allow r 5e
	allow w 5f [1]&1f=00-04,06
	"""
END
sed 's/5e/3c/' "$tmp/one.toml" >"$tmp/other.toml"
began=$EPOCHREALTIME
check "apply to all of them" sgioctl apply "$tmp/one.toml"
took apply-$want "$began"
is "... is in force on all" "$(cat /sys/bus/scsi/devices/*/sgio_filter/rules | sort | uniq -c | xargs)" \
	"$want allow r 5e $want allow w 5f [1]&1f=00-04,06"
sgioctl apply --dry-run "$tmp/other.toml" >"$tmp/transaction"
began=$EPOCHREALTIME
check "the transaction alone" knob /dev/sgio_filter <"$tmp/transaction"
took transaction-$want "$began"
echo "# bench transaction-size-$want $(wc -c <"$tmp/transaction") bytes"
is "... is in force on all" "$(cat /sys/bus/scsi/devices/*/sgio_filter/rules | sort | uniq -c | xargs)" \
	"$want allow r 3c $want allow w 5f [1]&1f=00-04,06"
# The last section wrong: none of them changes.
{ sed '/^allow r 3c/s/3c/77/' "$tmp/transaction"; echo "device 99:0:0:0"; echo rules; } >"$tmp/wrong"
is "one wrong among them" "$(knob /dev/sgio_filter <"$tmp/wrong")" ENODEV
is "... changes none" "$(cat /sys/bus/scsi/devices/*/sgio_filter/rules | grep -c 'allow r 77')" 0

# As udev calls it, for each device: it reads that one, not all of them.
target=$(scsi_devices | tail -n 1)
strace -f -qq -o "$tmp/calls" sgioctl apply --device "$target" "$tmp/one.toml" >/dev/null
is "one device alone" "$(head -n 1 "$(dev "$target")/rules")" "allow r 5e"
is "... reads no other" "$(grep -o '/sys/bus/scsi/devices/[0-9:]*' "$tmp/calls" | sort -u)" "/sys/bus/scsi/devices/$target"
echo "# bench apply-one-of-$want-syscalls $(wc -l <"$tmp/calls") calls"
knob /dev/sgio_filter <"$tmp/transaction" >/dev/null

# A device goes, or another one comes to its address, between the look and the transaction: the kernel
# refuses all of it, and it is looked at again.
# shellcheck disable=SC2317 # called by wait_for
has_node() { readlink "/proc/$(pgrep -x sgioctl)"/fd/* | grep -qx /dev/sgio_filter; }
for what in gone replaced; do
	IFS=: read -r host channel id lun <<<"$target"
	strace -f -qq -o /dev/null -P /dev/sgio_filter -e trace=write -e inject=write:delay_enter=4000000:when=1 \
		sgioctl apply "$tmp/one.toml" >"$tmp/out" 2>&1 &
	check "$what: apply is about to write" wait_for has_node
	echo 1 >"/sys/bus/scsi/devices/$target/delete"
	if [ $what = replaced ]; then
		echo "$channel $id $lun" >"/sys/class/scsi_host/host$host/scan"
		check "another device comes to the address" wait_for test -e "$(dev "$target")/id"
	fi
	wait $!
	is "$what: apply looks again" $? 0
	like "... and says so" "$(<"$tmp/out")" "*came or went: done at try 2*"
	is "... in force on all that are there" "$(cat /sys/bus/scsi/devices/*/sgio_filter/rules | sort | uniq -c | xargs)" \
		"$(scsi_devices | wc -l) allow r 5e $(scsi_devices | wc -l) allow w 5f [1]&1f=00-04,06"
	[ $what = replaced ] || echo "$channel $id $lun" >"/sys/class/scsi_host/host$host/scan"
	check "all devices are there again" wait_for all
	sgioctl apply --dry-run "$tmp/other.toml" >"$tmp/transaction"
	knob /dev/sgio_filter <"$tmp/transaction" >/dev/null
done

# Killed at any time.
mixed=0
for n in {1..12}; do
	timeout -s KILL "$((n / 4)).$((n % 4 * 25))" sgioctl apply "$tmp/one.toml" >/dev/null 2>&1
	kinds=$(cat /sys/bus/scsi/devices/*/sgio_filter/rules | sort -u | wc -l)
	[ "$kinds" -eq 2 ] || mixed=$((mixed + 1))
	knob /dev/sgio_filter <"$tmp/transaction" >/dev/null
done 2>/dev/null
is "killed: the old policy or the new one, on all devices" $mixed 0
began=$EPOCHREALTIME
check "the module unloads" unload
took module-unload-$want "$began"
nothing_left "unloaded"
finish
