"""Config -> what has to be had before serving: certificate, then addresses, as one step."""

from __future__ import annotations

import ssl

from aiowsgi.config import Config
from aiowsgi.server.identity import Identity
from aiowsgi.server.sockets import Listener, listen
from aiowsgi.server.tls import server_context


def open_listeners(
    config: Config, owner: Identity | None = None
) -> tuple[list[Listener], ssl.SSLContext | None]:
    """Read the certificate, open the addresses, and give the socket files to their owner.

    Raises ConfigError: exit code 1 for an address, 2 for what is wrong with the certificate.
    """
    context = server_context(config)
    scheme = "http" if context is None else "https"
    listeners = listen(config.binds, config.backlog, scheme)
    if owner is not None:
        for listener in listeners:
            listener.belong_to(owner)
    return listeners, context
