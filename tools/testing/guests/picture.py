# SPDX-License-Identifier: GPL-2.0
"""The matrix as a picture: for each cell one field for each state, by colour and by letter."""

from xml.sax.saxutils import escape

LETTER = {"yes": "y", "own": "y", "emulated": "e", "all": "n", "shared": "n", "refused": "n",
          "absent": "-", "untested": "?", "wrong": "!"}
COLOUR = {"y": "#2e8540", "e": "#7aa6d6", "n": "#c0392b", "-": "#b8b8b8", "?": "#ffffff",
          "!": "#f0b400"}
MEANING = {"y": "the storage does it", "e": "another does it in its place",
           "n": "refused, or it tells or reaches too much", "-": "there is no such command"}
FIELD, GAP, LINE, LEFT, TOP = 18, 14, 26, 420, 96


def text(x, y, what, size=12, **more):
    style = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in more.items())
    return f'<text x="{x}" y="{y}" font-size="{size}"{style}>{escape(what)}</text>'


def field(x, y, letter, title):
    ink = "#000" if letter in "-?!e" else "#fff"
    return (f'<g><title>{escape(title)}</title><rect x="{x}" y="{y}" width="{FIELD - 2}" '
            f'height="{FIELD}" rx="2" fill="{COLOUR[letter]}" stroke="#888" stroke-width="0.5"/>'
            + text(x + (FIELD - 2) / 2, y + 13, letter, 11, text_anchor="middle", fill=ink) + "</g>")


def svg(run, groups, verdict, name):
    states = list(run["states"])
    step = FIELD * len(states) + GAP
    rows = sorted(run["rows"], key=lambda r: (int(r["number"].rstrip("g")), r["number"]))
    width, height = LEFT + step * len(groups) + 20, TOP + LINE * len(rows) + 110
    out = ['<?xml version="1.0" encoding="UTF-8"?>', "<!-- SPDX-License-Identifier: GPL-2.0 -->",
           f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}" font-family="sans-serif">',
           f'<rect width="{width}" height="{height}" fill="#fff"/>',
           text(12, 26, "What a guest gets: SCSI commands that reach the storage", 16)]
    for n, title in enumerate(groups):
        x = LEFT + n * step
        words = title.split(" ")
        half = (len(words) + 1) // 2
        out.append(text(x, 58, " ".join(words[:half]), 10))
        out.append(text(x, 70, " ".join(words[half:]), 10))
        for m, state in enumerate(states):
            out.append(text(x + m * FIELD + 5, TOP - 10, state, 10, fill="#555"))
    for n, row in enumerate(rows):
        y = TOP + n * LINE
        out.append(text(12, y + 13, f"{row['number']}  {name(row)}", 11))
        for m, columns in enumerate(groups.values()):
            for k, state in enumerate(states):
                word = verdict(row["cells"][state], columns)
                out.append(field(LEFT + m * step + k * FIELD, y, LETTER[word],
                                 f"{row['number']}, {state}: {word}"))
    y = TOP + len(rows) * LINE + 18
    for n, (letter, meaning) in enumerate(MEANING.items()):
        out += [field(12 + n * 260, y, letter, meaning), text(34 + n * 260, y + 13, meaning, 11)]
    for n, (state, what) in enumerate(run["states"].items()):
        out.append(text(12 + n % 2 * 480, y + 44 + n // 2 * 18, f"{state}: {what}", 11))
    return "\n".join(out + ["</svg>"]) + "\n"
