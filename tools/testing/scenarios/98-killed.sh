#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `sgioctl apply` over several devices and a class, killed before each of its system
# calls, one run for each: there is the old policy on all of them or the new one.
# And killed at odd times, for what is between system calls.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

max_steps=1000
debug_load
for type in 0 0 1; do debug_add $type; devices+=("$hctl"); done
must_load
for which in 01 02; do
	for d in "${devices[@]}"; do
		printf '[[device]]\nmatch = { hctl = "%s" }\nrules = "deny %s"\n' "$d" $which
	done >"$tmp/$which.toml"
	printf '[[class]]\nname = "changer"\nrules = "deny %s"\n' $which >>"$tmp/$which.toml"
done
# A change of no files but those: what `apply` writes in one go.
sgioctl apply --dry-run "$tmp/01.toml" >"$tmp/old"
check "the old policy" knob /dev/sgio_filter <"$tmp/old"

# policy: old, new or mixed, into $policy
policy() {
	local d rules found=''
	for d in "${devices[@]}"; do
		read -r rules <"$(dev "$d")/rules"
		found+="$rules,"
	done
	read -r rules <"$sysfs/classes/changer/rules"
	case $found$rules in
	"deny 01,deny 01,deny 01,deny 01") policy=old ;;
	"deny 02,deny 02,deny 02,deny 02") policy=new ;;
	*) policy=mixed ;;
	esac
}
policy
[ $policy = old ] || die "... is not in force: $(<"$tmp/old")"

# All system calls of a run that is not killed: its name, and which of that name.
strace -qq -o "$tmp/calls" sgioctl apply "$tmp/02.toml" >/dev/null
policy
is "strace sees it apply" $policy new
sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$tmp/calls" | awk '{ n[$1]++; print $1, n[$1] }' >"$tmp/steps"
# Emulated with lockdep, each takes seconds: a part of them there.
every=1
[ "$SGIO_KERNEL" = stock ] || every=8
mixed=0 old=0 new=0 alive=0 steps=0 line=0
while read -r name n; do
	if [ $((line++ % every)) -ne 0 ] || [ $steps -eq $max_steps ]; then continue; fi
	steps=$((steps + 1))
	knob /dev/sgio_filter <"$tmp/old" >/dev/null
	strace -qq -o /dev/null -e "inject=$name:signal=KILL:when=$n" sgioctl apply "$tmp/02.toml" >/dev/null 2>&1 </dev/null &&
		alive=$((alive + 1))
	policy
	declare "$policy=$((${!policy} + 1))"
done <"$tmp/steps" 2>/dev/null
echo "# killed before $steps of $line system calls: $old times the old policy, $new times the new one"
is "killed before a system call: nothing in between" $mixed 0
check "... the old policy was seen" test $old -gt 0
check "... and the new one" test $new -gt 0
is "... and it was killed" $alive 0

mixed=0
for n in {1..20}; do
	knob /dev/sgio_filter <"$tmp/old" >/dev/null
	timeout -s KILL "0.$(printf %03d $((n * 12)))" sgioctl apply "$tmp/02.toml" >/dev/null 2>&1
	policy
	[ $policy != mixed ] || mixed=$((mixed + 1))
done 2>/dev/null
is "killed at odd times: nothing in between" $mixed 0
check "the module unloads" unload
finish
