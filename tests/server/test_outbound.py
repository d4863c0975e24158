"""The loop's half of sending: when the write side may go back to the pool thread (P36)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import cast

from aiowsgi.bridge.writer import Progress, ResponseWriter
from aiowsgi.http11.encoder import ResponseEncoder
from aiowsgi.http11.messages import ResponseDefaults, ResponseHead
from aiowsgi.server.outbound import Outbound


class SlowTransport:
    """Keeps what is written until `flush`, as asyncio's does where the client does not read."""

    def __init__(self) -> None:
        self.pair = socket.socketpair()
        self.kept = b""
        self.sent = b""

    def write(self, data: bytes) -> None:
        self.kept += bytes(data)

    def flush(self) -> None:
        self.sent += self.kept
        self.kept = b""

    def get_extra_info(self, name: str) -> object:
        return self.pair[0] if name == "socket" else None

    def get_write_buffer_size(self) -> int:
        return len(self.kept)

    def is_closing(self) -> bool:
        return False


async def test_a_pool_thread_never_overtakes_what_the_transport_still_holds() -> None:
    transport = SlowTransport()
    room = 0

    def send_now(buffers: Sequence[bytes]) -> int:
        data = b"".join(buffers)[:room]
        transport.sent += data
        return len(data)

    outbound = Outbound(
        asyncio.get_running_loop(), cast("asyncio.Transport", transport), lambda: None
    )
    encoder = ResponseEncoder("GET", "1.1", True, ResponseDefaults())
    writer = ResponseWriter(encoder, lambda: None, send_now, memory=1000, disk=None)
    fields = [("Content-Length", "3")]
    writer.start(ResponseHead(200, "OK", fields, content_length=3), b"1")
    assert outbound.pump(writer) is Progress.OPEN
    room = 1000  # the client reads, and the pool thread is the first to find it out
    writer.data(b"2")
    assert transport.sent == b""
    assert outbound.pump(writer) is Progress.OPEN
    transport.flush()
    assert outbound.pump(writer) is Progress.OPEN
    writer.data(b"3")
    assert transport.sent.endswith(b"\r\n\r\n123")
    outbound.release()
    for end in transport.pair:
        end.close()
