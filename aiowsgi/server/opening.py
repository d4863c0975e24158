"""Config -> what has to be had before serving: certificates, then addresses, as one step."""

from __future__ import annotations

import logging
import socket

from aiowsgi.config import Config
from aiowsgi.server.certificates import Certificates, certificates
from aiowsgi.server.identity import Identity
from aiowsgi.server.sockets import Listener, listen

logger = logging.getLogger("aiowsgi.error")


def open_listeners(
    config: Config, owner: Identity | None = None
) -> tuple[list[Listener], Certificates | None]:
    """Read the certificate, open the addresses, and give the socket files to their owner.

    Raises ConfigError: exit code 1 for an address, 2 for what is wrong with the certificate.
    """
    own = certificates(config)
    scheme = "http" if own is None else "https"
    listeners = listen(config.binds, config.backlog, scheme, reuse_port=config.reuse_port)
    if owner is not None:
        for listener in listeners:
            listener.belong_to(owner)
    if config.debug:
        _warn_of_debug(config, listeners)
    return listeners, own


def _warn_of_debug(config: Config, listeners: list[Listener]) -> None:
    """Say it plainly where others than the programmer may see what `--debug` shows (S13)."""
    exposed = [each.url for each in listeners if not each.unix and not _is_loopback(each.socket)]
    through = bool(config.forwarded_allow_ips) or config.proxy_protocol != "off"
    if exposed or through:
        logger.warning(
            "--debug shows source code and local variables, secrets among them, to everybody who "
            "can connect to %s%s: leave it out, or listen on 127.0.0.1 without a proxy",
            " and ".join(exposed or (each.url for each in listeners)),
            "" if exposed else " through a proxy",
        )


def _is_loopback(sock: socket.socket) -> bool:
    from ipaddress import ip_address

    return ip_address(sock.getsockname()[0].partition("%")[0]).is_loopback
