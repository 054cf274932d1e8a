#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernels: test
# Everything at once: senders on every interface with random commands, writers of
# random good and bad policies, devices and the module that come and go, signals,
# little memory. Meanwhile no sender gets through what no policy allows, and none
# is refused what all allow; afterwards nothing is left.
#
# SGIO_SEED=N repeats a storm, as far as scheduling does. SGIO_BREAK=1 allows for a
# moment what must never be: the scenario must fail then.
# vm: --append kmemleak=on
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

rounds=${SGIO_ROUNDS:-2}
seed=${SGIO_SEED:-$((RANDOM * 32768 + RANDOM))}
echo "# SGIO_SEED=$seed"
RANDOM=$((seed % 32768))
never=5e,5f,83,89,d0,ff
always=00,03,12
cp "$SGIO_KO" "$tmp/sgio_filter.ko"
SGIO_KO=$tmp/sgio_filter.ko

# Two kinds of devices: of the guarded ones it is known what is never and what is
# always allowed, of the free ones it is not.
debug_load
guarded=() guarded_knobs=() free_knobs=()
for type in 0 5 8; do
	debug_add $type
	fail_all "$hctl"
	guarded+=("$hctl")
done
debug_add 0
fail_all "$hctl"
free=("$hctl")
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
must_load
for d in "${guarded[@]}"; do guarded_knobs+=("$d=$(<"$(dev "$d")/class")"); done
for d in "${free[@]}"; do free_knobs+=("$d=$(<"$(dev "$d")/class")"); done
unload
if has_kmemleak; then check "kmemleak is on" leaks_begin; fi

doors() {
	targets "$1"
	echo "sg/ro:${sg_of[$1]}"
	[ "$1" != "${guarded[0]}" ] || echo "bsg-uring-worker:/dev/bsg/$1" "sg_iovec:${disk_of[$1]}"
}
# storm NAME DEVICE...: senders until SIGTERM
storm() {
	local name=$1 d all=()
	shift
	# shellcheck disable=SC2207
	for d; do all+=($(doors "$d")); done
	nice sgsend --as-nobody --storm "$seed" --refused $never --allowed $always "${all[@]}" \
		>"$tmp/storm.$name" 2>&1 &
}
storm guarded "${guarded[@]}"
senders=$!
storm free "${free[@]}"
free_senders=$!

knobs=()
# knobs KIND COUNT DEVICE=CLASS...
knobs() {
	nice knobstorm $((seed + ${#knobs[@]})) "$2" "$1" "${@:3}" >"$tmp/knobs.${#knobs[@]}" 2>&1 &
	knobs+=($!)
}

# As long as somebody has /dev/sgio_filter open, or a command is under way, it stays.
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

loads=0 unloads=0 plugged=0
for ((round = 0; round < rounds; round++)); do
	echo "# round $round: $SECONDS s"
	! load strict=$((RANDOM % 2)) queue_knob=$((RANDOM % 2)) || loads=$((loads + 1))
	knobs guarded 40 "${guarded_knobs[@]}"
	knobs guarded 40 "${guarded_knobs[@]}"
	knobs free 40 "${free_knobs[@]}"
	first=$((${#knobs[@]} - 3))
	for d in "${guarded[@]}"; do
		echo 1 >"/sys/bus/scsi/devices/$d/rescan"
	done
	if plug $((round % 2 * 5)); then plugged=$((plugged + 1)); fi
	[ -z "${SGIO_TIMES-}" ] || echo "# plugged: $SECONDS s"
	[ -z "${SGIO_BREAK-}" ] || [ $round -ne $((rounds / 2)) ] || {
		echo "allow r $never" >"$(dev "${guarded[0]}")/rules"
		nap 1
	}
	# Memory is taken from the caches, and signals arrive in system calls.
	echo 3 >/proc/sys/vm/drop_caches
	dd if=/dev/zero of=/dev/null bs=64M count=1 status=none &
	eater=$!
	for _ in 1 2 3 4 5; do
		# shellcheck disable=SC2046
		kill -USR1 $(pgrep -P "$senders" -P "$free_senders" -d ' ') "${knobs[@]:first}" 2>/dev/null
		nap 0.1
	done
	for d in "${guarded[@]}"; do echo "- - -" >"/sys/class/scsi_host/host${d%%:*}/scan"; done
	kill -9 "${knobs[first + RANDOM % 3]}" 2>/dev/null
	wait $eater
	[ -z "${SGIO_TIMES-}" ] || echo "# signals: $SECONDS s"
	# Half of the time under writers, half after them.
	[ $((round % 2)) -eq 0 ] || wait "${knobs[@]:first}" 2>/dev/null
	! unload_soon || unloads=$((unloads + 1))
	wait "${knobs[@]:first}" 2>/dev/null
done
kill "$senders" "$free_senders"
wait "$senders"
is "guarded devices: no wrong verdict" "exit status $?" "exit status 0"
wait "$free_senders"
sed 's/^/# /' "$tmp"/storm.guarded
grep -h 'command' "$tmp/storm.plugged" | sed 's/^/# plugged: /'
is "... of devices that came and went" "$(grep -c ': command' "$tmp/storm.plugged")" 0
# shellcheck disable=SC2016 # awk's
check "... which were asked" awk '{ n += $4 + $6 + $8 } END { exit !n }' "$tmp/storm.plugged"
sent=$(awk '{ n += $4 + $6 + $8 } END { print n }' "$tmp/storm.guarded")
check "$sent commands were sent" test "$sent" -gt 2000
is "every sender was there to the end" "$(wc -l <"$tmp/storm.guarded")" \
	"$(for d in "${guarded[@]}"; do doors "$d"; done | tr ' ' '\n' | grep -c .)"
is "loads" $loads "$rounds"
is "unloads" $unloads "$rounds"
check "$plugged devices came and went" test $plugged -gt 0
is "no bad text was accepted, no good one refused" \
	"$(cat "$tmp"/knobs.* | grep -v ', 0 wrong$')" ""
sed -n 's/^/# /p' "$tmp"/knobs.* | sort | uniq -c | sort -rn | head -n 4
echo "# $(awk '/ good / { g += $1; r += $3; b += $7 } END { print g " good texts, " r " of them in vain; " b " bad" }' \
	<(tr -d '(' <"$tmp/knobs.0" && cat "$tmp"/knobs.[1-9]* | tr -d '('))"

# Nothing is left.
! loaded || unload_soon
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
