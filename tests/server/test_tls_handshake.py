"""Handshakes that fail, stall, or are under way when the server stops (S16, S8)."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import pytest

from aiowsgi.config import Config
from aiowsgi.server.loops import new_loop, run
from aiowsgi.server.server import Server
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.tls_client import (
    GET,
    LAST,
    connect,
    read_all,
    read_answer,
    refused,
    secured,
    served,
    trusting,
)
from tests.server.wsgi_client import LOOPS, TEXT, hello

HALF_HELLO = b"\x16\x03\x01\x02\x00\x01\x00"  # a record of 512 bytes that does not come


def shaking_hands(server: Live) -> bool:
    acceptor = server.server._acceptor
    return acceptor is not None and acceptor.shaking_hands


def until_refused(server: Live) -> None:
    """Connect until the loop has seen the stop: what the kernel's queue takes is not refused."""
    while True:
        try:
            server.connect().close()
        except ConnectionError:
            return


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    "raw", [b"\0" * 1000, bytes(range(256)) * 400, b"\x80" * 100], ids=["zeros", "noise", "SSLv2"]
)
def test_a_client_that_does_not_speak_tls_is_refused_and_disturbs_nobody(
    loop: str, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """No answer in plain text, no traceback in the log, and other connections go on."""
    with live(hello, loop=loop, **served()) as server, connect(server) as client:
        for _ in range(3):
            with server.connect() as plain:
                try:
                    plain.sendall(raw)
                    said = plain.recv(65536)
                except ConnectionError:  # it did not read to the end
                    said = b""
            assert not said or said[0] == 21  # a TLS alert at most
            client.sendall(GET)
            assert read_answer(client) == b"hello"
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("raw", [b"", HALF_HELLO], ids=["silent", "half a hello"])
def test_a_handshake_that_stalls_is_cut(loop: str, raw: bytes) -> None:
    with live(hello, loop=loop, header_timeout=0.3, **served()) as server:
        with server.connect() as stalled:
            stalled.sendall(raw)
            assert stalled.recv(1) == b""
        server.wait(lambda: not refused(server, trusting()))  # itself within the short deadline


@pytest.mark.parametrize("loop", LOOPS)
def test_handshakes_that_stall_hold_no_thread(loop: str) -> None:
    """S3: with one thread, 50 of them."""
    with live(hello, loop=loop, threads=1, **served()) as server:
        stalled = [server.connect() for _ in range(50)]
        try:
            for each in stalled:
                each.sendall(HALF_HELLO)
            with connect(server) as client:
                client.sendall(GET)
                assert read_answer(client) == b"hello"
        finally:
            for each in stalled:
                each.close()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_graceful_stop_finishes_what_is_under_way_and_ends_tls_in_order(loop: str) -> None:
    entered, release = threading.Event(), threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            entered.set()
            assert release.wait(10)
        start_response("200 OK", TEXT)
        return [b"x" * 1_000_000]

    with live(app, loop=loop, **served()) as server:
        idle, busy = connect(server), connect(server)
        with idle, busy:
            idle.sendall(GET)
            read_answer(idle)
            busy.sendall(GET.replace(b"/", b"/slow", 1))
            assert entered.wait(10)
            server.server.stop()
            assert read_all(idle) == b""
            until_refused(server)
            release.set()
            head, _, body = read_all(busy).partition(b"\r\n\r\n")
            assert b"\r\nConnection: close" in head
            assert len(body) == 1_000_000


@pytest.mark.parametrize("loop", LOOPS)
def test_a_handshake_that_has_begun_when_the_server_stops_is_finished_and_served(
    loop: str,
) -> None:
    with live(hello, loop=loop, **served()) as server, server.connect() as raw:
        server.wait(lambda: shaking_hands(server))
        server.server.stop()
        with secured(raw) as client:
            client.sendall(GET)
            answer = read_all(client)
            assert b"\r\nConnection: close\r\n" in answer
            assert answer.endswith(b"hello")


@pytest.mark.parametrize("loop", LOOPS)
def test_clients_in_the_queue_of_the_kernel_are_served_when_the_server_stops(loop: str) -> None:
    server = Server(hello, Config(port=0, access_log=False, loop=loop, **served()))
    server.bind()
    port = int(server.url.rpartition(":")[2])
    answers: list[bytes] = []

    def ask(raw: socket.socket) -> None:
        with raw, secured(raw) as client:
            client.sendall(LAST)
            answers.append(read_all(client))

    # Connected, so the kernel has them all; nobody has accepted one.
    clients = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(5)]
    asking = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in asking:
        thread.start()
    server.stop()
    run(server.serve(), new_loop(loop))
    for thread in asking:
        thread.join(10)
    assert [answer[-5:] for answer in answers] == [b"hello"] * 5


@pytest.mark.parametrize("loop", LOOPS)
def test_a_handshake_that_stalls_does_not_hold_the_stop(loop: str) -> None:
    """Nor does it hold its client: the connection is closed."""
    with live(hello, loop=loop, header_timeout=None, **served()) as server:
        stalled = server.connect()
        server.wait(lambda: shaking_hands(server))
    with stalled:  # live() waits 40 seconds for the end of the server, asyncio 60 for a handshake
        assert stalled.recv(1) == b""


@pytest.mark.parametrize("loop", LOOPS)
def test_a_handshake_that_stalls_is_cut_when_the_server_is_over(loop: str) -> None:
    """Also where the program's loop goes on."""

    async def block() -> None:
        options = {**served(), "header_timeout": None, "port": 0, "access_log": False}
        async with Server(hello, Config(**options)) as server:
            port = int(server.url.rpartition(":")[2])
            raw = socket.create_connection(("127.0.0.1", port), 10)
            while not (server._acceptor and server._acceptor.shaking_hands):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        with raw:
            assert await asyncio.to_thread(raw.recv, 1) == b""

    async def whole() -> None:
        await asyncio.wait_for(block(), 20)
        await asyncio.get_running_loop().shutdown_default_executor()

    run(whole(), new_loop(loop))


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Leave this process without a free descriptor for as long as the block runs."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = os.dup(0)
    taken = [used]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 64, hard))
        with suppress(OSError):
            while True:
                taken.append(os.dup(0))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for each in taken:
            os.close(each)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_without_descriptors_accepts_again_when_it_has_some(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits instead of spinning, and says so once a second at most."""

    def told() -> list[str]:
        return [each for each in caplog.messages if each.startswith("Cannot accept for a moment: ")]

    with live(hello, loop=loop, **served()) as server, socket.socket() as raw:
        raw.settimeout(10)
        with no_descriptors():
            raw.connect(("127.0.0.1", server.port))
            server.wait(lambda: bool(told()))
        assert len(told()) <= 2
        with secured(raw) as client:
            client.sendall(GET)
            assert read_answer(client) == b"hello"
