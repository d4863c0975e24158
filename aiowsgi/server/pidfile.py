"""The pid file: who runs, for scripts that send signals; only ever one that is true."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from aiowsgi.errors import ConfigError


@contextmanager
def pid_file(path: str) -> Iterator[None]:
    """Have the file say our number for as long as the block runs.

    One that was left behind is replaced. Raises ConfigError where the process that it names runs,
    or the file cannot be written.
    """
    path = os.path.abspath(path)  # whatever the directory is at the end
    other = _running(path)
    if other is not None:
        raise ConfigError(
            f"pid: {path!r} says that process {other} runs: end it first, or choose another file",
            exit_code=1,
        )
    own = f"{os.getpid()}\n"
    new = f"{path}.{os.getpid()}"
    try:
        with open(new, "w", encoding="ascii") as file:
            file.write(own)
        os.replace(new, path)  # nobody reads half of it
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"pid: {path!r} cannot be written: {reason}", exit_code=1) from None
    try:
        yield
    finally:
        with suppress(OSError):
            if _read(path) == own.strip():
                os.unlink(path)


def _read(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read(32).strip()


def _running(path: str) -> int | None:
    """The process that the file names, where it is another that runs."""
    try:
        pid = int(_read(path))
    except (OSError, ValueError):
        return None
    if pid <= 0 or pid == os.getpid():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass  # it is there, and another user's
    return pid
