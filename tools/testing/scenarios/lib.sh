# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scenarios share: TAP, the kernel log, the module, sending. Sourced.
#
# A scenario runs as root in a guest of its own and leaves nothing to clean up;
# it ends with `finish`. Starting a program is what costs time in a guest
# without hardware virtualisation, so what runs often is built into the shell.

set -u

tmp=$(mktemp -d)
here=${BASH_SOURCE[0]%/*}
sysfs=/sys/kernel/sgio_filter
tap_n=0
tap_bad=0
# nobody puts its tables there.
chmod 755 "$tmp"

# --- TAP ----------------------------------------------------------------------

# ok NAME
ok() {
	[ -z "${SGIO_TIMES-}" ] || echo "# $SECONDS s"
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1"
}

# not_ok NAME [DIAGNOSTIC...]
not_ok() {
	[ -z "${SGIO_TIMES-}" ] || echo "# $SECONDS s"
	tap_n=$((tap_n + 1))
	tap_bad=$((tap_bad + 1))
	echo "not ok $tap_n - $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | head -n 30 | sed 's/^/# /'
}

skip() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # skip $2"
}

# check NAME COMMAND...: the command succeeds
check() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "failed: $*" "$out"; fi
}

# is NAME GOT WANT: equal strings
is() {
	if [[ $2 == "$3" ]]; then
		ok "$1"
	else
		not_ok "$1" "got:" "  ${2//$'\n'/$'\n'  }" "want:" "  ${3//$'\n'/$'\n'  }"
	fi
}

# like NAME GOT PATTERN: matches the glob
like() {
	# shellcheck disable=SC2053
	if [[ $2 == $3 ]]; then ok "$1"; else not_ok "$1" "got:  $2" "want: $3"; fi
}

# slurp VARIABLE FILE
slurp() {
	IFS= read -rd '' "$1" <"$2" || :
}

# same NAME FILE FILE: equal and not empty
same() {
	local a b

	slurp a "$2"
	slurp b "$3"
	if [ -z "$a" ]; then
		not_ok "$1" "$2 is empty"
	elif [[ $a == "$b" ]]; then
		ok "$1"
	else
		not_ok "$1" "$(diff "$2" "$3")"
	fi
}

# absent NAME PATH-GLOB...: none of them exists
absent() {
	local name=$1 found
	shift
	found=$(compgen -G "$1"; shift; for glob; do compgen -G "$glob"; done)
	is "$name" "$found" ""
}

# The scenario cannot go on.
die() {
	not_ok "the scenario can run" "$*"
	finish
}

finish() {
	check_log
	trap - EXIT
	echo "1..$tap_n"
	[ "$tap_bad" -eq 0 ] && [ "$tap_n" -gt 0 ]
	exit
}

trap 'not_ok "the scenario ran to its end"; echo "1..$tap_n"; exit 1' EXIT

# nap SECONDS, without a program
nap() {
	read -rt "$1" -u "$nap_fd" || :
}
exec {nap_fd}<> <(:)

# wait_for COMMAND...: until it succeeds, 20 s at most
wait_for() {
	local i
	for ((i = 0; i < 1000; i++)); do
		"$@" >/dev/null 2>&1 && return
		nap 0.02
	done
	return 1
}

# --- the kernel log -----------------------------------------------------------

echo 1 >/proc/sys/kernel/printk

# Off until there is something to look at: the kernel is slow with it.
kcsan=/sys/kernel/debug/kcsan
[ ! -e $kcsan ] || echo on >$kcsan

# As a distribution builds it: much in it, and nothing that slows it down.
is_debians() {
	[[ $SGIO_KERNEL == @(stock|rt) ]]
}

# The kernel log since the last log_mark, or what of it matches.
log_from=0
log_mark() {
	log_from=$(dmesg | wc -l)
}
log_grep() {
	dmesg | tail -n "+$((log_from + 1))" | grep "$@"
}

# The runner judges the log too; here a scenario fails by its own name.
check_log() {
	local bad known=$here/../lib/expected-messages.awk

	# Without it nothing would be found.
	[ -r "$known" ] || not_ok "the kernel log can be read" "no $known"
	bad=$(dmesg | awk -f "$known" | grep -E -A 20 'WARNING:|BUG:|Oops|Call Trace|general protection|INFO: (task|rcu)|suspicious RCU|possible (circular|recursive|irq lock)|sleeping function|inconsistent lock|unreferenced object|refcount_t')
	is "the kernel log has no warning" "$bad" ""
	if [ -e "$kcsan" ]; then
		check "KCSAN was looking" grep -qx 'setup_watchpoints: [1-9][0-9]*' "$kcsan"
		echo "# KCSAN: $(sed -n 1,6p "$kcsan" | xargs)"
	fi
	if [ -r /proc/lockdep_stats ] && ! grep -q 'debug_locks: *1' /proc/lockdep_stats; then
		not_ok "lockdep is still on"
	fi
}

# --- kmemleak -----------------------------------------------------------------

# Where it is and the kernel was told to use it, it must work: it switches itself off when it runs out of
# memory, and then finds nothing.
has_kmemleak() {
	[ -e /sys/kernel/debug/kmemleak ] && [[ " $(</proc/cmdline) " == *" kmemleak=on "* ]]
}

kmemleak_scan() {
	{ echo scan >/sys/kernel/debug/kmemleak; } 2>/dev/null
}

# As often as it takes to report what the scan before has noted.
kmemleak_report() {
	local n looks

	slurp looks /sys/module/kmemleak/parameters/min_unref_scans 2>/dev/null
	for ((n = 0; n < ${looks:-2}; n++)); do
		kmemleak_scan || return
	done
}

# leaks_begin: no scans but those of leaks, since each takes many seconds. Fails where kmemleak is off. What is lost
# already counts, if it is the module's.
leaks_begin() {
	{ echo scan=off >/sys/kernel/debug/kmemleak; } 2>/dev/null
}

# leaks: the objects of the module that nothing refers to, when it is unloaded. They are known by their traces.
# kmemleak keeps addresses and names them when it is read: those in a module that has gone have no name.
# So other modules that do something at the same time must stay, and none is to be loaded in its place.
leaks() {
	# An object counts when it is 5 s old. The first scan only notes what each holds.
	if ! { kmemleak_scan && nap 6 && kmemleak_report; }; then
		echo "kmemleak is off"
		return
	fi
	awk '
		function out() { if (ours) printf "%s", text; text = ""; ours = trace = 0 }
		/^unreferenced object/ { out() }
		{ text = text $0 "\n" }
		trace && (/sgio/ || /^ *0x[0-9a-f]+$/) { ours = 1 }
		/^ *backtrace/ { trace = 1 }
		END { out() }' /sys/kernel/debug/kmemleak || echo "kmemleak cannot be read"
}

# --- the module ---------------------------------------------------------------

load() {
	insmod "$SGIO_KO" "$@"
}

unload() {
	rmmod sgio_filter
}

loaded() {
	grep -q '^sgio_filter ' /proc/modules
}

must_load() {
	local out
	out=$(load "$@" 2>&1) || die "insmod $*: $out"
}

# nothing_left WHEN: no trace in sysfs
nothing_left() {
	absent "$1: no knob is left" $sysfs '/sys/bus/scsi/devices/*/sgio_filter' \
		'/sys/block/*/queue/unpriv_sgio'
}

# put FILE LINE...: in one write(2). The shell's own printf writes line by line,
# and what comes second to an open knob is refused.
put() {
	local file=$1 text
	shift
	printf -v text '%s\n' "$@"
	cat <<<"${text%$'\n'}" >"$file"
}

need() {
	modprobe -a "$@" || die "missing modules: $*"
}

# --- sending ------------------------------------------------------------------

nobody() {
	sgsend --as-nobody "$@"
}

# traffic TARGET...: commands of nobody until traffic_ends
traffic() {
	sgsend --as-nobody --hammer "$@" >"$tmp/traffic" 2>&1 &
	traffic_pid=$!
}

# traffic_ends NAME: no wrong verdict
traffic_ends() {
	kill "$traffic_pid"
	wait "$traffic_pid"
	is "$1: no wrong verdict" "exit status $?, $(grep -vc ', 0 wrong,' "$tmp/traffic") wrong" \
		"exit status 0, 0 wrong"
	sed 's/^/# /' "$tmp/traffic"
}

# A program, as nobody and without capabilities.
as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all \
		--inh-caps=-all --no-new-privs "$@"
}

# works COMMAND...: as nobody, exit status 0
works() {
	local out
	if out=$(as_nobody "$@" 2>&1); then
		ok "$*"
	else
		not_ok "$*" "exit status $?" "$out"
	fi
}

# refused NAME SGSEND-ARGUMENT... / allowed NAME ...
refused() {
	local name=$1
	shift
	is "$name" "$(nobody --probe "$@" 2>&1)" "refused: EPERM"
}
allowed() {
	local name=$1
	shift
	is "$name" "$(nobody --probe "$@" 2>&1)" "allowed: nothing executed"
}

# shellcheck source-path=SCRIPTDIR source=devices.sh
. "$here/devices.sh"
