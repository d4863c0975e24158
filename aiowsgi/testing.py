"""LiveServer: the server in a thread of its own, for tests that talk to an application over HTTP.

Real sockets, the real pool, the options of the command: what a test sees is what a client will see.
It fits any test framework; for pytest there is a fixture (aiowsgi.contrib.pytest_plugin).

    with LiveServer(app) as server:
        assert httpx.get(server.url).status_code == 200
"""

from __future__ import annotations

import threading
from concurrent.futures import Executor, Future
from types import TracebackType
from typing import Any

from aiowsgi.config import NAMES, Config
from aiowsgi.server.loops import new_loop, run
from aiowsgi.server.server import Server
from aiowsgi.wsgi.types import WSGIApplication

_ADDRESS = frozenset({"bind", "host", "port", "uds", "fd"})
_MARGIN = 10.0  # seconds that the thread has beyond the drain's own deadline


class LiveServer:
    """Serves `app` on a free port of 127.0.0.1 for as long as the block runs, or start to stop.

    `options` are those of `Config`, with `access_log` off where it is not given, and with another
    address where one is. `executor` runs the application instead of threads of the server's own.
    Made and used by one thread, whichever; it serves once.
    """

    def __init__(
        self, app: WSGIApplication, *, executor: Executor | None = None, **options: Any
    ) -> None:
        given = {NAMES.get(name, name) for name in options}
        if "access_log" not in given:
            options["access_log"] = False
        if not given & _ADDRESS:
            options["port"] = 0
        self.server = Server(app, Config(**options), executor=executor)
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="aiowsgi-live-server", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end. Raises RuntimeError before the start."""
        return self.server.url

    @property
    def port(self) -> int:
        """The port of `url`; 0 for a unix socket. Raises RuntimeError before the start."""
        url = self.url
        return 0 if url.startswith("unix:") else int(url.rpartition(":")[2])

    def start(self) -> LiveServer:
        """Serve; returns when clients are accepted.

        Raises ConfigError for a wrong option or an address that is taken, and whatever else keeps
        the server from starting.
        """
        self.server.bind()
        self._thread.start()
        self._started.result()
        return self

    def stop(self) -> None:
        """Finish the requests under way, for at most `graceful_timeout`, and end.

        Raises RuntimeError where the server did not end.
        """
        self.server.stop()
        if self._thread.ident is None:  # never started
            return
        patience = self.server.config.graceful_timeout
        self._thread.join(None if patience is None else patience + _MARGIN)
        if self._thread.is_alive():
            raise RuntimeError(f"the server at {self.url} did not end")

    def __enter__(self) -> LiveServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        run(self._serve(), new_loop(self.server.config.loop))

    async def _serve(self) -> None:
        try:
            await self.server.__aenter__()
        except BaseException as error:  # whatever it is, it is for the thread that waits
            self._started.set_exception(error)
            return
        try:
            self._started.set_result(None)
            await self.server.stopped()
        finally:
            await self.server.__aexit__(None, None, None)
