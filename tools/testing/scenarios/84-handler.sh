#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernels: stock
# The module as it is for a kernel whose ftrace has no jumps (rust/kernel/ftrace.rs): a handler sends
# the callers on instead. The decisions are the same, and it comes and goes as well.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

jumping=$SGIO_KO
SGIO_KO=$(dirname "$SGIO_KO")/handler/sgio_filter.ko
[ -e "$SGIO_KO" ] || die "no $SGIO_KO"
cp "$SGIO_KO" "$tmp/handler.ko"
multiplexed=48,5e,7f,95,9e,a3,a4
hooked() { grep '^scsi_cmd_allowed ' /sys/kernel/tracing/enabled_functions | tr -s '[:space:]' ' '; }

debug_load
devices=()
for type in 0 1 5 8; do
	debug_add $type
	devices+=("$hctl")
done
sweep "$tmp/without" "$multiplexed" "${devices[@]}"

SGIO_KO=$jumping must_load
like "the module jumps here" "$(hooked)" "* (1) *D*tramp:*"
sweep "$tmp/jump" "$multiplexed" "${devices[@]}"
unload

SGIO_KO=$tmp/handler.ko
must_load strict=0
like "the other one has a handler that changes the address" "$(hooked)" "* (1) *I*tramp: *go_on_at_replacement*"
sweep "$tmp/stock" "$multiplexed" "${devices[@]}"
for file in "$tmp"/without/*; do
	same "strict=0: ${file##*/} as without a module" "$tmp/stock/${file##*/}" "$file"
done
unload

must_load
sweep "$tmp/handler" "$multiplexed" "${devices[@]}"
for file in "$tmp"/jump/*; do
	same "strict: ${file##*/} as by the jump" "$tmp/handler/${file##*/}" "$file"
done
is "... which is not as without a module" \
	"$(diff -rq "$tmp/without" "$tmp/handler" | grep -c differ | sed 's/^[1-9].*/some differ/')" "some differ"
bsg=bsg:/dev/bsg/${devices[0]}
register=5f060000000000001800
refused "PERSISTENT RESERVE OUT" --write "$bsg" $register
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
traffic_ends "20 loads"
is "it comes and goes under traffic" "$done" 20
is "the hook is gone" "$(hooked)" ""
nothing_left "after all"
sweep "$tmp/after" "$multiplexed" "${devices[@]}"
check "the stock answers are back" diff -r "$tmp/without" "$tmp/after"
finish
