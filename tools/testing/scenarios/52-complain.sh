#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: `complain`, and the counters in `stats`
# complain: what would be refused is counted and logged, and let through; and
# what the counters in `stats` say of every answer.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load
debug_add 0
a=$hctl
bsg=bsg:/dev/bsg/$a
debug_add 0
b=$hctl
must_load
d=$(dev "$a")

# stat NAME: one counter
stat() { awk -v name="$1" '$1 == name { print $2 }' "$d/stats"; }
stats() { echo "$(stat allowed) $(stat privileged) $(stat complained) $(stat refused)"; }
send() { nobody --probe --read "$bsg" "$@" >/dev/null; }

is "the names" "$(awk '{ print $1 }' "$d/stats" | xargs)" "allowed privileged complained refused emulated"
base=$(stat allowed)
for _ in 1 2 3; do send 120000002400; done
is "allowed counts" $(($(stat allowed) - base)) 3
is "... and nothing else does" "$(stats | cut -d' ' -f2-)" "0 0 0"
for _ in 1 2; do send 5e00000000000000fc00; done
is "refused counts" "$(stats | cut -d' ' -f2-)" "0 0 2"
sgsend --probe "$bsg" 5e00000000000000fc00 >/dev/null
is "privileged counts" "$(stats | cut -d' ' -f2-)" "1 0 2"
sgsend --probe "$bsg" 120000002400 >/dev/null
is "root's allowed commands count as allowed" $(($(stat allowed) - base)) 4
echo "allow r 5e" >"$d/rules"
send 5e00000000000000fc00
is "allowed by a rule of its own" $(($(stat allowed) - base)) 5
echo >"$d/rules"
echo 1 >"$d/unpriv_sgio"
send 5e00000000000000fc00
is "allowed by unpriv_sgio" $(($(stat allowed) - base)) 6
echo 0 >"$d/unpriv_sgio"

is "complain is off" "$(cat "$d/complain")" 0
log_mark
echo 1 >"$d/complain"
is "complain is on" "$(cat "$d/complain")" 1
allowed "complaining: what is refused is let through" --read "$bsg" 5e01000000000000fc00
is "complained counts" "$(stats | cut -d' ' -f2-)" "1 1 2"
log=$(log_grep -i 'sgio_filter')
like "the kernel log has the device and the CDB" "$log" "*$a*5e*"
is "... in one line" "$(wc -l <<<"$log")" 1
echo "# $log"
allowed "what is allowed is not complained about" --read "$bsg" 120000002400
is "... it counts as allowed" "$(stats | cut -d' ' -f2-)" "1 1 2"
log_mark
is "256 opcodes from a read-only open pass" \
	"$(nobody --read --sweep "$bsg" | grep -c ' allowed')" 256
n=$(log_grep -ci 'sgio_filter')
check "the log is rate-limited ($n lines)" test "$n" -gt 0 -a "$n" -lt 100
echo 1 >"$(dev "$b")/complain"
allowed "the other disk complains too" --read "bsg:/dev/bsg/$b" 5e01000000000000fc00
is "... which the first one's flood does not hide" "$(log_grep -c "$b: complain: 5e 01")" 1
echo 0 >"$(dev "$b")/complain"
nap 6
allowed "the flood is over" --read "$bsg" 5e01000000000000fc00
like "... and what was left out is told" "$(log_grep "$a: complain: 5e 01")" "*, [1-9]* suppressed"
allowed "the other disk is not open" --read "bsg:/dev/bsg/$b" 120000002400
refused "... for all" --read "bsg:/dev/bsg/$b" 5e00000000000000fc00
echo 0 >"$d/complain"
refused "complaining no more" --read "$bsg" 5e01000000000000fc00

# A sweep adds up: every command is in exactly one counter.
read -r -a before <<<"$(stats)"
nobody --sweep "$bsg" "sg_io:${disk_of[$a]}" "bsg-uring:/dev/bsg/$a" >"$tmp/sweep"
read -r -a after <<<"$(stats)"
is "a sweep: allowed" $((after[0] - before[0])) "$(grep -c ' allowed' "$tmp/sweep")"
is "a sweep: refused" $((after[3] - before[3])) "$(grep -c ' refused' "$tmp/sweep")"
is "a sweep: the rest" "$((after[1] - before[1])) $((after[2] - before[2]))" "0 0"

# Counting is exact with all processors at it.
read -r -a before <<<"$(stats)"
senders=()
for _ in 1 2 3 4; do
	nobody --sweep "$bsg" "$bsg" "$bsg" "$bsg" >/dev/null &
	senders+=($!)
done
wait "${senders[@]}"
read -r -a after <<<"$(stats)"
is "four senders at once: nothing is lost" \
	$((after[0] + after[3] - before[0] - before[3])) $((4 * 4 * 512))
finish
