#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The measurements, in a guest whose clock counts instructions: a line each, in
# columns. Everything that is compared is measured in this one boot, and between
# two of them the kernel without the module is measured again (`none`), so that
# a drift would show.
#
#   cost CONFIGURATION COMMAND SENDER LEAST MEDIAN    ns per SG_IO
#   sg CONFIGURATION COMMAND SENDER LEAST MEDIAN      the same by /dev/sgN, open for both
#   switch THREADS CONFIGURATION LEAST MEDIAN         ns per context switch, with as many threads
#   threads THREADS BYTES                             slab objects that loading takes, with as many threads
#   load DEVICES INSMOD RMMOD                         ms
#   memory DEVICES LOADED PERCPU                      bytes of slab objects, of per-CPU memory
#   slab DEVICES CACHE BYTES                          where the former are
#   files DIRECTORIES BYTES                           slab objects of as many directories with such files
#   module BYTES                                      code and data
#   pr NAME LEAST MEDIAN                              ns per PERSISTENT RESERVE IN
#
# `guest.sh smoke` does all of it with few repeats and devices: that it works. `guest.sh devices N...`
# measures with so many devices, and nothing else; `guest.sh commands`, `sg`, `grants`, `audit` or `threads` only what its
# name says.
# shellcheck source-path=SCRIPTDIR/../scenarios source=../scenarios/lib.sh
. "${0%/*}/../scenarios/lib.sh"
# shellcheck source=../scenarios/lio.sh
. "$here/../scenarios/lio.sh"

effort=()
many=(100 4000)
directories=1000
threads=3000
some=1000
case ${1-} in
smoke) effort=(4 3) many=(20) directories=20 threads=30 some=20 ;;
devices) many=("${@:2}") ;;
esac
hooks=$(dirname "$SGIO_KO")/hooks
# Loading must not measure the file system that the module comes from.
cp "$SGIO_KO" "$tmp/sgio_filter.ko"
SGIO_KO=$tmp/sgio_filter.ko

# cost CONFIGURATION
cost() {
	local line out
	out=$(sgbench "$disk" "${effort[@]}") || die "sgbench: $1"
	while read -r line; do echo "cost $1 $line"; done <<<"$out"
}

with_module() {
	local name=$1
	shift
	must_load "$@"
	cost "$name"
	unload
}

# --- the cost of a command ----------------------------------------------------

# rules N: for opcodes that nothing here sends, each of another service action
rules() {
	local n
	for ((n = 0; n < $1; n++)); do
		printf 'allow w %02x [1]=%02x [2]=%02x\n' $((0xd0 + n % 16)) $((n / 16 % 256)) $((n / 4096))
	done
}

with_rules() {
	must_load
	{ echo "device $first"; echo rules; rules "$1"; } >"$tmp/transaction"
	is "$1 rules" "$(knob /dev/sgio_filter <"$tmp/transaction")" \
		"ok $(wc -c <"$tmp/transaction")"
	is "... are there" "$(wc -l <"$(dev "$first")/rules")" "$1"
	cost "rules-$1"
	unload
}

with_tracepoint() {
	must_load
	echo 1 >/sys/kernel/tracing/events/sgio_filter/decision/enable
	cost tracepoint-on
	echo 0 >/sys/kernel/tracing/events/sgio_filter/decision/enable
	cost tracepoint-off
	unload
}

# --- grants --------------------------------------------------------------------------

cgroups=/sys/fs/cgroup
holders=()
# holders N: so many cgroups; the measurements are made in the last
holders() {
	local n
	mountpoint -q $cgroups || mount -t cgroup2 none $cgroups || die "no cgroups of version 2"
	for ((n = 1; n <= $1; n++)); do mkdir -p "$cgroups/bench/$n" || die "cgroup $n"; done
	mapfile -t holders < <(stat -c %i "$cgroups"/bench/* | sort -n)
	n=$(find $cgroups/bench -mindepth 1 -maxdepth 1 -inum "${holders[-1]}")
	echo $$ >"$n/cgroup.procs" || die "$n"
}

# grants HCTL N RULE...: on a device, to each of the last N holders
grants() {
	local hctl=$1 n=$2 holder
	shift 2
	{
		echo "device $hctl"
		for holder in "${holders[@]: -n}"; do
			echo "grant cgroup=$holder name=bench"
			printf '%s\n' "$@"
		done
	} >"$tmp/transaction"
	is "$n grants on $hctl" "$(knob /dev/sgio_filter <"$tmp/transaction")" "ok $(wc -c <"$tmp/transaction")"
}

# with_grants CONFIGURATION HCTL N RULE...
with_grants() {
	local name=$1
	shift
	must_load
	grants "$@"
	cost "$name"
	unload
	cost none
}

# What all send but "refused" does, of which no grant says anything.
granted=("allow r 00,12,28" "allow w 2a")
by_grants() {
	holders "$some"
	cost none
	with_grants "grants-1-unmentioned" "$first" 1 "allow r d0"
	with_grants "grants-$some-unmentioned" "$first" "$some" "allow r d0"
	with_grants "grants-1" "$first" 1 "${granted[@]}"
	with_grants "grants-$some" "$first" "$some" "${granted[@]}"
}

# audit 0|1: the kernel's audit; without a daemon its records go to the kernel log. From the first time on every process
# pays for it, so the kernel alone is measured again.
audit() {
	python3 -c 'import socket, struct, sys
AUDIT_SET, STATUS_ENABLED, REQUEST = 1001, 1, 1
status = struct.pack("=12I", STATUS_ENABLED, int(sys.argv[1]), *[0] * 10)
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9) as audit:
    audit.send(struct.pack("=IHHII", 16 + len(status), AUDIT_SET, REQUEST, 0, 0) + status)' "$1" || die "audit"
}

with_audit() {
	audit 1
	cost none-audit
	with_module audit
	cost none-audit
	audit 0
}

# sg_cost CONFIGURATION
sg_cost() {
	local line out
	out=$(sgbench "$sg" "${effort[@]}") || die "sgbench $sg: $1"
	while read -r line; do echo "sg $1 $line"; done <<<"$out"
}

by_sg() {
	sg_cost none
	must_load
	sg_cost off
	echo 1 >"$(dev "$first")/filter_sg" || die "filter_sg"
	sg_cost on
	echo 0 >"$(dev "$first")/filter_sg"
	sg_cost armed
	unload
	sg_cost none
}

# --- threads -----------------------------------------------------------------------

# with_threads N: what a context switch costs, and what loading takes, while there are so many
with_threads() {
	local n=$1 before line to from
	coproc threads_of { exec switchbench "$n" "${effort[@]}"; }
	from=${threads_of[0]} to=${threads_of[1]}
	switches warm-up >/dev/null
	switches none
	slab >"$tmp/before"
	must_load
	slab >"$tmp/after"
	awk -v n="$n" 'NR == FNR { before[$1] = $2; next } { sum += $2 - before[$1] }
		END { print "threads", n, sum }' "$tmp/before" "$tmp/after"
	switches loaded
	unload
	switches none
	exec {to}>&-
	# shellcheck disable=SC2154 # set by coproc
	wait "$threads_of_PID" 2>/dev/null
}

# switches CONFIGURATION: measured by the program of with_threads()
switches() {
	echo >&"$to"
	read -r line <&"$from" || die "switchbench"
	echo "switch $n $1 $line"
}

# --- devices ------------------------------------------------------------------

# What was freed and is kept for the next must not count.
slab() {
	local cache
	for cache in /sys/kernel/slab/*/shrink; do echo 1 >"$cache"; done
	awk 'NR > 2 { print $1, $2 * $4 }' /proc/slabinfo
}

percpu() {
	awk '$1 == "Percpu:" { print $2 * 1024 }' /proc/meminfo
}

# What the module takes with as many devices as there are.
memory() {
	local before
	slab >"$tmp/before"
	before=$(percpu)
	must_load
	slab >"$tmp/after"
	awk -v devices="$1" -v percpu=$(($(percpu) - before)) '
		NR == FNR { before[$1] = $2; next }
		{ sum += $2 - before[$1] }
		$2 > before[$1] + 64 * devices { print "slab", devices, $1, $2 - before[$1] }
		END { print "memory", devices, sum, percpu }' "$tmp/before" "$tmp/after"
	[ "$1" != 1 ] || awk '$1 == "sgio_filter" { print "module", $2 }' /proc/modules
	unload
}

# What sysfs takes of that: directories with such files, and nothing behind them.
sysfs_alone() {
	slab >"$tmp/before"
	insmod "$hooks/sgio_bench_files.ko" count="$1" || die "$1 directories of files"
	slab >"$tmp/after"
	awk -v n="$1" 'NR == FNR { before[$1] = $2; next } { sum += $2 - before[$1] }
		END { print "files", n, sum }' "$tmp/before" "$tmp/after"
	rmmod sgio_bench_files
}

load_time() {
	local t0 t1 t2 t3
	t0=$EPOCHREALTIME
	must_load
	t1=$EPOCHREALTIME
	nap 0.1
	t2=$EPOCHREALTIME
	unload
	t3=$EPOCHREALTIME
	awk -v n="$1" -v a="$t0" -v b="$t1" -v c="$t2" -v d="$t3" \
		'BEGIN { printf "load %d %.2f %.2f\n", n, (b - a) * 1e3, (d - c) * 1e3 }'
}

# with_devices N: so many in all, of a class without an upper level driver but sg. Those that are
# there stay, since a host with hundreds of devices goes more slowly than it comes.
with_devices() {
	local n=$1 all more
	more=$((n - $(scsi_devices | wc -l)))
	if [ "$more" -gt 0 ]; then
		echo 3 >/sys/module/scsi_debug/parameters/ptype
		echo $(((more + 249) / 250)) >/sys/module/scsi_debug/parameters/num_tgts
		# The last target may have more than are wanted: the count is what was got.
		echo $((more < 250 ? more : 250)) >/sys/module/scsi_debug/parameters/max_luns
		echo 1 >$debug/add_host
		until_devices "$n"
	fi
	all=$(scsi_devices | wc -l)
	[ "$all" -ge "$n" ] || die "$all of $n devices"
	load_time "$all"
	memory "$all"
	cost "none"
	with_module "devices-$all"
	cost "none"
}

# until_devices N: there are so many; they come behind our back
until_devices() {
	local i
	for ((i = 0; i < 2400; i++)); do
		[ "$(scsi_devices | wc -l)" -lt "$1" ] || return 0
		nap 0.5
	done
}

# --- other hooks --------------------------------------------------------------

with_hook() {
	insmod "$hooks/sgio_bench_hook.ko" hook="$1" || die "hook=$1"
	cost "hook-$1"
	rmmod sgio_bench_hook
}

with_livepatch() {
	local patch=/sys/kernel/livepatch/sgio_bench_livepatch
	insmod "$hooks/sgio_bench_livepatch.ko" || die "the livepatch"
	wait_for grep -qx 0 $patch/transition || die "the livepatch is not in force"
	cost hook-livepatch
	echo 0 >$patch/enabled
	wait_for test ! -e $patch || die "the livepatch does not go"
	rmmod sgio_bench_livepatch
}

# --- PERSISTENT RESERVE -------------------------------------------------------

persistent_reserve() {
	local helper out line
	lio_load
	lio_backstore bench
	lio_disk bench 1
	must_load
	echo 'allow r 5e' >"$(dev "$hctl")/rules"
	qemu-pr-helper -k "$tmp/pr.sock" >"$tmp/pr-helper" 2>&1 &
	helper=$!
	wait_for test -S "$tmp/pr.sock" || die "qemu-pr-helper: $(cat "$tmp/pr-helper")"
	out=$(prbench "${disk_of[$hctl]}" "$tmp/pr.sock" "${effort[@]}") || die "prbench"
	while read -r line; do echo "pr $line"; done <<<"$out"
	kill $helper
	wait $helper 2>/dev/null
	unload
}

# ------------------------------------------------------------------------------

debug_load
debug_add 0
first=$hctl
disk=${disk_of[$hctl]}
sg=${sg_of[$hctl]}

case ${1-} in
devices)
	cost warm-up
	for n in "${many[@]}"; do with_devices "$n"; done
	finish
	;;
commands)
	cost warm-up
	cost none
	with_module strict
	cost none
	finish
	;;
grants)
	cost warm-up
	by_grants
	finish
	;;
audit)
	cost warm-up
	with_audit
	finish
	;;
sg)
	sg_cost warm-up
	by_sg
	finish
	;;
threads)
	with_threads 1
	with_threads $threads
	finish
	;;
esac
cost warm-up
with_devices 1
sysfs_alone $directories
with_module strict
cost none
with_module stock-table strict=0
cost none
for n in 1 100 1000; do
	with_rules $n
	cost none
done
with_tracepoint
cost none
for hook in jump ipmodify regs kprobe; do
	with_hook $hook
done
with_livepatch
cost none
by_sg
with_threads 1
with_threads $threads
persistent_reserve
for n in "${many[@]}"; do with_devices "$n"; done
by_grants
other=$(scsi_devices | grep -vx "$first" | tail -n 1)
with_grants "grants-$some-elsewhere" "$other" "$some" "${granted[@]}"
with_audit
finish
