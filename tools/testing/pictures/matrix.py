#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""matrix.py DOCUMENT PICTURE: the table of guest-matrix.md as a picture, from that table.

For each configuration and command one field for each state of the host, by colour and by letter.
"""

import re
import sys

from common import plt, save, table

# Letter, colour of the field, colour of the letter, and what it means.
KINDS = {
    "yes": ("y", "#1b7837", "white", "the storage does it"),
    "emulated": ("e", "#c2e5be", "black", "QEMU or the host does it in its place"),
    "refused": ("n", "#f1a340", "black", "refused, or it tells or reaches too much"),
    "absent": ("-", "#e8e8e8", "black", "there is no such command"),
    "gone": ("x", "#ffffff", "black", "QEMU has it no more"),
    "untested": ("?", "#ffffff", "black", "not run"),
    "wrong": ("!", "#000000", "white", "an answer without the effect"),
}
SAME = {"own": "yes", "all": "refused", "shared": "refused"}
FIELD, GAP, ROW = 0.20, 0.14, 0.30


def by_state(cell, states):
    """The words of a cell: "a b: refused<br>c d: yes", or one for all."""
    if ":" not in cell:
        return dict.fromkeys(states, cell)
    words = {}
    for part in cell.split("<br>"):
        some, word = part.split(":")
        words.update(dict.fromkeys(some.split(), word.strip()))
    return words


def kind(word):
    return KINDS[SAME.get(word, word)]


def main(document, picture):
    with open(document, encoding="utf-8") as file:
        states = dict(re.findall(r"^- \*\*(\w)\*\*: (.*)$", file.read(), re.M))
    rows = next(table(document, "The table", "configuration"))
    commands = [column for column in rows[0] if column not in ("#", "configuration", "own I_T nexus")]
    step = FIELD * len(states) + GAP
    width, height = step * len(commands), ROW * len(rows)

    figure = plt.figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    used = set()
    for n, row in enumerate(rows):
        axes.text(-0.12, (n + 0.5) * ROW, f"{row['#']}   {row['configuration']}", ha="right", va="center",
                  fontsize=9)
        for m, command in enumerate(commands):
            for k, (state, word) in enumerate(sorted(by_state(row[command], states).items())):
                letter, colour, ink, _ = kind(word)
                used.add(letter)
                left, top = m * step + k * FIELD, n * ROW + 0.03
                axes.add_patch(plt.Rectangle((left, top), FIELD - 0.02, ROW - 0.06, facecolor=colour,
                                             edgecolor="#666666", linewidth=0.4))
                axes.text(left + FIELD / 2 - 0.01, top + ROW / 2 - 0.03, letter, color=ink, ha="center",
                          va="center", fontsize=8)
    for m, command in enumerate(commands):
        for k, state in enumerate(states):
            axes.text(m * step + (k + 0.5) * FIELD - 0.01, -0.06, state, ha="center", va="bottom", fontsize=8)
        axes.text(m * step, -0.24, command.replace(" ", "\n", 1), ha="left", va="bottom", fontsize=8)
    legend(axes, height, states, used)
    save(figure, picture)


def legend(axes, height, states, used):
    """Below the fields, from the left edge of the labels on."""
    left, top = -4.6, height + 0.25
    axes.text(left, top, "the state of the host", va="center", fontsize=9, fontweight="bold")
    for n, (state, what) in enumerate(states.items(), 1):
        axes.text(left, top + 0.24 * n, f"{state}   {what}", va="center", fontsize=9)
    axes.text(0, top, "the command", va="center", fontsize=9, fontweight="bold")
    for n, (letter, colour, ink, what) in enumerate((k for k in KINDS.values() if k[0] in used), 1):
        y = top + 0.24 * n
        axes.add_patch(plt.Rectangle((0, y - 0.1), FIELD - 0.02, 0.2, facecolor=colour, edgecolor="#666666",
                                     linewidth=0.4, clip_on=False))
        axes.text(FIELD / 2 - 0.01, y, letter, color=ink, ha="center", va="center", fontsize=8)
        axes.text(FIELD + 0.08, y, what, va="center", fontsize=9)


main(*sys.argv[1:])
