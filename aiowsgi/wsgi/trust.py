"""Whom the operator trusts: addresses, networks, unix sockets, or whoever connects.

The law: nobody who was not named, loopback included (S12). An address is compared as a number, so
that `::ffff:10.0.0.1`, which a socket for both families says of an IPv4 client, is `10.0.0.1`.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Final

from aiowsgi.http11.grammar import address
from aiowsgi.http11.messages import Endpoints

ANYONE: Final = "*"
UNIX: Final = "unix"

_REMEMBERED: Final = 1024  # addresses are the clients': their number may not fill memory (S4)


class Trust:
    """A list of those who are trusted; any thread may ask.

    `names`: IP addresses, networks (`10.0.0.0/8`), `unix`, `*`. Raises ValueError for any other.
    """

    def __init__(self, names: Iterable[str]) -> None:
        names = frozenset(names)
        self._anyone = ANYONE in names
        self._by_unix = UNIX in names
        self._networks = [ip_network(name) for name in names - {ANYONE, UNIX}]
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        """Whether anybody is trusted at all."""
        return self._anyone or self._by_unix or bool(self._networks)

    def admits(self, ends: Endpoints) -> bool:
        """Whether who is connected may speak for others."""
        if ends.hidden:
            return False
        if self._anyone:
            return True
        if not ends.server[1]:  # of the two kinds of sockets, only TCP has ports
            return self._by_unix
        return self.names(ends.client[0])

    def names(self, client: str) -> bool:
        """Whether this address is among those that were named; `*` names none."""
        found = self._known.get(client)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[client] = self._look(client)
        return found

    def _look(self, text: str) -> bool:
        found = address(text.partition("%")[0])  # of a link-local client, the zone is ours
        return bool(found) and any(ip_address(found) in network for network in self._networks)
