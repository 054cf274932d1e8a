# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A long step says that it lives: a line rewritten each second on a terminal,
# a line now and then elsewhere.

progress_pid=

# progress_start TEXT LOG: LOG is where the step writes; objects that a
# kernel build names there are counted.
progress_start() {
	progress_text=$1 progress_log=$2 progress_began=$SECONDS
	: >"$2"
	[ -t 2 ] || printf '%s ...\n' "$1" >&2
	progress_loop 9>&- &
	progress_pid=$!
	trap progress_stop EXIT
}

progress_stop() {
	[ -n "$progress_pid" ] || return 0
	kill "$progress_pid" 2>/dev/null || :
	wait "$progress_pid" 2>/dev/null || :
	progress_pid=
	progress_line
	[ ! -t 2 ] || printf '\n' >&2
}

progress_loop() {
	local period=30
	[ ! -t 2 ] || period=1
	while sleep $period && kill -0 $$ 2>/dev/null; do
		progress_line
	done
}

progress_line() {
	local count
	count=$(grep -cE '^  (\[M\] )?(CC|AS|LD|AR|RUSTC|RUSTDOC|HOSTCC)' "$progress_log" || :)
	[ "$count" -eq 0 ] && count='' || count="$count objects, "
	[ ! -t 2 ] || printf '\r\033[K' >&2
	printf '%s ... %s%s' "$progress_text" "$count" \
		"$(hms $((SECONDS - progress_began)))" >&2
	[ -t 2 ] || printf '\n' >&2
}

# reason_of LOG: the cause, in a few words.
reason_of() {
	if grep -q 'No space left on device' "$1"; then
		echo "the disk is full"
	elif grep -qE 'Temporary failure resolving|Could not resolve|Could not connect|Cannot initiate the connection|Connection timed out|Network is unreachable' "$1"; then
		echo "no network: Debian's packages cannot be reached"
	else
		grep -iE '(^|[^a-z])(error|fatal|failed|E:|\*\*\*)' "$1" | grep -v 'Error 2$' | tail -n 1 |
			grep . || tail -n 1 "$1"
	fi
}
