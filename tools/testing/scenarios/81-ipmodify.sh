#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: a second user of `scsi_cmd_allowed()`, as a livepatch would be, is refused; what else ftrace may do
# A second owner of scsi_cmd_allowed(), as a livepatch would be: who comes second
# is refused, and nothing of it stays behind. And what else ftrace may do.
# builds: ipmodify
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

other=$(dirname "$SGIO_KO")/ipmodify/sgio_test_ipmodify.ko
tracing=/sys/kernel/tracing
[ -e "$other" ] || die "no $other"
debug_load
debug_add 0
bsg=bsg:/dev/bsg/$hctl
sg=sg:${sg_of[$hctl]}
inquiry=120000002400
tur=000000000000
sanitize=48030000000000000000

# refused_load NAME PATTERN: the module does not load, says why in one line that
# matches, and leaves nothing.
refused_load() {
	local out log
	log_mark
	out=$(load 2>&1) && not_ok "$1: the module does not load"
	like "$1: the module does not load" "$out" "*Device or resource busy*"
	log=$(log_grep -i sgio_filter)
	is "$1: one line in the log" "$(wc -l <<<"$log")" 1
	like "$1: it says why" "$log" "$2"
	echo "# $log"
	loaded && not_ok "$1: it is not loaded"
	nothing_left "$1"
}

insmod "$other" || die "no $other"
allowed "the other owns the function: INQUIRY" --read "$bsg" $inquiry
refused "... refuses the rest" --read "$bsg" $tur
refused_load "the other was first" "*scsi_cmd_allowed*"
refused "the other still owns the function" --read "$bsg" $tur
for _ in $(seq 10); do load 2>/dev/null && not_ok "loads at the side of the other"; done
rmmod sgio_test_ipmodify
is "the other gone: no hook" "$(grep -c '^scsi_cmd_allowed ' $tracing/enabled_functions)" 0
allowed "... the stock answers" --read "$bsg" $sanitize
must_load
refused "now the module loads and decides" --read "$bsg" $sanitize

like "the other comes second" "$(insmod "$other" 2>&1)" "*Device or resource busy*"
refused "the module still decides" --read "$bsg" $sanitize
allowed "..." --read "$bsg" $tur
check "... and unloads" unload
allowed "... to the stock answers" --read "$bsg" $sanitize
insmod "$other"
refused "the other can have it then" --read "$bsg" $tur
rmmod sgio_test_ipmodify

# A BPF program at its exit wants the function's first instruction too.
# shellcheck disable=SC2317 # called by wait_for
hooked() {
	grep -q "^${at:-scsi_cmd_allowed} " "$tracing/enabled_functions"
}
# How sg's ioctl function is hooked.
hook_of_sg() {
	grep -A 1 '^sg_ioctl ' "$tracing/enabled_functions" | tr -s '[:space:]' ' '
}
# It compiles first, and takes its time.
# shellcheck disable=SC2317 # called by check
attached() {
	wait_for hooked || wait_for hooked || wait_for hooked
}
# shellcheck disable=SC2317
detached() {
	! hooked
}
at_exit='fexit:scsi_mod:scsi_cmd_allowed { @asked = count(); }'
if is_debians; then
	bpftrace -e "$at_exit" >"$tmp/bpf" 2>&1 &
	bpftrace=$!
	check "a BPF program on the function" attached
	allowed "... sees the stock answer" --read "$bsg" $sanitize
	refused_load "a BPF program was first" "*scsi_cmd_allowed*a BPF program*"
	kill -INT $bpftrace
	wait $bpftrace
	like "... saw the call" "$(<"$tmp/bpf")" "*@asked: [1-9]*"
	check "... is gone" wait_for detached
	must_load
	timeout -s INT 100 bpftrace -e "$at_exit" >"$tmp/bpf" 2>&1
	is "a BPF program comes second: it is not attached" \
		"$(grep -o 'Error attaching probe' "$tmp/bpf")" "Error attaching probe"
	sed 's/^/# /' "$tmp/bpf"
	refused "... the module decides" --read "$bsg" $sanitize
	like "... and sg's ioctl function calls the trampoline" "$(hook_of_sg)" \
		"* (1) * D *direct-->sgio_sg_ioctl_trampoline*"
	unload

	# sg's ioctl function can be hooked beside a BPF program that was first.
	at=sg_ioctl
	bpftrace -e 'fentry:sg:sg_ioctl { @asked = count(); }' >"$tmp/bpf" 2>&1 &
	bpftrace=$!
	check "a BPF program on sg_ioctl()" attached
	must_load
	like "... the module is beside it, by a handler" "$(hook_of_sg)" "* (2) * I D *"
	refused "... and decides" --read "$sg" $sanitize
	allowed "..." --read "$sg" $inquiry
	unload
	kill -INT $bpftrace
	wait $bpftrace
	like "... it saw the calls" "$(<"$tmp/bpf")" "*@asked: [1-9]*"
else
	skip "a BPF program on the function" "no BPF in this kernel"
fi

# A tracer looks at the same function: it does not own it.
echo scsi_cmd_allowed >$tracing/set_ftrace_filter
echo function >$tracing/current_tracer
must_load
refused "traced: the module decides" --read "$bsg" $sanitize
allowed "..." --read "$bsg" $inquiry
like "traced: the calls are seen" "$(cat $tracing/trace)" "*scsi_cmd_allowed*"
echo nop >$tracing/current_tracer
refused "traced no more: the module decides" --read "$bsg" $sanitize
echo function >$tracing/current_tracer
refused "traced again: the module decides" --read "$bsg" $sanitize
unload
allowed "traced: the stock answers are back" --read "$bsg" $sanitize
echo nop >$tracing/current_tracer
echo >$tracing/set_ftrace_filter

# One that puts its own address in the place of the caller's.
echo sg_ioctl >$tracing/set_ftrace_filter
echo function_graph >$tracing/current_tracer
must_load
refused "traced with its return: sg" --read "$sg" $sanitize
allowed "..." --read "$sg" $inquiry
like "... the calls are seen" "$(cat $tracing/trace)" "*sg_ioctl*"
unload
echo nop >$tracing/current_tracer
echo >$tracing/set_ftrace_filter

# ftrace switched off would take the filter out of the way, without a word. This
# kernel no longer lets anybody; one that does must say so to this test.
must_load
{ echo 0 >/proc/sys/kernel/ftrace_enabled; } 2>/dev/null
is "ftrace cannot be switched off below the module" "$(cat /proc/sys/kernel/ftrace_enabled)" 1
refused "... the module decides" --read "$bsg" $sanitize
finish
