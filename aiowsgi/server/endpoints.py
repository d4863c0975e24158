"""What a socket says of its two ends."""

from __future__ import annotations

import asyncio

from aiowsgi.http11.messages import Endpoints
from aiowsgi.server.mod_ssl import mod_ssl


def endpoints(transport: asyncio.BaseTransport) -> Endpoints:
    """The two ends of a connection; a unix socket has the names of nobody and of localhost."""
    scheme = "http" if transport.get_extra_info("sslcontext") is None else "https"
    return Endpoints(
        _address(transport.get_extra_info("peername"), ("", "")),
        _address(transport.get_extra_info("sockname"), ("localhost", "")),
        scheme,
        mod_ssl(transport.get_extra_info("ssl_object")),
    )


def _address(name: object, unknown: tuple[str, str]) -> tuple[str, str]:
    if isinstance(name, tuple) and len(name) >= 2:
        return str(name[0]), str(name[1])
    return unknown
