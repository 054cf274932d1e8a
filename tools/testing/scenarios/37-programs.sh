#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernels: stock
# about: each profile with the programs that it names, as in [profiles.md](admin-guide/profiles.md), both ways
# minutes: 4
# Each profile with the programs that it names, as nobody, both ways: what they send that is needed is not
# refused, and no rule of the profile is there that nothing has used, but for what needs hardware that is not here.
# Documentation/admin-guide/profiles.md is the same as a table.
# vm: --qemu-arg -blockdev --qemu-arg driver=null-co,node-name=n0,size=67108864,read-zeroes=on
# vm: --qemu-arg -device --qemu-arg ide-hd,drive=n0,bus=ide.0,serial=sgio-sata
# vm: --qemu-arg -blockdev --qemu-arg driver=null-co,node-name=n1,size=67108864,read-zeroes=on,read-only=on
# vm: --qemu-arg -device --qemu-arg ide-cd,drive=n1,bus=ide.1,serial=sgio-cd
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
# shellcheck source-path=SCRIPTDIR source=lio.sh
. "$here/lio.sh"

# by_vendor VENDOR TYPE: sets $hctl
by_vendor() {
	local d
	for d in $(scsi_devices); do
		grep -q "^$1" "/sys/bus/scsi/devices/$d/vendor" || continue
		[ "$(cat "/sys/bus/scsi/devices/$d/type")" = "$2" ] && hctl=$d && return
	done
	die "no device of $1, type $2"
}
has() { command -v "$1" >/dev/null; }

need sg sd_mod sr_mod ahci
by_vendor ATA 0
use_device "$hctl"
sata=$hctl
by_vendor QEMU 5
use_device "$hctl" 5
cd=$hctl
lio_load
lio_backstore one
lio_disk one 1
lun=$hctl
debug_load
debug_add 0
plain=$hctl
debug_add 1
tape=$hctl
debug_add 8
changer=$hctl
debug_add 13
ses=$hctl
must_load
# What opens /dev/sgN for writing is judged too.
echo 1 >$sysfs/filter_sg

trace=/sys/kernel/tracing/instances/programs
mkdir -p $trace
echo 1 >$trace/events/sgio_filter/decision/enable

# profile DEVICE NAME...: in force, with nothing refused so far
declare -A rules_of=()
profile() {
	local device=$1 names rules
	shift
	printf -v names '"%s", ' "$@"
	printf '[[device]]\nmatch = { hctl = "%s" }\nprofiles = [%s]\n' "$device" "${names%, }" >"$tmp/profile.toml"
	sgioctl apply --device "$device" "$tmp/profile.toml" >/dev/null || die "$*: not applied"
	profile=$* of=$device
	slurp rules "$(dev "$device")/rules"
	rules_of[$*]=$rules
	: >"$tmp/refused"
	echo >$trace/trace
}
# What was decided since: events of this device alone, to $tmp/events. What was refused is collected.
decided() {
	grep -F "dev=$of " $trace/trace >"$tmp/events"
	echo >$trace/trace
	sed -n 's/.* outcome=refused .* cdb=//p' "$tmp/events" | sort -u >"$tmp/refused.now"
	cat "$tmp/refused.now" >>"$tmp/refused"
}
# runs PROGRAM ARGUMENT...: as nobody; how it ends does not matter, the devices know little
runs() {
	local status word words=()
	has "$1" || die "$1 is not there"
	as_nobody timeout 60 "$@" >"$tmp/out" 2>&1
	status=$?
	echo "# $profile: $* ends with $status"
	decided
	# The table has it without the names of nodes and files.
	for word; do
		case $word in
		/dev/[^z]* | dev=* | of=* | "$tmp"*) [[ ${words[-1]} != @(-d|-f|--device) ]] || unset 'words[-1]' ;;
		*) words+=("$word") ;;
		esac
	done
	printf '%s\t%s\t%s\t%s\n' "$profile" "$1" "${words[*]:1}" "$(names_of "$tmp/refused.now")" >>"$tmp/ran"
	# Rules are numbered from 0, as they stand in the file.
	sed -n 's/.* outcome=allowed .* layer=device rule=\([0-9]*\) .* cdb=\(..\).*/\1 \2/p' "$tmp/events" | sort -u |
		while read -r rule opcode; do
			printf '%s\t%s\t%s\n' "$profile" "$(sed -n "$((rule + 1))p" <<<"${rules_of[$profile]}")" "$opcode"
		done >>"$tmp/used"
}
# sends CDB [ARGUMENT...]: what a program sends that is not here, or only to hardware that is not
sends() {
	nobody --probe "--${2-read}" "bsg:/dev/bsg/$of" "$1" >/dev/null 2>&1
	decided
}
# names_of FILE: the names of the CDBs in it, each once
names_of() {
	sort -u "$1" | while read -r cdb; do
		sgioctl --json explain --device "$of" "$cdb" | jq -r '.meanings[0].name // "unknown"'
	done | sort -u | xargs
}
# The rules that decided nothing, of those that match.
unused() {
	sed -n 's/^ *0 //p' "$(dev "$of")/hits" | grep "$1" | sort | tr '\n' ';' | sed 's/;$//'
}
# ends REFUSED UNUSED [RULES]: what was refused, by name; the rules that nothing used, of all or of those that match
ends() {
	is "$profile: what is refused" "$(names_of "$tmp/refused")" "$1"
	is "$profile${3:+, $3}: rules that nothing used" "$(unused "${3-}")" "$2"
	sgioctl reset "$of" >/dev/null
}

# shellcheck source-path=SCRIPTDIR source=programs.sh
. "$here/programs.sh"

# profiles.md has both tables: what was run, and what is open that no program here sends.
page=$here/../../../Documentation/admin-guide/profiles.md
# rows HEADING: of the table below that heading, without its head
rows() {
	sed -n "/^## $1/,/^## /p" "$page" | grep '^|' | tail -n +3
}
# What the page lacks is printed as it is to stand there.
same_rows() {
	same "profiles.md: $1" "$tmp/page" "$tmp/table"
	cmp -s "$tmp/page" "$tmp/table" || sed 's/^/# /' "$tmp/table"
}
awk -F'\t' '
	{ key = $1 "\t" $2; if (!(key in as)) order[++n] = key }
	{ as[key] = as[key] (as[key] ? ", " : "") ($3 == "" ? "alone" : "`" $3 "`") }
	{ split($4, names, " "); for (i in names) if (!((key, names[i]) in seen)) {
		seen[key, names[i]] = 1; no[key] = no[key] (no[key] ? ", " : "") names[i] } }
	END { for (i = 1; i <= n; i++) { split(order[i], part, "\t")
		print "| " part[1] " | " part[2] " | " as[order[i]] " | " no[order[i]] " |" } }' "$tmp/ran" >"$tmp/table"
rows 'What was run' >"$tmp/page"
same_rows "what was run"
declare -A used=()
while IFS=$'\t' read -r profile rule opcode; do used["${profile%% *} $rule $opcode"]=1; done <"$tmp/used"
# Of each profile's rules, those of the profiles behind it (and disk-guest, behind disk-guest-pr) left out: the opcodes of no program's run.
for profile in "${!rules_of[@]}"; do
	others=
	for name in ${profile#* }; do [ "$name" = "$profile" ] || others+=${rules_of[$name]}$'\n'; done
	[ "$profile" != disk-guest-pr ] || others=${rules_of[disk-guest]}$'\n'
	while read -r rule; do
		[[ $rule != allow* || $'\n'$others == *$'\n'"$rule"$'\n'* ]] && continue
		read -r _ _ opcodes _ <<<"$rule"
		missing=
		for range in ${opcodes//,/ }; do
			for ((opcode = 0x${range%-*}; opcode <= 0x${range#*-}; opcode++)); do
				printf -v hex %02x $opcode
				[ -n "${used["${profile%% *} $rule $hex"]-}" ] || missing+=" $hex"
			done
		done
		[ -z "$missing" ] || echo "| ${profile%% *} | \`$rule\` |$missing |"
	done <<<"${rules_of[$profile]}"
done | sort -u >"$tmp/table"
rows 'Open, and sent by no program here' >"$tmp/sources"
sed 's/^\(|[^|]*|[^|]*|[^|]*|\).*/\1/' "$tmp/sources" | sort >"$tmp/page"
same_rows "what is open and sent by no program here"
is "profiles.md: each with a source" "$(grep -E '\| *\|$' "$tmp/sources")" ""
like "profiles.md: how many of sg3_utils' names" "$(cat "$page")" \
	"*the numbers | $("$here/../names/coverage" "$(command -v sgioctl)" | head -n 1). *"
finish
