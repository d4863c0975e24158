"""`make_server`: the face of `wsgiref.simple_server`: its programs run by changing one import.

The socket listens from the moment `make_server` returns; requests are served while `serve_forever`
or `handle_request` runs, and wait in between. Behind the face is the ordinary Server, a new one for
each time of serving.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from aiowsgi.config import Config
from aiowsgi.server.certificates import certificates
from aiowsgi.server.loops import new_loop, run
from aiowsgi.server.server import Server
from aiowsgi.server.signals import on_signals
from aiowsgi.server.sockets import Listener, listen
from aiowsgi.wsgi.types import StartResponse, WSGIApplication


class SimpleServer:
    """What `make_server` returns; `timeout` bounds the wait of `handle_request`, in seconds."""

    timeout: float | None = None

    def __init__(self, config: Config, app: WSGIApplication) -> None:
        self._config = config
        self._app = app
        self._certificates = certificates(config)
        scheme = "http" if self._certificates is None else "https"
        self._listeners = listen(config.binds, config.backlog, scheme, reuse_port=config.reuse_port)
        self._server: Server | None = None  # while it serves
        # shutdown() was called, for the serve_forever() under way or, as in wsgiref, the next one.
        self._told = False
        self._interrupted = False
        self._over = threading.Event()
        self._over.set()
        self.socket: socket.socket = self._listeners[0].socket
        self.server_address: Any = self.socket.getsockname()
        self.server_name = socket.getfqdn(self.server_address[0])
        self.server_port: int = self.server_address[1]

    def get_app(self) -> WSGIApplication:
        """The application that is served."""
        return self._app

    def set_app(self, application: WSGIApplication) -> None:
        """Serve another application from the next request on."""
        self._app = application

    def fileno(self) -> int:
        """The descriptor of the listening socket, for `select`."""
        return self.socket.fileno()

    def serve_forever(self, poll_interval: float = 0.5) -> None:  # noqa: ARG002 - wsgiref's face
        """Serve until `shutdown()`, which another thread calls; `poll_interval` is not needed.

        TERM ends it gracefully, like `shutdown()`. KeyboardInterrupt goes through, as it does with
        wsgiref; the socket listens on.
        """
        self._interrupted = False
        try:
            self._serve(self._serve_until_told, self._listeners)
        finally:
            self._told = False
        if self._interrupted:  # not from the signal itself: uvloop loses what callbacks raise
            raise KeyboardInterrupt

    def handle_request(self) -> None:
        """Serve one request and return; without a client, after `timeout` seconds."""
        self._serve(self._serve_one, [])

    def shutdown(self) -> None:
        """End `serve_forever` gracefully and wait until it has returned; from another thread.

        A `serve_forever` that is only about to begin, in a thread just started, returns at once.
        """
        self._told = True  # before the look at _server: the other side looks in the other order
        server = self._server
        if server is not None:
            server.stop()
        self._over.wait()

    def server_close(self) -> None:
        """Close the listening sockets."""
        for listener in self._listeners:
            listener.close()

    def __enter__(self) -> SimpleServer:
        """Return itself; the block's end closes the sockets."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the listening sockets."""
        self.server_close()

    def _serve(
        self, main: Callable[[Server], Coroutine[Any, Any, None]], listeners: list[Listener]
    ) -> None:
        server = Server(self._call, self._config)
        own = [Listener(each.socket.dup(), each.url) for each in listeners]
        server.adopt(own, self._certificates)
        loop = new_loop(self._config.loop)
        self._over.clear()
        self._server = server
        try:
            run(main(server), loop)
        finally:
            self._server = None
            self._over.set()

    async def _serve_until_told(self, server: Server) -> None:
        loop = asyncio.get_running_loop()

        def interrupt() -> None:
            self._interrupted = True
            server.stop(now=True)

        with ExitStack() as signals:
            signals.enter_context(on_signals(loop, {"SIGTERM": server.stop}))
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                signals.enter_context(on_signals(loop, {"SIGINT": interrupt}))
            if self._told:
                server.stop()
            await server.serve()

    async def _serve_one(self, server: Server) -> None:
        self.socket.setblocking(False)
        accept = asyncio.get_running_loop().sock_accept(self.socket)
        try:
            client, _ = await asyncio.wait_for(accept, self.timeout)
        except asyncio.TimeoutError:
            return
        async with server:
            await server.serve_client(client)

    def _call(self, environ: dict[str, Any], start_response: StartResponse) -> Any:
        return self._app(environ, start_response)


def make_server(host: str, port: int, app: WSGIApplication, **options: Any) -> SimpleServer:
    """Make a server that listens at `host` and `port` (0 picks one; an empty host: everywhere).

    `options` are those of `aiowsgi.run`; wsgiref's `server_class` and `handler_class` do not apply
    here. Raises ConfigError where the address cannot be opened or the certificate is wrong.
    """
    for name in ("server_class", "handler_class"):
        options.pop(name, None)
    options.setdefault("access_log", False)
    return SimpleServer(Config(host=host or "*", port=port, **options), app)
