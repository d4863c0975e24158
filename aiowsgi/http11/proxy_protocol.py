"""The PROXY protocol, versions 1 and 2: what a proxy says of a connection before its first byte.

After "The PROXY protocol, Versions 1 & 2" (HAProxy's proxy-protocol.txt). The law: the header is
whole, strict and bounded, or it is refused with its first wrong byte, and not one byte after it is
taken, since TLS may begin there. Whether there has to be one is not guessed (section 2 forbids it).

    wants            bytes that can be read without taking more than the header
    feed(data) -> Relay           the header is whole
               -> ProtocolError   it is none
               -> None            read on
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final, NamedTuple

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.grammar import address

_V1: Final = b"PROXY "
_V2: Final = b"\r\n\r\n\0\r\nQUIT\n"

_LONGEST_V1: Final = 107  # section 2.1: with the longest IPv6 addresses, and the CRLF
_SHORTEST_V1: Final = 15  # PROXY UNKNOWN
_SHORTEST_TCP: Final = 32  # PROXY TCP4 1.1.1.1 1.1.1.1 1 1
_LAST_PORT: Final = 65535
_FIXED_V2: Final = 16
_LONGEST_REST: Final = 16 * 1024  # addresses and TLVs; 64 KiB could be announced

_TCP: Final = re.compile(
    rb"PROXY TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})"
    rb"\r\n"
)
_UNKNOWN: Final = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*)?\r\n")

# Section 2.2: family and transport -> size of both addresses with their ports. 0: not to be used.
_UNSPECIFIED: Final = 0x00
_SIZES: Final = {_UNSPECIFIED: 0, 0x11: 12, 0x21: 36, 0x31: 216}


class Relay(NamedTuple):
    """Whom a proxy brings: `client` and `server` as (host, port), None where it does not say.

    `local`: it brings nobody and is there for itself, as for a health check.
    """

    client: tuple[str, str] | None = None
    server: tuple[str, str] | None = None
    local: bool = False


class ProxyHeader:
    """Reads the header of one connection, in the versions that are allowed."""

    __slots__ = ("_data", "_signatures", "wants")

    def __init__(self, *, v1: bool = True, v2: bool = True) -> None:
        self._signatures = [mark for mark, may in ((_V1, v1), (_V2, v2)) if may]
        self._data = b""
        self.wants = _SHORTEST_V1

    def feed(self, data: bytes) -> Relay | ProtocolError | None:
        """Take at most `wants` bytes that were read."""
        self._data = data = self._data + data
        for mark in self._signatures:
            if data.startswith(mark):
                return self._v1(data) if mark == _V1 else self._v2(data)
        if any(mark.startswith(data) for mark in self._signatures):
            self.wants = _SHORTEST_V1 - len(data)
            return None
        return _refused("it is missing")

    def _v1(self, data: bytes) -> Relay | ProtocolError | None:
        if b"\n" in data:
            return _line(data)
        if len(data) >= _LONGEST_V1:
            return _refused("its line is too long")
        least = _SHORTEST_TCP if data.startswith(b"PROXY TCP") else _SHORTEST_V1
        self.wants = max(1, least - len(data))
        return None

    def _v2(self, data: bytes) -> Relay | ProtocolError | None:
        if len(data) < _FIXED_V2:
            self.wants = _FIXED_V2 - len(data)
            return None
        command, kind = data[12], data[13]
        size = int.from_bytes(data[14:16], "big")
        if command not in (0x20, 0x21):
            return _refused("its version or command is unknown")
        if size > _LONGEST_REST:
            return _refused("it is too long")
        if command == 0x21 and size < _SIZES.get(kind, _LONGEST_REST + 1):
            return _refused("its addresses are not those of a stream")
        self.wants = _FIXED_V2 + size - len(data)
        if self.wants:
            return None
        return Relay(local=True) if command == 0x20 else _addresses(kind, data[_FIXED_V2:])


def _line(line: bytes) -> Relay | ProtocolError:
    match = _TCP.fullmatch(line)
    if match is None:
        return Relay() if _UNKNOWN.fullmatch(line) else _refused("its line is malformed")
    version, client, server, *ports = (part.decode("ascii") for part in match.groups())
    hosts = [
        address(host) if (":" in host) == (version == "6") else "" for host in (client, server)
    ]
    if not all(hosts) or any(int(port) > _LAST_PORT for port in ports):
        return _refused("its line is malformed")
    return Relay((hosts[0], ports[0]), (hosts[1], ports[1]))


def _addresses(kind: int, rest: bytes) -> Relay:
    """The two ends of a stream; what follows them (TLVs, section 2.2.x) is skipped."""
    size = {0x11: 4, 0x21: 16}.get(kind)
    if size is None:  # of a unix socket's path there is nothing to tell
        return Relay()
    hosts = [address(str(ip_address(rest[at : at + size]))) for at in (0, size)]
    ports = [str(int.from_bytes(rest[at : at + 2], "big")) for at in (2 * size, 2 * size + 2)]
    return Relay((hosts[0], ports[0]), (hosts[1], ports[1]))


def _refused(why: str) -> ProtocolError:
    return ProtocolError(400, f"the PROXY header is refused: {why}")
