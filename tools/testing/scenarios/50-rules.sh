#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: the rule language by way of the knob: what is written, what is read back, what the kernel then does
# minutes: 2
# The rule language by way of the knob: what is written, what is read back, what
# the kernel then does. All that is read can be written back.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load
debug_add 0
a=$hctl
bsg=bsg:/dev/bsg/$a
debug_add 0
b=$hctl
must_load
rules=$(dev "$a")/rules

# reads NAME LINE...: what the file says
reads() {
	local name=$1
	shift
	is "$name" "$(cat "$rules")" "$(printf '%s\n' "$@")"
}

is "no rule of its own at first: an empty line" "$(od -An -tx1 "$rules")" " 0a"

put "$rules" "allow r 12"
reads "one rule" "allow r 12"

put "$rules" "# comment" "" "allow  w	5E,5f # both" "deny 48" "	allow r 85 [14]=EC,b0 "
reads "canonical: blanks, comments, capitals" "allow w 5e-5f" "deny 48" "allow r 85 [14]=b0,ec"

put "$rules" "allow r c0-c3,c2-cf,10,11" "allow w 5f [1]&1f=00,01,02,06,03 [2]&ff=05"
reads "canonical: merged lists, mask ff left out" \
	"allow r 10-11,c0-cf" "allow w 5f [1]&1f=00-03,06 [2]=05"

printf 'allow r 89' >"$rules"
reads "the last newline may be missing" "allow r 89"

# Round trip of all classes' rules and of a long list.
for class in "$sysfs"/classes/*; do
	text=$(cat "$class/rules")
	printf '%s\n' "$text" >"$tmp/rules"
	[ "$(wc -c <"$tmp/rules")" -lt 4096 ] || { not_ok "$class fits a write"; continue; }
	cat "$tmp/rules" >"$rules"
	same "round trip: $(basename "$class")" "$rules" "$tmp/rules"
done

# First match wins; a rule that matches is the end, whatever the open mode.
put "$rules" "deny 5e [1]=00" "allow r 5e"
refused "first match: deny in front" --write "$bsg" 5e00000000000000fc00
allowed "first match: the rest of 5e" --read "$bsg" 5e01000000000000fc00
put "$rules" "allow r 5e" "deny 5e [1]=00"
allowed "first match: allow in front" --read "$bsg" 5e00000000000000fc00
put "$rules" "allow w 5e" "allow r 5e"
refused "allow w refuses a read-only open, no later rule is asked" --read "$bsg" 5e00000000000000fc00
allowed "... and allows a read-write open" --write "$bsg" 5e00000000000000fc00
allowed "... and a write-only open" --write-only "$bsg" 5e00000000000000fc00
put "$rules" "deny 12"
refused "the device's rules come before the class's" --write "$bsg" 120000002400
allowed "a second device is not affected" --read "bsg:/dev/bsg/$b" 120000002400

# Masks, bytes far behind, several fields.
put "$rules" "allow r 85 [14]=ec [1]&1e=08"
allowed "two fields: both match" --read "$bsg" 8508000000000000000000000000ec00
allowed "two fields: bits outside of the mask do not count" --read "$bsg" 8529000000000000000000000000ec00
refused "two fields: one does not match" --write "$bsg" 850a000000000000000000000000ec00
refused "two fields: the other does not match" --write "$bsg" 85080000000000000000000000009000
put "$rules" "allow r 7f [7]=18 [8]=00 [9]=09,0b-0c [31]=01"
# Service action, last byte.
vl() { printf '7f00000000000018%s%042d%s' "$1" 0 "$2"; }
allowed "variable length: by service action and the last byte" --read "$bsg" "$(vl 000b 01)"
refused "... another last byte" --read "$bsg" "$(vl 000b 00)"
refused "... another service action" --read "$bsg" "$(vl 000d 01)"
refused "... another high byte of it" --read "$bsg" "$(vl 010b 01)"
put "$rules" "allow r 5e [20]=00"
allowed "a field on a byte behind a short CDB sees zeros" --read "$bsg" 5e00000000000000fc00
put "$rules" "allow r 5e [20]=01"
refused "... and nothing else" --read "$bsg" 5e00000000000000fc00

# Editing.
put "$rules" "allow r 5e" "allow w 5f"
put "$rules" "+deny 5e [1]=02"
reads "+ puts a rule in front" "deny 5e [1]=02" "allow r 5e" "allow w 5f"
put "$rules" "+ allow r 89" "+deny c0-ff"
reads "the last + is the first rule" "deny c0-ff" "allow r 89" "deny 5e [1]=02" "allow r 5e" "allow w 5f"
put "$rules" "-allow  r 89" "+allow w 89 # instead"
reads "- and + in one write" "allow w 89" "deny c0-ff" "deny 5e [1]=02" "allow r 5e" "allow w 5f"
put "$rules" "-deny ff,c0-fe"
reads "- finds a rule by what it means" "allow w 89" "deny 5e [1]=02" "allow r 5e" "allow w 5f"
put "$rules" "allow r 12" "allow r 12"
put "$rules" "-allow r 12"
reads "- removes one of two" "allow r 12"
put "$rules" "-allow r 12"
is "the last rule is removed" "$(cat "$rules")" ""
put "$rules" "+allow r 89"
is "an edit that fails in its last line" "$(printf '+allow r 5e\n-allow r 8b\n' | knob "$rules")" ENOENT
reads "... has changed nothing" "allow r 89"
put "$rules" "allow r 5e"
echo >"$rules"
is "an empty line alone: no rule" "$(cat "$rules")" ""
refused "... and no effect of the old ones" --write "$bsg" 5e00000000000000fc00
put "$rules" "allow r 5e"
cat "$(dev "$b")/rules" >"$rules"
is "what an empty list reads as can be written back" "$(cat "$rules")" ""

# Rules that end. now: hundredths of a second on their clock.
now() {
	local up
	read -r up _ </proc/uptime
	now=${up/./}
}
# timed NAME PATTERN: the only line of the file
timed() { like "$1" "$(cat "$rules")" "$2"; }

put "$rules" "deny	48  for=600 # for ten minutes"
timed "a rule that ends" "deny 48 for=[56]*"
# shellcheck disable=SC2094 # a file of sysfs
cat "$rules" >"$rules"
timed "... can be written back" "deny 48 for=[56]*"
put "$rules" "+deny 48 for=9"
timed "... a shorter time does not shorten it" "deny 48 for=[56]??"
put "$rules" "+deny 48 for=31622400"
timed "... a longer one extends it" "deny 48 for=3162????"
put "$rules" "+deny 48"
reads "... and + without a time makes it permanent" "deny 48"
put "$rules" "+deny 48 for=9"
like "... with a time, it is in front and stays" "$(cat "$rules")" "deny 48 for=?
deny 48"
put "$rules" "-deny 48"
reads "- takes the first, whatever its time" "deny 48"
put "$rules" "+allow r 5e for=600"
put "$rules" "-allow r 5e" "-deny 48 for=7"
is "... and needs none" "$(cat "$rules")" ""

# Seen by a sender: what began after the deadline is refused, what ended before it is not. The
# writer is no process any more.
now
before=$now
echo 'allow r 5e for=5' | knob "$rules" >/dev/null
now
after=$now wrong=0 let_through=0 stopped=0
until [ $stopped -ge 3 ]; do
	now
	began=$now
	says=$(nobody --probe --read "$bsg" 5e00000000000000fc00 2>&1)
	now
	case $says in
	allowed*) let_through=$((let_through + 1)) && [ "$began" -le $((after + 500)) ] || wrong=$((wrong + 1)) ;;
	refused*) stopped=$((stopped + 1)) && [ "$now" -ge $((before + 500)) ] || wrong=$((wrong + 1)) ;;
	*) wrong=$((wrong + 1)) stopped=$((stopped + 1)) ;;
	esac
done
is "a rule that allows for 5 s: let through $let_through times, wrong" $wrong 0
check "... at first" test $let_through -gt 0
is "... then it is gone" "$(cat "$rules")$(cat "$(dev "$a")/hits")" ""

# A deny that ends, by a transaction; numbers and counts are those of the lines that are left.
printf 'device %s\nrules\n%s\n' "$a" "deny 12 for=5
allow r 5e
allow r 89" | knob /dev/sgio_filter >/dev/null
refused "a transaction: deny for 5 s" --write "$bsg" 120000002400
is "... the rule behind it is the second" "$(sgcheck "$a" ro 5e 00 00 00 00 00 00 00 fc 00)" "2 1 1 0"
allowed "... and decides" --read "$bsg" 5e00000000000000fc00
# shellcheck disable=SC2317 # called by name
two_are_left() { [ "$(wc -l <"$rules")" = 2 ]; }
wait_for two_are_left
allowed "... after that, the class" --write "$bsg" 120000002400
allowed "... again, by the fast path" --write "$bsg" 120000002400
is "... the rule behind it is the first" "$(sgcheck "$a" ro 5e 00 00 00 00 00 00 00 fc 00)" "2 1 0 0"
is "... it keeps its count" "$(sed 's/^ *//' "$(dev "$a")/hits")" "1 allow r 5e
0 allow r 89"
reads "... and the file has two rules" "allow r 5e" "allow r 89"
echo >"$rules"

# The limit of the list: 4096 rules, in writes that fit a page.
for _ in $(seq 16); do
	for i in $(seq 256); do printf '+deny %02x\n' $((i - 1)); done >"$tmp/edit"
	cat "$tmp/edit" >"$rules" || break
done
is "4096 rules" "$(wc -l <"$rules")" 4096
is "one more" "$(knob "$rules" <<<"+deny 00")" ENOSPC
is "... changes nothing" "$(wc -l <"$rules")" 4096
refused "4096 rules: refused by the last" --write "$bsg" 120000002400
is "... the newest in front" "$(head -n 1 "$rules")" "deny ff"
echo >"$rules"
allowed "they are gone" --write "$bsg" 120000002400

# The other knob of the device and the queue's are one state.
queue=$(queue "$a")/unpriv_sgio
for value in 1 0; do
	echo $value >"$(dev "$a")/unpriv_sgio"
	is "unpriv_sgio = $value by the device is seen at the queue" "$(cat "$queue")" $value
done
echo 1 >"$queue"
is "... and the other way round" "$(cat "$(dev "$a")/unpriv_sgio")" 1
allowed "unpriv_sgio allows everything from a read-only open" --read "$bsg" ff
is "... of this device" "$(cat "$(dev "$b")/unpriv_sgio")" 0
finish
