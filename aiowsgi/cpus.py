"""How many CPUs this process may use: its affinity, and the quota of its container (cgroup v2)."""

from __future__ import annotations

import math
import os

_QUOTA = "/sys/fs/cgroup/cpu.max"


def default_threads() -> int:
    """Return how many threads run an application where nobody has said."""
    return min(32, usable_cpus() + 4)


def usable_cpus(quota_file: str | os.PathLike[str] = _QUOTA) -> int:
    """Return the CPUs that this process may use, at least 1."""
    try:
        cpus = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system: macOS, Windows
        cpus = os.cpu_count() or 1
    try:
        with open(quota_file, encoding="ascii") as file:
            quota, period = file.read().split()[:2]
        cpus = min(cpus, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        pass  # no cgroup v2 here, or the word "max": no quota
    return max(1, cpus)
