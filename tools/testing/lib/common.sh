# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Names and small functions every script under tools/testing shares.

CHECKOUT=$(cd -- "${BASH_SOURCE[0]%/*}/../../.." && pwd -P)
TESTING=$CHECKOUT/tools/testing
SETUP=$TESTING/setup
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/sgio-filter

# In the build root, and in the guest, everything has a fixed place.
# shellcheck disable=SC2034 # for those who source this
{
	ROOT_SRC=/sgio/src
	ROOT_BUILD=/sgio/build
	ROOT_CACHE=/sgio/cache
}

# A stage of the set-up has its output in a log file, its last word on fd 3.
note() {
	printf '%s: %s\n' "${0##*/}" "$*" >&"${NOTE_FD:-2}"
}

die() {
	note "$@"
	exit "${DIE_STATUS:-1}"
}

# as_root COMMAND...: directly, or by sudo.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo -- "$@"
	else
		die "${1##*/} needs root: install sudo, or run make as root"
	fi
}

# lock_value NAME: a value of the lock file.
lock_value() {
	local value
	value=$(sed -n "s/^$1=//p" "$SETUP/versions.lock")
	[ -n "$value" ] || die "versions.lock: no value for '$1'"
	printf '%s\n' "$value"
}

# in_root_path PATH: where a path of the cache is inside the build root.
in_root_path() {
	printf '%s\n' "$ROOT_CACHE${1#"$CACHE"}"
}

# hms SECONDS: 75 -> 1:15
hms() {
	printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}
