"""A loop that turns inside of another does all that is due, and never waits."""

from __future__ import annotations

import asyncio
import math
import select
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from aiowsgi.server.side_loop import SideLoop


@pytest.fixture
def side() -> Iterator[SideLoop]:
    made = SideLoop()
    yield made
    made.close()


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


def test_a_client_is_served_by_turns_alone(side: SideLoop) -> None:
    server = side.loop.run_until_complete(side.loop.create_server(Echo, "127.0.0.1", 0))
    with closing(socket.create_connection(server.sockets[0].getsockname(), 10)) as client:
        client.sendall(b"hello")
        answer = b""
        while not answer:
            assert select.select([side], [], [], 10)[0]
            side.turn()
            if select.select([client], [], [], 0)[0]:
                answer = client.recv(100)
    assert answer == b"hello"
    server.close()


def test_callbacks_that_call_others_are_all_done_in_one_turn(side: SideLoop) -> None:
    done: list[int] = []

    def call(number: int) -> None:
        done.append(number)
        if number:
            side.loop.call_soon(call, number - 1)

    side.loop.call_soon(call, 20)
    side.turn()
    assert done == list(range(20, -1, -1))
    assert side.patience == math.inf


def test_it_says_when_a_timer_is_due_and_does_not_wait_for_it(side: SideLoop) -> None:
    done: list[int] = []
    side.loop.call_later(0.5, done.append, 1)
    side.turn()
    assert done == []
    assert 0 < side.patience <= 0.5
    time.sleep(side.patience)
    side.turn()
    assert done == [1]


def test_one_that_always_has_something_to_do_ends_its_turn(side: SideLoop) -> None:
    done: list[int] = []

    def again() -> None:
        done.append(1)
        side.loop.call_soon(again)

    side.loop.call_soon(again)
    side.turn()
    assert 10 < len(done) < 1000
    assert side.patience == 0.0
