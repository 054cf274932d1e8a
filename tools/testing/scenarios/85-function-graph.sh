#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: no shadow stacks, and no warning of the function_graph tracer; `make test-tracing` compares the kernel's own tests of ftrace and livepatch without the module and with it
# kernels: stock
# The module does not disturb tracing: no task gets a shadow stack, and the function_graph tracer does not warn, with all
# armed that the module redirects.
#
# By hand, and not in make test, since it takes long without hardware virtualisation: the kernel's own tests of ftrace
# (tools/testing/selftests/ftrace of its source), once without the module and once with it, and their results compared.
# TRACING=some runs those of filters, fprobes and kprobes; TRACING=all those of ftrace, dynevent, direct and tracer:
#   tools/testing/vm/run --source --append slab_nomerge --timeout 7200 -- \
#       'TRACING=some /sgio/src/tools/testing/scenarios/85-function-graph.sh'
# (direct needs the sample modules, which Debian does not build: unresolved). The other directories are about events,
# triggers and histograms, which no redirection of a function touches.
# vm: --source --append slab_nomerge
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

tracing=/sys/kernel/tracing
tests=(
	ftrace/{fgraph-filter,func_set_ftrace_file}
	dynevent/{add_remove_fprobe,add_remove_kprobe,add_remove_multiple_fprobe,fprobe_entry_arg}
	tracer/wakeup
)
only_user=dynevent/add_remove_multiple_fprobe

mkdir "$tmp/source"
mount -t 9p -o trans=virtio,ro,cache=loose source "$tmp/source" || die "no source of the kernel"
selftests=$tmp/source/tools/testing/selftests/ftrace
[ "${TRACING-}" != all ] || mapfile -t tests < <(
	cd "$selftests/test.d" && printf '%s\n' {ftrace,dynevent,direct,tracer}/*.tc | sed 's/\.tc$//'
)

# ftracetest NAME TEST-FILE...: the results, one a line, to $tmp/NAME.
ftracetest() {
	local name=$1 file line began=$SECONDS out
	shift
	exec {out}>&1
	"$selftests/ftracetest" -k -l "$tmp/logs-$name" "$@" 2>&1 | while read -r line; do
		[[ $line == "["[0-9]* ]] || continue
		# Those behind the last file are for instances of tracefs.
		file=${1-instance}
		[ $# -eq 0 ] || shift
		echo "${file#"$selftests/test.d/"}${line#*]}"
		echo "# $name: ${file##*/} ${line##*$'\t'} $((SECONDS - began)) s" >&"$out"
	done >"$tmp/$name"
	exec {out}>&-
}

# result NAME TEST: what became of it.
result() {
	grep -F "$2.tc" "$tmp/$1" | grep -o '[A-Z]*]$' | tr -d ']'
}

# shadow_stacks: how many there are while there are 3,000 threads more; each is for a task.
shadow_stacks() {
	local threads threads_PID
	coproc threads { exec python3 -c '
import sys, threading
threading.stack_size(65536)
end = threading.Event()
for _ in range(3000):
    threading.Thread(target=end.wait, daemon=True).start()
print("ready", flush=True)
sys.stdin.readline()'; }
	read -r -t 300 -u "${threads[0]}" && awk '$1 == "fgraph_stack" { n = $2 } END { print n + 0 }' /proc/slabinfo
	echo >&"${threads[1]}"
	wait "$threads_PID"
}

# arm: whatever the module may redirect.
arm() {
	must_load
	echo own >"$(dev "$hctl")/report_luns"
	echo "deny 5e,5f" >"$(dev "$hctl")/rules"
	[ ! -e $sysfs/filter_sg ] || echo 1 >$sysfs/filter_sg
}

# redirected: the functions, one a line.
redirected() {
	awk '/^[^\t]/ { print $1 }' $tracing/enabled_functions
}

debug_load
debug_add 0
bsg=bsg:/dev/bsg/$hctl disk=sg_io:${disk_of[$hctl]}
inquiry=120000002400
is "nobody traces before" "$(redirected)" ""

# --- no shadow stacks -----------------------------------------------------------

# The function_graph tracer, an fprobe with an exit handler, or a probe at the return of a function would give each task
# a stack of its own, and each context switch a probe.
arm
allowed "armed: INQUIRY" --read "$bsg" $inquiry
sed 's/^/# /' $sysfs/entry_points $tracing/enabled_functions
is "armed: all that can be redirected" "$(grep -v ' armed$' $sysfs/entry_points)" ""
is "... by a handler or a jump, none for returns" \
	"$(grep -E '^[^[:space:]]' $tracing/enabled_functions | grep -vE '\(1\) +R? +[ID] ')" ""
is "with 3,000 threads and the module: no shadow stack" "$(shadow_stacks)" 0

# --- the function_graph tracer ----------------------------------------------------

# That the point above finds one.
log_mark
echo scsi_ioctl >$tracing/set_ftrace_filter
echo function_graph >$tracing/current_tracer
like "with the function_graph tracer: a shadow stack for each" "$(shadow_stacks)" "3[0-9][0-9][0-9]"
nobody --read "$disk" a00000000000000000100000 >/dev/null
allowed "function_graph: INQUIRY" --read "$disk" $inquiry
echo nop >$tracing/current_tracer
echo >$tracing/set_ftrace_filter
is "function_graph: the kernel does not warn" "$(log_grep -c WARNING)" 0
unload

is "nobody traces afterwards" "$(redirected)" ""
[ -n "${TRACING-}" ] || finish

# --- the kernel's own tests --------------------------------------------------------

files=("${tests[@]/#/$selftests/test.d/}")
files=("${files[@]/%/.tc}")
ftracetest without "${files[@]}"
is "every test ran" "$(grep -c '^[a-z]*/.*\[[A-Z]*\]$' "$tmp/without")" ${#tests[@]}
arm
ftracetest with "${files[@]}"

# One test wants to be the only user of ftrace and gives up at once where enabled_functions is not empty: with any
# livepatch in place as well. That it gives up there and nowhere else, and that it passes where it sees its own functions
# only, is what can be shown.
is "$only_user without the module" "$(result without $only_user)" PASS
is "$only_user with it: unresolved" "$(result with $only_user)" UNRESOLVED
is "... at its first look" "$(grep -c '^+* cat enabled_functions' "$tmp"/logs-with/*-add_remove_multiple_fprobe.tc-log.*)" 1
ours="^($(redirected | paste -sd '|')) |-->"
sed "s/cat enabled_functions/grep -vE '$ours' enabled_functions/" "$selftests/test.d/$only_user.tc" \
	>"$tmp/own.tc"
ftracetest own "$tmp/own.tc"
like "... and passes with its own functions in view" "$(<"$tmp/own")" "*[[]PASS]"

grep -vF "$only_user.tc" "$tmp/without" >"$tmp/want"
grep -vF "$only_user.tc" "$tmp/with" >"$tmp/got"
same "all others: the same results" "$tmp/got" "$tmp/want"
allowed "the module still decides: INQUIRY" --read "$bsg" $inquiry
refused "... SANITIZE" --read "$bsg" 48030000000000000000
unload
is "nobody traces afterwards" "$(redirected)" ""
finish
