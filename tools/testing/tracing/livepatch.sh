#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's own tests of livepatch (tools/testing/selftests/livepatch of its source): the same results without the
# module and with it, with all armed that it redirects.
# shellcheck source-path=SCRIPTDIR source=../scenarios/lib.sh
. "${0%/*}/../scenarios/lib.sh"

mkdir "$tmp/source" "$tmp/tests"
mount -t 9p -o trans=virtio,ro,cache=loose source "$tmp/source" || die "no source of the kernel"
cp "$tmp"/source/tools/testing/selftests/livepatch/*.sh "$tmp/tests"
ln -s "$(dirname "$SGIO_KO")/livepatch" "$tmp/tests/test_modules"
ln -s test_modules/test_klp-call_getpid "$tmp/tests"
# They ask for a tree to build their modules in, which have been built.
export KDIR=/

# selftests NAME: the results, one a line, to $tmp/NAME.
selftests() {
	local file status
	for file in "$tmp"/tests/test-*.sh; do
		status=0
		(cd "$tmp/tests" && timeout 300 "$file" </dev/null) >"$tmp/out" 2>&1 || status=$?
		sed "s/^/# $1: ${file##*/}: /" "$tmp/out"
		{
			grep '^TEST: ' "$tmp/out"
			echo "${file##*/}: status $status"
		} >>"$tmp/$1"
	done
}

debug_load
debug_add 0
# shellcheck disable=SC2154 # set by debug_add
bsg=bsg:/dev/bsg/$hctl
selftests without
check "most of them pass ($(grep -c ' ok$' "$tmp/without"))" test "$(grep -c ' ok$' "$tmp/without")" -ge 20
must_load
echo own >"$(dev "$hctl")/report_luns"
echo "deny 5e,5f" >"$(dev "$hctl")/rules"
echo 1 >$sysfs/filter_sg
is "armed: all that can be redirected" "$(grep -v ' armed$' $sysfs/entry_points)" ""
selftests with
same "the same results with the module" "$tmp/with" "$tmp/without"
allowed "the module still decides: INQUIRY" --read "$bsg" 120000002400
refused "... SANITIZE" --read "$bsg" 48030000000000000000
check "the module unloads" unload
finish
