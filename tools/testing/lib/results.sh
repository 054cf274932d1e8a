# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# From what a part of the tests said to results: one line "pass NAME",
# "fail NAME" or "skip NAME" for each test. A part that ends badly, or before
# its plan says, has one failure more: nothing can fail by being silent.
#
# Each is called with the part's directory, where "output" is, and its status.

tap_results() {
	local dir=$1 status=$2
	awk -v status="$status" '
		/^(not )?ok( |$)/ {
			points++
			word = /^not/ ? "fail" : /# *[Ss][Kk][Ii][Pp]/ ? "skip" : "pass"
			if (word == "fail")
				failed++
			sub(/^(not )?ok *[0-9]* *-? */, "")
			print word, $0
		}
		/^1\.\.[0-9]+/ { plan = substr($1, 4); planned = 1 }
		END {
			if (!points)
				print "fail no test was run (status " status ")"
			else if (!planned)
				print "fail the end did not come (status " status ")"
			else if (plan != points)
				print "fail the plan: " plan " tests, " points " were run"
			else if (status && (!failed || status >= 123))
				print "fail the end: status " status
		}' "$dir/output"
}

cargo_results() {
	local dir=$1 status=$2
	awk -v status="$status" '
		/^test .* \.\.\. / {
			points++
			word = $NF == "ok" ? "pass" : /\.\.\. ignored/ ? "skip" : "fail"
			if (word == "fail")
				failed++
			sub(/^test /, "")
			sub(/ \.\.\. .*/, "")
			print word, $0
		}
		END {
			if (!points)
				print "fail no test was run (status " status ")"
			else if (status && !failed)
				print "fail the end: status " status
		}' "$dir/output"
}

# KUnit speaks KTAP in the kernel log: "# Subtest: SUITE", a plan "1..N", and
# a line for each case and then the suite, each level indented by four.
# Every suite that the sources name must be there, with as many cases as it
# planned; the kernel's own suites are not counted.
kunit_results() {
	local dir=$1 status=$2
	cases_of "$dir/kernel-log" | awk -v status="$status" -v suites="$(kunit_suites)" '
		BEGIN {
			count = split(suites, name, " ")
			for (i = 1; i <= count; i++)
				ours[name[i]] = 1
		}
		/^ *# Subtest: / { suite = $NF; seen[suite] = 1; next }
		/^    1\.\./ { plan[suite] = substr($1, 4); next }
		/^    (not )?ok / && suite in ours {
			cases[suite]++
			word = /^ *not/ ? "fail" : /# SKIP/ ? "skip" : "pass"
			sub(/^ *(not )?ok [0-9]+ *-? */, "")
			print word, suite ": " $0
		}
		END {
			for (i = 1; i <= count; i++)
				if (!seen[name[i]])
					print "fail " name[i] ": the suite did not run"
				else if (plan[name[i]] != cases[name[i]])
					print "fail " name[i] ": " cases[name[i]] + 0 " of " plan[name[i]] + 0 " cases were run"
			if (!count)
				print "fail no suite in the sources"
			if (status)
				print "fail the end: status " status
		}'
}

# The kernel log without its time stamps.
cases_of() {
	sed -n 's/^\[ *[0-9.]*\] //p' "$1"
}

kunit_suites() {
	grep -rhoE 'kunit_tests\([a-z0-9_]+\)' "$CHECKOUT/rust" |
		sed 's/.*(\(.*\))/\1/' | sort -u | xargs
}

# summary DIR SECONDS: every failure, then the count; fails if there was one.
summary() {
	local dir=$1 part passed failed skipped
	passed=$(cat "$dir"/*/results | grep -c '^pass ')
	failed=$(cat "$dir"/*/results | grep -c '^fail ')
	skipped=$(cat "$dir"/*/results | grep -c '^skip ')
	if [ "$failed" -gt 0 ]; then
		printf '\nFailed:\n'
		for part in "$dir"/*/; do
			part=$(basename "$part")
			sed -n "s|^fail |  $part: |p" "$dir/$part/results"
		done
		printf '(what each part said: %s/<part>/output)\n' "${dir#"$CHECKOUT/"}"
	fi
	[ "$skipped" -eq 0 ] || printf '%d skipped\n' "$skipped"
	printf 'took %s\n' "$(hms "$2")"
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
