"""The PROXY header of clients that come through a proxy, before TLS and HTTP; on the loop thread.

Only a peer that the operator named has one, and then it must: its first bytes are the header, whole
within the deadline of a request's head, or the connection is closed (S12). Not a byte after it is
read here. Everybody else's bytes are taken as they are.
"""

from __future__ import annotations

import asyncio
import logging
import socket

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.messages import Endpoints
from aiowsgi.http11.proxy_protocol import ProxyHeader, Relay
from aiowsgi.server.endpoints import Ends, address, endpoints, relayed
from aiowsgi.wsgi.trust import Trust

logger = logging.getLogger("aiowsgi.error")


class ProxyProtocol:
    """Reads the header of each client whose peer `trust` admits; the loop thread's.

    `versions`: v1, v2 or auto; `patience`: seconds for the whole header, None = no limit.
    """

    def __init__(self, trust: Trust, versions: str, patience: float | None) -> None:
        self._trust = trust
        self._v1 = versions != "v2"
        self._v2 = versions != "v1"
        self._patience = patience
        self._told = False

    async def ends(self, client: socket.socket) -> Ends:
        """Find out who is at the ends of this connection; the socket is closed where none can say.

        Raises ConnectionError where the header is refused or missing, or does not come in time.
        """
        try:
            peer = Endpoints(
                address(client.getpeername(), ("", "")),
                address(client.getsockname(), ("localhost", "")),
            )
            if not self._trust.admits(peer):
                self._tell(peer)
                return endpoints
            found = await self._header(client)
            if isinstance(found, ProtocolError):
                logger.info("Closed %s: %s", peer.client[0] or "a local client", found.reason)
                raise ConnectionRefusedError(found.reason)
        except BaseException:
            client.close()
            raise
        return relayed(found)

    async def _header(self, client: socket.socket) -> Relay | ProtocolError:
        try:
            return await asyncio.wait_for(self._read(client), self._patience)
        except asyncio.TimeoutError:
            return ProtocolError(408, "the PROXY header came too slowly")

    async def _read(self, client: socket.socket) -> Relay | ProtocolError:
        loop = asyncio.get_running_loop()
        header = ProxyHeader(v1=self._v1, v2=self._v2)
        while data := await loop.sock_recv(client, header.wants):
            found = header.feed(data)
            if found is not None:
                return found
        return ProtocolError(400, "it left before its PROXY header was whole")

    def _tell(self, peer: Endpoints) -> None:
        if not self._told:
            self._told = True
            logger.warning(
                "%s is not among --proxy-allow-from: no PROXY header is read from it (told once)",
                peer.client[0] or "A unix socket",
            )
