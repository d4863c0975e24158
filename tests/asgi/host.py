"""A host in a test: plays one scope to an ASGI application, and holds it to the rules (A5, A12)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, MutableMapping
from typing import Any

from aiowsgi.asgi import WSGIMiddleware

Message = MutableMapping[str, Any]


def scope(path: str = "/", **more: Any) -> dict[str, Any]:
    """A scope with everything that a host may give."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"example.org")],
        "client": ("192.0.2.1", 40000),
        "server": ("192.0.2.2", 8080),
        **more,
    }


class Host:
    """One request. `leave()`: the client does; `hold()`: it reads nothing until `read_on()`."""

    def __init__(self, *body: bytes, truncated: bool = False) -> None:
        self.sent: list[Message] = []
        self.received = 0  # calls of receive()
        self._thread = threading.get_ident()
        last = len(body) - 1
        self._body: list[Message] = [
            {"type": "http.request", "body": part, "more_body": truncated or at < last}
            for at, part in enumerate(body or (b"",))
        ]
        self._left = asyncio.Event()
        self._reads = asyncio.Event()
        self._reads.set()
        self.news = asyncio.Condition()
        self._receiving = self._sending = False
        if truncated:
            self._left.set()

    def leave(self) -> None:
        self._left.set()

    def hold(self) -> None:
        self._reads.clear()

    def read_on(self) -> None:
        self._reads.set()

    async def receive(self) -> Message:
        assert not self._receiving
        assert threading.get_ident() == self._thread
        self._receiving = True
        self.received += 1
        async with self.news:
            self.news.notify_all()
        try:
            if self._body:
                return self._body.pop(0)
            await self._left.wait()
            return {"type": "http.disconnect"}
        finally:
            self._receiving = False

    async def send(self, message: Message) -> None:
        assert not self._sending
        assert threading.get_ident() == self._thread
        self._sending = True
        try:
            self._check(message)
            self.sent.append(message)
            async with self.news:
                self.news.notify_all()
            await self._reads.wait()
        finally:
            self._sending = False

    def _check(self, message: Message) -> None:
        kind = message["type"]
        begun = any(each["type"] == "http.response.start" for each in self.sent)
        assert not self.over, "a message after the last"
        if kind == "http.response.start":
            assert not begun
            assert type(message["status"]) is int
            for name, value in message["headers"]:
                assert type(name) is bytes
                assert name == name.lower()
                assert type(value) is bytes
        elif kind == "http.response.body":
            assert begun
            assert type(message["body"]) is bytes

    @property
    def over(self) -> bool:
        """Whether the last message is there."""
        last = self.sent[-1] if self.sent else {"type": ""}
        if last["type"] == "http.response.pathsend":
            return True
        return last["type"] == "http.response.body" and not last["more_body"]

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    async def until(self, size: int) -> None:
        """Wait until so much of the body was sent."""
        async with self.news:
            await asyncio.wait_for(self.news.wait_for(lambda: len(self.body) >= size), 10)

    async def asked(self, times: int) -> None:
        """Wait until `receive()` was called so often."""
        async with self.news:
            await asyncio.wait_for(self.news.wait_for(lambda: self.received >= times), 10)


async def ask(app: WSGIMiddleware, of: dict[str, Any], body: Iterable[bytes] = ()) -> Host:
    """Play a whole request; the host that has the answer."""
    host = Host(*body)
    await asyncio.wait_for(app(of, host.receive, host.send), 10)
    assert host.over
    return host
