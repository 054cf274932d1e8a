#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: the table `stock` is the kernel's own list: all opcodes, open modes, interfaces and device types, with the module and without it
# minutes: 1
# kernels: stock
# The table `stock` is the kernel's own list: all 256 opcodes, both open modes,
# every interface, all 32 peripheral device types, once without the module and
# once with it, without a difference.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

multiplexed=48,5e,7f,95,9e,a3,a4

debug_load
devices=()
types=()
for type in {0..31}; do
	debug_add "$type"
	devices+=("$hctl")
	types+=("$(<"/sys/bus/scsi/devices/$hctl/type")")
done
is "scsi_debug shows 32 device types" "${types[*]}" "$(echo {0..31})"

sweep "$tmp/without" "$multiplexed" "${devices[@]}"
must_load strict=0
is "every class holds the stock table" "$(sort -u "$sysfs"/classes/*/table)" stock
sweep "$tmp/stock" "$multiplexed" "${devices[@]}"

# The comparison is worth nothing if the sweeps saw nothing.
disk=$tmp/without/sg_io_${disk_of[${devices[0]}]##*/}
is "without the module a disk takes 44 opcodes from a read-only open" \
	"$(grep -c '^.. ro allowed' "$disk")" 44
is "... and 75 from a read-write open" "$(grep -c '^.. rw allowed' "$disk")" 75
is "... and every verdict is allowed or refused" \
	"$(cut -d' ' -f3 "$tmp"/without/* | sort -u | xargs)" "allowed refused"
is "... of all the interfaces" \
	"$(for f in "$tmp"/without/*; do f=${f##*/}; echo "${f%_*}"; done | sort -u | xargs)" \
	"bsg bsg-uring bsg-uring-worker cdrom-packet cdrom-packet32 send-command send-command32 sg sg32 sg_io sg_io32"

for i in {0..31}; do
	for file in "$tmp"/without/*_{"${devices[i]}","${sg_of[${devices[i]}]##*/}",${disk_of[${devices[i]}]##*/},${changer_of[${devices[i]}]##*/}}; do
		[ ! -e "$file" ] ||
			same "type ${types[i]}: ${file##*/} with the module as without" "$file" "$tmp/stock/${file##*/}"
	done
done
echo "# $(cat "$tmp"/without/* | wc -l) verdicts compared," \
	"$(diff -r "$tmp/without" "$tmp/stock" | grep -c '^>') differ"

check "the module unloads" unload
sweep "$tmp/after" "$multiplexed" "${devices[@]::9}"
for file in "$tmp"/after/*; do
	same "unloaded: ${file##*/} as before" "$file" "$tmp/without/${file##*/}"
done
finish
