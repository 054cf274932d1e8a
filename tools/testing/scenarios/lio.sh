# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # lib.sh sets tmp and hctl
# Disks of LIO, the kernel's own SCSI target: real PERSISTENT RESERVE, UNMAP,
# WRITE SAME, COMPARE AND WRITE. Sourced behind lib.sh.

core=/sys/kernel/config/target/core/fileio_0
loopback=/sys/kernel/config/target/loopback

lio_load() {
	# Where PERSISTENT RESERVE keeps its state; without it REGISTER fails.
	mkdir -p /var/target/pr
	need target_core_mod target_core_file tcm_loop sd_mod sg
}

# lio_backstore NAME: 16 MB in a file
lio_backstore() {
	mkdir -p "$core/$1"
	truncate -s 16M "$tmp/$1.img"
	echo "fd_dev_name=$tmp/$1.img,fd_dev_size=$((16 << 20))" >"$core/$1/control"
	echo 1 >"$core/$1/enable"
	echo 1 >"$core/$1/attrib/emulate_tpu"
	echo 1 >"$core/$1/attrib/emulate_tpws"
}

# lio_disk NAME NUMBER: a disk over that backstore on a host of its own; two
# numbers over one backstore are two I_T nexuses. Sets $hctl.
lio_disk() {
	local target

	target=$loopback/$(printf 'naa.600140500000%04x' "$2")/tpgt_1
	know_devices
	mkdir -p "$target/lun/lun_0"
	printf 'naa.600140511111%04x' "$2" >"$target/nexus"
	ln -s "$core/$1" "$target/lun/lun_0/$1"
	wait_for new_device || die "LIO: no disk"
	use_device "$hctl"
}
