"""Changes of files: which of them count, and a descriptor that tells of them.

watchfiles waits for what the system says, on a thread of its own, which touches nothing of ours but
a queue and a socket.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatch
from types import TracebackType
from typing import Any

from aiowsgi.errors import ConfigError

logger = logging.getLogger("aiowsgi.error")

_CODE = "*.py"


class Patterns:
    """Says whether a file counts: it matches one of `include`, or is Python, and none of `exclude`.

    A pattern without a slash matches the name of a file, or of a directory that it is in; one with
    a slash the path inside of a watched directory, or the whole one.
    """

    def __init__(
        self, directories: Sequence[str], include: Sequence[str], exclude: Sequence[str]
    ) -> None:
        self._roots = [_as_posix(directory).rstrip("/") + "/" for directory in directories]
        self._include = (_CODE, *include)
        self._exclude = tuple(exclude)

    def __call__(self, path: str) -> bool:
        """Whether the file counts; `path` is absolute."""
        path = _as_posix(path)
        inside = [path[len(root) :] for root in self._roots if path.startswith(root)]

        def matches(pattern: str) -> bool:
            pattern = _as_posix(pattern).rstrip("/").removeprefix("./")
            if "/" in pattern:
                wanted = (pattern, pattern + "/*")
                return any(fnmatch(place, each) for place in (path, *inside) for each in wanted)
            return any(fnmatch(name, pattern) for place in inside for name in place.split("/"))

        return any(map(matches, self._include)) and not any(map(matches, self._exclude))


class Changes:
    """Tells which files have changed; a context of the main thread. `fileno` is what to select on.

    `watched` are the directories. `files` count where they lie in one of these.
    """

    def __init__(
        self,
        directories: Sequence[str],
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        files: Sequence[str] = (),
    ) -> None:
        """Raises ConfigError where watchfiles is missing, or there is nothing to be watched."""
        try:
            from watchfiles import DefaultFilter
        except ImportError:
            raise ConfigError(
                "reload: it takes watchfiles to see changes: pip install 'aiowsgi[reload]'"
            ) from None
        self.watched = [os.path.realpath(directory) for directory in directories]
        for directory, given in zip(self.watched, directories, strict=True):
            if not os.path.isdir(directory):
                raise ConfigError(f"reload_dir: {given!r} is no directory")
        for pattern in filter(os.path.isabs, include):
            if not any(pattern.startswith(directory) for directory in self.watched):
                raise ConfigError(
                    f"reload_include: {pattern!r} lies outside of what is watched: name its "
                    "directory by reload_dir, beside the others"
                )
        self._files = {os.path.realpath(path) for path in files}
        self._is_no_noise = DefaultFilter()
        self._counts = Patterns(self.watched, include, exclude)
        self._came: deque[str] = deque()  # one thread appends, another pops: safe as it is
        self._failure: Exception | None = None  # set before the thread's first word
        self._armed = False  # the thread's own
        self._ends = False  # the main thread's, which the other reads
        self._reader, self._writer = socket.socketpair()
        self._thread = threading.Thread(target=self._watch, name="aiowsgi-changes", daemon=True)

    # -- main thread --

    def __enter__(self) -> Changes:
        """Watch: what changes from here on is told. Raises ConfigError where the system refuses."""
        self._thread.start()
        self._reader.recv(1)
        self._reader.setblocking(False)
        if self._failure is not None:
            self.close()
            raise ConfigError(f"reload: the system does not tell of changes: {self._failure}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Watch no more."""
        self._ends = True
        self._thread.join()
        self._reader.close()
        self._writer.close()

    def fileno(self) -> int:
        """What to select on."""
        return self._reader.fileno()

    def take(self) -> list[str]:
        """Take the paths of what has changed, each once."""
        with suppress(BlockingIOError):
            while self._reader.recv(4096):
                pass
        taken: dict[str, None] = {}
        while self._came:
            taken[self._came.popleft()] = None
        return list(taken)

    # -- the thread that watches --

    def _watch(self) -> None:
        import watchfiles

        try:
            for changes in watchfiles.watch(
                *self.watched,
                watch_filter=self._is_wanted,
                stop_event=self,
                rust_timeout=0,
                raise_interrupt=False,
            ):
                self._came.extend(sorted(path for _, path in changes))
                self._say()
        except Exception as error:  # the library names none; all of it is the system's refusal
            if self._armed:
                logger.exception("Changes are not seen any more: start again")
                return
            self._failure = error
            self._say()

    def _is_wanted(self, change: Any, path: str) -> bool:
        return path in self._files or (self._is_no_noise(change, path) and self._counts(path))

    def is_set(self) -> bool:
        """Whether to stop; watchfiles asks many times a second, once it watches."""
        if not self._armed:
            self._armed = True
            self._say()
        return self._ends

    def _say(self) -> None:
        with suppress(OSError):  # full: then there is enough to be read already
            self._writer.send(b"\0")


def _as_posix(path: str) -> str:
    return path.replace(os.sep, "/")
