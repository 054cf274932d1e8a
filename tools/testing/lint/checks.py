#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Finds checks that a table of security.md names, and that are not in the scenario that it names them of.

In the last cell of a row, a number is the beginning of a scenario's file name, and a text in quotes behind it is in that file,
with or without the `... ` that continues the check before.
"""

import pathlib
import re
import sys

DOCUMENT = pathlib.Path("Documentation/security.md")
SCENARIOS = pathlib.Path("tools/testing/scenarios")


def named(line):
    """Yields the scenario's number and the name of each check in a row of a table."""
    number = None
    for match in re.finditer(r'\b(\d\d)\b|"([^"]+)"', line.rstrip().rstrip("|").rpartition("|")[2]):
        if match[1]:
            number = match[1]
        elif number:
            yield number, match[2]


def main():
    found = False
    for at, line in enumerate(DOCUMENT.read_text().splitlines(), 1):
        for number, name in named(line) if line.startswith("|") else ():
            texts = [path.read_text() for path in SCENARIOS.glob(f"{number}-*.sh")]
            if not any(name.removeprefix("... ") in text for text in texts):
                print(f'{DOCUMENT}:{at}: scenario {number} has no check "{name}"')
                found = True
    return found


if __name__ == "__main__":
    sys.exit(main())
