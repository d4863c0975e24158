"""wsgi.file_wrapper through an ASGI host: by its name where the host takes that, else in pieces."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from aiowsgi.asgi.encoder import Message, body
from aiowsgi.asgi.scope import Scope, offers
from aiowsgi.wsgi.filewrapper import FileRegion

_PIECE = 256 * 1024


def file_messages(scope: Scope, file: FileRegion) -> Iterator[Message]:
    """Make the messages of the region, of which the last ends the response.

    Raises OSError where the file has become shorter than what was announced.
    """
    path = _name(file) if offers(scope, "http.response.pathsend") else None
    if path is not None:
        yield {"type": "http.response.pathsend", "path": path}
        return
    at, end = file.offset, file.offset + file.length
    while at < end:
        data = _read(file.fileno, min(end - at, _PIECE), at)
        if not data:
            raise OSError("a file became shorter while it was sent")
        at += len(data)
        yield body(data, more=at < end)


def _read(fileno: int, size: int, at: int) -> bytes:
    """Read at this place, whatever others who have the file do with its position."""
    if sys.platform == "win32":
        os.lseek(fileno, at, os.SEEK_SET)
        return os.read(fileno, size)
    return os.pread(fileno, size, at)


def _name(file: FileRegion) -> str | None:
    """Find the path by which a host opens the very same file, all of it; None where there is none.

    Only Linux tells the name of what is open; it may have been removed or replaced since.
    """
    if not sys.platform.startswith("linux"):
        return None
    try:
        path = os.readlink(f"/proc/self/fd/{file.fileno}")
        ours, theirs = os.fstat(file.fileno), os.stat(path)
    except OSError:
        return None
    whole = file.offset == 0 and file.length == ours.st_size
    return path if whole and os.path.samestat(ours, theirs) else None
