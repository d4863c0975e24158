"""What a socket says of its two ends, or what a PROXY header said of them before the first byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from aiowsgi.http11.messages import Endpoints
from aiowsgi.http11.proxy_protocol import Relay
from aiowsgi.server.mod_ssl import mod_ssl

Ends: TypeAlias = Callable[[asyncio.BaseTransport], Endpoints]


def endpoints(transport: asyncio.BaseTransport) -> Endpoints:
    """The two ends of a connection; a unix socket has the names of nobody and of localhost."""
    scheme = "http" if transport.get_extra_info("sslcontext") is None else "https"
    return Endpoints(
        address(transport.get_extra_info("peername"), ("", "")),
        address(transport.get_extra_info("sockname"), ("localhost", "")),
        scheme,
        mod_ssl(transport.get_extra_info("ssl_object")),
    )


def relayed(relay: Relay) -> Ends:
    """The ends as a PROXY header has them; of what it leaves open, those of the socket."""

    def ends(transport: asyncio.BaseTransport) -> Endpoints:
        own = endpoints(transport)
        if relay.client is None or relay.server is None:
            return own._replace(hidden=not relay.local)
        return own._replace(client=relay.client, server=relay.server)

    return ends


def address(name: object, unknown: tuple[str, str]) -> tuple[str, str]:
    """Host and port of a socket's name; `unknown` where it has none, as unix sockets."""
    if isinstance(name, tuple) and len(name) >= 2:
        return str(name[0]), str(name[1])
    return unknown
