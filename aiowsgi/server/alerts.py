"""The alert with which a handshake fails reaches the client (RFC 8446 6.2).

asyncio and uvloop close the connection and forget what OpenSSL still had to say: a client would
see a reset, and no reason for it. OpenSSL leaves the alert in a buffer that belongs to the one
handshake; it is sent from here, before the loop closes the socket.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

# Whose handshake is to begin in this context. A loop says it to nobody, and makes the ssl object
# in the context of whoever had it take the client.
newcomer: ContextVar[socket.socket] = ContextVar("aiowsgi_newcomer")


class Handshaking(ssl.SSLObject):
    """One connection over TLS; the loop thread's."""

    _client: socket.socket | None = None
    _outgoing: ssl.MemoryBIO | None = None

    def begin(self, client: socket.socket | None, outgoing: ssl.MemoryBIO) -> None:
        """Remember whom to tell, until the handshake is over."""
        self._client, self._outgoing = client, outgoing

    def do_handshake(self) -> None:
        """Take a step. Raises SSLError, as the original."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            self._tell()
            raise
        self._client = self._outgoing = None

    def _tell(self) -> None:
        """Send the alert, a few bytes; the handshake before it has gone out, or they do not fit."""
        client, outgoing = self._client, self._outgoing
        self._client = self._outgoing = None
        if client is not None and outgoing is not None and outgoing.pending:
            with suppress(OSError):
                client.send(outgoing.read())


class AlertingContext(ssl.SSLContext):
    """A context whose failed handshakes send their alert to the `newcomer`."""

    sslobject_class = Handshaking

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *rest: Any, **more: Any
    ) -> ssl.SSLObject:
        """Make the ssl object of one connection."""
        made = super().wrap_bio(incoming, outgoing, *rest, **more)
        if isinstance(made, Handshaking):
            made.begin(newcomer.get(None), outgoing)
        return made
