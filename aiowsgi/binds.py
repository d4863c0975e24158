"""Where to listen, as values: `host:port`, `unix:/path`, `fd://3` read, checked and written back.

No socket is opened here. An address that cannot be read is a ValueError whose words complete the
sentence "expected ...".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
GRAMMAR = "host:port, [v6]:port, :port, *:port, unix:/path, unix:@abstract, fd://3 or systemd"

_HOST_PORT = re.compile(r"(\[[^\]\s]+\]|[^:\[\]\s]*):([0-9]{1,5})", re.ASCII)


class TcpBind(NamedTuple):
    """A TCP address; an empty `host` means every interface, IPv4 and IPv6; port 0 picks one."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host or "*"
        return f"{host}:{self.port}"


class UnixBind(NamedTuple):
    """A unix socket; a `path` that begins with `@` is a name in Linux's abstract space."""

    path: str
    permissions: int = 0o600

    @property
    def abstract(self) -> bool:
        """Whether there is no file behind the name, thus no permissions and nothing to remove."""
        return self.path.startswith("@")

    @property
    def address(self) -> str:
        """What `socket.bind` takes."""
        return "\0" + self.path[1:] if self.abstract else self.path

    def __str__(self) -> str:
        return f"unix:{self.path}"


class FdBind(NamedTuple):
    """A listening socket that the parent process left open under this descriptor number."""

    fd: int

    def __str__(self) -> str:
        return f"fd://{self.fd}"


class SystemdBind(NamedTuple):
    """The sockets that systemd has opened for us: those of a `name`, or all where it is empty."""

    name: str = ""

    def __str__(self) -> str:
        return f"systemd:{self.name}" if self.name else "systemd"


Bind = TcpBind | UnixBind | FdBind | SystemdBind


def parse_bind(text: object, permissions: int = 0o600) -> Bind:
    """Read one address; ValueError says the grammar, or what is wrong with this one."""
    if isinstance(text, (TcpBind, UnixBind, FdBind, SystemdBind)):
        return text
    if not isinstance(text, str):
        raise ValueError(GRAMMAR)  # noqa: TRY004 - a kind refuses by ValueError only
    text = text.strip()
    if text == "systemd" or (text.startswith("systemd:") and not text[8:].isdigit()):
        return SystemdBind(text[8:])
    if text.startswith("unix:"):
        return UnixBind(check_path(text[5:]), permissions)
    if text.startswith("fd://"):
        if not re.fullmatch("[0-9]{1,9}", text[5:], re.ASCII):
            raise ValueError("a descriptor number after fd://")
        return FdBind(int(text[5:]))
    match = _HOST_PORT.fullmatch(text)
    if match is None:
        raise ValueError(GRAMMAR + _hint(text))
    if int(match[2]) > 65535:
        raise ValueError("a port from 0 to 65535")
    return TcpBind(check_host(match[1]), int(match[2]))


def check_bind(text: object) -> str:
    """Return the address as text in its regular form, once `parse_bind` could read it."""
    return str(parse_bind(text))


def check_host(host: str) -> str:
    """Return the host without brackets, empty for every interface."""
    bracketed = host.startswith("[") and host.endswith("]")
    name = host[1:-1] if bracketed else host
    try:
        if bracketed or ":" in name:
            import ipaddress

            ipaddress.IPv6Address(name)  # RFC 4291 2.2, with a zone where there is one
        elif re.search(r"[\s/@\[\]]", name):
            raise ValueError
    except ValueError:
        raise ValueError("a host name or an IP address, without a scheme or a port") from None
    return "" if name == "*" else name


def check_path(path: str) -> str:
    """Return the path of a unix socket, `unix:` before it taken off."""
    path = path.removeprefix("unix:")
    if path in ("", "@") or "\0" in path:
        raise ValueError("the path of a socket, or @name")
    # sockaddr_un has 108 bytes with the closing NUL; more would only fail later, at bind.
    if len(path.encode("utf-8", "surrogateescape")) > 107:
        raise ValueError("a path of at most 107 bytes, which is the system's limit")
    return path


def combine(
    bind: Sequence[str], host: str | None, port: int | None, uds: str | None, fd: int | None
) -> list[str]:
    """Return the addresses that these options ask for together; ValueError where they conflict."""
    tcp = host is not None or port is not None
    ways = {
        "bind": bool(bind),
        "host/port": tcp,
        "uds": uds is not None,
        "fd": fd is not None,
    }
    given = [name for name, present in ways.items() if present]
    if len(given) > 1:
        raise ValueError(
            f"{' and '.join(given)} exclude one another: give several addresses by repeating bind"
        )
    if uds is not None:
        return [f"unix:{uds}"]
    if fd is not None:
        return [f"fd://{fd}"]
    if bind:
        return list(bind)
    host = DEFAULT_HOST if host is None else host
    return [str(TcpBind(host, DEFAULT_PORT if port is None else port))]


def _hint(text: str) -> str:
    """Return what was most likely meant, for the mistakes that are made every day."""
    if text.isdigit():
        return f" (did you mean :{text}?)"
    if text.startswith("/"):
        return f" (did you mean unix:{text}?)"
    if text.startswith(("http://", "https://", "tcp://")):
        return " (without a scheme)"
    if text.count(":") > 1 and not text.startswith("["):
        return " (an IPv6 address stands in brackets)"
    if ":" not in text and text:
        return f" (did you mean {text}:{DEFAULT_PORT}?)"
    return ""
