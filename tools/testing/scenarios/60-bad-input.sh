#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: bad input to every knob: the documented errno, and nothing has changed
# minutes: 2
# kernels: test
# Whatever is written to a knob: the documented errno, and nothing has changed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

debug_load
debug_add 0
a=$hctl
d=$(dev "$a")
must_load
queue=$(queue "$a")/unpriv_sgio
put "$d/rules" "allow r 5e" "deny 5f [1]&1f=02"
printf '+allow w 5f\n' >"$sysfs/classes/tape/rules"

# state FILE...: what they say, into $state. All of them, and those next to what
# is written.
state() {
	local file text
	state=
	for file; do
		slurp text "$file"
		state+="$file: $text"
	done
}
everything=("$d"/{unpriv_sgio,rules,complain,class} "$queue" "$sysfs"/version
	"$sysfs"/classes/*/{rules,table})
near=("$d"/{unpriv_sgio,rules,complain} "$queue" "$sysfs"/classes/tape/{rules,table})
state "${everything[@]}"
all_before=$state
state "${near[@]}"
before=$state

# bad NAME ERRNO [KNOB-OPTION...] FILE < DATA
bad() {
	local name=$1 want=$2 got
	shift 2
	got=$(knob "$@" 2>&1)
	state "${near[@]}"
	if [ "$got" != "$want" ]; then
		not_ok "$name" "got $got, want $want"
	elif [ "$state" != "$before" ]; then
		not_ok "$name" "changed:" "$(diff <(echo "$before") <(echo "$state"))"
		before=$state
	else
		ok "$name: $want"
	fi
}
# bytes N: that many bytes of one valid rule with a comment
bytes() { printf 'deny 12 # %*s\n' $(($1 - 11)) ''; }

numbers=("$d/unpriv_sgio" "$d/complain" "$queue")
rules=("$d/rules" "$sysfs/classes/tape/rules")
tables=("$sysfs/classes/tape/table")
all=("${numbers[@]}" "${rules[@]}" "${tables[@]}")

for file in "${numbers[@]}"; do
	for text in 2 -1 01 10 11 +1 0x1 on yes Y 'a' '1 ' ' 1' $'\t0' '1\n\n' '1\n0\n' '\n' \
		'1\0' '\0' '\0001' '1\r\n' 'allow r 12'; do
		# shellcheck disable=SC2059
		bad "${file#/sys/} <- '$text'" EINVAL "$file" < <(printf -- "$text")
	done
done

for file in "${rules[@]}"; do
	while IFS= read -r text; do
		# shellcheck disable=SC2059
		bad "${file#/sys/} <- '$text'" EINVAL "$file" < <(printf -- "$text\n")
	done <<-'END'
		allow
		allow r
		allow w
		allow x 12
		allow 12
		allow rw 12
		allowr 12
		allow r 1
		allow r 123
		allow r 0x12
		allow r zz
		allow r 12-
		allow r -12
		allow r 12-11
		allow r 12-1
		allow r 12,
		allow r ,12
		allow r 12,,13
		allow r 12, 13
		allow r 12 13
		allow r 12 deny 13
		deny
		deny r 12
		deny w 12
		permit r 12
		12
		r 12
		allow r 12 [0]=12
		allow r 12 [32]=00
		allow r 12 [-1]=00
		allow r 12 [1]
		allow r 12 [1]=
		allow r 12 [1]=0
		allow r 12 [1]=000
		allow r 12 [1]=05-04
		allow r 12 [1]&00=00
		allow r 12 [1]&0f=10
		allow r 12 [1]&=00
		allow r 12 [1]&1=00
		allow r 12 [1=00
		allow r 12 1]=00
		allow r 12 []=00
		allow r 12 [1]=00[2]=00
		allow r 12 [1] =00
		allow r 12 [1]=00 [1]=01 [1]=02 [1]=03 [1]=04 [1]=05 [1]=06
		allow r 12 for
		allow r 12 for=
		allow r 12 for=0
		allow r 12 for=-1
		allow r 12 for=+1
		allow r 12 for=010
		allow r 12 for=0x10
		allow r 12 for=1.5
		allow r 12 for=10s
		allow r 12 for=31622401
		allow r 12 for=99999999999
		allow r 12 for=18446744073709551617
		allow r 12 for=10 for=10
		allow r 12 for=10 [1]=00
		allow r 12 for =10
		allow r 12 for= 10
		allow r 12 for=1 0
		allow r 12 FOR=10
		allow r 12for=10
		allow r for=10
		for=10
		allow r 12 for=10\0
		allow r 12 for=10\r
		+allow r 12 for=0
		-allow r 12 for=0
		allow r 12\r
		allow r 12\0
		\0
		\0allow r 12
		allow r 12\nallow r 13\0
		allow r 1\0002
		all\303\266w r 12
		allow r 12\nallow
		allow r 12\nallow r 13\nallow w 5
		allow r 12\nallow w 5f [1]&1f=0
		+allow r 12\nallow r 13
		allow r 12\n-allow r 13
		+
		-
		+ +allow r 12
		++allow r 12
		# only a comment
		# two\n# comments
		\001
	END
	n=${file#/sys/}
	bad "$n: - of a rule that is not there" ENOENT "$file" < <(printf '+allow r 89\n-allow r 8b\n')
	bad "$n: - of a rule like one that is there" ENOENT "$file" <<<"-allow w 5e"
	bad "$n: one long line" EINVAL "$file" < <(head -c 4095 /dev/zero | tr '\0' a)
	bad "$n: random bytes" EINVAL "$file" < <(head -c 4000 /dev/urandom | tr '\n' x)
done

for file in "${tables[@]}"; do
	for text in custom stric strictt 'strict ' ' stock' 'Stock' 'stock\n\n' 'stock\0' 'stock\nstrict\n' 0 '\n'; do
		# shellcheck disable=SC2059
		bad "${file#/sys/} <- '$text'" EINVAL "$file" < <(printf -- "$text")
	done
done

for file in "${all[@]}"; do
	n=${file#/sys/}
	bad "$n: nothing" "ok 0" "$file" </dev/null
	bad "$n: 1 MB of newlines" EFBIG "$file" < <(head -c $((1 << 20)) /dev/zero | tr '\0' '\n')
	bad "$n: 1 MB of rules" EFBIG "$file" < <(yes "allow r 12" | head -c $((1 << 20)))
	bad "$n: exactly a page" EFBIG "$file" < <(bytes 4096)
	bad "$n: two pages" EFBIG "$file" < <(bytes 8192)
	case $file in
	*rules) echo "deny 12" ;;
	*table) echo stock ;;
	*) echo 1 ;;
	esac >"$tmp/good"
	for offset in 1 2 4095 4096 100000; do
		bad "$n: good text at offset $offset" EFBIG --offset "$offset" "$file" <"$tmp/good"
	done
	bad "$n: good text without CAP_SYS_RAWIO" EPERM --no-rawio "$file" <"$tmp/good"
	bad "$n: good text, opened without, written with CAP_SYS_RAWIO" EPERM --rawio-later "$file" <"$tmp/good"
	bad "$n: good text, file opened for reading" EBADF --read-only "$file" <"$tmp/good"
	if [ -e /proc/self/ns/user ]; then
		got=$(unshare -Ur knob "$file" <"$tmp/good" 2>&1)
		is "$n: good text by root of a user namespace" "$got" EPERM
		chmod 666 "$file"
		got=$(as_nobody knob "$file" <"$tmp/good" 2>&1)
		is "$n: good text by nobody, mode 666" "$got" EPERM
		chmod 644 "$file"
	else
		skip "$n: good text by root of a user namespace" "no user namespaces"
	fi
	is "$n: good text by nobody" "$(as_nobody knob "$file" <"$tmp/good" 2>&1)" EACCES
done
state "${everything[@]}"
is "nothing has changed anywhere" "$state" "$all_before"

for file in "$d/class" "$d/stats" "$sysfs"/version; do
	bad "${file#/sys/} cannot be written" EACCES "$file" <<<1
done

# The other side: what is good is taken.
bytes 4095 >"$tmp/long"
is "a text of 4095 bytes" "$(knob "$d/rules" <"$tmp/long"):$(cat "$d/rules")" "ok 4095:deny 12"
is "opened with CAP_SYS_RAWIO, written without" \
	"$(echo "deny 13" | knob --no-rawio-later "$d/rules"):$(cat "$d/rules")" "ok 8:deny 13"
is "a number without a newline" "$(printf 1 | knob "$d/complain"):$(cat "$d/complain")" "ok 1:1"
echo 0 >"$d/complain"
{ echo 1 && ! echo 0; } >"$d/unpriv_sgio" 2>/dev/null
is "two writes to one open file: the second is at an offset" "$(cat "$d/unpriv_sgio")" 1
echo 0 >"$d/unpriv_sgio"

# The log says where the mistake is, once.
log_mark
put "$d/rules" "allow r 12" "allow w 5g" 2>/dev/null
log=$(log_grep "sgio_filter: .*rules not changed")
like "the log names line and column" "$log" "*line 2*column*"
is "... in one line" "$(wc -l <<<"$log")" 1
echo "# $log"
log_mark
for _ in {1..200}; do echo x >"$d/rules"; done 2>/dev/null
n=$(log_grep -ci sgio_filter)
check "the log is rate-limited ($n lines)" test "$n" -lt 50
echo x >"$sysfs/classes/tape/rules" 2>/dev/null
is "... which hides no mistake elsewhere" "$(log_grep -c 'tape.*rules not changed')" 1

# Concurrent writers and readers: always one text or the other, never a mixture.
for i in $(seq 100); do echo "allow r 5e [1]=$(printf %02x "$i")"; done >"$tmp/A"
for i in $(seq 120); do echo "deny 5f [2]=$(printf %02x "$i")"; done >"$tmp/B"
now='' text_a='' text_b=''
slurp text_a "$tmp/A"
slurp text_b "$tmp/B"
cat "$tmp/A" >"$d/rules"
writers=()
for text in A B A B; do
	knob --repeat 500 "$d/rules" <"$tmp/$text" >"$tmp/writer.${#writers[@]}" &
	writers+=($!)
done
mixed=0 reads=0
while kill -0 "${writers[@]}" 2>/dev/null; do
	slurp now "$d/rules"
	[[ $now == "$text_a" || $now == "$text_b" ]] || mixed=$((mixed + 1))
	reads=$((reads + 1))
done
wait "${writers[@]}"
is "4 writers: every write succeeds" "$(cat "$tmp"/writer.* | sort | uniq -c | awk '{ print $2 }' | sort -u)" ok
is "4 writers: $reads reads, mixed" $mixed 0

# Edits of several writers do not get lost.
echo >"$d/rules"
writers=()
for i in 1 2 3 4; do
	{
		for n in $(seq 20); do
			printf '+deny %02x [1]=%02x\n' "$i" "$n" | knob "$d/rules"
		done
		for n in $(seq 2 20); do
			printf -- '-deny %02x [1]=%02x\n' "$i" "$n" | knob "$d/rules"
		done
	} >"$tmp/editor.$i" &
	writers+=($!)
done
wait "${writers[@]}"
is "4 editors: every edit succeeds" "$(cat "$tmp"/editor.* | awk '{ print $1 }' | sort -u)" ok
is "4 editors: what is left" "$(sort "$d/rules")" \
	"$(for i in 1 2 3 4; do echo "deny 0$i [1]=01"; done)"
finish
