#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: under `strict` the kernel does what the class's rules say, read by the reference implementation: all opcodes, interfaces and device types
# minutes: 1
# kernels: stock
# Under `strict` the kernel does what the class's rules say, read by a second
# evaluator (ruleeval): all opcodes, the service actions of the multiplexed ones, both open
# modes, every interface, all 32 peripheral device types. /dev/sgN asks nobody
# if it is open for both, and on scanners.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

multiplexed=15,1b,3c,48,4d,55,5e,5f,7f,83,84,94,95,9d,9e,9f,a3,a4,a9,ab

debug_load
devices=()
sg=()
for type in {0..31}; do
	debug_add "$type"
	devices+=("$hctl")
	sg+=("sg/ro,wo,rw:${sg_of[$hctl]}")
done

mkdir -m 777 "$tmp/without"
nobody --sweep --sweep-sa "$multiplexed" --into "$tmp/without" "${sg[@]}"
must_load
is "strict is the default" "$(sort -u "$sysfs"/classes/*/table)" strict
sweep "$tmp/strict" "$multiplexed" "${devices[@]}"
sgsend --list "$multiplexed" >"$tmp/commands"

for hctl in "${devices[@]}"; do
	class=$(<"$(dev "$hctl")/class")
	ruleeval "$sysfs/classes/$class/rules" <"$tmp/commands" >"$tmp/all"
	grep -v / "$tmp/all" >"$tmp/opcodes"
	grep ' rw ' "$tmp/opcodes" >"$tmp/opcodes.rw"
	{
		grep ' ro ' "$tmp/all"
		sed -n 's/ rw / wo /p' "$tmp/all"
		sed -n 's/ rw .*/ rw allowed/p' "$tmp/all"
	} >"$tmp/sg"
	for file in "$tmp"/strict/*_{"$hctl","${sg_of[$hctl]##*/}",${disk_of[$hctl]##*/},${changer_of[$hctl]##*/}}; do
		[ -e "$file" ] || continue
		name=${file##*/}
		case $name in
		sg_sg* | sg32_sg*)
			if [ "$class" = scanner ]; then
				same "$class: $name answers as without the module" "$file" "$tmp/without/$name"
			else
				same "$class: $name as the rules say" "$file" "$tmp/sg"
			fi
			;;
		cdrom-packet_sg*) same "$class: $name as the rules say" "$file" "$tmp/opcodes.rw" ;;
		cdrom-packet* | send-command*) same "$class: $name as the rules say" "$file" "$tmp/opcodes" ;;
		*) same "$class: $name as the rules say" "$file" "$tmp/all" ;;
		esac
	done
done
echo "# $(cat "$tmp"/strict/* | wc -l) verdicts compared"

disk=${devices[0]}
is "a writable /dev/sgN is not filtered" \
	"$(grep -c '^.. rw allowed' "$tmp/strict/sg_${sg_of[$disk]##*/}")" 256
is "strict differs from stock on a disk" \
	"$(grep '^48 ro' "$tmp/strict/sg_io_${disk_of[$disk]##*/}")" "48 ro refused"
is "root may send everything" \
	"$(sgsend --sweep "bsg:/dev/bsg/$disk" "sg_io:${disk_of[$disk]}" | grep -c ' allowed')" 1024
check "the module unloads" unload
finish
