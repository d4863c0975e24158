"""An application whose calls end when the test says so."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.http_client import Peer, get


class Stuck:
    """Notes each call by its path and holds it; leaving the block releases all."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.entered = threading.Semaphore(0)
        self.release = threading.Event()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.called.append(environ["PATH_INFO"])
        self.entered.release()
        assert self.release.wait(30)
        start_response("200 OK", [])
        return [b"late"]

    def __enter__(self) -> Stuck:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release.set()


@contextmanager
def all_stuck(app: Stuck, threads: int = 2, **options: Any) -> Iterator[tuple[Live, list[Peer]]]:
    """A server with every thread inside `app`, and the clients that it has yet to answer."""
    with live(app, threads=threads, **options) as server, ExitStack() as stack:
        peers = [stack.enter_context(Peer(server)) for _ in range(threads)]
        stack.enter_context(app)
        for peer in peers:
            peer.send(get(target=b"/stuck"))
            assert app.entered.acquire(timeout=10)
        yield server, peers
