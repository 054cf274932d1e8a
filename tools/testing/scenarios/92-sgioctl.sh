#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: the tool against the running module; its offline answers are the kernel's
# minutes: 3
# kernels: stock
# The tool against the running module: each command, and what it does to commands
# that are then sent. What it says offline is what the kernel says.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

# status WANT COMMAND...: the exit status; its output is in $out
status() {
	local want=$1 got=0
	shift
	out=$("$@" 2>&1) || got=$?
	if [ "$got" -eq "$want" ]; then
		ok "$* ($want)"
	else
		not_ok "$*" "exit status $got, want $want" "$out"
	fi
}

debug_load
debug_add 0
a=$hctl
bsg=bsg:/dev/bsg/$a
debug_add 0
b=$hctl
debug_add 1
tape=$hctl
debug_add 5
cd=$hctl
debug_add 13
ses=$hctl

# Without the module: said, not guessed.
status 2 sgioctl check "$a" persistent-reserve-in
status 1 sgioctl doctor
like "doctor says that the module is not there" "$out" "*not loaded*"
must_load
use_device "$a"
use_device "$b"

status 0 sgioctl list --json
is "list: all devices" "$(jq -r '.devices[].hctl' <<<"$out" | sort | xargs)" "$(scsi_devices | sort | xargs)"
is "list: the schema" "$(jq -r .schema <<<"$out")" sgioctl/1
status 0 sgioctl show "${disk_of[$a]}"
like "show: the class" "$out" "*disk*"

# What a CDB is, on the class of a device and on others.
status 0 sgioctl explain --device "$a" 5e00000000000000fc00
like "explain: name and fields" "$out" "*persistent-reserve-in:read-keys*allocation-length*"
status 1 sgioctl --json explain --class tape 4801
status 0 sgioctl explain --class disk ff
status 0 sgioctl explain 42
like "explain: each class" "$out" "*unmap*read-sub-channel*"
like "explain: names" "$(sgioctl explain --names --class disk)" "*persistent-reserve-out:register*"

# Each profile, on a device of a class it is for: the kernel takes it, and it opens
# what it says. Those of the list are all there are.
status 0 sgioctl --json profiles
is "profiles" "$(jq -r '.profiles[].name' <<<"$out" | sort | xargs)" \
	"disk-guest disk-guest-pr disk-guest-reservations enclosure optical-rip smart-ro smart-sct smart-test stock storage-mgmt tape-changer tape-drive"
# profile NAME DEVICE OPEN ALLOWED OPEN REFUSED: two CDBs
profile() {
	printf '[[device]]\nmatch = { hctl = "%s" }\nprofile = "%s"\n' "$2" "$1" >"$tmp/profile.toml"
	like "profiles $1" "$(sgioctl profiles "$1")" "*allow*"
	status 0 sgioctl apply --device "$2" "$tmp/profile.toml"
	allowed "... opens" "$3" "bsg:/dev/bsg/$2" "$4"
	refused "... and no more" "$5" "bsg:/dev/bsg/$2" "$6"
	status 0 sgioctl reset "$2"
}
profile disk-guest "$a" --write 89000000000000000000000000010000 --write 5f000000000000001800
profile disk-guest-reservations "$a" --write 5f000000000000001800 --write 89000000000000000000000000010000
profile disk-guest-pr "$a" --write 5f000000000000001800 --write 3b050000000000000000
profile smart-ro "$a" --read 85080e00d000010000004f00c200b000 \
	--read 85060000d400000000004f00c200b000
profile storage-mgmt "$a" --write 3b050000000000000000 --read 3b050000000000000000
profile stock "$a" --read 48030000000000000000 --read 5e00000000000000fc00
profile tape-drive "$tape" --write 91000000000000000000000000000000 --write 3b050000000000000000
profile optical-rip "$cd" --read d80000000000000000000000 --write 3b050000000000000000
profile enclosure "$ses" --write 1d1000000400 --write 3b050000000000000000

# A narrow grant, seen by those who send.
refused "before" --read "$bsg" 5e00000000000000fc00
status 0 sgioctl allow "${disk_of[$a]}" persistent-reserve-in persistent-reserve-out:register
allowed "PERSISTENT RESERVE IN is granted" --read "$bsg" 5e00000000000000fc00
allowed "... and REGISTER" --write "$bsg" 5f000000000000001800
refused "... with a write open" --read "$bsg" 5f000000000000001800
refused "... and no RESERVE" --write "$bsg" 5f010000000000001800
refused "... nor COMPARE AND WRITE" --write "$bsg" 89000000000000000000000000010000
refused "... nor on another disk" --read "bsg:/dev/bsg/$b" 5e00000000000000fc00
status 0 sgioctl check "$a" --read persistent-reserve-in:read-keys
status 1 sgioctl check "$a" --write compare-and-write
like "check says why" "$out" "*neither a rule of the device nor one of class disk matches*"
like "... and what would allow it" "$out" "*sgioctl allow*"
status 1 sgioctl check --kernel "$a" --read persistent-reserve-out:register
like "the kernel says that it needs a write open" "$out" "*writ*"
status 0 sgioctl deny "$a" persistent-reserve-out
refused "deny wins" --write "$bsg" 5f000000000000001800
status 0 sgioctl show --policy "$a"
printf '%s\n' "$out" >"$tmp/policy.toml"
rules=$(<"$(dev "$a")/rules")
status 0 sgioctl reset "$a"
is "reset" "$(cat "$(dev "$a")/rules")" ""
status 0 sgioctl apply --device "$a" "$tmp/policy.toml"
is "what show prints, apply takes" "$(cat "$(dev "$a")/rules")" "$rules"
status 0 sgioctl reset "$a"

status 0 sgioctl set "$a" unpriv on
is "unpriv on" "$(cat "$(dev "$a")/unpriv_sgio")" 1
status 0 sgioctl set "$a" unpriv off
status 0 sgioctl complain "$a" on
is "complain on" "$(cat "$(dev "$a")/complain")" 1
status 0 sgioctl complain "$a" off
# /dev/sgN, which the kernel asks nobody about when it is open for both.
# shellcheck disable=SC2317 # called by is
sg_answers() { sgnode "${sg_of[$1]}" rw ioctl c00000000000; }
is "sg open for both passes everything" "$(sg_answers "$a")" "sense 05/20/00"
status 0 sgioctl set "$a" filter-sg on
is "... filtered on one device" "$(sg_answers "$a") $(sg_answers "$b")" "sense 05/20/02 sense 05/20/00"
like "... show says so" "$(sgioctl show "$a")" "*filter-sg *on*"
status 0 sgioctl show --policy "$a"
printf '%s\n' "$out" >"$tmp/sg.toml"
status 0 sgioctl reset "$a"
is "... reset ends it" "$(sg_answers "$a") $(<"$(dev "$a")/filter_sg")" "sense 05/20/00 0"
status 0 sgioctl apply --device "$a" "$tmp/sg.toml"
is "... what show prints sets it again" "$(sg_answers "$a")" "sense 05/20/02"
status 0 sgioctl reset "$a"
printf '[all]\nfilter_sg = true\n' >"$tmp/all.toml"
status 0 sgioctl lint "$tmp/all.toml"
status 1 sgioctl diff "$tmp/all.toml"
status 0 sgioctl apply "$tmp/all.toml"
is "... for all devices by a file" "$(sg_answers "$a") $(sg_answers "$b")" "sense 05/20/02 sense 05/20/02"
is "... and the doctor counts no writable node" \
	"$(sgioctl --json doctor --no-probe | jq '[.findings[] | select(.check == "sg" and .level != "ok")] | length')" 0
status 0 sgioctl set all filter-sg off
is "... and off" "$(sg_answers "$b")" "sense 05/20/00"
status 2 sgioctl allow "$a" persistent-reserve-inn
like "did you mean" "$out" "*persistent-reserve-in*"
status 2 sgioctl allow 99:0:0:0 5e
status 0 sgioctl allow "$a" compare-and-write --for 10s
allowed "granted for some seconds" --write "$bsg" 89000000000000000000000000010000
like "show tells how long" "$(sgioctl show "$a")" "*allow w 89 *ends in *"
# It is the kernel that ends it, and what others set for the same rule until then counts.
is "no process is left behind" "$(pgrep -cx sgioctl)" 0
status 0 sgioctl allow "$a" compare-and-write --for 5s
like "no time is made shorter" "$out" "*not changed*"
status 0 sgioctl allow "$b" compare-and-write --for 2s
status 0 sgioctl allow "$b" compare-and-write
like "without a time it stays" "$out" "*stays*"
status 0 sgioctl allow "$b" compare-and-write --for 1s
like "... and is left alone" "$out" "*without a time limit: not changed"
check "the first has ended" wait_for grep -qx '' "$(dev "$a")/rules"
is "... the other stays" "$(cat "$(dev "$b")/rules")" "allow w 89"
refused "ended: refused" --write "$bsg" 89000000000000000000000000010000
status 0 sgioctl reset "$b"

# Opcodes that may be a CDB are neither, rather than the first of them alone.
for bytes in 0x42,0x89 "0x42, 0x89" "[42,89]"; do
	status 2 sgioctl deny "$b" "$bytes"
	like "... says both" "$out" "*can be read in two ways*"
	printf '[[device]]\nmatch = { hctl = "%s" }\ndeny = ["%s"]\n' "$b" "$bytes" >"$tmp/two.toml"
	status 1 sgioctl lint "$tmp/two.toml"
	status 2 sgioctl apply --device "$b" "$tmp/two.toml"
done
is "... and nothing is in force" "$(cat "$(dev "$b")/rules")" ""

# The same answer offline and by the kernel: all opcodes, both opens, all classes.
cdbs=()
for n in {0..255}; do printf -v cdb '%02x%030x' "$n" 0; cdbs+=("$cdb"); done
answers='[.checks[] | [.cdb[0:2], (.verdicts[] | [.open, .allowed, .decision, .layer, .rule])]]'
for name in "$sysfs"/classes/*; do
	name=${name##*/}
	sgioctl --json check --class "$name" "${cdbs[@]}" | jq -c "$answers" >"$tmp/offline"
	sgioctl --json check --kernel --class "$name" "${cdbs[@]}" | jq -c "$answers" >"$tmp/kernel"
	same "$name: the kernel's answers are those of the tool" "$tmp/kernel" "$tmp/offline"
done
is "... all of them" "$(jq length "$tmp/kernel")" 256

# Policy files.
mkdir "$tmp/policy.d"
cat >"$tmp/policy.d/10-disk.toml" <<-END
	[[device]]
	match = { hctl = "$a" }
	profile = "disk-guest-pr"
	[[device]]
	match = { class = "tape" }
	deny = ["12"]
END
status 0 sgioctl lint "$tmp/policy.d"
status 1 sgioctl diff "$tmp/policy.d"
like "diff names what changes" "$out" "*persistent-reserve-in*"
status 0 sgioctl check --policy "$tmp/policy.d" "$a" --read persistent-reserve-in:read-keys
status 1 sgioctl check "$a" --read persistent-reserve-in:read-keys
status 0 sgioctl apply --dry-run "$tmp/policy.d"
is "a dry run changes nothing" "$(cat "$(dev "$a")/rules")" ""
status 0 sgioctl apply "$tmp/policy.d"
allowed "applied: PERSISTENT RESERVE IN" --read "$bsg" 5e00000000000000fc00
refused "applied: the tape" --write "bsg:/dev/bsg/$tape" 120000002400
status 0 sgioctl diff "$tmp/policy.d"
echo '[[device]' >"$tmp/policy.d/20-bad.toml"
status 2 sgioctl apply "$tmp/policy.d"
like "the error names file and line" "$out" "*20-bad.toml:1*"
allowed "... and the old policy stays" --read "$bsg" 5e00000000000000fc00
rm "$tmp/policy.d/20-bad.toml"

status 0 sgioctl reset "$a"
status 0 sgioctl reset "$b"
status 0 sgioctl reset "$tape"

# What is refused is seen, and learned from.
# shellcheck disable=SC2317 # called by wait_for
listening() { grep -q 1 /sys/kernel/tracing/instances/*/events/sgio_filter/decision/enable; }
sgioctl monitor --json --count 4 >"$tmp/events" 2>"$tmp/monitor" &
monitor=$!
check "monitor listens" wait_for listening
nobody --probe --read "$bsg" 5e00000000000000fc00 >/dev/null
nobody --probe --write "$bsg" 5f000000000000001800 >/dev/null
nobody --probe --read "$bsg" 120000000000 >/dev/null
nobody --probe --read "$bsg" 5e02000000000000fc00 >/dev/null
nobody --probe --write "$bsg" ff0000000000 >/dev/null
wait $monitor
is "monitor ends after four" $? 0
is "monitor saw just the refusals" "$(jq -r '[.device, .open, .outcome, .name, .comm, .uid] | join(" ")' "$tmp/events")" \
"$a r refused persistent-reserve-in:read-keys sgsend 65534
$a w refused persistent-reserve-out:register sgsend 65534
$a r refused persistent-reserve-in:report-capabilities sgsend 65534
$a w refused vendor-specific sgsend 65534"
absent "its trace instance is gone" "/sys/kernel/tracing/instances/*"
sgioctl monitor >"$tmp/text" 2>&1 &
monitor=$!
check "it listens again" wait_for listening
nobody --probe --read "$bsg" 5e00000000000000fc00 >/dev/null
check "... in text" wait_for grep -q persistent-reserve-in "$tmp/text"
kill $monitor
wait $monitor
absent "stopped: its instance is gone" "/sys/kernel/tracing/instances/*"
# Its reader has read enough, and nothing more comes.
sgioctl monitor 2>/dev/null | head -n 1 >"$tmp/head" &
check "it listens into a pipe" wait_for listening
nobody --probe --read "$bsg" 5e00000000000000fc00 >/dev/null
check "the reader ends" wait_for grep -q persistent-reserve-in "$tmp/head"
# shellcheck disable=SC2317
no_instance() { [ -z "$(ls /sys/kernel/tracing/instances)" ]; }
check "... and so does the monitor, with its instance" wait_for no_instance
mapfile -t args < <(for n in {1..90}; do printf '%s\n' --device "$a"; done)
status 0 sgioctl monitor --for 1s "${args[@]}"
# One that lives in another PID namespace is left alone.
sgioctl monitor >/dev/null 2>&1 &
monitor=$!
check "it listens once more" wait_for listening
status 0 unshare --pid --fork --mount-proc sgioctl monitor --for 1s
is "... beside another one" "$out $(ls /sys/kernel/tracing/instances)" " sgioctl-$monitor"
kill $monitor
wait $monitor
absent "its instance is gone too" "/sys/kernel/tracing/instances/*"
status 1 sgioctl learn "$tmp/events"
like "learn proposes the reads" "$out" "*allow r 5e*"
is "learn proposes REGISTER to writers, and nothing of a vendor's" \
	"$(grep -c '^allow w 5f \[1\]&1f=00' <<<"$out") $(grep -c '^[^#]*allow . ff' <<<"$out")" "1 0"

status 1 sgioctl --json doctor
is "doctor finds the writable sg nodes, and nothing else" \
	"$(jq -r '.findings[] | select(.level == "problem") | .text' <<<"$out" | sort | uniq)" \
	"$(for d in "$a" "$b" "$tape" "$cd" "$ses"; do echo "everybody may write to ${sg_of[$d]}: no filter there"; done | sort)"
check "the module unloads" unload
finish
