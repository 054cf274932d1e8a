# SPDX-License-Identifier: GPL-2.0
"""What all pictures share: the tables of a document, the look, the file.

A picture is drawn from the tables of the document that shows it, so the two cannot disagree. It has its own
white paper, to be readable on a dark page, and shapes and hatches besides colours, to be readable in grey.
"""

import re

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt  # noqa: E402

# Dark to light, so that they differ in grey too (Okabe and Ito's colours).
BLUE, ORANGE = "#0072b2", "#e69f00"

plt.rcParams.update({
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"], "font.size": 10,
    "svg.fonttype": "none",
    # The same picture is the same file.
    "svg.hashsalt": "sgio-filter",
    "axes.spines.top": False, "axes.spines.right": False, "hatch.linewidth": 0.6,
})


def tables(path):
    """All tables of a Markdown file: (heading above, [{column: cell}])."""
    found, heading, rows, head = [], "", None, None
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#"):
                heading = line.strip("# \n")
            if not line.startswith("|"):
                rows = None
                continue
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if rows is None:
                head, rows = cells, []
                found.append((heading, rows))
            elif not re.fullmatch("[-: ]*", "".join(cells)):
                rows.append(dict(zip(head, cells)))
    return found


def table(path, heading, column):
    """The rows of the table under a heading that has that column."""
    for where, rows in tables(path):
        if where == heading and rows and column in rows[0]:
            yield rows


def number(cell):
    """+1,234.5, 12 % or `-3`."""
    return float(re.sub("[^-+.0-9]", "", cell))


def save(figure, path):
    """Writes the picture, with its licence and without the time."""
    figure.savefig(path, metadata={"Date": None, "Creator": None}, facecolor="white", bbox_inches="tight",
                   pad_inches=0.12)
    plt.close(figure)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = text.replace("<svg ", "<!-- SPDX-License-Identifier: GPL-2.0 -->\n<svg ", 1)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(line.rstrip() for line in text.splitlines()) + "\n")
