"""What a connection over TLS does otherwise."""

from __future__ import annotations

from aiowsgi.server.connection import Connection


class SecureConnection(Connection):
    """One client over TLS; the loop thread's."""

    __slots__ = ()

    def eof_received(self) -> bool:
        """The client has ended TLS, which asyncio can only end in both directions at once."""
        super().eof_received()
        return False
