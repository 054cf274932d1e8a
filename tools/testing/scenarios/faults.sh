# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # lib.sh sets tmp and the like
# One thing that the module allocates or registers fails, then another one. Sourced behind lib.sh. There are hundreds of
# them, and to start a program takes about as long as to look at all files of the module: so it is all in the shell.

# Where in_turn ends at the latest, and its step.
most=700
step=1
# 1: a place that is come by often, such as a file of each class, fails the first time; 0: each time has a number.
again=1
# Not empty: an error is undone too, because of what may stay behind it.
always_undo=
# Not empty: it is enough that a fault was coped with.
coping_does=
# What the verdict is asked about: the arguments of a probe.
asked=()
# All that was made to fail, one a line.
all_failed=''

faults_load() {
	faults=${SGIO_KO%/*}/faults/sgio_test_faults.ko
	insmod "$faults" || die "no $faults"
	is "a probe at every point" "$(<$faults_at/missing)" ""
}
faults_at=/sys/module/sgio_test_faults/parameters

# only FUNCTION: nothing else counts
only() {
	# Nothing would not be written.
	printf '%s\0' "$1" >$faults_at/only
}

has_failed() {
	[[ $'\n'$all_failed == *$'\n'"$1"$'\n'* ]]
}

# How many there were the last time.
seen() {
	echo "$(<$faults_at/seen)"
}

# What there is of the module, into $there.
everything() {
	local file function
	there=
	for file in "$sysfs"/* "$sysfs"/classes/*/* /sys/bus/scsi/devices/*/sgio_filter/* \
		/sys/block/sd*/queue/unpriv_sgio /dev/sgio_filter; do
		[ ! -e "$file" ] || there+="$file"$'\n'
	done
	while read -r function _; do
		[ "$function" != scsi_cmd_allowed ] || there+=$function
	done </sys/kernel/tracing/enabled_functions
}

# What is in force, into $there: the texts, and what is decided.
settings() {
	local file text
	there=
	for file in /sys/bus/scsi/devices/*/sgio_filter/{unpriv_sgio,complain,report_luns,pr_exclusive,rules} \
		"$sysfs"/classes/*/{rules,table}; do
		slurp text "$file" 2>/dev/null
		there+="$file: $text"
	done
	[ ${#asked[@]} -eq 0 ] || there+="verdict ${asked[*]}: $(nobody --probe "${asked[@]}" 2>&1)"
}

# in_turn NAME STATE BEFORE AFTER UNDO COMMAND...: failnth's COMMAND with each fault. STATE sets $there; an error must leave
# BEFORE, success AFTER, by which the fault is one that was coped with. UNDO follows success.
in_turn() {
	local name=$1 look=$2 before=$3 after=$4 undo=$5 n first got wrong='' errors=0 coped=0 names='' began=$SECONDS what
	local -A times=()
	shift 5
	first=$((1 + RANDOM % step))
	for ((n = first; n <= most * step; n += step)); do
		got=$(failnth "$n.$again" "$@" <"$tmp/text" 2>&1)
		$look
		case $got in
		"ok -")
			[ "$there" = "$after" ] || wrong+="without a fault: not all is there"$'\n'
			$undo
			break
			;;
		"ok "*)
			coped=$((coped + 1))
			[ "$there" = "$after" ] ||
				wrong+="$n: $got: $(diff <(echo "$after") <(echo "$there"))"$'\n'
			$undo
			;;
		E*" "?*)
			errors=$((errors + 1))
			[ "$there" = "$before" ] ||
				wrong+="$n: $got: $(diff <(echo "$before") <(echo "$there"))"$'\n'
			[ -z "$always_undo" ] || $undo
			;;
		*) wrong+="$n: $got"$'\n' && break ;;
		esac
		names+="${got#* }"$'\n'
	done
	is "$name: there as a whole or not at all ($errors errors, $coped coped with)" "$wrong" ""
	check "$name: something failed, and there was an end" \
		test $((errors + ${coping_does:-0} * coped)) -gt 0 -a "$got" = "ok -"
	[ "$step" -eq 1 ] || echo "# every fault number $step, from $first"
	all_failed+=$names
	for what in $names; do times[$what]=$((${times[$what]-0} + 1)); done
	for what in "${!times[@]}"; do times[$what]="${times[$what]} $what"; done
	(IFS=, && echo "# $name, $((SECONDS - began)) s: ${times[*]}")
}

# write_in_turn NAME FILE TEXT UNDO PROBE-ARGUMENT...: the probe tells the old policy from the new one.
write_in_turn() {
	local before after
	asked=("${@:5}")
	printf '%s' "$3" >"$tmp/text"
	settings
	before=$there
	cat "$tmp/text" >"$2"
	settings
	after=$there
	$4
	check "$1: the verdict tells" test "${before##*verdict}" != "${after##*verdict}"
	in_turn "$1" settings "$before" "$after" "$4" write "$2"
	asked=()
}
