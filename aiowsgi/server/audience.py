"""Who may see what is shown to operators at the addresses of clients; any thread may ask.

The law: the client is judged, not who brings it. A proxy that is believed has to say who the client
is, and where it does not, nobody is shown anything; where fields of a proxy come from a peer that
nobody named, it is unknown who is behind it. This machine may look, and whoever was named.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from aiowsgi.http11.messages import Endpoints
from aiowsgi.wsgi.forwarded import read
from aiowsgi.wsgi.forwarded_syntax import MalformedForwarded
from aiowsgi.wsgi.trust import ANYONE, UNIX, Trust

logger = logging.getLogger("aiowsgi.error")

# What a proxy adds to a request, by which one that nobody named is known.
_BY_PROXIES = frozenset({"HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP"})
_X_FORWARDED = "HTTP_X_FORWARDED_"
_NOBODY = ""


class Audience:
    """Those who may look.

    `names`: IP addresses, networks, `unix`, `*`, beside this machine; `proxies`: who is believed
    about its clients.
    """

    def __init__(self, names: Iterable[str], proxies: Trust) -> None:
        names = frozenset(names)
        self._anyone = ANYONE in names
        self._by_unix = UNIX in names
        self._named = Trust(names)
        self._here = Trust(["127.0.0.0/8", "::1"])
        self._proxies = proxies
        self._told = False

    def admits(self, ends: Endpoints, fields: Mapping[str, str]) -> bool:
        """Whether who has sent these fields (meta-variables) over this connection may look."""
        if self._anyone:
            return True
        client = self._client(ends, fields)
        if client == UNIX:
            return self._by_unix
        if self._here.names(client):
            # Another name for this machine is how a page from elsewhere would read ours.
            return is_local(fields.get("HTTP_HOST", ""))
        return self._named.names(client)

    def refused(self, ends: Endpoints, path: str) -> None:
        """Say once that there would have been something to see at `path`."""
        if not self._told:
            self._told = True
            logger.info(
                "%s asks for %s and may not look: the application answers. --watch-allow-from "
                "names who may, and --forwarded-allow-ips the proxies that bring them (told once)",
                *(ends.client[0] or "Somebody on a unix socket", path),
            )

    def _client(self, ends: Endpoints, fields: Mapping[str, str]) -> str:
        """The client's address, `unix` for one on a unix socket; empty where nobody can tell."""
        if ends.hidden:
            return _NOBODY
        if self._proxies.admits(ends):
            try:
                told = read(dict(fields), self._proxies).client
            except MalformedForwarded:
                return _NOBODY
            return _NOBODY if told is None else self._from_here(told[0], ends)
        if any(name in _BY_PROXIES or name.startswith(_X_FORWARDED) for name in fields):
            return _NOBODY
        return ends.client[0] if ends.server[1] else UNIX

    def _from_here(self, client: str, ends: Endpoints) -> str:
        """A proxy elsewhere has no client on this machine, whatever it says."""
        near = not ends.server[1] or self._here.names(ends.client[0])
        return client if near or not self._here.names(client) else _NOBODY


def is_local(host: str) -> bool:
    """Whether a Host names an address, or this machine by its own name; or nothing at all."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    name = name.strip("[]").lower()
    if not name or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return bool(ip_address(name))
    except ValueError:
        return False
