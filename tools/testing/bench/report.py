#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""report.py RESULTS DOCUMENTATION: performance.md and its pictures, from what was measured.

Every number in the document comes from RESULTS; what is said in words of a number is decided here by
comparing it.
"""

import subprocess
import sys
from pathlib import Path

from results import COMMANDS, SENDERS, Results

TUR, REFUSED = "test-unit-ready", "refused"
HOOKS = {
    "hook-jump": ("a jump (ftrace direct call)", "what the module uses on x86-64"),
    "hook-ipmodify": ("ftrace, IPMODIFY", "what it uses elsewhere"),
    "hook-regs": ("ftrace, IPMODIFY, all registers", ""),
    "hook-livepatch": ("livepatch", ""),
    "hook-kprobe": ("kprobe", ""),
}

SG = {"off": "`filter_sg` off", "armed": "off again", "on": "on"}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def verdict(met):
    return "met" if met else "**not met**"


def goals(r):
    """(goal, measured, whether it is met)."""
    devices = [n for n in r.configurations() if n.startswith("devices-")]
    rules = [n for n in r.configurations() if n.startswith("rules-")]

    def spread(names):
        over = [r.ratio(n, TUR, "nobody") for n in names]
        return max(over) - min(over)

    yield from (
        (
            f"an allowed command (TEST UNIT READY), {sender}: at most {most} of the kernel's own",
            f"{r.ratio('strict', TUR, sender):.4f}",
            r.ratio("strict", TUR, sender) <= most,
        )
        for sender, most in (("nobody", 0.995), ("root", 0.985))
    )
    refused = r.ratio("strict", REFUSED, "nobody")
    yield "a refused command: at most 1.05", f"{refused:.4f}", refused <= 1.05
    for state, most in (("off", 1.0), ("on", 1.02)):
        ratio = r.sg_ratio(state, TUR)
        yield (
            f"`/dev/sgN` open for both, `filter_sg` {state} (TEST UNIT READY): at most {most:.2f}",
            f"{ratio:.4f}",
            ratio <= most,
        )
    for what, names in (("devices", devices), ("rules for other opcodes", rules)):
        difference = spread(names)
        yield (
            f"flat in the number of {what}: within 0.5 %",
            f"{difference:.3%} over {', '.join(n.split('-')[1] for n in names)}",
            difference <= 0.005,
        )
    yield from grant_goals(r)
    for sender in SENDERS:
        ratio = r.ratio("audit", REFUSED, sender)
        yield (
            f"a refused command while the kernel audits, beyond the limit of records, {sender}: at most 1.08",
            f"{ratio:.4f}",
            ratio <= 1.08,
        )
    slab, percpu = r.per_device()
    yield (
        "memory per device with the default policy: under 1 KiB",
        f"{slab + percpu:.0f} bytes",
        slab + percpu < 1024,
    )


def grant_goals(r):
    for what, most, names in (
        ("that no grant on the device mentions", 0.995, [n for n in grants(r) if n.endswith("-unmentioned")]),
        ("that a grant allows", 1.01, [n for n in grants(r) if not n.endswith(("-unmentioned", "-elsewhere"))]),
    ):
        ratio = max(r.ratio(n, TUR, "nobody") for n in names)
        yield (
            f"a command of a holder (TEST UNIT READY, nobody) {what}: at most {most}",
            f"{ratio:.4f}",
            ratio <= most,
        )
    elsewhere = [n for n in grants(r) if n.endswith("-elsewhere")]
    most = max(abs(r.ratio(n, TUR, s) - r.ratio("strict", TUR, s)) for n in elsewhere for s in SENDERS)
    yield "nothing for grants on another device", f"{most:.3%}", most == 0


def grants(r):
    """The configurations with grants."""
    return [name for name in r.configurations() if name.startswith("grants-")]


def grants_table(r):
    titles = {"unmentioned": ", of other opcodes", "elsewhere": ", on another device"}
    rows = []
    for name in grants(r):
        _, count, where = (name + "-").split("-", 2)
        cells = [f"{r.ratio(name, c, s):.4f}" for s in SENDERS for c in (TUR, "inquiry", "write-10", REFUSED)]
        rows.append((f"{int(count):,}{titles.get(where.strip('-'), '')}", *cells))
    head = [f"{c}, {s}" for s in SENDERS for c in (TUR, "inquiry", "write-10", REFUSED)]
    return table(("grants", *head), rows)


def audit(r):
    rows = []
    for sender in SENDERS:
        for command in (TUR, REFUSED):
            alone, cost = r.stock("audit", command, sender), r.cost("audit", command, sender)
            rows.append((f"{command}, {sender}", f"{alone:.1f}", f"{cost:.1f}", f"{cost - alone:+.1f}", f"{cost / alone:.4f}"))
    return table(("command", "kernel alone", "with the module", "difference", "ratio"), rows)


def commands(r):
    for sender in SENDERS:
        rows = []
        for command in COMMANDS:
            stock = r.stock("strict", command, sender)
            cost = r.cost("strict", command, sender)
            rows.append(
                (command, f"{stock:.1f}", f"{cost:.1f}", f"{cost - stock:+.1f}", f"{cost / stock:.4f}")
            )
        yield sender, table(("command", "kernel alone", "with the module", "difference", "ratio"), rows)


def configurations(r):
    rows = []
    for name in r.configurations():
        if name.startswith(("hook-", "grants-", "audit")):
            continue
        cells = [f"{r.ratio(name, c, s):.4f}" for c in (TUR, REFUSED) for s in SENDERS]
        rows.append((name.replace("-", " ", 1), *cells))
    head = ["configuration"] + [f"{c}, {s}" for c in (TUR, REFUSED) for s in SENDERS]
    return table(head, rows)


def sg(r):
    rows = []
    for command in ("test-unit-ready", "inquiry"):
        cells = [f"{r.sg['none', command, 'nobody']:.1f}"]
        for state in SG:
            cells += [f"{r.sg[state, command, 'nobody']:.1f}", f"{r.sg_ratio(state, command):.4f}"]
        rows.append((command, *cells))
    head = [cell for title in SG.values() for cell in (title, "ratio")]
    return table(("command", "kernel alone", *head), rows)


def threads(r):
    rows = []
    for n in sorted(r.threads):
        alone, loaded = (r.switch[n, state] for state in ("none", "loaded"))
        rows.append((f"{n:,}", f"{alone:.1f}", f"{loaded:.1f}", f"{loaded - alone:+.1f}", f"{r.threads[n]:,}"))
    head = ("threads", "switch, kernel alone", "switch, with the module", "difference", "slab by loading, bytes")
    return table(head, rows)


def hooks(r):
    rows = []
    for name, (title, remark) in HOOKS.items():
        cells = [
            f"{r.cost(name, c, 'nobody') - r.stock(name, c, 'nobody'):+.0f}" for c in (TUR, REFUSED)
        ]
        over = r.cost(name, TUR, "nobody") - r.cost("hook-jump", TUR, "nobody")
        rows.append((title, *cells, f"{over:.0f}", remark))
    return table(("hook", TUR, REFUSED, "more than the jump", ""), rows)


def refusal(r):
    """Where the instructions of a refused command go, by what differs between configurations."""

    def over_stock(name, command):
        return r.cost(name, command, "nobody") - r.stock(name, command, "nobody")

    whole = over_stock("strict", REFUSED)
    hook = over_stock("hook-jump", REFUSED)
    short = over_stock("strict", TUR) - over_stock("hook-jump", TUR)
    return table(
        ("part", "instructions"),
        [
            ("a jump, a look into a table, and `capable()`, instead of the kernel's function", f"{hook:+.0f}"),
            ("finding the device and its rules (what it takes for TEST UNIT READY)", f"{short:+.0f}"),
            ("the check for tracepoint, audit and `complain`, and counting the refusal on its device", f"{whole - hook - short:+.0f}"),
            ("together", f"{whole:+.0f}"),
        ],
    )


def memory(r):
    rows = []
    for devices in sorted(r.memory):
        slab, percpu = r.memory[devices]
        insmod, rmmod = r.load[devices]
        rows.append((devices, f"{slab:,}", f"{percpu:,}", f"{insmod:.1f}", f"{rmmod:.1f}"))
    return table(("devices", "slab, bytes", "per-CPU, bytes", "load, ms", "unload, ms"), rows)


def slabs(r):
    most = max(r.slab)
    rows = sorted(r.slab[most].items(), key=lambda item: -item[1])
    return table(
        ("slab cache", "bytes per device"), [(f"`{c}`", f"{b / most:.0f}") for c, b in rows]
    )


def sysfs(r):
    """How the memory of a device divides into the kernel's files and what is the module's own."""
    whole = sum(r.per_device())
    return table(
        ("of a device", "bytes"),
        [
            ("a directory in sysfs with such files, with nothing behind them", f"{r.files:.0f}"),
            ("what the module needs to decide, and all else", f"{whole - r.files:.0f}"),
            ("together", f"{whole:.0f}"),
        ],
    )


def main():
    r = Results(sys.argv[1])
    docs = Path(sys.argv[2])
    nobody, root = (text for _, text in commands(r))
    rows = [(goal, measured, verdict(met)) for goal, measured, met in goals(r)]
    by_itself, by_helper = r.pr["filter"], r.pr["qemu-pr-helper"]
    fill = {
        "kernel": r.kernel,
        "goals": table(("goal", "measured", ""), rows),
        "drift": f"{r.drift():.3%}",
        "nobody": nobody,
        "root": root,
        "configurations": configurations(r),
        "sg": sg(r),
        "grants": grants_table(r),
        "audit": audit(r),
        "threads": threads(r),
        "hooks": hooks(r),
        "refusal": refusal(r),
        "memory": memory(r),
        "slabs": slabs(r),
        "sysfs": sysfs(r),
        "module": f"{r.module:,}",
        "pr": table(("PERSISTENT RESERVE IN by", "instructions"),
                    [("SG_IO, allowed by a rule", f"{by_itself:,.0f}"),
                     ("qemu-pr-helper", f"{by_helper:,.0f}")]),
        "pr_ratio": f"{by_helper / by_itself:.1f}",
        "tool": table(("command", "seconds"), r.tool) if r.tool else "(Not measured in this run.)",
        "many": "\n".join(f"    {words}" for words in r.many) or "(Not measured in this run.)",
    }
    template = Path(__file__).with_name("performance.in").read_text(encoding="utf-8")
    (docs / "performance.md").write_text(template.format(**fill), encoding="utf-8")
    (docs / "performance").mkdir(exist_ok=True)
    pictures = Path(__file__).parents[1] / "pictures" / "performance.py"
    subprocess.run([sys.executable, "-B", pictures, docs / "performance.md", docs / "performance"], check=True)


if __name__ == "__main__":
    main()
