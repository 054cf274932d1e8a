#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""performance.py DOCUMENT FOLDER: the pictures of performance.md, from its tables.

All scales begin at zero, and an axis has one unit.
"""

import sys
from pathlib import Path

from common import BLUE, ORANGE, number, plt, save, table

DOCUMENT, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])


def first(heading, column):
    return next(table(DOCUMENT, heading, column))


def bars(axes, labels, series, unit):
    """Horizontal bars from zero; series: (name, values, colour, hatch)."""
    height = 0.8 / len(series)
    widest = max(abs(value) for _, values, *_ in series for value in values)
    for n, (name, values, colour, hatch) in enumerate(series):
        places = [row + (n - (len(series) - 1) / 2) * height for row in range(len(labels))]
        axes.barh(places, values, height * 0.9, label=name, color=colour, hatch=hatch, edgecolor="black",
                  linewidth=0.5)
        for place, value in zip(places, values):
            axes.annotate(f"{value:+.0f}" if min(values) < 0 else f"{value:.0f}", (value, place),
                          (3 if value >= 0 else -3, 0), textcoords="offset points", va="center",
                          ha="left" if value >= 0 else "right", fontsize=9)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    low = min(0, min(value for _, values, *_ in series for value in values))
    high = max(0, max(value for _, values, *_ in series for value in values))
    axes.set_xlim(low - (0.14 * widest if low else 0), high + 0.14 * widest)
    axes.set_xlabel(unit)
    if len(series) > 1:
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def commands():
    nobody, root = table(DOCUMENT, "Commands", "difference")
    figure, axes = plt.subplots(figsize=(7.2, 3.2))
    bars(axes, [row["command"] for row in nobody],
         [("nobody", [number(row["difference"]) for row in nobody], BLUE, None),
          ("root", [number(row["difference"]) for row in root], ORANGE, "///")],
         "instructions more (+) or less (-) than the kernel alone, per command")
    save(figure, FOLDER / "commands.svg")


def hooks():
    rows = first("Hooks", "hook")
    figure, axes = plt.subplots(figsize=(7.2, 3.2))
    bars(axes, [row["hook"] for row in rows],
         [("allowed", [number(row["test-unit-ready"]) for row in rows], BLUE, None),
          ("refused", [number(row["refused"]) for row in rows], ORANGE, "///")],
         "instructions more (+) or less (-) than the kernel's function, per command")
    save(figure, FOLDER / "hooks.svg")


def growth(axes, points, label, name, style, log):
    """A line over numbers of something, and a vertical axis from zero."""
    numbers, values = zip(*points)
    axes.plot(numbers, values, style, color=BLUE if style[0] == "o" else ORANGE, label=name, linewidth=1.5,
              markersize=6, clip_on=False, zorder=3)
    if log:
        axes.set_xscale("log")
        axes.set_xticks(numbers, [f"{n:,}" for n in numbers])
        axes.minorticks_off()
    else:
        axes.set_xlim(0, max(numbers) * 1.06)
    axes.set_ylim(0, max(axes.get_ylim()[1], max(values) * 1.15))
    axes.set_xlabel(label + (" (log scale)" if log else ""))
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def flat():
    rows = first("Rules, devices, tracepoint", "configuration")
    figure, both = plt.subplots(1, 2, figsize=(7.2, 2.8), sharey=True)
    for axes, kind, label in zip(both, ("rules", "devices"),
                                 ("rules for other opcodes", "devices")):
        for column, name, style in (("test-unit-ready, nobody", "allowed", "o-"),
                                    ("refused, nobody", "refused", "s--")):
            points = [(int(words[1]), number(row[column])) for row in rows
                      if (words := row["configuration"].split())[0] == kind]
            growth(axes, points, label, name, style, True)
    both[0].set_ylabel("cost of a command of nobody\n(the kernel alone = 1)")
    both[1].legend(frameon=False, loc="lower right")
    figure.tight_layout()
    save(figure, FOLDER / "flat.svg")


def devices():
    rows = first("Memory and loading", "devices")
    numbers = [int(number(row["devices"])) for row in rows]
    memory = [(number(row["slab, bytes"]) + number(row["per-CPU, bytes"])) / 2**20 for row in rows]
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.8))
    growth(left, list(zip(numbers, memory)), "devices", "memory", "o-", False)
    left.set_ylabel("memory (MiB)")
    for column, name, style in (("load, ms", "load", "o-"), ("unload, ms", "unload", "s--")):
        growth(right, [(n, number(row[column])) for n, row in zip(numbers, rows)], "devices", name, style, False)
    right.set_ylabel("time (ms)")
    right.legend(frameon=False, loc="upper left")
    figure.tight_layout()
    save(figure, FOLDER / "devices.svg")


for draw in (commands, hooks, flat, devices):
    draw()
