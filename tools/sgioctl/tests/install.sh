#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Installs into an empty directory, looks for what must be there, uninstalls: nothing may be left.
# Needs a built binary: BINARY, or ../target/release/sgioctl.
set -eu
cd "$(dirname "$0")/.."
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

for prefix in /usr /usr/local; do
	make -s install DESTDIR="$stage" PREFIX="$prefix"
	for file in "$prefix/sbin/sgioctl" "$prefix/share/man/man8/sgioctl.8" \
		"$prefix/share/man/man8/sgioctl-apply.8" "$prefix/share/man/man5/sgio-policy.5" \
		"$prefix/share/man/man4/sgio_filter.4" /usr/share/sgio-filter/profiles/smart-ro.toml \
		/usr/share/sgio-filter/hooks/proxmox /etc/libvirt/hooks/qemu.d/50-sgio-filter \
		"$prefix/share/bash-completion/completions/sgioctl"; do
		test -s "$stage$file" || { echo "install: $file is missing" >&2; exit 1; }
	done
	rules=$(find "$stage" -name 60-sgio-filter.rules)
	grep -q "$prefix/sbin/sgioctl apply --event --device" "$rules"
	! grep -rq '@SBINDIR@' "$stage" || { echo "install: a path is not filled in" >&2; exit 1; }

	make -s uninstall DESTDIR="$stage" PREFIX="$prefix"
	left=$(find "$stage" -mindepth 1)
	test -z "$left" || { echo "uninstall leaves: $left" >&2; exit 1; }
done

# A policy of the administrator stays.
make -s install DESTDIR="$stage"
touch "$stage/etc/sgio-filter/policy.d/10-mine.toml"
make -s uninstall DESTDIR="$stage"
test -e "$stage/etc/sgio-filter/policy.d/10-mine.toml"
echo "install: ok"
