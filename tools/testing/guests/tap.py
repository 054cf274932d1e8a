# SPDX-License-Identifier: GPL-2.0
"""TAP, as the other scenarios print it."""

import sys

count = 0
bad = 0


def ok(name, good, *why):
    """One test; why is printed if it fails."""
    global count, bad
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good:
        bad += 1
        for line in "\n".join(str(w) for w in why).splitlines()[:30]:
            print(f"# {line}")
    sys.stdout.flush()
    return good


def equal(name, got, want):
    return ok(name, got == want, f"got:  {got}", f"want: {want}")


def note(text):
    print(f"# {text}", flush=True)


def finish():
    print(f"1..{count}", flush=True)
    return 0 if count and not bad else 1
