"""A listening socket that can be shut for a moment, while the loop goes on accepting at it."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Any

# What accept says where the system has nothing left.
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Door(socket.socket):
    """A duplicate of a listening socket, through which nobody comes while `refuses` says so."""

    def __init__(
        self,
        listening: socket.socket,
        refuses: Callable[[], bool],
        comes: Callable[[], None],
        exhausted: Callable[[OSError], None],
    ) -> None:
        own = os.dup(listening.fileno())
        super().__init__(listening.family, listening.type, listening.proto, own)
        self._refuses = refuses
        self._comes = comes
        self._exhausted = exhausted

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept one client. Raises BlockingIOError where none may come, as where none is there."""
        if self._refuses():
            raise BlockingIOError
        try:
            found = super().accept()
        except OSError as error:
            if error.errno not in EXHAUSTED:
                raise
            self._exhausted(error)
            raise BlockingIOError from None
        self._comes()
        return found


def asks(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop calls `accept` of the socket: asyncio does, uvloop and Windows do not."""
    return isinstance(loop, asyncio.SelectorEventLoop)
