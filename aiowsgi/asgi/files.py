"""wsgi.file_wrapper through an ASGI host: by its name where the host takes that, else in pieces."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from aiowsgi.asgi.encoder import body
from aiowsgi.asgi.scope import Scope, offers
from aiowsgi.wsgi.filewrapper import FileRegion

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PIECE = 256 * 1024


async def send_file(scope: Scope, send: Send, file: FileRegion) -> None:
    """Send the region and the end of the response; closes the descriptor, which is ours.

    Raises OSError where the file has become shorter than what was announced.
    """
    try:
        path = _name(file) if offers(scope, "http.response.pathsend") else None
        if path is not None:
            await send({"type": "http.response.pathsend", "path": path})
            return
        at, left = file.offset, file.length
        os.lseek(file.fileno, at, os.SEEK_SET)
        while left:
            data = os.read(file.fileno, min(left, _PIECE))
            if not data:
                raise OSError("a file became shorter while it was sent")
            left -= len(data)
            await send(body(data, more=left > 0))
    finally:
        os.close(file.fileno)


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
