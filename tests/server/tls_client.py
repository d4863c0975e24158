"""Certificates of an authority of our own, and clients that trust it."""

from __future__ import annotations

import socket
import ssl
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import trustme

from tests.live import Live

HOST = "localhost"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@cache
def authority() -> trustme.CA:
    """The authority that server and clients trust; one for the whole run: keys take time."""
    return trustme.CA()


@cache
def certificate(name: str = HOST) -> trustme.LeafCert:
    """A certificate of the authority for this name."""
    return authority().issue_cert(name)


def pem(folder: Path, leaf: trustme.LeafCert) -> tuple[str, str]:
    """The certificate with its chain, and the key, as two files."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(str(key))
    return str(chain), str(key)


@cache
def served() -> dict[str, Any]:
    """The options of a server with a certificate."""
    chain, key = pem(Path(mkdtemp()), certificate())
    return {"ssl_certfile": chain, "ssl_keyfile": key}


@cache
def authority_file() -> str:
    path = Path(mkdtemp()) / "authority.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


def trusting(own: trustme.LeafCert | None = None) -> ssl.SSLContext:
    """The context of a client that trusts the authority, with a certificate of its own or not."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    if own is not None:
        own.configure_cert(context)
    return context


def secured(
    client: socket.socket,
    context: ssl.SSLContext | None = None,
    session: ssl.SSLSession | None = None,
) -> ssl.SSLSocket:
    """Shake hands; an end without a word is an error here, so that a cut is not missed."""
    context = trusting() if context is None else context
    return context.wrap_socket(
        client, server_hostname=HOST, suppress_ragged_eofs=False, session=session
    )


def connect(
    server: Live, context: ssl.SSLContext | None = None, session: ssl.SSLSession | None = None
) -> ssl.SSLSocket:
    """Open a connection and shake hands."""
    return secured(server.connect(), context, session)


def read_all(client: ssl.SSLSocket) -> bytes:
    """Read until the server ends TLS in order. Raises SSLError or ConnectionError for a cut."""
    pieces = []
    while piece := client.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def read_answer(client: ssl.SSLSocket) -> bytes:
    """Read one response that has a Content-Length; its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        assert piece, data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), head
    length = next(
        int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        piece = client.recv(65536)
        assert piece, "cut"
        body += piece
    return body


def refused(server: Live, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> bool:
    """Whether a client with this context gets no byte of an answer.

    In TLSv1.3 a client only learns at its first read that the server did not like it.
    """
    return bool(why_refused(server, context, session))


def why_refused(
    server: Live, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> str:
    """What the client was told, OpenSSL's name of the alert; empty where it had an answer."""
    try:
        with connect(server, context, session) as client:
            client.sendall(GET)
            return "" if client.recv(1) else "closed"
    except (ssl.SSLError, ConnectionError) as error:
        return getattr(error, "reason", None) or repr(error)
