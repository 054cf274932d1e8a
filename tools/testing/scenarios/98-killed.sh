#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: `sgioctl apply` killed before its system calls leaves the old policy or the new one, on all devices
# minutes: 2
# kernels: stock
# `sgioctl apply` over several devices and a class, killed before each of its system
# calls from the opening of the node on and before some of those earlier, one run for
# each: there is the old policy on all of them or the new one. And killed at odd times,
# for what is between system calls.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

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
mapfile -t steps <"$tmp/steps"
node=$(sed -n 's/^\([a-z0-9_]*(.*\)/\1/p' "$tmp/calls" | grep -n -m 1 '/dev/sgio_filter')
node=$((${node%%:*} - 1))
check "... and open the node" test "$node" -gt 0

# Where each run takes seconds, only some of them: from the one before the node is opened,
# each; of those before, when nothing can have changed, and of a long tail, evenly many.
near=16 far=24
is_debians || { near=10 far=6; }
chosen=()
stride=$(((${#steps[@]} - near) / far + 1))
# Not the first one, which is the execve() of strace itself: none of it is injected into.
for ((i = 1; i < ${#steps[@]}; i++)); do
	if ((i >= node - 1 && i < node - 1 + near)) || ((i % stride == 0)); then chosen+=("$i"); fi
done
mixed=0 old=0 new=0 alive=0
for i in "${chosen[@]}"; do
	read -r name n <<<"${steps[i]}"
	knob /dev/sgio_filter <"$tmp/old" >/dev/null
	strace -qq -o /dev/null -e "inject=$name:signal=KILL:when=$n" sgioctl apply "$tmp/02.toml" >/dev/null 2>&1 </dev/null &&
		alive=$((alive + 1))
	policy
	declare "$policy=$((${!policy} + 1))"
done 2>/dev/null
echo "# killed before ${#chosen[@]} of ${#steps[@]} system calls: $old times the old policy, $new times the new one"
is "killed before a system call: nothing in between" $mixed 0
check "... the old policy was seen" test $old -gt 0
check "... and the new one" test $new -gt 0
is "... and it was killed" $alive 0

# Times spread over as long as one takes, from its start to its end.
knob /dev/sgio_filter <"$tmp/old" >/dev/null
began=${EPOCHREALTIME/./}
sgioctl apply "$tmp/02.toml" >/dev/null
took=$((${EPOCHREALTIME/./} - began))
mixed=0 old=0 new=0 times=16
for ((n = 1; n <= times; n++)); do
	knob /dev/sgio_filter <"$tmp/old" >/dev/null
	printf -v after '%d.%06d' $((took * n / times / 1000000)) $((took * n / times % 1000000))
	timeout -s KILL "$after" sgioctl apply "$tmp/02.toml" >/dev/null 2>&1
	policy
	declare "$policy=$((${!policy} + 1))"
done 2>/dev/null
echo "# killed within $((took / 1000)) ms: $old times the old policy, $new times the new one"
is "killed at odd times: nothing in between" $mixed 0
check "the module unloads" unload
finish
