# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# SCSI devices of every peripheral device type, of scsi_debug, and their nodes.
# Sourced by lib.sh.

debug=/sys/bus/pseudo/drivers/scsi_debug

# By H:C:T:L, once a device was added here: the nodes.
declare -A disk_of=() changer_of=() sg_of=() known=()

# The knob directory of a device.
dev() {
	echo "/sys/bus/scsi/devices/$1/sgio_filter"
}

# The queue of its disk.
queue() {
	echo "/sys/block/${disk_of[$1]##*/}/queue"
}

# The H:C:T:L of all devices, one a line.
scsi_devices() {
	local d
	for d in /sys/bus/scsi/devices/[0-9]*:*; do
		[ ! -e "$d" ] || echo "${d##*/}"
	done
}

# What is there now is no new device.
know_devices() {
	local d
	known=()
	for d in /sys/bus/scsi/devices/[0-9]*:*; do known[${d##*/}]=1; done
}

# Sets $hctl to a device that is.
new_device() {
	local d
	for d in /sys/bus/scsi/devices/[0-9]*:*; do
		hctl=${d##*/}
		[ -n "${known[$hctl]-}" ] || [ ! -e "$d" ] || return 0
	done
	return 1
}

# node ARRAY HCTL CLASS: the node of an upper level driver, if it is there
node() {
	local -n array=$1
	local path=(/sys/bus/scsi/devices/"$2"/"$3"/*)

	# shellcheck disable=SC2034 # the array is the caller's
	[ -e "/dev/${path[0]##*/}" ] && array[$2]=/dev/${path[0]##*/}
}

# use_device HCTL [TYPE]: wait for its nodes, let everybody open them
use_device() {
	local type=${2-0}

	disk_of[$1]='' changer_of[$1]=''
	case $((type)) in
	0 | 4 | 5 | 7 | 14 | 20) wait_for node disk_of "$1" block || die "$1: no disk" ;;
	8) wait_for node changer_of "$1" scsi_changer || die "$1: no changer" ;;
	esac
	wait_for node sg_of "$1" scsi_generic || die "$1: no sg"
	wait_for test -e "/dev/bsg/$1" || die "$1: no bsg"
	# shellcheck disable=SC2086 # there may be none
	chmod 666 "/dev/bsg/$1" "${sg_of[$1]}" ${disk_of[$1]} ${changer_of[$1]}
}

# debug_load [PARAMETER...]: scsi_debug, no host yet
debug_load() {
	need sg sd_mod sr_mod st ch ses
	modprobe scsi_debug add_host=0 max_luns=1 num_tgts=1 delay=0 dev_size_mb=8 \
		lbpu=1 lbpws=1 lbpws10=1 "$@" || die "no scsi_debug"
}

# debug_add TYPE: one more host with one device of that peripheral device type
# (decimal or 0x..); sets $hctl. The module's parameter takes 0x14, which the
# driver's attribute refuses: that disk is zoned in name only.
debug_add() {
	echo $(($1)) >/sys/module/scsi_debug/parameters/ptype
	know_devices
	echo 1 >"$debug/add_host"
	wait_for new_device || die "scsi_debug: no device of type $1"
	use_device "$hctl" "$1"
}

# Fail everything the device executes before it is executed, and stop that.
fail_all() {
	echo "2 1 ff 0 0 2 5 20 0" >"/sys/kernel/debug/scsi_debug/$1/error"
}
fail_none() {
	echo "- 2 ff" >"/sys/kernel/debug/scsi_debug/$1/error"
}

# targets HCTL: the interfaces that the filter decides about, for both open modes
targets() {
	local node

	for node in ${disk_of[$1]} ${changer_of[$1]}; do
		echo "sg_io:$node" "sg_io32:$node" "send-command:$node" "cdrom-packet:$node"
	done
	echo "bsg:/dev/bsg/$1" "bsg-uring:/dev/bsg/$1" "send-command:${sg_of[$1]}"
}

# sweep DIR OPS HCTL...: all opcodes, and the service actions of OPS, by all
# interfaces. SCSI_IOCTL_SEND_COMMAND executes what is allowed, so the devices
# fail everything in that time. Of /dev/sgN: SG_IO in all open modes (the driver
# asks nobody if it is open for both), CDROM_SEND_PACKET where it asks.
sweep() {
	local dir=$1 ops=$2 d all=()
	shift 2

	mkdir -m 777 "$dir"
	for d; do
		fail_all "$d"
		# shellcheck disable=SC2207
		all+=($(targets "$d") "cdrom-packet/rw:${sg_of[$d]}" "sg/ro,wo,rw:${sg_of[$d]}")
	done
	nobody --sweep --sweep-sa "$ops" --into "$dir" "${all[@]}"
	# Of one device what differs in how it comes to the function.
	nobody --sweep --sweep-sa "$ops" --into "$dir" "bsg-uring-worker:/dev/bsg/$1" \
		"send-command32:${disk_of[$1]}" "cdrom-packet32:${disk_of[$1]}" "sg32/ro,wo,rw:${sg_of[$1]}"
	for d; do fail_none "$d"; done
}
