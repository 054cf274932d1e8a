#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: the rules of a class: custom, the built-in tables, and back
# minutes: 1
# The rules of a class: for all its devices at once and no other's; custom rules,
# the built-in tables, and back.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load
debug_add 0
a=bsg:/dev/bsg/$hctl
a_dev=$(dev "$hctl")
debug_add 0
b=bsg:/dev/bsg/$hctl
debug_add 5
cd=bsg:/dev/bsg/$hctl
must_load
disk=$sysfs/classes/disk

is "version of the interface" "$(cat "$sysfs"/version)" 1
is "version of the module: that of tools/Cargo.toml" "$(cat /sys/module/sgio_filter/version)" \
	"$(sed -n 's/^version = "\(.*\)"/\1/p' /sgio/src/tools/Cargo.toml)"
is "the classes, one for each peripheral device type" \
	"$(for c in "$sysfs"/classes/*; do echo "${c##*/}"; done | sort | xargs)" \
	"$(printf '%s\n' disk tape printer processor worm cdrom scanner optical changer \
		communications 0a 0b raid enclosure rbc ocrw bridge osd adc security zbc \
		15 16 17 18 19 1a 1b 1c 1d wlun unknown | sort | xargs)"
is "a device names its class" "$(cat "$a_dev/class")" disk

cp $disk/rules "$tmp/strict"
is "built-in table" "$(cat $disk/table)" strict
refused "strict: SANITIZE" --read "$a" 48030000000000000000
allowed "PLAY AUDIO TI on a CD" --read "$cd" 48030000000000000000

echo stock >$disk/table
is "stock" "$(cat $disk/table)" stock
allowed "stock: SANITIZE from a read-only open" --read "$a" 48030000000000000000
allowed "... of the second disk" --read "$b" 48030000000000000000
is "the other classes stay" "$(cat "$sysfs"/classes/{cdrom,tape,zbc}/table | sort -u)" strict
cp $disk/rules "$tmp/stock"

echo "+allow r ff" >$disk/rules
is "edited: custom" "$(cat $disk/table)" custom
is "the edit is in front" "$(head -n 1 $disk/rules)" "allow r ff"
allowed "the new rule holds for one disk" --read "$a" ff000000000000000000
allowed "... and the other" --read "$b" ff000000000000000000
refused "... and not for a CD" --read "$cd" ff000000000000000000
echo "deny ff" >"$a_dev/rules"
refused "a device's own rule wins" --read "$a" ff000000000000000000
echo >"$a_dev/rules"

echo "-allow r ff" >$disk/rules
same "the edit undone" $disk/rules "$tmp/stock"
echo >$disk/rules
same "an empty line alone brings back the table of loading" $disk/rules "$tmp/strict"
is "... by name" "$(cat $disk/table)" strict

put $disk/rules "allow r 12" "allow w 5e"
refused "replaced: TEST UNIT READY" --write "$a" 000000000000
allowed "replaced: INQUIRY" --read "$a" 120000002400
allowed "replaced: 5e" --write "$b" 5e00000000000000fc00
refused "replaced: 5e from a read-only open" --read "$b" 5e00000000000000fc00
put $disk/rules "-allow r 12" "-allow w 5e"
is "an empty list says so" "$(cat $disk/rules)" "deny 00-ff"
refused "... and refuses everything" --write "$a" 120000002400
put $disk/rules "allow r 12 for=2"
like "a list that will be empty says so too" "$(cat $disk/rules)" "allow r 12 for=[12]
deny 00-ff"
# shellcheck disable=SC2317 # called by name
at_end() { [ "$(cat "$disk/rules")" = "deny 00-ff" ]; }
check "... and when it is" wait_for at_end
refused "... refuses everything" --write "$a" 120000002400
for bad in Strict STRICT "strict stock" strictx s "" custom 1; do
	is "table: '$bad'" "$(echo "$bad" | knob $disk/table)" EINVAL
done
is "... changes nothing" "$(cat $disk/table):$(cat $disk/rules)" "custom:deny 00-ff"
echo strict >$disk/table
same "strict again" $disk/rules "$tmp/strict"
printf stock >$disk/table
is "without a newline" "$(cat $disk/table)" stock

# An open file is decided about by the rules of the moment.
traffic "$a" "$b"
for _ in $(seq 50); do
	echo strict >$disk/table
	echo stock >$disk/table
	printf 'allow r 00,03,12\n' >$disk/rules
	echo >$disk/rules
done
traffic_ends "200 changes under traffic"
is "... and no error" "$(grep -c ', 0 errors' "$tmp/traffic")" 2

unload
must_load strict=0
is "loaded with strict=0" "$(sort -u "$sysfs"/classes/*/table)" stock
same "... the disk's" $disk/rules "$tmp/stock"
echo strict >$disk/table
same "strict can be had" $disk/rules "$tmp/strict"
echo >$disk/rules
is "an empty line brings back stock" "$(cat $disk/table)" stock
finish
