# SPDX-License-Identifier: GPL-2.0
"""document.py MEASURED FOLDER: writes guest-matrix.md there, from what a run left, and its picture
(tools/testing/pictures/matrix.py). What is said about a row is in explained.py; every cell is from the run."""

import json
import os
import subprocess
import sys

from explained import EXPLAINED, LEGACY, SURPRISES, VERDICTS

# Title, and the columns of the run in it.
GROUPS = {
    "INQUIRY": ["inquiry"],
    "REPORT LUNS": ["report_luns"],
    "WRITE SAME": ["write_same"],
    "UNMAP": ["unmap"],
    "PERSISTENT RESERVE": ["register", "reserve", "preempt", "release"],
    "conflict of two guests": ["conflict"],
    "COMPARE AND WRITE": ["compare_and_write"],
    "EXTENDED COPY": ["extended_copy"],
}
# Of several columns the one that counts is what comes first here.
ORDER = ["wrong", "untested", "refused", "absent", "all", "shared", "emulated", "own", "yes"]


def verdict(cells, columns):
    return min((cells[c][0] for c in columns), key=ORDER.index)


def summary(row, columns):
    """The states with the same verdict together: "a b refused<br>c d yes"."""
    found = {}
    for state, cells in row["cells"].items():
        found.setdefault(verdict(cells, columns), []).append(state)
    if len(found) == 1:
        return next(iter(found))
    return "<br>".join(f"{' '.join(states)}: {word}" for word, states in found.items())


def nexus(row):
    """A property of the configuration: told by whatever state let a reservation through."""
    found = {cells["conflict"][0] for cells in row["cells"].values()}
    return "yes" if "yes" in found else "**no**" if "shared" in found else "-"


def name(row):
    return f"{row['device']}; {row['backend']}"


def section(row, titles):
    """All that was measured of a row."""
    lines = [f"### {row['number']}: {name(row)}", "", EXPLAINED[row["number"]], "",
             "| command | " + " | ".join(row["cells"]) + " |",
             "| --- |" + " --- |" * len(row["cells"])]
    for column, title in titles.items():
        lines.append(f"| {title} | " + " | ".join(
            f"{cells[column][0]}: {cells[column][1]}" for cells in row["cells"].values()) + " |")
    return lines + [""]


def markdown(run):
    rows = sorted(run["rows"], key=lambda r: (int(r["number"].rstrip("gh")), r["number"]))
    text = ["<!-- SPDX-License-Identifier: GPL-2.0 -->",
            "<!-- Written by `make matrix` from a run; `make test-guests` compares. -->",
            "# What a guest gets", "",
            "Which SCSI commands reach the storage from a KVM guest, in each configuration, without the",
            "filter and with it. The commands were sent in nested guests, whose QEMU ran as a user of its own",
            "without any capability, and in a cgroup of its own; whether a command had its effect was looked at",
            "behind the storage, or in the other guest. The rows 1 to 11 are those of the talk \"SCSI commands in",
            "virtualized environments\" (2013) that this project began with.", "",
            f"Measured with {run['kernel']} as the host's kernel, QEMU {run['qemu']}, for row 3 and the second",
            f"guest QEMU {run['old_qemu']}; the guests' kernel is of the same version, with nothing in it but what they need.", "",
            "![the table as a picture](guest-matrix.svg)", "", "## The columns", ""]
    text += [f"- **{state}**: {what}" for state, what in run["states"].items()]
    text += ["", "A cell with one word is the same in all four.", "", "| word | means |", "| --- | --- |"]
    text += [f"| {word} | {what} |" for word, what in VERDICTS.items()]
    text += ["", "## The table", "",
             "| # | configuration | " + " | ".join(GROUPS) + " | own I_T nexus |",
             "| --- | --- |" + " --- |" * (len(GROUPS) + 1)]
    for row in rows:
        text.append(f"| {row['number']} | {name(row)} | "
                    + " | ".join(summary(row, columns) for columns in GROUPS.values())
                    + f" | {nexus(row)} |")
        if row["number"] == "9":
            text.append("| 10 | PCI assignment, legacy |" + " gone |" * (len(GROUPS) + 1))
    text += ["", "## What is surprising", ""] + [f"- {line}" for line in SURPRISES]
    text += ["", "## Row by row", ""]
    for row in rows:
        text += section(row, run["columns"])
        if row["number"] == "9":
            text += ["### 10: PCI assignment, legacy", "", LEGACY, ""]
    return "\n".join(text).rstrip() + "\n"


def parts(text):
    """By title: the table and each row, which are compared; the line of the versions is not."""
    found, title = {}, None
    for line in text.splitlines():
        if line.startswith("## The table") or line.startswith("### "):
            title = line.lstrip("# ")
        elif line.startswith("## "):
            title = None
        if title and line.startswith("|"):
            found.setdefault(title, []).append(line)
    return found


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        measured = json.load(file)
    path = os.path.join(sys.argv[2], "guest-matrix.md")
    with open(path, "w") as file:
        file.write(markdown(measured))
    draw = os.path.join(os.path.dirname(__file__), "../pictures/matrix.py")
    subprocess.run([sys.executable, "-B", draw, path, path.replace(".md", ".svg")], check=True)
