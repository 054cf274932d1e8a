#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# about: perf, trace-cmd and bpftrace record exactly the refusals of a script
# minutes: 2
# kernels: stock
# The tracepoint by the usual tools: perf, trace-cmd and bpftrace each record
# exactly the refusals that a script causes, with the commands of
# Documentation/admin-guide/tracing.md. Stock kernel only: the test kernel has
# neither perf events nor BPF.
# vm: --mem 3G
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"

if ! is_debians; then
	skip "perf, trace-cmd and bpftrace" "Debian's kernels only"
	finish
fi
debug_load
debug_add 0
a=$hctl
bsg=bsg:/dev/bsg/$a
must_load
use_device "$a"

# Three refusals among what is allowed and what root may do. The third one twice.
cat >"$tmp/program" <<-END
	#!/bin/bash
	sgsend --as-nobody --probe --read $bsg 5e00000000000000fc00
	sgsend --as-nobody --probe --read $bsg 120000000000
	sgsend --as-nobody --probe --write $bsg 5f000000000000001800
	sgsend --probe --read $bsg ff0000000000
	sgsend --as-nobody --probe --write $bsg ff0000000000
	sgsend --as-nobody --probe --write $bsg ff0000000000
END
chmod +x "$tmp/program"
want="dev=$a open=r uid=65534 cdb=5e
dev=$a open=w uid=65534 cdb=5f
dev=$a open=w uid=65534 cdb=ff
dev=$a open=w uid=65534 cdb=ff"
# What of the tracepoint's text is compared.
fields() { sed -n 's/.*\(dev=[^ ]*\).*outcome=refused.*\(open=[rw] uid=[0-9]*\).*\(cdb=..\).*/\1 \2 \3/p'; }
"$tmp/program" >/dev/null
is "nobody listens: the script's refusals" "$(sed -n 's/^refused //p' "$(dev "$a")/stats")" 4

perf record -q -a -e sgio_filter:decision --filter 'outcome == 3' -o "$tmp/perf.data" "$tmp/program" >"$tmp/perf" 2>&1
is "perf record" "$(perf script -i "$tmp/perf.data" -F trace 2>>"$tmp/perf" | fields)" "$want"
perf record -q -a -e sgio_filter:decision -o "$tmp/all.data" "$tmp/program" >>"$tmp/perf" 2>&1
is "... of every decision" "$(perf script -i "$tmp/all.data" -F trace 2>/dev/null | grep -o 'outcome=[a-z]*' | sort | uniq -c | xargs)" \
	"1 outcome=allowed 1 outcome=privileged 4 outcome=refused"
perf trace -a -e sgio_filter:decision --filter 'outcome == 3' -o "$tmp/perf-trace" "$tmp/program" >>"$tmp/perf" 2>&1
is "perf trace" "$(grep -c 'sgio_filter:decision' "$tmp/perf-trace")" 4
trace-cmd record -q -e sgio_filter:decision -f 'outcome == 3' -o "$tmp/trace.dat" "$tmp/program" >"$tmp/trace-cmd" 2>&1
is "trace-cmd record" "$(trace-cmd report -i "$tmp/trace.dat" 2>>"$tmp/trace-cmd" | fields)" "$want"
bpftrace -o "$tmp/bpf" -c "/bin/bash $tmp/program" -e 'tracepoint:sgio_filter:decision /args.outcome == 3/ {
	printf("dev=%u:%u:%u:%llu open=%s uid=%u cdb=%02x\n", args.host, args.channel, args.target, args.lun,
		args.write ? "w" : "r", args.uid, args.cdb[0]); }' >"$tmp/bpftrace" 2>&1
is "bpftrace" "$(grep '^dev=' "$tmp/bpf")" "$want"
[ "$tap_bad" -eq 0 ] || head -n 20 "$tmp/perf" "$tmp/perf-trace" "$tmp/trace-cmd" "$tmp/bpftrace" | sed 's/^/# /'
check "the module unloads" wait_for unload
finish
