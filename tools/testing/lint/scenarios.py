#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Holds the table of scenarios in testing.md against the heads of the scenarios; --write writes it anew.

In its head each scenario has one line `# about:`, what it shows, and may have one line `# kernels:`, those on
which `make test` runs it if that is not both.
"""

import pathlib
import re
import sys

DOCUMENT = pathlib.Path("Documentation/testing.md")
HEADER = "| scenario | about | kernels |\n| --- | --- | --- |\n"


def head(file):
    """Returns what a scenario is about, and on which kernels it runs."""
    values = {}
    for line in file.read_text().splitlines():
        if not line.startswith("#"):
            break
        if match := re.fullmatch(r"# (about|kernels): *(.+)", line):
            values[match[1]] = match[2]
    if "about" not in values:
        sys.exit(f"{file}: no line '# about:' in its head")
    return values["about"], values.get("kernels", "both")


def table():
    files = sorted(pathlib.Path("tools/testing/scenarios").glob("[0-9]*.sh"))
    return HEADER + "".join("| `{}` | {} | {} |\n".format(file.name, *head(file)) for file in files)


def main():
    text = DOCUMENT.read_text()
    begin = text.index(HEADER)
    end = text.index("\n\n", begin) + 1
    if "--write" in sys.argv:
        DOCUMENT.write_text(text[:begin] + table() + text[end:])
    elif text[begin:end] != table():
        sys.exit(f"{DOCUMENT} does not have the heads of the scenarios: run tools/testing/lint/scenarios.py --write")


if __name__ == "__main__":
    main()
