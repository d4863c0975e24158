"""Ports for programs that cannot be told to take a free one and to say which."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Iterator[int]:
    """A free port of 127.0.0.1 that nobody else is given for as long as the block runs.

    On Linux, who binds it by its number may listen on it beside us, with SO_REUSEADDR as servers
    have it. Elsewhere we have to let go of it: it could be taken meanwhile, hardly is.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port = int(holder.getsockname()[1])
        if sys.platform != "linux":
            holder.close()
        yield port
