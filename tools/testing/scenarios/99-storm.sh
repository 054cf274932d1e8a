#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: all at once: random commands, policies, devices, loads, signals, reclaim, hundreds of ioctls of sg, a tracer; each answer is judged by what a writer of policies told of its changes; `SGIO_SEED=` repeats one
# minutes: 8
# Everything at once: senders on every interface with random commands, writers of
# random good and bad policies, devices and the module that come and go, signals,
# reclaim of memory, hundreds of ioctls of sg at a time, what sg and the block layer send
# without asking, a tracer. All the time no sender gets through what no policy allows, neither
# ever nor at the time, and none is refused what all allow; afterwards nothing is
# left.
#
# SGIO_SEED=N repeats a storm, as far as scheduling does.
# vm: --append kmemleak=on --mem 768M
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

# Where KCSAN watches all takes many times as long: the second half of what two rounds do differently is left to the other
# kernels, and the ioctls of sg are fewer.
rounds=2 many=300
[ ! -e "$kcsan" ] || rounds=1 many=30
rounds=${SGIO_ROUNDS:-$rounds}
seed=${SGIO_SEED:-$((RANDOM * 32768 + RANDOM))}
echo "# SGIO_SEED=$seed"
RANDOM=$((seed % 32768))
never=5e,5f,83,89,d0,ff
always=00,03,12
cp "$SGIO_KO" "$tmp/sgio_filter.ko"
SGIO_KO=$tmp/sgio_filter.ko

pages_scanned() { awk '/^pgscan_(kswapd|direct) / { n += $2 } END { print n }' /proc/vmstat; }
free_mb() { awk '/^MemFree:/ { print int($2 / 1024) }' /proc/meminfo; }

# Of the guarded devices it is known what is never and what is always allowed, of
# the free one it is not. The watched one is changed by one writer at a time, who
# tells of each change: knobstorm/oracle.h. From the big one the page cache is
# filled.
debug_load virtual_gb=8
guarded=() guarded_knobs=()
for type in 0 5 8; do
	debug_add $type
	fail_all "$hctl"
	guarded+=("$hctl")
done
debug_add 0
fail_all "$hctl"
free=$hctl
debug_add 7
fail_all "$hctl"
watched=$hctl
debug_add 0
big=${disk_of[$hctl]} big_sg=${sg_of[$hctl]}
echo 1024 >"$(queue "$hctl")/read_ahead_kb"
# The reserved one is changed by one writer of ours.
debug_add 0
reserved=$hctl
# Behind the address of this one another logical unit appears, again and again.
debug_add 0
remapped=$hctl
mapfile -t domain < <(knobstorm --domain)
# One command of this is granted to one cgroup.
debug_add 0
fail_all "$hctl"
granted=$hctl
# All are in one that can be an owner (pr_exclusive), which the root is not.
mkdir /sys/fs/cgroup/storm || die "no cgroups"
echo $$ >/sys/fs/cgroup/storm/cgroup.procs

# What of the table of the watched device's class is among what its writer allows.
table_has() {
	local verb access ops op i
	while read -r verb access ops _; do
		[ "$verb" = allow ] || ops=$access
		for op in ${ops//,/ }; do
			for ((i = 16#${op%-*}; i <= 16#${op#*-}; i++)); do
				printf -v op %02x $i
				[[ " ${domain[*]} " != *" $op "* ]] || echo "$op"
			done
		done
	done <$sysfs/classes/optical/rules
}
# Tables of two are enough, and the interface that logs each command is slow.
tables() {
	local d asked=()
	mkdir -m 777 "$1"
	for d in "${guarded[0]}" "${guarded[2]}"; do
		# shellcheck disable=SC2207
		asked+=($(targets "$d" | tr " " "\n" | grep -v send-command))
	done
	asked_of=("${asked[@]}")
	nobody --sweep --into "$1" "${asked[@]}"
}
tables "$tmp/before"
is "there are tables to compare" "$(cat "$tmp"/before/* | wc -l)" $((512 * ${#asked_of[@]}))
is "the kernel refuses what the writer allows" "$(nobody --sweep "bsg:/dev/bsg/$watched" |
	grep -F "$(printf '%s \n' "${domain[@]}")" | sort | uniq | cut -d ' ' -f 3 | uniq -c | xargs)" \
	"$((2 * ${#domain[@]})) refused"
must_load strict=1
is "the strict table too" "$(table_has)" ""
echo stock >$sysfs/classes/optical/table
is "... and the stock one" "$(table_has)" ""
is "which are tables" "$(grep -c '^allow' $sysfs/classes/optical/rules)" 2
is "the watched device is of a class of its own" \
	"$(cat /sys/bus/scsi/devices/*/sgio_filter/class | grep -c optical) $(<"$(dev "$watched")/class")" "1 optical"
# Not every module can filter what sg asks nobody about.
filters_sg=false
[ ! -e "$(dev "${guarded[0]}")/filter_sg" ] || filters_sg=true
for d in "${guarded[@]}"; do guarded_knobs+=("$d=$(<"$(dev "$d")/class")"); done
free_knobs=$free=$(<"$(dev "$free")/class")
unload
if has_kmemleak; then check "kmemleak is on" leaks_begin; fi

doors() {
	targets "$1"
	echo "sg/ro:${sg_of[$1]}" "sg/wo:${sg_of[$1]}"
	[[ $1 != @("${guarded[0]}"|"$watched") ]] ||
		echo "bsg-uring-worker:/dev/bsg/$1" "sg_iovec:${disk_of[$1]}"
}
# storm NAME DEVICE...: senders until SIGTERM, judged as $by says; sets $pid. Not by
# nobody(): the signals are for the program, which hands them on.
senders=0
storm() {
	local name=$1 d all=()
	shift
	# shellcheck disable=SC2207
	for d; do all+=($(doors "$d")); done
	senders=$((senders + ${#all[@]}))
	nice -n 19 sgsend --as-nobody --storm "$seed" "${by[@]}" "${all[@]}" >"$tmp/storm.$name" 2>&1 &
	pid=$!
}
by=(--refused "$never" --allowed "$always")
storm guarded "${guarded[@]}"
guarded_pid=$pid
storm free "$free"
free_pid=$pid
head -c 4096 /dev/zero | tee "$tmp/oracle" >"$tmp/nothing"
by=(--oracle "$tmp/oracle")
storm watched "$watched"
watched_pid=$pid

# Memory that cannot be taken back.
mkdir "$tmp/eaten"
mount -t tmpfs -o size=100% none "$tmp/eaten"
fallocate -l $(($(free_mb) - 128))M "$tmp/eaten/file"

cgroups=/sys/fs/cgroup
mountpoint -q $cgroups || mount -t cgroup2 none $cgroups || die "no cgroups of version 2"
mkdir -p $cgroups/owner $cgroups/other $cgroups/holder

# What is known of the policy, of what sg and the block layer send without asking: a word and the time in a file, which
# is empty while the policy changes and while the module is not there. A sender that has read the same before and
# after its command judges by that.
policy_is() {
	echo "${2:+$2 $EPOCHREALTIME}" >"$tmp/$1.policy"
}
policy_is sg
policy_is pr
policy_is grant

# one after another, by SG_IO and by write(2) with both headers: what is never and what is always allowed
sg_sender() {
	local n=0 way cdb policy now answer right=0 wrong=0 unjudged=0
	local ways=("rw ioctl" "rw v3" "rw old") nodes=("${sg_of[${guarded[0]}]}" "${sg_of[${guarded[1]}]}")

	while [ ! -e "$tmp/stop" ]; do
		n=$((n + 1)) cdb=ff0000000000
		[ $((n % 4)) -ne 0 ] || cdb=000000000000
		slurp policy "$tmp/sg.policy"
		way=${ways[n % 3]}
		# shellcheck disable=SC2086 # two words
		answer=$(sgnode "${nodes[n % 2]}" $way $cdb 2>&1)
		slurp now "$tmp/sg.policy"
		if [[ $policy != filtered* || $now != "$policy" || $answer != "sense 05/20/0"[02] ]]; then
			unjudged=$((unjudged + 1))
		elif [[ $cdb == ff* && $answer == */02 || $cdb == 00* && $answer == */00 ]]; then
			right=$((right + 1))
		else
			wrong=$((wrong + 1))
			echo "wrong: $way $cdb: $answer"
		fi
		nap 0.15
	done
	echo "sg: $right right, $wrong wrong, $unjudged not judged"
}

# IOC_PR_* of who is not the owner
pr_sender() {
	local n=0 policy now answer right=0 wrong=0 unjudged=0
	local operations=(register reserve release preempt preempt-abort clear)

	echo $BASHPID >$cgroups/other/cgroup.procs
	while [ ! -e "$tmp/stop" ]; do
		n=$((n + 1))
		slurp policy "$tmp/pr.policy"
		answer=$(as_nobody prioctl "${disk_of[$reserved]}" "${operations[n % 6]}" bb aa 2>&1)
		slurp now "$tmp/pr.policy"
		if [[ $policy != [a-z]* || $now != "$policy" ]]; then
			unjudged=$((unjudged + 1))
		elif [[ $policy == open* && $answer != EPERM || $policy != open* && $answer == EPERM ]]; then
			right=$((right + 1))
			echo "${policy% *}" >"$tmp/pr.judged"
		else
			wrong=$((wrong + 1))
			echo "wrong: ${policy% *}: ${operations[n % 6]}: $answer"
		fi
		nap 0.1
	done
	echo "pr: $right right, $wrong wrong, $unjudged not judged"
}

# shellcheck disable=SC2317 # called by wait_for
judged_or_over() { [[ $(<"$tmp/pr.judged") == "$1" || -e $tmp/unloading ]]; }
# The policy about them, each until a command was judged by it or 20 s are over, until the file "unloading" is there.
pr_writer() {
	local d failed=0 steps=0

	d=$(dev "$reserved")
	while [ ! -e "$tmp/unloading" ]; do
		policy_is pr
		echo "deny 5f" >"$d/rules" || failed=$((failed + 1))
		policy_is pr denied
		wait_for judged_or_over denied
		policy_is pr
		# By a rule: those of the class change.
		echo "allow w 5f" >"$d/rules" || failed=$((failed + 1))
		policy_is pr open
		wait_for judged_or_over open
		policy_is pr
		echo 1 >"$d/pr_exclusive" || failed=$((failed + 1))
		# Who comes first is the owner, which the other one may be.
		for _ in 1 2 3 4 5; do
			echo reset >"$d/pr_exclusive"
			(echo $BASHPID >$cgroups/owner/cgroup.procs &&
				as_nobody prioctl "${disk_of[$reserved]}" register aa) >"$tmp/owner"
			[[ $(<"$tmp/owner") == EPERM ]] || break
		done
		[[ $(<"$tmp/owner") == EPERM ]] || { policy_is pr owned && wait_for judged_or_over owned; }
		policy_is pr
		echo 0 >"$d/pr_exclusive" || failed=$((failed + 1))
		steps=$((steps + 1))
	done
	echo "pr_writer: $steps rounds, $failed failed"
}

# A grant: what its holder sends is allowed, while it holds it, and what another cgroup sends never is.
grant_sender() {
	local n=0 policy now answer cgroup right=0 wrong=0 unjudged=0

	while [ ! -e "$tmp/stop" ]; do
		n=$((n + 1)) cgroup=holder
		[ $((n % 3)) -ne 0 ] || cgroup=other
		slurp policy "$tmp/grant.policy"
		answer=$({ echo $BASHPID >$cgroups/$cgroup/cgroup.procs; } 2>/dev/null && nobody --probe --read "bsg:/dev/bsg/$granted" d10000000000 2>&1)
		slurp now "$tmp/grant.policy"
		if [[ $policy != [a-z]* || $now != "$policy" ]]; then
			unjudged=$((unjudged + 1))
		elif [[ $policy == held* && $cgroup == holder && $answer == allowed:* ||
			($policy != held* || $cgroup != holder) && $answer == refused:* ]]; then
			right=$((right + 1))
			[ $cgroup = other ] || echo "${policy% *}" >"$tmp/grant.judged"
		else
			wrong=$((wrong + 1))
			echo "wrong: ${policy% *}: $cgroup: $answer"
		fi
		nap 0.1
	done
	echo "grant: $right right, $wrong wrong, $unjudged not judged"
}

# shellcheck disable=SC2317 # called by wait_for
grant_judged_or_over() { [[ $(<"$tmp/grant.judged") == "$1" || -e $tmp/unloading ]]; }
# shellcheck disable=SC2317
holder_goes() { rmdir "$cgroups/holder" 2>/dev/null; }
# grant_is WORD LINE...: from when the lines are written on
grant_is() {
	policy_is grant
	put /dev/sgio_filter "device $granted" "${@:2}" || return
	policy_is grant "$1"
	wait_for grant_judged_or_over "$1"
}
# Gives it, takes it back, and lets the holder die with it, until the file "unloading" is there.
grant_writer() {
	local failed=0 steps=0 give

	while [ ! -e "$tmp/unloading" ]; do
		give=("grant cgroup=$(stat -c %i $cgroups/holder) name=storm" "allow r d1" "deny d1 [1]=01")
		grant_is held "${give[@]}" || failed=$((failed + 1))
		grant_is revoked "revoke all" || failed=$((failed + 1))
		grant_is held "${give[@]}" "grant cgroup=$(stat -c %i $cgroups/other) name=more" "allow r d2" || failed=$((failed + 1))
		policy_is grant
		if wait_for holder_goes && mkdir $cgroups/holder; then
			policy_is grant dead
			wait_for grant_judged_or_over dead
		else
			failed=$((failed + 1))
		fi
		steps=$((steps + 1))
	done
	echo "grant_writer: $steps rounds, $failed failed"
}

# Another logical unit behind an address, until the file "unloading" is there: what the first was allowed the next one is
# not, from when the rescan has ended on.
remapper() {
	local d=/sys/bus/scsi/devices/$remapped bsg=bsg:/dev/bsg/$remapped failed=0 wrong=0 steps=0 was now

	while [ ! -e "$tmp/unloading" ]; do
		echo "allow r ff" >"$d/sgio_filter/rules" || failed=$((failed + 1))
		slurp was "$d/sgio_filter/identity"
		is_right allowed "$bsg" || wrong=$((wrong + 1))
		echo $((1 - $(<"$debug/vpd_use_hostno"))) >"$debug/vpd_use_hostno"
		echo 1 >"$d/rescan" || failed=$((failed + 1))
		is_right refused "$bsg" || wrong=$((wrong + 1))
		slurp now "$d/sgio_filter/identity"
		[ "$now" != "$was" ] || failed=$((failed + 1))
		steps=$((steps + 1))
	done
	echo "remapper: $steps rounds, $failed failed, $wrong wrong"
}
# is_right allowed|refused TARGET: what the vendor's command is
is_right() {
	local answer
	answer=$(nobody --probe --read "$2" ff0000000000 2>&1)
	[[ $answer == $1:* ]] || { echo "not $1: $answer" && return 1; }
}

# The function graph tracer goes on and off.
tracing=/sys/kernel/tracing
mountpoint -q $tracing || mount -t tracefs none $tracing || die "no tracefs"
has_graph() { [[ " $(<$tracing/available_tracers) " == *" function_graph "* ]]; }
tracer() {
	local switched=0 lines=0

	echo scsi_ioctl >$tracing/set_ftrace_filter
	while [ ! -e "$tmp/stop" ]; do
		echo function_graph >$tracing/current_tracer && nap 0.5 &&
			lines=$((lines + $(grep -c 'scsi_ioctl' $tracing/trace))) &&
			echo nop >$tracing/current_tracer && switched=$((switched + 1))
		nap 1
	done
	echo nop >$tracing/current_tracer
	echo >$tracing/set_ftrace_filter
	echo "tracer: $switched times, $lines lines"
}

# Hundreds of ioctls of sg at a time, on a device that takes its time; the other devices' policies hold.
fill_sg() {
	local filler sg=sg:${sg_of[${guarded[0]}]}

	wait_for eval "echo 900000000 >$debug/ndelay" || return
	rm -f "$tmp/hold" "$tmp/filled"
	mkfifo "$tmp/hold"
	as_nobody sgfill "$big_sg" $many >"$tmp/filled" 2>&1 <"$tmp/hold" &
	filler=$!
	exec 9>"$tmp/hold"
	! wait_for grep -q "under way" "$tmp/filled" ||
		[ "$(nobody --probe --read "$sg" ff0000000000)" != "refused: EPERM" ] ||
		[[ $(nobody --probe --read "$sg" 120000000000) != allowed* ]] || filled=$((filled + 1))
	exec 9>&-
	wait $filler
	wait_for eval "echo 0 >$debug/ndelay"
	wait_for eval "echo 0 >$debug/delay"
}

: >"$tmp/pr.judged"
pr_sender >"$tmp/pr.sender" 2>&1 &
others=($!)
: >"$tmp/grant.judged"
grant_sender >"$tmp/grant.sender" 2>&1 &
others+=($!)
kinds=(pr grant)
if $filters_sg; then
	sg_sender >"$tmp/sg.sender" 2>&1 &
	others+=($!)
	kinds+=(sg)
fi
if has_graph; then
	tracer >"$tmp/tracer" 2>&1 &
	others+=($!)
fi

writers=() started=0 ended=0 killed=0 failed=()
# writer KIND ARGUMENT...: until SIGTERM
writer() {
	nice knobstorm $((seed + started)) 0 "$@" >"$tmp/writer.$1.$(printf %03d $started)" 2>&1 &
	writers+=($!)
	started=$((started + 1))
}
# writers_end PID...: SIGTERM to those that are still there
writers_end() {
	local pid status
	kill "$@" 2>/dev/null
	for pid; do
		wait "$pid" 2>/dev/null
		status=$?
		case $status in
		0) ended=$((ended + 1)) ;;
		137) killed=$((killed + 1)) ;;
		*) failed+=("a writer: exit status $status") ;;
		esac
	done
}

# As long as /dev/sgio_filter is open, or a command is under way, it stays.
unload_soon() {
	local i
	for ((i = 0; i < 200; i++)); do
		! unload 2>/dev/null || return 0
		nap 0.05
	done
	return 1
}

# shellcheck disable=SC2317 # called by wait_for
was_asked() {
	local stats
	slurp stats "$(dev "$1")/stats" 2>/dev/null
	[[ $stats == *[1-9]* ]]
}
# A new disk, asked and opened at once, and gone again.
plug() {
	local hosts=$((1 + RANDOM % 2))
	know_devices
	echo "$1" >/sys/module/scsi_debug/parameters/ptype
	echo $hosts >"$debug/add_host"
	wait_for new_device || return
	fail_all "$hctl" 2>/dev/null
	wait_for test -e "/dev/bsg/$hctl"
	chmod 666 "/dev/bsg/$hctl" 2>/dev/null
	sgsend --as-nobody --storm "$seed" --refused $never --allowed $always "bsg:/dev/bsg/$hctl" \
		"bsg-uring:/dev/bsg/$hctl" >>"$tmp/storm.plugged" 2>&1 &
	local pid=$!
	{ echo "allow r 12" >"$(dev "$hctl")/rules"; } 2>/dev/null
	wait_for was_asked "$hctl"
	nap 0.3
	echo -$hosts >"$debug/add_host"
	kill $pid 2>/dev/null
	# Its device was taken away: only what it says of verdicts counts.
	wait $pid || return 0
}

# shellcheck disable=SC2317 # called by asked_enough
# answers KIND DEVICE...: how many of its senders have had since the module was loaded
answers() {
	local d
	for d in "${@:2}"; do cat "$(dev "$d")/stats"; done | awk -v kind="$1" '$1 ~ kind { n += $2 } END { print n }'
}
# shellcheck disable=SC2317 # called by wait_for
asked_enough() {
	[ "$(answers 'allowed|refused' "${guarded[@]}")" -ge 1500 ] &&
		[ "$(answers allowed "$watched")" -ge 100 ] && [ "$(answers refused "$watched")" -ge 100 ]
}
changes() { echo $(($(od -An -tu4 -N4 "$tmp/oracle") / 2)); }
# shellcheck disable=SC2317 # called by wait_for
changed_by() { [ "$(changes)" -ge "$1" ]; }
time_of() { [ -z "${SGIO_TIMES-}" ] || echo "# $1: $SECONDS s"; }

filled=0 loads=0 unloads=0 under_writers=0 plugged=0 successors=0 reclaims=0
for ((round = 0; round < rounds; round++)); do
	echo "# round $round: $SECONDS s"
	! load strict=$((RANDOM % 2)) queue_knob=$((RANDOM % 2)) || loads=$((loads + 1))
	if $filters_sg && echo 1 >"$(dev "${guarded[0]}")/filter_sg" && echo 1 >"$(dev "${guarded[1]}")/filter_sg"; then policy_is sg filtered; fi
	rm -f "$tmp/unloading"
	pr_writer >"$tmp/pr.writer.$round" 2>&1 &
	pr_writer=$!
	grant_writer >"$tmp/grant.writer.$round" 2>&1 &
	grant_writer=$!
	remapper >"$tmp/remapper.$round" 2>&1 &
	remapper=$!
	fill_sg
	time_of filled
	writers=()
	writer guarded "${guarded_knobs[@]}"
	writer guarded "${guarded_knobs[@]}"
	writer free "$free_knobs"
	writer oracle "$tmp/oracle" "$watched=optical"
	for d in "${guarded[@]}"; do
		echo 1 >"/sys/bus/scsi/devices/$d/rescan"
	done
	if plug $((round % 2 * 5)); then plugged=$((plugged + 1)); fi
	time_of plugged
	# The page cache takes what is left, until the kernel reclaims.
	scanned=$(pages_scanned)
	dd if="$big" of=/dev/null bs=1M count=$(($(free_mb) + 32)) status=none &
	reader=$!
	# Signals arrive in system calls.
	for _ in 1 2 3 4 5; do
		kill -USR1 "$guarded_pid" "$free_pid" "$watched_pid" "${writers[@]}"
		nap 0.1
	done
	for d in "${guarded[@]}"; do echo "- - -" >"/sys/class/scsi_host/host${d%%:*}/scan"; done
	time_of signals
	# A writer is killed, maybe in the middle of a change, and an oracle: another goes on where that was.
	kill -9 "${writers[RANDOM % 2]}" "${writers[3]}"
	writers_end "${writers[3]}"
	unset "writers[3]"
	was=$(changes)
	writer oracle "$tmp/oracle" "$watched=optical"
	! wait_for changed_by $((was + 40)) || successors=$((successors + 1))
	time_of changes
	wait $reader
	[ "$(pages_scanned)" -eq "$scanned" ] || reclaims=$((reclaims + 1))
	time_of memory
	# On a machine that is fast all this takes no time; on one that is slow, they have had it.
	wait_for asked_enough || echo "# not all was asked that should be"
	time_of asked
	touch "$tmp/unloading"
	wait $pr_writer $grant_writer $remapper
	policy_is sg
	# A grant ends with the module.
	policy_is grant
	# Half of the time under writers, half after them.
	[ $((round % 2)) -eq 0 ] || writers_end "${writers[@]}"
	if unload_soon; then
		unloads=$((unloads + 1))
		# That of the oracle is the last.
		[ $((round % 2)) -ne 0 ] || ! kill -0 "${writers[-1]}" || under_writers=$((under_writers + 1))
	fi
	[ $((round % 2)) -ne 0 ] || writers_end "${writers[@]}"
	time_of unloaded
done
rm "$tmp/eaten/file"
touch "$tmp/stop"
wait "${others[@]}"
kill "$guarded_pid" "$free_pid" "$watched_pid"
wait "$guarded_pid"
is "guarded devices: no wrong verdict" "exit status $?" "exit status 0"
wait "$watched_pid"
is "the watched device: each sender was answered" "exit status $?" "exit status 0"
ruleeval --changes "$tmp"/writer.oracle.* <"$tmp/storm.watched" >"$tmp/judged" 2>&1
is "... with no wrong verdict, and so was the writer" "exit status $?" "exit status 0"
# To be judged again.
[ ! -d /share ] || cp "$tmp"/writer.oracle.* "$tmp/storm.watched" /share/
wait "$free_pid"
sed 's/^/# /' "$tmp/storm.guarded" "$tmp/judged"
grep -v '^asked ' "$tmp/storm.watched" | sed 's/^/# /'
grep -h 'command' "$tmp/storm.plugged" | sed 's/^/# plugged: /'
is "devices that came and went: no wrong verdict" "$(grep -c ': command' "$tmp/storm.plugged")" 0
# count COLUMN WHAT FILE...: of what the programs say
count() { awk -v column="$1" -v what="$2" '$0 ~ what { n += $column } END { print n + 0 }' "${@:3}"; }
decided() { echo $(($(count 5 ' decided ' "$1") + $(count 7 ' decided ' "$1") + $(count 9 ' decided ' "$1"))); }
check "$(decided "$tmp/storm.guarded") commands were decided upon" test "$(decided "$tmp/storm.guarded")" -gt 2000
check "... $(decided "$tmp/storm.plugged") of devices just plugged in" test "$(decided "$tmp/storm.plugged")" -gt 0
is "every sender was there to the end" "$(cat "$tmp"/storm.{guarded,free,watched} | grep -c errors)" $senders
refusals=$(count 2 '^judged ' "$tmp/judged") allowances=$(count 4 '^judged ' "$tmp/judged")
check "the watched device: $refusals refused" test "$refusals" -gt 100
check "... $allowances allowed" test "$allowances" -gt 100
is "where a writer was killed, the next went on" $successors "$rounds"
is "loads" $loads "$rounds"
is "unloads" $unloads "$rounds"
is "... under writers" $under_writers $(((rounds + 1) / 2))
check "$plugged devices came and went" test $plugged -gt 0
is "senders that no signal interrupted" "$(cat "$tmp"/storm.{guarded,free,watched} | grep -c ', 0 signals$')" 0
is "times the kernel reclaimed memory" $reclaims "$rounds"
is "writers that failed" "${failed[*]-}" ""
is "writers that were killed, and those that ended" "$killed, $ended" \
	"$((2 * rounds)), $((started - 2 * rounds))"
is "... each of those says what it did" "$(cat "$tmp"/writer.* | grep -c ' good, ')" $ended
is "no bad text was accepted, no good one refused" "$(cat "$tmp"/writer.* | grep -E ' good, | <- ' | grep -v ', 0 wrong$')" ""
for kind in guarded free oracle; do
	good=$(count 1 ' good, ' "$tmp/writer.$kind".*) bad=$(count 6 ' good, ' "$tmp/writer.$kind".*)
	echo "# $kind: $(count 3 ' good, ' "$tmp/writer.$kind".*) more good texts in vain"
	check "$kind: $good good texts were accepted" test "$good" -gt 20
	[ $kind = oracle ] || check "$kind: $bad bad texts were refused" test "$bad" -gt 10
done

sed 's/^/# /' "$tmp"/*.sender "$tmp"/{pr,grant}.writer.* "$tmp"/remapper.*
$filters_sg || skip "sg: what sends without asking is judged, and never wrong" "this module has no filter_sg"
for kind in "${kinds[@]}"; do
	like "$kind: what sends without asking is judged, and never wrong" "$(<"$tmp/$kind.sender")" \
		"$kind: [1-9][0-9]* right, 0 wrong, *"
done
is "the policy about reservations: changes that failed" "$(cat "$tmp"/pr.writer.* | grep -vcE ': [1-9][0-9]* rounds, 0 failed$')" 0
is "the policy about grants: changes that failed" "$(cat "$tmp"/grant.writer.* | grep -vcE ': [1-9][0-9]* rounds, 0 failed$')" 0
is "another logical unit has none of the first's rules" \
	"$(cat "$tmp"/remapper.* | grep -cE ': [1-9][0-9]* rounds, 0 failed, 0 wrong$')" "$rounds"
is "rounds with hundreds of ioctls of sg" $filled "$rounds"
if has_graph; then
	like "the tracer was switched, and saw something" "$(<"$tmp/tracer")" "tracer: [1-9]* times, [1-9]* lines"
else
	skip "the tracer was switched" "not in this kernel"
fi

# Were there a wrong verdict, it would be found: a rule allows what never is, and
# one of which no writer told.
must_load
echo "allow r $never" >"$(dev "${guarded[0]}")/rules"
echo "allow r $(IFS=, && echo "${domain[*]}")" >"$(dev "$watched")/rules"
sgsend --as-nobody --storm "$seed" --refused $never --allowed $always "bsg:/dev/bsg/${guarded[0]}" \
	>"$tmp/wrong.never" 2>&1 &
pids=($!)
sgsend --as-nobody --storm "$seed" --oracle "$tmp/nothing" "bsg:/dev/bsg/$watched" >"$tmp/wrong.oracle" 2>&1 &
pids+=($!)
nap 2
kill "${pids[@]}"
wait "${pids[0]}"
is "what is never allowed is found" "exit status $?, $(grep -c ' [1-9][0-9]* wrong' "$tmp/wrong.never")" "exit status 1, 1"
wait "${pids[1]}"
is "... and the sender was answered" $? 0
ruleeval --changes <"$tmp/wrong.oracle" >"$tmp/judged"
is "what no writer told of is found" "exit status $?, $(grep -c ' [1-9][0-9]* wrong;' "$tmp/judged")" "exit status 1, 1"

# Nothing is left.
is "nobody holds the module" "$(</sys/module/sgio_filter/refcnt)" 0
unload_soon
check "the module is gone" bash -c '! grep -q ^sgio_filter /proc/modules'
nothing_left "after the storm"
is "no address range of the module is left" "$(grep -c sgio_filter /proc/vmallocinfo)" 0
is "no hook is left" "$(grep -cE '^(scsi_(cmd_allowed|ioctl)|sg_ioctl) ' /sys/kernel/tracing/enabled_functions)" 0
tables "$tmp/after"
check "the stock answers are back" diff -r "$tmp/before" "$tmp/after"
if has_kmemleak; then
	is "kmemleak has nothing of the module" "$(leaks)" ""
else
	skip "kmemleak has nothing of the module" "not in this kernel"
fi
echo "-$(compgen -G '/sys/bus/pseudo/devices/adapter*' | wc -l)" >"$debug/add_host"
# shellcheck disable=SC2317 # called by wait_for
no_devices() { [ -z "$(scsi_devices)" ]; }
check "the devices can be removed" wait_for no_devices
check "... and their driver" rmmod scsi_debug
finish
