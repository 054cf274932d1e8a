# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Where each stage of the set-up keeps its result. The name holds a hash of
# everything the result is made from, so that a change makes a new one, and
# checkouts that agree share it. A result is complete when .done is in it.

# stage_dir STAGE: fails quietly while a stage it depends on is not done.
stage_dir() {
	local hash
	hash=$(stage_hash "$1") && printf '%s/%s-%s\n' "$CACHE" "$1" "$hash"
}

# stage_file STAGE FILE: the path of something a finished stage left.
stage_file() {
	local dir
	dir=$(stage_dir "$1") && [ -e "$dir/.done" ] && printf '%s/%s\n' "$dir" "$2"
}

stage_done() {
	stage_file "$1" . >/dev/null
}

stage_hash() {
	local inputs=("$SETUP/stages/$1")
	case $1 in
	root)
		inputs+=("=$(lock_value suite) $(lock_value backports)"
			"$SETUP/packages.list")
		;;
	lintian)
		inputs+=("=$(lock_value suite)")
		;;
	packages)
		stage_done root || return
		inputs+=("=$(grep ^kernel_ "$SETUP/versions.lock")")
		;;
	source)
		inputs+=("$(stage_file packages resolved)") || return
		;;
	stock)
		inputs+=("$(stage_file packages resolved)") || return
		inputs+=("$(stage_file root toolchain)") || return
		;;
	rt)
		inputs+=("$SETUP/stages/stock")
		inputs+=("$(stage_file packages resolved)") || return
		inputs+=("$(stage_file root toolchain)") || return
		;;
	test)
		inputs+=("$(stage_file packages resolved)") || return
		inputs+=("$(stage_file root toolchain)") || return
		inputs+=("$TESTING/kernels/test.config")
		;;
	guest)
		inputs+=("$(stage_file packages resolved)") || return
		inputs+=("$(stage_file root toolchain)") || return
		inputs+=("$TESTING/kernels/guest.config")
		;;
	debug)
		inputs+=("$(stage_file packages resolved)") || return
		inputs+=("$(stage_file root toolchain)") || return
		inputs+=("$TESTING/kernels/test.config" "$TESTING/kernels/debug.config")
		;;
	race)
		inputs+=("$SETUP/stages/debug")
		inputs+=("$(stage_file packages resolved)") || return
		inputs+=("$(stage_file root toolchain)") || return
		inputs+=("$TESTING/kernels/test.config" "$TESTING/kernels/race.config")
		;;
	boot-*)
		inputs=("$SETUP/stages/boot" "$TESTING/vm/init.c")
		inputs+=("=$(stage_dir root)") || return
		inputs+=("=$(stage_dir "${1#boot-}")") || return
		;;
	esac
	hash_of "${inputs[@]}"
}

# is_kernel NAME
is_kernel() {
	[[ $1 =~ ^(stock|rt|test|debug|race)$ ]]
}

# hash_of FILE|=TEXT...: of the files, scripts and lists without their comments.
hash_of() {
	local item
	for item; do
		case $item in
		=*) printf 'text %s\n' "${item#=}" ;;
		*.c) printf 'file %s\n' "${item##*/}" && cat -- "$item" || return ;;
		*) printf 'file %s\n' "${item##*/}" && sed '/^[[:space:]]*#/d' -- "$item" || return ;;
		esac
	done | sha256sum | cut -c1-16
}
