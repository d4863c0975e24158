"""As process 1 of a container: who lost its parent is ours to wait for, or stays as a zombie."""

from __future__ import annotations

import os


def reap_strangers(ours: set[int]) -> None:
    """As process 1, let go of the dead that nobody else waits for."""
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None or found.si_pid in ours:
            return
        os.waitpid(found.si_pid, 0)
