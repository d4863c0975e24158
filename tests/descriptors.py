"""Which descriptors this process holds, told apart by what they are."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress

LISTED = os.path.isdir("/proc/self/fd")


def held() -> Counter[str]:
    """Open descriptors, by what they are; none where the system does not list them.

    To be compared by what is more than before: what is less, an earlier test had left.
    """
    found: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd") if LISTED else ():
        with suppress(OSError):  # it may be closed meanwhile, as is the one of the listing
            found[os.readlink(f"/proc/self/fd/{name}")] += 1
    return found


def more_than(before: Counter[str]) -> int:
    """How many are open that were not before."""
    return (held() - before).total()
