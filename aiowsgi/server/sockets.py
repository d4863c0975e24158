"""Bind: addresses -> listening sockets, with an error that says which address and why.

A unix socket's file is treated as what it is (S15): a live server's is never taken, a stale one is
replaced, any other file is left alone, and only a file that we made is removed.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Sequence
from contextlib import suppress

from aiowsgi.binds import Bind, SystemdBind, TcpBind, UnixBind
from aiowsgi.errors import ConfigError
from aiowsgi.server.identity import Identity
from aiowsgi.server.systemd import passed_descriptors

_WHY = {
    errno.EADDRINUSE: "the address is in use; stop what listens there, or choose another",
    errno.EACCES: "permission denied; ports below 1024 and some directories need privileges",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
    errno.ENOENT: "the directory does not exist",
    errno.EAFNOSUPPORT: "this machine does not support that kind of address",
}


class Listener:
    """One listening socket, what it is called, and what is left to clean up.

    `borrowed`: somebody else has it too, who goes on listening when we do not.
    """

    def __init__(
        self, sock: socket.socket, url: str, path: str | None = None, *, borrowed: bool = False
    ) -> None:
        self.socket = sock
        self.borrowed = borrowed
        self.url = url
        self.unix = url.startswith("unix:")
        self._path = path
        self._inode = _inode(path)

    def belong_to(self, owner: Identity) -> None:
        """Give the file of a unix socket that we made to another user and group."""
        if self._path is not None:
            owner.own(self._path)

    def close(self) -> None:
        """Stop listening; removes the file of a unix socket where it is still our own."""
        self.socket.close()
        if self._path is not None and self._inode is not None:
            with suppress(OSError):
                if _inode(self._path) == self._inode:
                    os.unlink(self._path)
            self._path = None


def listen(
    binds: Sequence[Bind], backlog: int, scheme: str = "http", *, reuse_port: bool = False
) -> list[Listener]:
    """Open every address; the url of one that is TCP has the scheme.

    `reuse_port`: other processes that say so, too, may listen at the same TCP addresses. Raises
    ConfigError (exit code 1); what was opened is closed again.
    """
    listeners: list[Listener] = []
    try:
        for bind in binds:
            try:
                listeners += _open(bind, backlog, scheme, reuse_port)
            except ValueError:  # of socket.create_server
                message = "reuse_port: this system has no SO_REUSEPORT: leave it out"
                raise ConfigError(message, exit_code=1) from None
            except OSError as error:
                why = _WHY.get(error.errno or 0) or error.strerror or str(error)
                message = f"Cannot listen at {bind}: {why}"
                raise ConfigError(message, exit_code=1) from None
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _open(bind: Bind, backlog: int, scheme: str, reuse_port: bool) -> list[Listener]:
    if isinstance(bind, TcpBind):
        return _tcp(bind, backlog, scheme, reuse_port)
    if isinstance(bind, UnixBind):
        return [_unix(bind, backlog)]
    if isinstance(bind, SystemdBind):
        return _from_systemd(bind, scheme)
    return [_inherited(bind.fd, scheme)]


def _tcp(bind: TcpBind, backlog: int, scheme: str, reuse_port: bool) -> list[Listener]:
    host, port = bind
    if not host:  # every interface: one socket for both families where the system can
        if socket.has_dualstack_ipv6():
            with suppress(OSError):  # IPv6 may be compiled in and switched off
                sock = socket.create_server(
                    ("::", port),
                    family=socket.AF_INET6,
                    backlog=backlog,
                    reuse_port=reuse_port,
                    dualstack_ipv6=True,
                )
                return [Listener(sock, f"{scheme}://[::]:{sock.getsockname()[1]}")]
        host = "0.0.0.0"  # noqa: S104 - asked for by the operator
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners: list[Listener] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            sock = socket.create_server(
                (address[0], port, *address[2:]),
                family=family,
                backlog=backlog,
                reuse_port=reuse_port,
            )
            port = sock.getsockname()[1]  # a name with several addresses has one port for all
            shown = f"[{address[0]}]" if family == socket.AF_INET6 else address[0]
            listeners.append(Listener(sock, f"{scheme}://{shown}:{port}"))
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _unix(bind: UnixBind, backlog: int) -> Listener:
    if not hasattr(socket, "AF_UNIX"):
        raise OSError(errno.EAFNOSUPPORT, "this system has no unix sockets")
    path = None if bind.abstract else bind.path
    if path is not None:
        _make_way(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound = False
    try:
        sock.bind(bind.address)
        bound = True
        if path is not None:  # before listening: nobody connects with the umask's permissions
            os.chmod(path, bind.permissions)
        sock.listen(backlog)
    except BaseException:
        sock.close()
        if bound and path is not None:
            os.unlink(path)
        raise
    return Listener(sock, str(bind), path)


def _make_way(path: str) -> None:
    """Remove a stale socket file; refuse where it is alive or something else (S15)."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, "there is a file of another kind with that name")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
    raise OSError(errno.EADDRINUSE, "")


def _from_systemd(bind: SystemdBind, scheme: str) -> list[Listener]:
    passed = passed_descriptors(os.environ, bind.name)
    if not passed:
        named = f" named {bind.name!r}" if bind.name else ""
        raise OSError(errno.EBADF, f"systemd has passed no sockets{named} to this process")
    listeners: list[Listener] = []
    try:
        for number in passed:
            listeners.append(_inherited(number, scheme))  # noqa: PERF401 - those before a failure are closed
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _inherited(number: int, scheme: str) -> Listener:
    try:
        own = os.dup(number)
    except OSError:
        raise OSError(errno.EBADF, "no such descriptor was inherited") from None
    try:
        sock = socket.socket(fileno=own)
    except OSError as error:
        os.close(own)
        raise OSError(error.errno, "the descriptor is not a socket") from None
    accepting = getattr(socket, "SO_ACCEPTCONN", None)
    if sock.type != socket.SOCK_STREAM or (
        accepting is not None and not sock.getsockopt(socket.SOL_SOCKET, accepting)
    ):
        sock.close()
        raise OSError(errno.EINVAL, "the descriptor is not a listening stream socket")
    name = sock.getsockname()
    if sock.family == socket.AF_INET6:
        url = f"{scheme}://[{name[0]}]:{name[1]}"
    elif sock.family == socket.AF_INET:
        url = f"{scheme}://{name[0]}:{name[1]}"
    else:
        url = f"unix:{os.fsdecode(name)}"
    return Listener(sock, url, borrowed=True)


def _inode(path: str | None) -> tuple[int, int] | None:
    if path is None:
        return None
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
