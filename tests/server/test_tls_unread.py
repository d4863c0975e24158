"""TLS ends both ways at once: a client that still sends gets its answer all the same (H9, H21)."""

from __future__ import annotations

import pytest

from tests.live import live
from tests.server.http_client import deaf, post
from tests.server.tls_client import connect, read_all, served
from tests.server.wsgi_client import LOOPS

LARGE = 200_000


@pytest.mark.parametrize("loop", LOOPS)
def test_what_a_client_sends_after_the_answer_is_dropped_before_the_end(loop: str) -> None:
    options = {"loop": loop, "request_buffering": False, **served()}
    with live(deaf, **options) as server, connect(server) as client:
        client.sendall(post(LARGE, body=b"x" * 1000))
        data = b""
        while not data.endswith(b"heard nothing"):
            piece = client.recv(65536)
            assert piece, data
            data += piece
        for _ in range(19):
            client.sendall(b"x" * 10_000)
        client.sendall(b"x" * (LARGE - 191_000))
        assert read_all(client) == b""
