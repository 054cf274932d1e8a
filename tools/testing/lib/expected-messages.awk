# SPDX-License-Identifier: GPL-2.0
# A kernel log without what the kernel is known to complain about by itself, and which says nothing
# about this project:
# - KCSAN's reports of races in which the module has no part; what an interrupt does to which its code happens to
#   be interrupted is none, nor what the kernel's own scsi_ioctl() or sg_ioctl() does that the module goes on to, nor what
#   the kernel does to the timer by which it wakes a task that sleeps. A report in which another processor's complaint
#   stands stays.
# - The unwinder, which KASAN asks in an interrupt, in the tail of the function graph tracer: the debug kernel says so without the
#   module as well, after some minutes of function_graph under traffic. At any other place it counts.

function flush() {
	printf "%s", held
	held = ""
	holding = waited = 0
}

holding && /====================/ {
	held = held $0 "\n"
	if (ours || held !~ /BUG: KCSAN/ || other)
		printf "%s", held
	held = ""
	holding = waited = other = ours = interrupted = 0
	next
}
!holding && /====================/ {
	holding = 1
	held = $0 "\n"
	next
}
# The line behind the first rule tells what kind of report it is; another processor's may come in between.
holding == 1 {
	held = held $0 "\n"
	if (/BUG: KCSAN/)
		holding = 2
	else if (/BUG:|WARNING:|Oops/ || ++waited > 3)
		flush()
	next
}
holding {
	held = held $0 "\n"
	if (/WARNING:|BUG:|Oops|INFO: |UBSAN|ODEBUG:|refcount_t|general protection|suspicious RCU/)
		other = 1
	# The two accesses, each with what led to it; of an interrupt, behind its entry, what it came upon.
	if (/ by (task|interrupt)/) {
		interrupt = / by interrupt/
		interrupted = 0
	}
	if (interrupt && / asm_(sysvec|common_interrupt)/)
		interrupted = 1
	if (/ sgio_helper_scsi_ioctl_from_here\+/ || / sg_ioctl\+/ || / schedule_hrtimeout_range_clock\+/)
		interrupted = 1
	if (/\[sgio_(filter|test)/ && !interrupted)
		ours = 1
	next
}
/WARNING: stack going in the wrong direction\? at return_to_handler\+/ { next }
{ print }
END { flush() }
