"""Config -> what has to be had before serving: certificates, then addresses, as one step."""

from __future__ import annotations

from aiowsgi.config import Config
from aiowsgi.server.certificates import Certificates, certificates
from aiowsgi.server.identity import Identity
from aiowsgi.server.sockets import Listener, listen


def open_listeners(
    config: Config, owner: Identity | None = None
) -> tuple[list[Listener], Certificates | None]:
    """Read the certificate, open the addresses, and give the socket files to their owner.

    Raises ConfigError: exit code 1 for an address, 2 for what is wrong with the certificate.
    """
    own = certificates(config)
    scheme = "http" if own is None else "https"
    listeners = listen(config.binds, config.backlog, scheme)
    if owner is not None:
        for listener in listeners:
            listener.belong_to(owner)
    return listeners, own
