# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Reading a guest's kernel log: what counts as a complaint, and showing it.
#
# There are two sources: "kmsg", every record as /dev/kmsg has it, until the
# command ended or the guest died; "console", the serial console, which alone
# has a panic and what comes at shutdown, but also what programs write.

SPLAT='BUG:|WARNING:|Oops|Kernel panic|Call Trace:|KASAN|KCSAN|UBSAN'
SPLAT+='|general protection fault|sleeping function called|suspicious RCU'
SPLAT+='|possible (circular|recursive) locking|inconsistent lock state'
SPLAT+='|INFO: task .* blocked|INFO: rcu|kmemleak: [0-9]+ new suspected|ODEBUG:'
SPLAT+='|refcount_t:|scheduling while atomic'

# kernel_log_text DIR: the kernel's own records (facility 0), one a line, then
# what the console has beyond them.
kernel_log_text() {
	sed -n 's/^[0-7],[0-9]*,\([0-9]*\)\([0-9]\{6\}\),[^;]*;/[\1.\2] /p
		s/^[0-7],[0-9]*,\([0-9]\{1,5\}\),[^;]*;/[0.\1] /p' "$1/kmsg"
	echo "--- serial console"
	if [ -s "$1/status" ]; then
		sed '1,/sgio: end of the run/d' "$1/console"
	else
		cat "$1/console"
	fi 2>/dev/null | tr -d '\r' || : # there may be no console yet
}

# kernel_log_splat DIR: prints the first complaint with its surroundings;
# fails if there is none.
kernel_log_splat() {
	# Not by a pipe: grep stops early, which must not count as a failure.
	grep -E -m 1 -B 3 -A 60 -e "$SPLAT" < <(kernel_log_text "$1" | awk -f "$TESTING/lib/expected-messages.awk")
}

kernel_log_tail() {
	kernel_log_text "$1" | tail -n 40
}
