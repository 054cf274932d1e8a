# SPDX-License-Identifier: GPL-2.0
# A kernel log without KCSAN's reports of races in which the module has no part: the kernel has some
# of its own, and they say nothing about this project.

function flush() {
	printf "%s", held
	held = ""
	holding = 0
}

holding && /====================/ {
	held = held $0 "\n"
	if (held ~ /\[sgio_(filter|test)/ || held !~ /BUG: KCSAN/)
		printf "%s", held
	held = ""
	holding = 0
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
	next
}
{ print }
END { flush() }
