"""Starts worker processes: a fresh interpreter, or a fork of this one.

A fresh interpreter is told by its line, before anything else is said on it: first where to import
from, by means that import nothing, then what to do. It inherits its line and the listeners, under
their numbers, and no other descriptor of ours.
"""

from __future__ import annotations

import atexit
import marshal
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from aiowsgi.errors import ConfigError

# `marshal`, `os` and `sys` are there before any file is imported: where the interpreter looks by
# itself is of no account.
_BEGIN = (
    "import marshal, os, sys; told = os.fdopen({line}, 'rb', closefd=False); "
    "sys.path[:] = [each or os.getcwd() for each in marshal.load(told)]; "
    "from {module} import {name} as work; sys.exit(work({line}, told))"
)


def spawn(
    entry: tuple[str, str],
    task: Any,
    line: int,
    *,
    inherits: Sequence[int],
    directory: str,
    path: Sequence[str],
) -> tuple[int, bytes]:
    """Start an interpreter; its pid, and what has to be said on its line first.

    It calls the function `entry` (module, name) with the number of its line and the file on which
    it finds `task`, pickled. Raises OSError where the system refuses, ConfigError where `task`
    cannot be told.
    """
    code = _BEGIN.format(line=line, module=entry[0], name=entry[1])
    told = marshal.dumps(list(path)) + _pickled(task)
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [sys.executable, *_interpreter_flags(), "-c", code],
        pass_fds=(line, *inherits),
        cwd=directory,
    )
    process.returncode = 0  # it is ours to wait for, not its own
    return process.pid, told


def fork(work: Callable[[], int]) -> int:
    """Run `work` in a copy of this process, which ends with the exit code that it returns."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()  # else what waits here is written twice
    if pid := os.fork():
        return pid
    code = 1
    try:
        code = work()
        atexit._run_exitfuncs()  # what the application wants done at the end of a process
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        end_now(code)
    return 0


def end_now(code: int) -> None:
    """End the process without waiting for its threads, or running what others left to be done."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            pass  # closed, or gone
    os._exit(code)


def _pickled(task: Any) -> bytes:
    try:
        return pickle.dumps(task)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"a worker is a new process and cannot be told what cannot be pickled: {error}; "
            "a function has to be one of a module, by its name; or use preload"
        ) from None


def _interpreter_flags() -> list[str]:
    """The options of this interpreter, such as -X dev and -W error, for another."""
    return subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined,no-any-return]
