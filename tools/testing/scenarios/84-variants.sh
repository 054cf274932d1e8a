#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: the module built as for other kernels (no jumps of ftrace, no kprobes, optimised for size) decides the same
# minutes: 3
# kernels: stock
# The module as it is for other kernels (tools/testing/setup/build-module). Bare: ftrace has no jumps, so that
# a handler sends the callers on instead (rust/kernel/ftrace.rs), and there are no kprobes, so that it is not known
# which device an open /dev/sgN is, and what sg asks is refused. Small and smaller: functions of Rust are at odd addresses too, to which ftrace cannot
# jump. The decisions are the same, and it comes and goes as well.
# builds: bare small smaller unproven
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

jumping=$SGIO_KO
for variant in bare small smaller unproven; do
	[ -e "${SGIO_KO%/*}/$variant/sgio_filter.ko" ] || die "no $variant module"
	cp "${SGIO_KO%/*}/$variant/sgio_filter.ko" "$tmp/$variant.ko"
done
multiplexed=48,5e,7f,95,9e,a3,a4
hooked() { grep '^scsi_cmd_allowed ' /sys/kernel/tracing/enabled_functions | tr -s '[:space:]' ' '; }
jumps="* (1) *D*tramp:*" handles="* (1) *I*tramp: *go_on_at_replacement*"

# as_by_the_jump NAME DIRECTORY: the same tables; but of those of sg's own SG_IO all is refused where the device is not known
as_by_the_jump() {
	local file want

	for want in "$tmp"/jump/*; do
		file=${want##*/}
		if [[ $1 == bare && $file == sg@(|32)_sg* ]]; then
			is "$1: $file: refused where sg asks" "$(grep -Evc ' (ro|wo) refused| rw allowed' "$2/$file")" 0
		else
			same "$1: $file as by the jump" "$2/$file" "$want"
		fi
	done
	is "... which is not as without a module" \
		"$(diff -rq "$tmp/without" "$2" | grep -c differ | sed 's/^[1-9].*/some differ/')" "some differ"
}

debug_load
devices=()
for type in 0 1 5 8; do
	debug_add $type
	devices+=("$hctl")
done
bsg=bsg:/dev/bsg/${devices[0]}
register=5f060000000000001800
sweep "$tmp/without" "$multiplexed" "${devices[@]}"

# As on a kernel whose compiler has put the decision into one that must ask.
is "a kernel that does not ask everywhere: the module is not loaded" \
	"$(insmod "$tmp/unproven.ko" 2>&1 | grep -o 'No such device or address')" "No such device or address"
check "... the log says of which function" \
	log_grep "sgio_filter: scsi_ioctl() does not call scsi_cmd_allowed() as its source does"
is "... and nothing is hooked" "$(hooked)" ""

SGIO_KO=$jumping must_load
like "the module jumps here" "$(hooked)" "$jumps"
sweep "$tmp/jump" "$multiplexed" "${devices[@]}"
unload
is "of sg's own SG_IO it knows the device" \
	"$(cd "$tmp/jump" && for file in sg_sg*; do cmp -s "$file" "../without/$file" || echo differs; done | sort -u)" differs

for variant in bare small smaller; do
	SGIO_KO=$tmp/$variant.ko
	must_load strict=0
	case $variant in
	bare)
		how=$handles
		check "bare: the log says that sg cannot be hooked" log_grep "sg: the driver cannot be hooked (EOPNOTSUPP)"
		is "... and so does sysfs" "$(sed -n 's/^sg_ioctl //p' $sysfs/entry_points)" "failed 95"
		mkdir /sys/fs/cgroup/other || die "no cgroups"
		is "what would need another hook is refused" \
			"$(echo 1 2>&1 >"$(dev "${devices[0]}")/pr_exclusive" | grep -o 'not supported')" "not supported"
		;;
	small*)
		where=$(awk '/ [Tt] _R.*16scsi_cmd_allowed/ { print $1 }' /proc/kallsyms)
		like "$variant: one function that is jumped to" "$where" "ffffffff????????"
		echo "# $variant: it is at $where"
		how=$jumps
		[ $((0x$where & 1)) -eq 0 ] || how=$handles
		;;
	esac
	like "$variant: hooked as it must be there" "$(hooked)" "$how"
	sweep "$tmp/stock.$variant" "$multiplexed" "${devices[@]}"
	for want in "$tmp"/without/*; do
		[[ $variant != bare || $want != */sg@(|32)_sg* ]] || continue
		same "$variant, strict=0: ${want##*/} as without a module" "$tmp/stock.$variant/${want##*/}" "$want"
	done
	unload

	must_load
	sweep "$tmp/$variant" "$multiplexed" "${devices[@]}"
	as_by_the_jump $variant "$tmp/$variant"
	refused "$variant: PERSISTENT RESERVE OUT" --write "$bsg" $register
	echo "allow w 5f [1]=06" >"$(dev "${devices[0]}")/rules"
	allowed "... by a rule" --write "$bsg" $register
	unload

	# shellcheck disable=SC2046
	traffic $(for d in "${devices[@]}"; do targets "$d"; done)
	done=0
	for i in {1..20}; do
		load strict=$((i % 2)) || break
		unload || break
		done=$i
	done
	traffic_ends "$variant: 20 loads"
	is "$variant: it comes and goes under traffic" "$done" 20
	is "$variant: the hook is gone" "$(hooked)" ""
done
nothing_left "after all"
sweep "$tmp/after" "$multiplexed" "${devices[@]}"
check "the stock answers are back" diff -r "$tmp/without" "$tmp/after"
finish
