# SPDX-License-Identifier: GPL-2.0
# A kernel log without KCSAN's reports of races in which the module has no part: the kernel has some
# of its own, and they say nothing about this project. A report in which another processor's complaint
# stands stays.

function flush() {
	printf "%s", held
	held = ""
	holding = 0
}

holding && /====================/ {
	held = held $0 "\n"
	if (held ~ /\[sgio_(filter|test)/ || held !~ /BUG: KCSAN/ || other)
		printf "%s", held
	held = ""
	holding = other = 0
	next
}
!holding && /====================/ {
	holding = 1
	held = $0 "\n"
	next
}
# The line behind the first rule tells what kind of report it is.
holding == 1 {
	held = held $0 "\n"
	if (/BUG: KCSAN/)
		holding = 2
	else
		flush()
	next
}
holding {
	held = held $0 "\n"
	if (/WARNING:|BUG:|Oops|INFO: |UBSAN|ODEBUG:|refcount_t|general protection|suspicious RCU/)
		other = 1
	next
}
{ print }
END { flush() }
