"""Starts and ends processes so that none is left behind, whatever ends us.

Each gets a session of its own: Ctrl-C on the terminal reaches only us, and its whole group can be
killed, workers included. On Linux the kernel also kills it when we are killed.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

GRACE = 3.0  # seconds between TERM and KILL
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SET_DEATH_SIGNAL = 1  # prctl(2), PR_SET_PDEATHSIG


@functools.cache
def place() -> str:
    """A directory with our applications and nothing else, where all that we start runs.

    There `python -m aiowsgi` is what is installed, compiled or an editable checkout, and not the
    sources in the directory that we were started from.
    """
    scratch = tempfile.TemporaryDirectory(prefix="aiowsgi-benchmarks-")
    atexit.register(scratch.cleanup)
    (Path(scratch.name) / "benchmarks").symlink_to(Path(__file__).resolve().parent)
    return scratch.name


def before_exec(core: int | None, mask: Collection[int]) -> Callable[[], None]:
    """Runs in the child: pins it to the core, ties its life to ours, lets signals through."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before the fork

    def prepare() -> None:
        if core is not None:
            os.sched_setaffinity(0, {core})
        if libc is not None:
            libc.prctl(SET_DEATH_SIGNAL, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    return prepare


@contextlib.contextmanager
def running(
    command: Sequence[str],
    core: int | None,
    environment: Mapping[str, str] | None = None,
    output: Path | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """The process while the block runs; at its end the whole group is gone.

    With `output` both its streams go into that file; without, standard output is a pipe.
    """
    process = None
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(output.open("ab")) if output else None
        # What a signal raises while Python forks is lost ("Exception ignored in"), and a process
        # that has no name yet could not be ended: signals wait until both are over.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            try:
                process = subprocess.Popen(
                    command,
                    cwd=place(),
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=file or subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    start_new_session=True,
                    preexec_fn=before_exec(core, mask),
                )
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            yield process
        finally:
            if process is not None:
                end(process)


def end(process: subprocess.Popen[str]) -> None:
    """TERM, a little time, then KILL for all that is left of the group."""
    try:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def end_as_on_interrupt() -> None:
    """TERM and HUP end us as Ctrl-C does, through every `finally`."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    # INT too: a shell that starts us in the background has it ignored.
    for number in ENDING:
        signal.signal(number, interrupt)
