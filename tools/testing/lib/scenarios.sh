# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What stands in the head of a scenario, and what is done by it. Sourced, after common.sh and stages.sh.
#
#   # about: ...       what it shows: lint/scenarios.py
#   # kernels: ...     those on which make test runs it, if not on all
#   # minutes: ...     how long it takes, if it takes some: long ones begin first
#   # vm: ...          options for vm/run; more than one line
#   # builds: ...      more modules than sgio_filter: see build_extra

# head_says WORD FILE
head_says() {
	sed -n "s/^# $1: *//p" "$2"
}

# build_extra KERNEL WHAT: a module of the tests' own, or sgio_filter in a variant of build-module's.
build_extra() {
	local clang=''
	case $2 in
	ipmodify | faults)
		[[ $1 != @(debug|race) ]] || clang=1
		"$SETUP/in-root" make -C tools/testing/programs "$2" CLANG=$clang \
			OBJTREE="$(in_root_path "$(stage_dir "$1")/obj")" OUT="$ROOT_BUILD/$1/$2"
		;;
	*) "$SETUP/build-module" "--$2" "$1" ;;
	esac
}

# run_scenario KERNEL FILE [OPTION...]: options of vm/run
run_scenario() {
	local kernel=$1 file=$2 limit=1800 more=()
	mapfile -t more < <(head_says vm "$file" | xargs -r printf '%s\n')
	# Shadow memory, and instrumented code.
	[[ $kernel != @(debug|race) ]] || limit=5400 more+=(--mem 3G)
	# The suites run once, on their own; here they would with each insmod.
	"$TESTING/vm/run" --kernel "$kernel" --timeout $limit --append kunit.enable=0 "${more[@]}" "${@:3}" -- \
		"$ROOT_SRC${file#"$CHECKOUT"}"
}
