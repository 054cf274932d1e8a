#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Finds words that the project has replaced (CONTRIBUTING.md, "Words"), each with what to write instead; and what a
merge has left."""

import pathlib
import re
import sys

INSTEAD = {
    r"somebody|whoever": "the sender, the opener, the holder, a process, a user",
    r"(has|have|had|having) the say": "decides",
    r"witness(es)?": "oracle, reference implementation",
    r"deaf": "bypass",
    r"armable": "the ... that can be armed",
    r"ruling|rulings": "verdict (the answer), decision (making it)",
    r"short way|short cut|whole decision": "fast path, slow path",
    r"(way|ways) in (to|for|past)": "bypass, entry point",
    r"tried again": "retried",
    r"meanwhile": "during that, in between, at the same time; or name the race",
    r"says it twice|said twice": "idempotent",
    r"(the|a|its|user) stories": "use cases",
    r"rooms|arrows": "layers, what a layer uses",
}
# What a merge has left.
REMAINS = re.compile(r"^(<{7} .*|={7}|>{7} .*)$")
SKIPPED = {"tools/testing/lint/words.py", "COPYING"}
SUFFIXES = {".md", ".rs", ".c", ".h", ".sh", ".py", ".awk", ".rules", ".table", ".toml", ".in", ".config", ".service", ".8",
            ".5", ".4", ""}
BUILT = {"build", "target", ".git", "corpus"}


def texts():
    for path in sorted(pathlib.Path(".").rglob("*")):
        if BUILT.isdisjoint(path.parts) and path.suffix in SUFFIXES and path.is_file() and str(path) not in SKIPPED:
            yield path


def main():
    words = [(re.compile(rf"\b({word})\b", re.I), instead) for word, instead in INSTEAD.items()]
    found = False
    for path in texts():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if REMAINS.match(line):
                print(f"{path}:{number}: what a merge has left")
                found = True
            for word, instead in words:
                if match := word.search(line):
                    print(f"{path}:{number}: '{match[0]}': write {instead}")
                    found = True
    return found


if __name__ == "__main__":
    sys.exit(main())
