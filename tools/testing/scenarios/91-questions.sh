#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: the kernel's answers by ioctl; counts per rule, the tracepoint, the audit log
# minutes: 1
# kernels: stock
# What the kernel says it would answer is what the rules say, and what it answers;
# and what is told of the decisions: counts per rule, the tracepoint, the audit log.
# vm: --append audit=1 --append audit_backlog_limit=8192
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

multiplexed=1b,3c,48,4d,5e,5f,7f,83,84,94,95,9d,9e,9f,a3,a4,a9,ab
debug_load
debug_add 0
a=$hctl
bsg=bsg:/dev/bsg/$a
debug_add 0
b=$hctl
must_load
use_device "$a"

# The ioctl, by class and by device.
for class in "$sysfs"/classes/*; do
	codes+=("$class")
done
type=0
sgsend --list "$multiplexed" >"$tmp/commands"
for name in disk tape printer processor worm cdrom scanner optical changer communications 0a 0b raid \
	enclosure rbc ocrw bridge osd adc security zbc 15 16 17 18 19 1a 1b 1c 1d wlun unknown; do
	ruleeval "$sysfs/classes/$name/rules" <"$tmp/commands" >"$tmp/rules"
	sgcheck "$(printf %x $type)" --all <"$tmp/commands" >"$tmp/kernel"
	same "$name: the kernel says what the rules say" "$tmp/kernel" "$tmp/rules"
	type=$((type + 1))
done
is "all classes" "$type" "${#codes[@]}"
put "$(dev "$a")/rules" "deny 12 [1]=01" "allow w 5f [1]&1f=00-04" "allow r 5e"
ruleeval "$(dev "$a")/rules" "$sysfs/classes/disk/rules" <"$tmp/commands" >"$tmp/rules"
sgcheck "$a" --all <"$tmp/commands" >"$tmp/kernel"
same "a device with rules of its own" "$tmp/kernel" "$tmp/rules"
sweep "$tmp/sweep" "$multiplexed" "$a"
same "... and that is what it does" "$tmp/kernel" "$tmp/sweep/bsg_$a"

is "allowed by the device's third rule" "$(sgcheck "$a" ro 5e 00 00 00 00 00 00 00 fc 00)" "2 1 2 0"
is "needs a write open" "$(sgcheck "$a" ro 5f 01 00 00 00 00 00 00 18 00)" "4 1 1 0"
is "denied" "$(sgcheck "$a" rw 12 01 00 00 fc 00)" "3 1 0 0"
is "no rule" "$(sgcheck "$a" rw ff 00 00 00 00 00)" "0 0 0 0"
like "by the class" "$(sgcheck "$a" rw 12 00 00 00 fc 00)" "2 2 * 0"
echo 1 >"$(dev "$a")/complain"
is "complain is told" "$(sgcheck "$a" rw ff 00 00 00 00 00)" "0 0 0 1"
echo 0 >"$(dev "$a")/complain"
echo 1 >"$(dev "$a")/unpriv_sgio"
is "unpriv_sgio" "$(sgcheck "$a" ro ff 00 00 00 00 00)" "1 0 0 0"
echo 0 >"$(dev "$a")/unpriv_sgio"

for what in size flags reserved both length-0 length-33 length-max behind; do
	is "a bad question: $what" "$(sgcheck "$a" --bad $what)" EINVAL
done
is "a bad question: class" "$(sgcheck 0 --bad class)" EINVAL
is "a bad question: class and device" "$(sgcheck 1 --bad both)" EINVAL
is "no such device" "$(sgcheck 99:0:0:0 --bad nothing)" ENODEV
is "a bad pointer" "$(sgcheck "$a" --bad pointer)" EFAULT
is "another ioctl" "$(sgcheck "$a" --bad ioctl)" ENOTTY
is "another size" "$(sgcheck "$a" --bad ioctl-size)" ENOTTY
is "no mistake" "$(sgcheck "$a" --bad nothing)" ok

# Counts per rule.
put "$(dev "$a")/rules" "deny 12 [1]=01" "allow w 5f [1]&1f=00-04" "allow r 5e"
is "hits are root's alone" "$(stat -c %a "$(dev "$a")/hits" "$sysfs/classes/disk/hits" | xargs)" "400 400"
is "hits begin at 0" "$(cut -c 1-20 "$(dev "$a")/hits" | xargs)" "0 0 0"
for _ in 1 2 3; do nobody --probe --read "$bsg" 5e00000000000000fc00; done >/dev/null
nobody --probe --read "$bsg" 5f000000000000001800 >/dev/null
nobody --probe --write "$bsg" 120100000000 >/dev/null
nobody --probe --write "$bsg" ff0000000000 >/dev/null
is "hits per rule" "$(sed 's/^ *//' "$(dev "$a")/hits")" "1 deny 12 [1]=01
1 allow w 5f [1]&1f=00-04
3 allow r 5e"
# The line of the class's rule that decides on an INQUIRY.
read -r _ _ rule _ < <(sgcheck "$a" ro 120000000000)
hits() { sed -n "$((rule + 1))p" "$sysfs/classes/disk/hits" | cut -c 1-20; }
before=$(hits)
for _ in 1 2; do nobody --probe --read "$bsg" 120000000000 >/dev/null; done
is "hits of a class" "$(($(hits) - before))" 2
is "a class's hits and rules go together" "$(cut -c 22- "$sysfs/classes/disk/hits")" "$(cat "$sysfs/classes/disk/rules")"

# The tracepoint.
tracing=/sys/kernel/tracing
event=$tracing/events/sgio_filter/decision
if [ -d $event ]; then
	# In a cgroup of its own, whose id is the number of its directory.
	cgroup=/sys/fs/cgroup/sender
	mkdir $cgroup
	echo $$ >$cgroup/cgroup.procs
	echo >$tracing/trace
	echo 1 >$event/enable
	nobody --probe --read "$bsg" 5e00000000000000fc00 >/dev/null
	nobody --probe --read "$bsg" 5f000000000000001800 >/dev/null
	nobody --probe --write "$bsg" ff0000000000 >/dev/null
	nobody --probe --read "$bsg" 120000000000 >/dev/null
	sgsend --probe --read "$bsg" ff0000000000 >/dev/null
	echo 0 >$event/enable
	nobody --probe --write "$bsg" ff0000000000 >/dev/null
	# Which of the class's rules it was is the table's business. The name is sgsend, in hexadecimal.
	from="cgroup=$(stat -c %i $cgroup) comm=736773656e64"
	traced=$(sed -n "/: decision: /{s/.*: dev=/dev=/;s/ $from / of-sender /;s/\\(layer=class\\) rule=[0-9]*/\\1/;p}" $tracing/trace)
	z() { printf ' 00%.0s' $(seq "$1"); }
	is "the decisions, traced" "$traced" \
"dev=$a class=0 outcome=allowed decision=allowed layer=device rule=2 holder=0 open=r uid=65534 of-sender cdb=5e$(z 7) fc$(z 23)
dev=$a class=0 outcome=refused decision=needs_write layer=device rule=1 holder=0 open=r uid=65534 of-sender cdb=5f$(z 7) 18$(z 23)
dev=$a class=0 outcome=refused decision=no_rule layer=none rule=0 holder=0 open=w uid=65534 of-sender cdb=ff$(z 31)
dev=$a class=0 outcome=allowed decision=allowed layer=class holder=0 open=r uid=65534 of-sender cdb=12$(z 31)
dev=$a class=0 outcome=privileged decision=no_rule layer=none rule=0 holder=0 open=r uid=0 of-sender cdb=ff$(z 31)"
else
	not_ok "the tracepoint is there"
fi

# The audit log: without a daemon its records are in the kernel log, where they are
# held to the kernel's limit for messages.
echo 0 >/proc/sys/kernel/printk_ratelimit
nap 6 # the interval of the filter's own limit
log_mark
nobody --probe --write "$bsg" ff0000000001 >/dev/null
# A thread of the kernel prints them.
nap 2
like "a refusal is audited" "$(log_grep 'type=1316' | tail -n 1)" \
	"*op=sgio dev=$a class=disk open=w decision=no_rule layer=none holder=0 cgroup=* cdb=ff0000000001 pid=* uid=65534 comm=\"sgsend\"*"
for _ in {1..40}; do nobody --probe --write "$bsg" ff0000000002; done >/dev/null
nap 3
lines=$(log_grep -c 'op=sgio.*ff0000000002')
check "... but not without end ($lines of 40)" test "$lines" -ge 1 -a "$lines" -lt 25
nobody --probe --read "$bsg" 120000000000 >/dev/null
sgsend --probe --read "$bsg" ff0000000003 >/dev/null
nap 1
is "... and nothing else" "$(log_grep 'op=sgio' | grep -vc 'ff000000000[12]')" 0
# What one device's senders cause takes nothing from another's, and what was left out is told. The first record tells
# of those before it, which the loop above has caused.
nap 6
log_mark
nobody --probe --write "$bsg" ff0000000006 >/dev/null
nap 2
check "what was left out before is told by the next record" \
	test "$(log_grep 'op=sgio.*ff0000000006' | sed -n 's/.* suppressed=//p')" = $((40 - lines))
nap 6
log_mark
before=$(sed -n 's/^refused //p' "$(dev "$a")/stats")
nobody --sweep "$bsg" >/dev/null
nobody --probe --write "bsg:/dev/bsg/$b" ff0000000004 >/dev/null
nap 6
nobody --probe --write "$bsg" ff0000000005 >/dev/null
nap 2
like "a flood of refusals on one device hides none of another" "$(log_grep 'op=sgio.*ff0000000004')" \
	"*op=sgio dev=$b * suppressed=0"
like "... the next record of the first one tells how many were left out" "$(log_grep 'op=sgio.*ff0000000005')" \
	"*op=sgio dev=$a * suppressed=[1-9]*"
records=$(log_grep -c "op=sgio dev=$a ")
told=$(log_grep "op=sgio dev=$a " | sed -n 's/.* suppressed=//p' | xargs | tr ' ' +)
is "... all in all each refusal" $((records + told)) $(($(sed -n 's/^refused //p' "$(dev "$a")/stats") - before))
check "the module unloads" unload
absent "no tracepoint is left" $event
finish
